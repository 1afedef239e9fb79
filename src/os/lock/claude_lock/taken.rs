//! One lock folder: taken, judged by its age, given back.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::domain::time::{Timestamp, in_words};
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::lock::openclaw_lock::Tag;

/// What tells a lock that was touched meanwhile from one that was not.
pub(super) type Mark = (u64, i64, i64);

/// A lock that is held until it is dropped.
pub(super) struct Taken {
    folder: Arc<Folder>,
    name: String,
    inode: u64,
    /// The lock itself, so that only ours is ever touched.
    pub(super) fd: Arc<File>,
}

/// What came of one try.
pub(super) enum Try {
    /// It is ours.
    Taken(Taken),
    /// It is ours, after an orphan was cleared away; its age in words.
    Orphan(Taken, String),
    /// Somebody else holds it.
    Held(Mark),
}

impl Taken {
    /// Tries once. `untouched` is what it looked like some seconds ago: a lock whose time lies ahead
    /// is an orphan if nobody has touched it since.
    pub(super) fn attempt(
        folder: &Arc<Folder>,
        name: &str,
        (stale_after, tag): (Duration, Tag),
        untouched: Option<Mark>,
    ) -> Result<Try, Error> {
        let failed = |source: Errno| Error::new("lock", &folder.path.join(name), source);
        let _acting = folder.acting()?;
        match Self::make(folder, name, tag) {
            Ok(taken) => return Ok(Try::Taken(taken)),
            Err(Errno::EXIST) => {}
            Err(source) => return Err(failed(source)),
        }
        let stat = match folder.stat_at(name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                return Self::make(folder, name, tag).map(Try::Taken).map_err(failed);
            }
            Err(source) => return Err(failed(source)),
        };
        let Some(age) = left_by_us(&stat, tag)
            .or_else(|| orphaned(&stat, stale_after, untouched == Some(mark(&stat))))
        else {
            return Ok(Try::Held(mark(&stat)));
        };
        clear(folder, name).map_err(failed)?;
        match Self::make(folder, name, tag) {
            Ok(taken) => Ok(Try::Orphan(taken, age)),
            Err(Errno::EXIST) => Ok(Try::Held(mark(&stat))),
            Err(source) => Err(failed(source)),
        }
    }

    fn make(folder: &Arc<Folder>, name: &str, tag: Tag) -> Result<Self, Errno> {
        rustix::fs::mkdirat(&folder.fd, name, Mode::RWXU)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = folder.open_at(name, flags, Mode::empty())?;
        let inode = rustix::fs::fstat(&fd)?.st_ino;
        rustix::fs::futimens(&fd, &tag.now())?;
        let folder = Arc::clone(folder);
        Ok(Self { folder, name: name.to_owned(), inode, fd: Arc::new(File::from(fd)) })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Ok(_acting) = self.folder.acting() else { return };
        let stat = self.folder.stat_at(&self.name);
        // After a suspend it may be somebody else's by now.
        if stat.is_ok_and(|stat| stat.st_ino == self.inode) {
            // Whoever finds it left behind sees its age.
            let _ = rustix::fs::unlinkat(&self.folder.fd, &self.name, AtFlags::REMOVEDIR);
        }
    }
}

fn mark(stat: &Stat) -> Mark {
    (stat.st_ino, stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default())
}

/// Says so if a run of ours was killed under the lock.
fn left_by_us(stat: &Stat, tag: Tag) -> Option<String> {
    tag.marks(stat).then(|| "was left by a run of ours that was killed".to_owned())
}

/// How old an orphan is; `None` if it may be alive.
fn orphaned(stat: &Stat, stale_after: Duration, untouched: bool) -> Option<String> {
    let (touched, now) = (Timestamp::of_seconds(stat.st_mtime), clock::now());
    if touched.after(stale_after) < now {
        return Some(format!("was left {} ago", in_words(now.left(touched))));
    }
    let ahead = touched > now.after(stale_after);
    (ahead && untouched).then(|| format!("is dated {touched}, which is yet to come"))
}

/// Clears an orphan away; the CLI does the same, with rmdir(2).
fn clear(folder: &Folder, name: &str) -> Result<(), Errno> {
    match rustix::fs::unlinkat(&folder.fd, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTDIR) => rustix::fs::unlinkat(&folder.fd, name, AtFlags::empty()),
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}
