//! Writing over a file in place, for a mount point that no rename can replace.
//!
//! The file is torn for a moment: until the new text is on disk, the old one is kept in a folder of
//! ours, from where the next run brings it back.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::{Cause, Error};
use crate::os::fs::atomic_write::{self, Durability, NEW_MODE, same};
use crate::os::fs::dir::{Folder, Seen};

/// The most that is read of a record, in bytes: two texts of a sink, of 4 MiB at most, and a path.
const RECORD_LIMIT: u64 = 9 << 20;

/// How long a file that cannot be looked at is waited for.
const GRACE: Duration = Duration::from_secs(86_400);

/// Where the old text is kept meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep<'a> {
    /// A folder of ours.
    pub(crate) folder: &'a Folder,
    /// The name of the record in it.
    pub(crate) name: &'a str,
    /// Whether a mount point is written over too: a person asked for it.
    pub(crate) mounts_too: bool,
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
        let record = Record {
            path: &path,
            inode: stat.st_ino,
            owner: old.stat.st_uid,
            old: &old.bytes,
            new: bytes,
        };
        let record = record.text();
        // Where nothing can be renamed it is written as it is: cut off it says nothing, and the file is still whole.
        atomic_write::replace(self.folder, self.name, &record, Durability::Flushed).or_else(
            |failed| atomic_write::place(self.folder, self.name, &record).map_err(|_| failed),
        )?;
        let written = pour(&file, bytes).or_else(|failed| pour(&file, &old.bytes).and(Err(failed)));
        // A file that holds neither text is left to the next run, which finds the record.
        let whole = folder.read(name, longest(&old.bytes, bytes)).ok().flatten();
        if whole.is_some_and(|seen| seen.bytes == old.bytes || seen.bytes == bytes) {
            self.folder.remove(self.name)?;
        }
        written.map_err(|source| Error::new("write", &path, source))
    }

    /// Brings back the old text of a file that a run began to write over and did not finish.
    ///
    /// The record holds tokens, so it goes with the first look that can tell what became of the file:
    /// one that is whole, that somebody else has written since, or that is gone needs none any more.
    pub(crate) fn restore(self) -> Result<Restored, Error> {
        let Some(seen) = self.folder.read(self.name, RECORD_LIMIT)? else {
            return Ok(Restored::Nothing);
        };
        let record = Record::parse(&seen.bytes);
        let file =
            record.as_ref().and_then(|record| Some((record, record.path.file_name()?.to_str()?)));
        let Some((record @ Record { path, old, new, .. }, name)) = file else {
            return self.folder.remove(self.name).map(|_| Restored::Nothing);
        };
        let longest = longest(old, new);
        match look(record, name, longest) {
            Ok(Found::There(folder, now)) if is_torn(&now.bytes, old, new) => {
                let poured = pour(&open(&folder, name)?, old);
                poured.map_err(|source| Error::new("write", path, source))?;
                self.folder.remove(self.name)?;
                Ok(Restored::Back(path.to_path_buf()))
            }
            Ok(Found::There(..) | Found::Longer) => {
                self.folder.remove(self.name)?;
                Ok(Restored::Nothing)
            }
            Ok(Found::Gone) => {
                self.folder.remove(self.name)?;
                Ok(Restored::Gone(path.to_path_buf()))
            }
            Err(error) => {
                // What cannot be told in a day is never told.
                if error.is_odd() || is_old(&seen) {
                    self.folder.remove(self.name)?;
                }
                Err(error)
            }
        }
    }
}

/// What is found of a file that an earlier run was writing over.
enum Found {
    /// The very file.
    There(Folder, Box<Seen>),
    /// The very file, with more in it than that run can have written.
    Longer,
    /// Another file, or none.
    Gone,
}

fn look(record: &Record<'_>, name: &str, longest: u64) -> Result<Found, Error> {
    let path = record.path;
    let is_it = |stat: &Stat| stat.st_ino == record.inode && stat.st_uid == record.owner;
    let folder = match Folder::reach(path.parent().unwrap_or(path)) {
        Ok(folder) => folder,
        Err(error) if error.is_absent() => return Ok(Found::Gone),
        Err(error) => return Err(error),
    };
    let stat = folder.stat(name)?.filter(is_it);
    let Some(stat) = stat else { return Ok(Found::Gone) };
    if u64::try_from(stat.st_size).is_ok_and(|size| size > longest) {
        return Ok(Found::Longer);
    }
    let seen = folder.read(name, longest)?;
    let seen = seen.filter(|seen| is_it(&seen.stat));
    Ok(seen.map_or(Found::Gone, |seen| Found::There(folder, Box::new(seen))))
}

/// Says whether a record was made more than a day ago.
fn is_old(record: &Seen) -> bool {
    let made = Timestamp::of_seconds(record.stat.st_mtime);
    made.after(GRACE) < clock::now()
}

/// What became of a file that an earlier run was writing over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// There is none, or it is whole, or somebody else has written it since.
    Nothing,
    /// It was half written, and holds its old text again.
    Back(PathBuf),
    /// It is not there any more: another one is, or none.
    Gone(PathBuf),
}

/// Says whether one text is half written over the other: each byte is of either, or is nothing where
/// a block never reached the disk. Anything else is somebody else's.
fn is_torn(now: &[u8], old: &[u8], new: &[u8]) -> bool {
    let of_either = |(at, byte): (usize, &u8)| {
        *byte == 0 || old.get(at) == Some(byte) || new.get(at) == Some(byte)
    };
    now != old && now != new && now.iter().enumerate().all(of_either)
}

