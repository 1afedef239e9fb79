//! Replacing files whole and for good: temp file, flush, rename, flush of the folder.
//!
//! Several replacements go through each step together (see `replacement`).

mod barrier;
mod dress;
mod overwrite;

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Advice, AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::domain::hints::ours;
use crate::os::error::{Cause, Error};
use crate::os::fs::dir::{Folder, Seen, foreign};
use crate::os::fs::sync_all;

pub(crate) use barrier::barrier;
use dress::dress;
pub(crate) use overwrite::overwrite;

/// The mode of a file that did not exist before: its owner's alone.
pub(super) const NEW_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Whether a single replacement has to survive a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Flushed before and after the rename.
    Flushed,
    /// Whole at every moment, but left to the kernel to write out.
    Lazy,
}

/// One file to be replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replacement<'a> {
    /// The folder, whose rights the write has.
    pub(crate) folder: &'a Folder,
    /// The file's name in it.
    pub(crate) name: &'a str,
    /// The new content.
    pub(crate) bytes: &'a [u8],
    /// The file that it was made from; `None` if there was none.
    pub(crate) old: Option<&'a Seen>,
}

/// A replacement whose temp file is written.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) part: Replacement<'a>,
    temp: String,
    file: File,
    /// Whether others could read or write it who may not the old one: the file system sets no modes.
    is_more_open: bool,
}

/// Replaces one file of ours.
pub(crate) fn replace(
    folder: &Folder,
    name: &str,
    bytes: &[u8],
    durability: Durability,
) -> Result<(), Error> {
    let old = folder.hold(name)?;
    let part = write(Replacement { folder, name, bytes, old: old.as_ref() })?;
    if durability == Durability::Lazy {
        return rename_own(&part).map(|_| ());
    }
    let flushed = flush(vec![Ok(part)]).into_iter();
    settle(flushed.map(|part| part.and_then(|part| rename_own(&part))).collect())
        .into_iter()
        .collect()
}

fn rename_own<'a>(written: &Written<'a>) -> Result<&'a Folder, Error> {
    rename(written).map_err(|refusal| refusal.error(written))
}

/// Writes and flushes a file of ours under its own name; what stood there is removed first.
pub(in crate::os) fn place(folder: &Folder, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::new("write", &folder.path.join(name), source);
    let acting = folder.acting()?;
    let mut file = File::from(create(folder, name).map_err(|source| failed(source.into()))?);
    drop(acting);
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Writes and flushes a temp file of `size` bytes beside `name`, so that a folder that cannot be
/// written, or a full disk, is found out before there is anything to lose.
pub(crate) fn reserve(folder: &Folder, name: &str, size: usize) -> Result<(), Error> {
    let bytes = vec![b' '; size];
    let old = folder.hold(name)?;
    let part = write(Replacement { folder, name, bytes: &bytes, old: old.as_ref() })?;
    flush(vec![Ok(part)]).into_iter().try_for_each(|part| part.map(|_| ()))
}

/// Removes the temp file that a killed run may have left beside `name`.
pub(crate) fn sweep(folder: &Folder, name: &str) -> Result<bool, Error> {
    folder.remove(&temp_name(name))
}

/// The name of the temp file beside `name`.
pub(crate) fn temp_name(name: &str) -> String {
    format!(".{name}.oauth-sync")
}

/// Writes the temp file of a replacement.
pub(super) fn write(part: Replacement<'_>) -> Result<Written<'_>, Error> {
    let path = part.folder.path.join(part.name);
    let failed = |source: Errno| {
        let barred =
            dress::is_refusal(source).then(|| barrier(part.folder, part.name, part.old)).flatten();
        barred.unwrap_or_else(|| Error::new("write", &path, source))
    };
    let owner = part.folder.identity.uid;
    if let Some(old) = part.old.filter(|old| old.stat.st_uid != owner) {
        return Err(foreign("write", part.folder, part.name, old.stat.st_uid));
    }
    let temp = temp_name(part.name);
    let acting = part.folder.acting()?;
    let fd = create(part.folder, &temp).map_err(failed)?;
    drop(acting);
    let mut written = Written { part, temp, file: fd.into(), is_more_open: false };
    match fill(&mut written) {
        Ok(()) => Ok(written),
        Err(source) => Err(abandon(&written, source)),
    }
}

/// Makes the temp file anew; one that a killed run left is in the way and worth nothing.
fn create(folder: &Folder, temp: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&folder.fd, temp, flags, NEW_MODE) {
        Err(Errno::EXIST) => {
            rustix::fs::unlinkat(&folder.fd, temp, AtFlags::empty())?;
            rustix::fs::openat(&folder.fd, temp, flags, NEW_MODE)
        }
        other => other,
    }
}

/// Writes the text, then makes the temp file look like the one that it replaces.
fn fill(written: &mut Written<'_>) -> Result<(), std::io::Error> {
    written.file.write_all(written.part.bytes)?;
    if let Some(old) = written.part.old {
        written.is_more_open = !dress(written, old)?;
    }
    // Starts writing out at once, so that the flush of one file also carries the next one's blocks.
    let _ = rustix::fs::fadvise(&written.file, 0, None, Advice::DontNeed);
    Ok(())
}

/// Flushes all temp files; one that cannot be is given up.
pub(super) fn flush(written: Vec<Result<Written<'_>, Error>>) -> Vec<Result<Written<'_>, Error>> {
    let files: Vec<_> = written.iter().flatten().map(|written| written.file.as_fd()).collect();
    let mut results = sync_all::all(&files).into_iter();
    let flushed = written.into_iter().map(|written| {
        let written = written?;
        match results.next() {
            Some(Err(source)) => Err(abandon(&written, source.into())),
            _ => Ok(written),
        }
    });
    flushed.collect()
}

/// Why a temp file was not renamed; it is gone by then.
#[derive(Debug)]
pub(super) enum NotRenamed {
    /// Nothing else helps.
    Failed(Error),
    /// The system does not let the file be replaced, or only by one that is more open.
    Refused(Errno),
    /// A mount point cannot be replaced.
    MountPoint,
}

impl NotRenamed {
    /// What is said of it where the file is not written in another way.
    pub(super) fn error(self, written: &Written<'_>) -> Error {
        let path = path_of(written);
        match self {
            Self::Failed(error) => error,
            Self::Refused(_) if written.is_more_open => {
                let what = "a new file there can be read by others, and the file system refuses to change its mode";
                Error::odd("write", &path, what)
            }
            Self::Refused(source) => Error::new("write", &path, source),
            Self::MountPoint => {
                let what = "it is a mount point, which cannot be replaced: mount its directory instead, or have it written in place";
                Error::odd("write", &path, what).hint(ours::sync_all_forced())
            }
        }
    }
}

/// Puts a temp file in the place of the file that it was made from, if that is still there unchanged.
pub(super) fn rename<'a>(written: &Written<'a>) -> Result<&'a Folder, NotRenamed> {
    let folder = written.part.folder;
    let acting = folder.acting().map_err(|error| {
        discard(written);
        NotRenamed::Failed(error)
    })?;
    if !unchanged(written) {
        drop(acting);
        discard(written);
        let cause = Cause::Changed;
        let changed = Error { verb: "write", object: path_of(written), cause };
        return Err(NotRenamed::Failed(changed));
    }
    let renamed = if written.is_more_open {
        Err(Errno::PERM)
    } else {
        rustix::fs::renameat(&folder.fd, &written.temp, &folder.fd, written.part.name)
    };
    drop(acting);
    let Err(source) = renamed else { return Ok(folder) };
    discard(written);
    Err(match source {
        Errno::BUSY => NotRenamed::MountPoint,
        source if dress::is_refusal(source) => {
            let Replacement { folder, name, old, .. } = written.part;
            barrier(folder, name, old).map_or(NotRenamed::Refused(source), NotRenamed::Failed)
        }
        source => NotRenamed::Failed(Error::new("write", &path_of(written), source)),
    })
}

