//! Locks of other programs: a file or a folder whose existence is the lock and whose age is its life.

use std::rc::Rc;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use crate::domain::secret::Fingerprint;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{barrier, temp_name};
use crate::os::fs::dir::Folder;

/// What the other program takes for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A file that is created exclusively.
    File,
    /// A folder: mkdir(2) is the taking.
    Folder,
}

/// Marks a lock as ours: the fraction of a second of its mtime.
///
/// A folder holds no text, and a file's must not name a process. So a run that was killed under the
/// lock blocks nobody: the next one, which holds our own lock, knows that the owner is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(u32);

impl Tag {
    /// Turns a fingerprint into a number of nanoseconds, never 0: file systems without any have that.
    pub(crate) fn of(fingerprint: Fingerprint) -> Self {
        Self(u32::try_from(1 + fingerprint.0 % 999_999_999).unwrap_or(1))
    }

    /// The times that show life, and whose.
    pub(in crate::os) fn now(self) -> Timestamps {
        let now = Timespec { tv_sec: clock::now().0.div_euclid(1000), tv_nsec: i64::from(self.0) };
        Timestamps { last_access: now, last_modification: now }
    }

    /// Says whether a lock is one of ours.
    pub(in crate::os) fn marks(self, stat: &Stat) -> bool {
        i64::try_from(stat.st_mtime_nsec) == Ok(i64::from(self.0))
    }
}

/// A lock taken in another program's way; given back when dropped.
#[derive(Debug)]
pub(crate) struct ForeignLock {
    folder: Rc<Folder>,
    name: String,
    form: Form,
    tag: Tag,
}

