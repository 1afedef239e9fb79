//! What changes the names in a folder.

use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::Folder;
use crate::os::error::Error;

impl Folder {
    /// Makes a folder below this one (0700) unless it is there, and opens it.
    pub(crate) fn make(&self, name: &str) -> Result<Self, Error> {
        let path = self.path.join(name);
        let make = || match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(source) => Err(source),
        };
        self.acting()?.and(make, "make", &path)?;
        self.enter(Path::new(name))
    }

    /// Removes a file; says whether there was one.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, Error> {
        let remove = || match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(source) => Err(source),
        };
        self.acting()?.and(remove, "remove", &self.path.join(name))
    }

    /// Gives a file another name in the same folder.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let rename = || rustix::fs::renameat(&self.fd, from, &self.fd, to);
        self.acting()?.and(rename, "rename", &self.path.join(from))
    }

    /// Gives a file another name in the same folder, unless that name is taken.
    pub(crate) fn place(&self, from: &str, to: &str) -> Result<(), Error> {
        let flags = RenameFlags::NOREPLACE;
        let rename = || rustix::fs::renameat_with(&self.fd, from, &self.fd, to, flags);
        self.acting()?.and(rename, "rename", &self.path.join(from))
    }

    /// Changes the mode of a file in the folder; of no link's target.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> Result<(), Error> {
        let change = || {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let fd = self.open_at(name, flags, Mode::empty())?;
            if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) == FileType::Symlink {
                return Err(Errno::LOOP);
            }
            rustix::fs::chmodat(&self.fd, name, Mode::from_raw_mode(mode), AtFlags::empty())
        };
        self.acting()?.and(change, "change the mode of", &self.path.join(name))
    }
}
