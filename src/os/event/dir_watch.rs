//! Waits for changes in one folder, beside whatever else a caller waits for.

use std::os::fd::{AsFd, BorrowedFd};

use inotify::{Inotify, WatchMask};

use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// A watch on the names in one folder.
#[derive(Debug)]
pub(crate) struct Vigil {
    inotify: Inotify,
}

impl Vigil {
    /// Watches the folder with its owner's rights.
    pub(crate) fn over(folder: &Folder) -> Result<Self, Error> {
        let failed = |source| Error::new("watch", &folder.path, source);
        let inotify = Inotify::init().map_err(failed)?;
        let mask = WatchMask::MOVED_TO | WatchMask::CLOSE_WRITE | WatchMask::ONLYDIR;
        let _acting = folder.acting()?;
        inotify.watches().add(folder.proc_path(), mask).map_err(failed)?;
        Ok(Self { inotify })
    }

    /// The descriptor that becomes readable.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Forgets what happened so far: the files themselves tell what they hold.
    pub(crate) fn forget(&mut self) {
        let mut buffer = [0u8; 4096];
        while self.inotify.read_events(&mut buffer).is_ok_and(|mut events| events.next().is_some())
        {
        }
    }
}
