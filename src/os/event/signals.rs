//! Signals as bytes of a pipe that poll(2) can wait for.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, pipe};

use crate::os::error::Error;

/// What a signal asks of a long-running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM or SIGINT: end cleanly.
    End,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Receives SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub(crate) struct Signals {
    end: UnixStream,
    reload: UnixStream,
}

impl Signals {
    /// Takes the signals over from their default action.
    pub(crate) fn take() -> std::io::Result<Self> {
        let (end, end_writer) = UnixStream::pair()?;
        let (reload, reload_writer) = UnixStream::pair()?;
        pipe::register(SIGTERM, end_writer.try_clone()?)?;
        pipe::register(SIGINT, end_writer)?;
        pipe::register(SIGHUP, reload_writer)?;
        end.set_nonblocking(true)?;
        reload.set_nonblocking(true)?;
        Ok(Self { end, reload })
    }

    /// The descriptors to poll for reading.
    pub(crate) fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.end.as_fd(), self.reload.as_fd()]
    }

    /// Says what was asked since the last call; to end wins.
    pub(crate) fn pending(&mut self) -> Option<Asked> {
        let mut buffer = [0u8; 64];
        if matches!(self.end.read(&mut buffer), Ok(1..)) {
            return Some(Asked::End);
        }
        matches!(self.reload.read(&mut buffer), Ok(1..)).then_some(Asked::Reload)
    }
}

/// What every [`Deferral::prepare`] of this process shares: of two sets of handlers the one that
/// nobody holds would end the process under the other's hold.
static PREPARED: Mutex<Option<Deferral>> = Mutex::new(None);

/// Keeps SIGTERM, SIGINT, SIGHUP and SIGQUIT waiting while something must not be interrupted.
///
/// A signal that came meanwhile ends the process when the last of these is dropped; outside of it
/// the signals do what they always do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deferral {
    /// Whether signals act at once.
    open: Arc<AtomicBool>,
    /// How many hold them back; whoever changes that sets `open` before another may.
    holds: Arc<Mutex<usize>>,
    /// The signal that came meanwhile; 0 is none.
    caught: Arc<AtomicUsize>,
}

/// The time in which signals wait.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Deferral);

impl Deferral {
    /// Prepares it for work in `place`, which an error names; until [`Deferral::hold`] nothing changes.
    pub(crate) fn prepare(place: &Path) -> Result<Self, Error> {
        Self::shared().map_err(|source| Error::new("wait for signals in", place, source))
    }

    /// Gives what is shared, made at the first call.
    fn shared() -> std::io::Result<Self> {
        let mut prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(deferral) = &*prepared {
            return Ok(deferral.clone());
        }
        let new = Self { open: Arc::new(AtomicBool::new(true)), ..Self::default() };
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&new.open))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&new.caught), number)?;
        }
        Ok(prepared.insert(new).clone())
    }

    /// For a process whose signals wait anyway, as those that [`Signals`] takes do.
    pub(crate) fn already() -> Self {
        Self::default()
    }

    /// Makes signals wait until the answer is dropped.
    pub(crate) fn hold(&self) -> Waiting<'_> {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        *holds += 1;
        self.open.store(false, Ordering::SeqCst);
        Waiting(self)
    }
}

impl Waiting<'_> {
    /// Says whether a signal is waiting.
    pub(crate) fn asked(&self) -> bool {
        self.0.caught.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut holds = self.0.holds.lock().unwrap_or_else(PoisonError::into_inner);
        *holds = holds.saturating_sub(1);
        if *holds > 0 {
            return;
        }
        self.0.open.store(true, Ordering::SeqCst);
        let caught = self.0.caught.load(Ordering::SeqCst);
        if let Some(signal) = i32::try_from(caught).ok().filter(|signal| *signal != 0) {
            let _ = emulate_default_handler(signal);
        }
    }
}
