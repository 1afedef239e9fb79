//! Waiting for a folder to become quiet, and for the next look at something that tells nobody.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::os::fs::dir::Folder;
use crate::os::progress;

/// A folder of ours, watched for files that arrive.
#[derive(Debug)]
pub(crate) struct Arrivals {
    inotify: Inotify,
}

impl Arrivals {
    /// Watches from now on.
    pub(crate) fn watch(folder: &Folder) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        let mask = WatchMask::MOVED_TO | WatchMask::CLOSE_WRITE | WatchMask::ONLYDIR;
        inotify.watches().add(folder.proc_path(), mask)?;
        Ok(Self { inotify })
    }

    /// The descriptor to poll: readable once something has arrived.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Forgets what has arrived so far.
    pub(crate) fn forget(&mut self) {
        // Nothing to read is as good.
        let _ = self.inotify.read_events(&mut [0u8; 4096]);
    }

    /// Waits until nothing has arrived for `span`, but no longer than `limit`.
    pub(crate) fn quiet(&mut self, span: Duration, limit: Duration) -> io::Result<()> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now()).min(span);
            let mut fds = [PollFd::new(&self.inotify, PollFlags::IN)];
            let woke = poll(&mut fds, Some(&timespec(left)));
            match woke {
                Ok(0) => return Ok(()),
                Ok(_) => drop(self.inotify.read_events(&mut [0u8; 4096])?),
                Err(rustix::io::Errno::INTR) => {}
                Err(source) => return Err(source.into()),
            }
        }
    }
}

/// Lets time pass between two looks at something that tells nobody when it changes.
pub(crate) fn pause(span: Duration) {
    progress::show();
    let end = Instant::now() + span;
    while let left = end.saturating_duration_since(Instant::now())
        && !left.is_zero()
    {
        // A signal cuts it short; the loop goes on.
        let _ = poll(&mut [], Some(&timespec(left)));
    }
}

/// Waits until a descriptor has something to read, but no longer than `limit`; says whether it has.
pub(crate) fn wait_for(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(left))) {
            Ok(1..) => return true,
            Ok(_) | Err(rustix::io::Errno::INTR) if !left.is_zero() => {}
            _ => return false,
        }
    }
}

/// How soon something that tells nobody is looked at again at first, and at last: each look may start a program.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Lets more and more time pass between looks, up to a second.
pub(crate) fn pauses() -> impl FnMut() {
    let mut next = FIRST_PAUSE;
    move || {
        pause(next);
        next = LAST_PAUSE.min(next * 2);
    }
}

/// A clock that no setting of the wall clock disturbs.
pub(crate) fn stopwatch() -> impl Fn() -> Duration {
    let start = Instant::now();
    move || start.elapsed()
}

fn timespec(span: Duration) -> Timespec {
    Timespec::try_from(span).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_waited_for_up_to_the_limit() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::reach(place.path()).unwrap();
        let mut arrivals = Arrivals::watch(&folder).unwrap();
        std::fs::write(place.path().join("a"), "").unwrap();
        let watch = stopwatch();
        arrivals.quiet(Duration::from_millis(80), Duration::from_secs(5)).unwrap();
        assert!((80..2000).contains(&watch().as_millis()), "{:?}", watch());
    }
}