/// What is known of a file while it is written over.
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    path: &'a Path,
    inode: u64,
    /// The user id of its owner: nobody else gets the old text. No device: that has another number after a
    /// restart, and what the same user has at the same place is that user's own.
    owner: u32,
    old: &'a [u8],
    new: &'a [u8],
}

impl<'a> Record<'a> {
    fn text(&self) -> Vec<u8> {
        let numbers = format!("\0{}\0{}\0{}\0", self.inode, self.owner, self.old.len());
        [self.path.as_os_str().as_bytes(), numbers.as_bytes(), self.old, self.new].concat()
    }

    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parts = text.splitn(5, |byte| *byte == 0);
        let path = Path::new(OsStr::from_bytes(parts.next()?));
        let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<u64>().ok();
        let (inode, owner) = (number()?, u32::try_from(number()?).ok()?);
        let length = usize::try_from(number()?).ok()?;
        let (old, new) = parts.next()?.split_at_checked(length)?;
        Some(Self { path, inode, owner, old, new })
    }
}

/// The most that a file has in which the one text is being written over the other.
fn longest(old: &[u8], new: &[u8]) -> u64 {
    old.len().max(new.len()) as u64
}

fn open(folder: &Folder, name: &str) -> Result<File, Error> {
    let path = folder.path.join(name);
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || folder.open_at(name, flags, Mode::empty());
    let file = File::from(folder.acting()?.and(open, "write", &path)?);
    let stat = file.metadata().map_err(|source| Error::new("write", &path, source))?;
    if stat.is_file() { Ok(file) } else { Err(Error::odd("write", &path, "it is no regular file")) }
}

fn pour(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// For the property tests: what can be read of a record is written as it was, and a text that is half
/// written is told from one that is whole.
#[cfg(any(test, fuzzing))]
pub(crate) fn check_record(bytes: &[u8]) {
    let Some(record) = Record::parse(bytes) else { return };
    let text = record.text();
    let again = Record::parse(&text).expect("it is read again");
    assert!(again == record);
    let Record { old, new, .. } = record;
    assert!(!is_torn(old, old, new) && !is_torn(new, old, new));
    let at = old.len().min(new.len()) / 2;
    let torn = [&new[..at], &old[at..]].concat();
    assert_eq!(is_torn(&torn, old, new), torn != old && torn != new);
}

/// Writes and flushes a file that is not there yet; of one that cannot be written whole nothing stays.
pub(super) fn make(folder: &Folder, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.path.join(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let acting = folder.acting()?;
    let made = rustix::fs::openat(&folder.fd, name, flags, NEW_MODE);
    drop(acting);
    let mut file = match made {
        Ok(fd) => File::from(fd),
        Err(Errno::EXIST) => {
            return Err(Error { verb: "write", object: path, cause: Cause::Changed });
        }
        Err(source) => return Err(Error::new("write", &path, source)),
    };
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| {
        let _ = file.set_len(0);
        let _ = folder.remove(name);
        Error::new("write", &path, source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test lays its scratch folder out itself")]
    fn a_record_goes_with_the_first_look_that_can_tell() {
        use std::os::unix::fs::MetadataExt;
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let (inode, own) =
            (std::fs::metadata(&path).unwrap().ino(), std::fs::metadata(&path).unwrap().uid());
        let folder = Folder::reach(scratch.path()).unwrap();
        let keep = Keep { folder: &folder, name: "record", mounts_too: true };
        let restore = |inode: u64, owner: u32, text: &str| {
            std::fs::write(&path, text).unwrap();
            let record = Record { path: &path, inode, owner, old: b"old", new: b"new!" }.text();
            std::fs::write(scratch.path().join("record"), record).unwrap();
            let restored = keep.restore();
            assert!(!scratch.path().join("record").exists(), "{text}: {restored:?}");
            (restored.unwrap(), std::fs::read_to_string(&path).unwrap())
        };
        let left = |text: &str| (Restored::Nothing, text.to_owned());
        for whole in ["old", "new!", "somebody else's", "our", "new?"] {
            assert_eq!(restore(inode, own, whole), left(whole));
        }
        for torn in ["ned", "nld", "ol", "ne", "", "n\0d"] {
            assert_eq!(restore(inode, own, torn), (Restored::Back(path.clone()), "old".to_owned()));
        }
        let gone = |text: &str| (Restored::Gone(path.clone()), text.to_owned());
        assert_eq!(restore(inode + 1, own, "ned"), gone("ned"));
        for torn in ["ned", ""] {
            assert_eq!(restore(inode, own + 1, torn), gone(torn), "another owner's");
        }
        let lost =
            Record { path: Path::new("/nowhere/at/all"), inode, owner: own, old: b"o", new: b"n" };
        std::fs::write(scratch.path().join("record"), lost.text()).unwrap();
        assert!(matches!(keep.restore(), Ok(Restored::Gone(_))));
        // What is no plain file any more is said once.
        std::fs::hard_link(&path, scratch.path().join("second")).unwrap();
        let linked = Record { path: &path, inode, owner: own, old: b"old", new: b"new!" };
        std::fs::write(scratch.path().join("record"), linked.text()).unwrap();
        assert!(keep.restore().is_err() && matches!(keep.restore(), Ok(Restored::Nothing)));
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record =
            Record { path: Path::new("/a b"), inode: 7, owner: 8, old: b"x\0y", new: b"\0z" };
        assert_eq!(Record::parse(&record.text()), Some(record));
        assert_eq!(Record::parse(b"/a\x007\x008\x009\x00short"), None);
        assert_eq!(Record::parse(b"left"), None);
    }
}
