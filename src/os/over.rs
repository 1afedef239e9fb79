//! Writing over a file in place, for a mount point that no rename can replace.
//!
//! The file is torn for a moment: until the new text is on disk, the old one is kept in a folder of
//! ours, from where the next run brings it back.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::os::error::{Cause, Error};
use crate::os::folder::{Folder, Seen};
use crate::os::stage::{self, Durability, same};

/// The most that is read of a record, in bytes: two texts of a sink, of 4 MiB at most, and a path.
const RECORD_LIMIT: u64 = 9 << 20;

/// Where the old text is kept meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep<'a> {
    /// A folder of ours.
    pub(crate) folder: &'a Folder,
    /// The name of the record in it.
    pub(crate) name: &'a str,
}

impl Keep<'_> {
    /// Writes `bytes` over the file that was seen as `old`.
    pub(crate) fn write(
        self,
        folder: &Folder,
        name: &str,
        old: &Seen,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let path = folder.path.join(name);
        let file = open(folder, name)?;
        let stat = rustix::fs::fstat(&file).map_err(|source| Error::new("write", &path, source))?;
        if !same(&stat, &old.stat) {
            return Err(Error { verb: "write", object: path, cause: Cause::Changed });
        }
        let record = Record { path: &path, inode: stat.st_ino, old: &old.bytes, new: bytes }.text();
        stage::replace(self.folder, self.name, &record, Durability::Flushed)?;
        let written = pour(&file, bytes).or_else(|failed| pour(&file, &old.bytes).and(Err(failed)));
        // A file that holds neither text is left to the next run, which finds the record.
        let whole = folder.read(name, longest(&old.bytes, bytes)).ok().flatten();
        if whole.is_some_and(|seen| seen.bytes == old.bytes || seen.bytes == bytes) {
            self.folder.remove(self.name)?;
        }
        written.map_err(|source| Error::new("write", &path, source))
    }

    /// Brings back the old text of a file that a run began to write over and did not finish; which.
    pub(crate) fn restore(self) -> Result<Option<PathBuf>, Error> {
        let Some(seen) = self.folder.read(self.name, RECORD_LIMIT)? else { return Ok(None) };
        let record = Record::parse(&seen.bytes);
        let file =
            record.as_ref().and_then(|record| Some((record, record.path.file_name()?.to_str()?)));
        let Some((Record { path, inode, old, new }, name)) = file else {
            return self.folder.remove(self.name).map(|_| None);
        };
        let folder = Folder::reach(path.parent().unwrap_or(path))?;
        // What was mounted there may be gone, and come back.
        let now = folder.read(name, longest(old, new))?;
        let Some(now) = now.filter(|now| now.stat.st_ino == *inode) else { return Ok(None) };
        let torn = now.bytes != *old && now.bytes != *new;
        if torn {
            let poured = pour(&open(&folder, name)?, old);
            poured.map_err(|source| Error::new("write", path, source))?;
        }
        self.folder.remove(self.name)?;
        Ok(torn.then(|| path.to_path_buf()))
    }
}

/// What is known of a file while it is written over.
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    path: &'a Path,
    inode: u64,
    old: &'a [u8],
    new: &'a [u8],
}

impl<'a> Record<'a> {
    fn text(&self) -> Vec<u8> {
        let numbers = format!("\0{}\0{}\0", self.inode, self.old.len());
        [self.path.as_os_str().as_bytes(), numbers.as_bytes(), self.old, self.new].concat()
    }

    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parts = text.splitn(4, |byte| *byte == 0);
        let path = Path::new(OsStr::from_bytes(parts.next()?));
        let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<u64>().ok();
        let (inode, length) = (number()?, usize::try_from(number()?).ok()?);
        let (old, new) = parts.next()?.split_at_checked(length)?;
        Some(Self { path, inode, old, new })
    }
}

/// The most that a file has in which the one text is being written over the other.
fn longest(old: &[u8], new: &[u8]) -> u64 {
    old.len().max(new.len()) as u64
}

fn open(folder: &Folder, name: &str) -> Result<File, Error> {
    let path = folder.path.join(name);
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(folder.fd.as_fd(), name, flags, Mode::empty());
    let file = File::from(folder.acting()?.and(open, "write", &path)?);
    let stat = file.metadata().map_err(|source| Error::new("write", &path, source))?;
    if stat.is_file() { Ok(file) } else { Err(Error::odd("write", &path, "it is no regular file")) }
}

fn pour(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test lays its scratch folder out itself")]
    fn what_is_longer_than_either_text_is_neither_read_nor_written_over() {
        use std::os::unix::fs::MetadataExt;
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let inode = std::fs::metadata(&path).unwrap().ino();
        let record = Record { path: &path, inode, old: b"old", new: b"new!" }.text();
        std::fs::write(scratch.path().join("record"), record).unwrap();
        let folder = Folder::reach(scratch.path()).unwrap();
        let keep = Keep { folder: &folder, name: "record" };
        File::options().write(true).open(&path).unwrap().set_len(5).unwrap();
        let error = keep.restore().expect_err("nobody knows what that is");
        assert!(error.to_string().contains("it has more than"), "{error}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 5);
        File::options().write(true).open(&path).unwrap().set_len(2).unwrap();
        assert_eq!(keep.restore().unwrap(), Some(path.clone()));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = Record { path: Path::new("/a b"), inode: 7, old: b"x\0y", new: b"\0z" };
        assert_eq!(Record::parse(&record.text()), Some(record));
        assert_eq!(Record::parse(b"/a\x007\x009\x00short"), None);
        assert_eq!(Record::parse(b"left"), None);
    }
}