/// Says whether the file is still the one that the new text was made from.
fn unchanged(written: &Written<'_>) -> bool {
    let now = written.part.folder.stat_at(written.part.name);
    match (now, written.part.old) {
        (Ok(now), Some(old)) => same(&now, &old.stat),
        (Err(Errno::NOENT), None) => true,
        _ => false,
    }
}

/// Says whether a file is still the one that was seen.
pub(in crate::os) fn same(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino, a.st_size, a.st_mtime, a.st_mtime_nsec)
        == (b.st_dev, b.st_ino, b.st_size, b.st_mtime, b.st_mtime_nsec)
}

/// Flushes the folders in which something was renamed.
pub(super) fn settle(renamed: Vec<Result<&Folder, Error>>) -> Vec<Result<(), Error>> {
    let open = |folder: &Folder| {
        let _acting = folder.acting()?;
        folder.readable().map_err(|source| unsettled(folder, source))
    };
    let opened: Vec<_> =
        renamed.into_iter().map(|folder| folder.and_then(|at| Ok((at, open(at)?)))).collect();
    let files: Vec<_> = opened.iter().flatten().map(|(_, fd)| fd.as_fd()).collect();
    let mut results = sync_all::all(&files).into_iter();
    let settled = opened.into_iter().map(|opened| {
        let (folder, _) = opened?;
        match results.next() {
            // There is nothing to flush in a directory of this file system (fsync(2)).
            Some(Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS)) => Ok(()),
            Some(Err(source)) => Err(unsettled(folder, source)),
            _ => Ok(()),
        }
    });
    settled.collect()
}

/// Says of a renamed file that nothing promises it to survive a loss of power.
fn unsettled(folder: &Folder, source: Errno) -> Error {
    let cause = Cause::Unsettled(source.into());
    Error { verb: "flush", object: folder.path.clone(), cause }
}

/// Removes the temp file of a replacement that failed, and tells why.
fn abandon(written: &Written<'_>, source: std::io::Error) -> Error {
    discard(written);
    Error::new("write", &path_of(written), source)
}

/// Removes a temp file; where nothing may be removed, as in an append-only directory, an empty one stays.
fn discard(written: &Written<'_>) {
    if written.part.folder.remove(&written.temp).is_err() {
        let _ = written.file.set_len(0);
    }
}

fn path_of(written: &Written<'_>) -> PathBuf {
    written.part.folder.path.join(written.part.name)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays its scratch folder out itself")]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_not_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        let folder = Folder::reach(scratch.path()).unwrap();
        // Sparse: it takes no room on the disk, but would in memory.
        std::fs::File::create(&path).unwrap().set_len(8 << 30).unwrap();
        reserve(&folder, "file", 10).unwrap();
        assert!(sweep(&folder, "file").unwrap());
        for durability in [Durability::Lazy, Durability::Flushed] {
            std::fs::File::create(&path).unwrap().set_len(8 << 30).unwrap();
            replace(&folder, "file", b"new", durability).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
        }
    }
}
