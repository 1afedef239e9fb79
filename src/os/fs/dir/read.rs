//! Reading a file of a folder: plain, whole and with no more than its folder's rights.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Folder, Seen, crossing, foreign, owner};
use crate::os::error::{Cause, Error};

/// The largest file that is read by a process that must not keep others waiting, in bytes: to take a larger
/// one apart takes milliseconds.
pub(crate) const QUICK: usize = 256 << 10;

/// How often a file is read while others write it.
const READ_TRIES: u32 = 5;

impl Folder {
    /// Reads a regular file with one link and at most `limit` bytes; `None` if there is none.
    ///
    /// A read is no snapshot: one that a writer got into is done again.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, Error> {
        patiently(|| self.read_once(name, limit))
    }

    /// Looks at a regular file with one link without reading it: what is replaced may be of any size,
    /// and a user may have made it a sparse one that would fill the memory.
    pub(crate) fn hold(&self, name: &str) -> Result<Option<Seen>, Error> {
        let Some((file, stat)) = self.open(name, u64::MAX)? else { return Ok(None) };
        Ok(Some(Seen { bytes: Vec::new(), stat, fd: file.into() }))
    }

    fn open(&self, name: &str, limit: u64) -> Result<Option<(File, Stat)>, Error> {
        let path = self.path.join(name);
        let acting = self.acting()?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match self.open_at(name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(Error::odd("read", &path, "it is a symbolic link")),
            Err(Errno::NXIO) => return Err(Error::odd("read", &path, "it is a socket")),
            Err(Errno::ACCESS) => return Err(self.denied(name, &path)),
            Err(source) => return Err(crossing::failed("read", &path, source)),
        };
        drop(acting);
        let stat = owner::stat(&fd).map_err(|source| crossing::failed("read", &path, source))?;
        check_plain(&path, &stat, limit, Links::One)?;
        Ok(Some((File::from(fd), stat)))
    }

    fn read_once(&self, name: &str, limit: u64) -> Result<Option<Seen>, Error> {
        let Some((file, stat)) = self.open(name, limit)? else { return Ok(None) };
        whole(file, stat, &self.path.join(name), limit).map(Some)
    }

    /// Explains why a file in a folder of its own user cannot be opened.
    pub(super) fn denied(&self, name: &str, path: &Path) -> Error {
        let owner = self.stat_at(name).map(|stat| stat.st_uid);
        match owner {
            Ok(owner) if owner != self.identity.uid => foreign("read", self, name, owner),
            _ => Error::new("read", path, Errno::ACCESS),
        }
    }
}

/// How many names a file may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    One,
    Any,
}

/// Reads again what a writer got into.
pub(super) fn patiently<T>(mut read: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut tries = 1..READ_TRIES;
    loop {
        match read() {
            Err(error) if error.is_changed() && tries.next().is_some() => {}
            other => return other,
        }
    }
}

/// Reads an open file to its end.
pub(super) fn whole(mut file: File, stat: Stat, path: &Path, limit: u64) -> Result<Seen, Error> {
    let failed = |source| Error::new("read", path, source);
    let size = usize::try_from(stat.st_size).unwrap_or(0);
    if size > QUICK && crossing::leave_to_another(path, "large file") {
        return Err(crossing::failed("read", path, Errno::XDEV));
    }
    let mut bytes = Vec::with_capacity(size + 1);
    (&mut file).take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, limit));
    }
    let now = rustix::fs::fstat(&file).map_err(|source| failed(source.into()))?;
    if stamp(&now) != stamp(&stat) {
        return Err(Error { verb: "read", object: path.to_owned(), cause: Cause::Changed });
    }
    Ok(Seen { bytes, stat, fd: file.into() })
}

/// What changes with every write, and with a rename over the file.
fn stamp(stat: &Stat) -> impl PartialEq + use<> {
    (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec)
}

pub(super) fn check_plain(path: &Path, stat: &Stat, limit: u64, links: Links) -> Result<(), Error> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        // Replaced or removed since it was opened.
        FileType::RegularFile if stat.st_nlink == 0 => {
            return Err(Error { verb: "read", object: path.to_owned(), cause: Cause::Changed });
        }
        FileType::RegularFile if links == Links::One && stat.st_nlink > 1 => {
            "it has a second name (hard link), so it is not clear who else reads it"
        }
        FileType::RegularFile if u64::try_from(stat.st_size).is_ok_and(|size| size > limit) => {
            return Err(too_large(path, limit));
        }
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "it is a directory",
        FileType::Fifo => "it is a named pipe",
        _ => "it is not a regular file",
    };
    Err(Error::odd("read", path, what))
}

fn too_large(path: &Path, limit: u64) -> Error {
    Error::odd("read", path, format!("it has more than {} KiB", limit / 1024))
}