impl ForeignLock {
    /// Takes the lock `name`; `None` if somebody holds it who showed life within `stale_after`.
    ///
    /// Its age is judged by mtime alone: a process id means nothing across containers. `other` is a
    /// lock that is held already, whose file this one may share.
    pub(crate) fn try_take(
        folder: &Rc<Folder>,
        name: &str,
        form: Form,
        tag: Tag,
        stale_after: Duration,
        other: Option<&Self>,
    ) -> Result<Option<Self>, Error> {
        let failed = |source| {
            let barred = (source == Errno::PERM).then(|| barrier(folder, name, None)).flatten();
            barred.unwrap_or_else(|| Error::new("lock", &folder.path.join(name), source))
        };
        let _acting = folder.acting()?;
        for _ in 0..2 {
            let shared = other.and_then(|other| other.share(folder, name, form));
            match shared.unwrap_or_else(|| take(folder, name, form, tag)) {
                Ok(()) => {
                    let folder = Rc::clone(folder);
                    return Ok(Some(Self { folder, name: name.to_owned(), form, tag }));
                }
                Err(Errno::EXIST) if is_stale(folder, name, tag, stale_after) => {
                    clear(folder, name).map_err(failed)?;
                }
                Err(Errno::EXIST) => return Ok(None),
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(None)
    }

    /// Gives the file of this lock another name, which is a lock too: link(2) is as exclusive as the
    /// making of a file, and a hundred locks cost no more than one file. `None` where that is no way.
    fn share(&self, folder: &Folder, name: &str, form: Form) -> Option<Result<(), Errno>> {
        let alike = (self.form, form) == (Form::File, Form::File);
        if !alike || self.folder.identity != folder.identity {
            return None;
        }
        let (here, flags) = (&self.folder.fd, AtFlags::empty());
        match rustix::fs::linkat(here, &self.name, &folder.fd, name, flags) {
            Ok(()) => Some(Ok(())),
            Err(Errno::EXIST) => Some(Err(Errno::EXIST)),
            Err(_) => None,
        }
    }
}

impl Drop for ForeignLock {
    fn drop(&mut self) {
        let Ok(_acting) = self.folder.acting() else { return };
        // After a flush that took longer than the lock lives it is the other program's by now.
        if is_ours(&self.folder, &self.name, self.tag) {
            let flags = match self.form {
                Form::File => AtFlags::empty(),
                Form::Folder => AtFlags::REMOVEDIR,
            };
            // Whoever finds it left behind sees its age.
            let _ = rustix::fs::unlinkat(&self.folder.fd, &self.name, flags);
        }
    }
}

/// Removes the lock `name` if a killed run of ours left it.
pub(crate) fn clear_ours(folder: &Folder, name: &str, tag: Tag) {
    let Ok(_acting) = folder.acting() else { return };
    // What cannot be removed is found again where the lock is needed.
    let _ = clear(folder, &temp_name(name));
    if is_ours(folder, name, tag) {
        let _ = clear(folder, name);
    }
}

/// Makes the lock under another name, marks it, and gives it its name unless that is taken.
fn take(folder: &Folder, name: &str, form: Form, tag: Tag) -> Result<(), Errno> {
    let temp = temp_name(name);
    clear(folder, &temp)?;
    let free = RenameFlags::NOREPLACE;
    let taken = make_marked(folder, &temp, form, tag)
        .and_then(|()| rustix::fs::renameat_with(&folder.fd, &temp, &folder.fd, name, free));
    if taken.is_err() {
        clear(folder, &temp)?;
    }
    match taken {
        // NFS and some others cannot: then it is marked a moment later.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => make_marked(folder, name, form, tag),
        other => other,
    }
}

fn make_marked(folder: &Folder, name: &str, form: Form, tag: Tag) -> Result<(), Errno> {
    match form {
        Form::File => make_file(folder, name)?,
        Form::Folder => rustix::fs::mkdirat(&folder.fd, name, Mode::RWXU)?,
    }
    mark(folder, name, tag)
}

fn make_file(folder: &Folder, name: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&folder.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
    // No process id: seen from inside a container ours would look dead and the lock be stolen.
    let text = format!("{{\"createdAt\":\"{}\",\"owner\":\"oauth-sync\"}}", clock::now());
    rustix::io::write(&fd, text.as_bytes()).map(|_| ())
}

fn mark(folder: &Folder, name: &str, tag: Tag) -> Result<(), Errno> {
    // By a descriptor: what is mounted over the name meanwhile might not answer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = folder.open_at(name, flags, Mode::empty())?;
    rustix::fs::futimens(&fd, &tag.now())
}

fn is_ours(folder: &Folder, name: &str, tag: Tag) -> bool {
    let stat = folder.stat_at(name);
    stat.is_ok_and(|stat| tag.marks(&stat))
}

fn is_stale(folder: &Folder, name: &str, tag: Tag, stale_after: Duration) -> bool {
    let Ok(stat) = folder.stat_at(name) else {
        return true;
    };
    let touched = Timestamp::of_seconds(stat.st_mtime);
    touched.after(stale_after) < clock::now() || is_ours(folder, name, tag)
}

fn clear(folder: &Folder, name: &str) -> Result<(), Errno> {
    match rustix::fs::unlinkat(&folder.fd, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {
            rustix::fs::unlinkat(&folder.fd, name, AtFlags::REMOVEDIR)
        }
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const LIFE: Duration = Duration::from_secs(30);

    #[test]
    fn a_second_lock_shares_the_file_of_the_first_and_is_as_exclusive() {
        let root = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            std::fs::create_dir(root.path().join(name)).unwrap();
            Rc::new(Folder::reach(&root.path().join(name)).unwrap())
        };
        let (a, b, held) = (folder("a"), folder("b"), folder("held"));
        let tag = Tag::of(Fingerprint(7));
        let take = |folder, other| {
            ForeignLock::try_take(folder, "lock", Form::File, tag, LIFE, other).unwrap()
        };
        let inode = |name: &str| std::fs::metadata(root.path().join(name)).unwrap().ino();
        std::fs::write(root.path().join("held/lock"), "another's").unwrap();
        let first = take(&a, None).unwrap();
        let second = take(&b, Some(&first)).unwrap();
        assert_eq!(inode("a/lock"), inode("b/lock"));
        assert!(take(&held, Some(&first)).is_none());
        drop(first);
        assert!(!root.path().join("a/lock").exists() && root.path().join("b/lock").exists());
        drop(second);
        assert!(!root.path().join("b/lock").exists() && root.path().join("held/lock").exists());
    }

    #[test]
    fn a_lock_that_another_has_taken_over_is_left_to_it() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Rc::new(Folder::reach(scratch.path()).unwrap());
        let take =
            || ForeignLock::try_take(&folder, "lock", Form::File, Tag(42), LIFE, None).unwrap();
        drop(take().unwrap());
        assert!(folder.stat("lock").unwrap().is_none());
        let ours = take().unwrap();
        std::fs::remove_file(scratch.path().join("lock")).unwrap();
        std::fs::write(scratch.path().join("lock"), "theirs").unwrap();
        drop(ours);
        assert_eq!(std::fs::read(scratch.path().join("lock")).unwrap(), b"theirs");
    }
}
