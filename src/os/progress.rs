//! Shows whoever started this process, and waits for it only while it shows any, that the work goes on.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, OnceLock, TryLockError};
use std::time::{Duration, Instant};

/// How often it is shown at most.
const PERIOD: Duration = Duration::from_secs(1);

/// Set where a process waits for this one; when progress was shown last.
static SHOWN: OnceLock<Mutex<Option<Instant>>> = OnceLock::new();

/// From now on progress is shown on the standard input, which is memory of the parent's.
pub(crate) fn begin() {
    let _ = SHOWN.set(Mutex::new(None));
}

/// Says whether a process waits for this one.
pub(crate) fn is_shown() -> bool {
    SHOWN.get().is_some()
}

/// Shows that the work goes on: no system call of this thread hangs.
pub(crate) fn show() {
    let Some(shown) = SHOWN.get() else { return };
    let mut shown = match shown.try_lock() {
        Ok(shown) => shown,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // Another thread shows it.
        Err(TryLockError::WouldBlock) => return,
    };
    if shown.is_none_or(|shown| shown.elapsed() >= PERIOD) {
        // Whom nobody waits for need not show it.
        let _ = rustix::io::write(io::stdin().as_fd(), b" ");
        *shown = Some(Instant::now());
    }
}
