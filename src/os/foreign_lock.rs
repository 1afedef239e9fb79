//! Locks of other programs: a file or a folder whose existence is the lock and whose age is its life.

use std::rc::Rc;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::folder::Folder;

/// What the other program takes for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A file that is created exclusively.
    File,
    /// A folder: mkdir(2) is the taking.
    Folder,
}

/// A lock taken in another program's way; given back when dropped.
#[derive(Debug)]
pub(crate) struct ForeignLock {
    folder: Rc<Folder>,
    name: String,
    form: Form,
}

impl ForeignLock {
    /// Takes the lock `name`; `None` if somebody holds it who showed life within `stale_after`.
    ///
    /// Its age is judged by mtime alone: a process id means nothing across containers.
    pub(crate) fn try_take(
        folder: &Rc<Folder>,
        name: &str,
        form: Form,
        stale_after: Duration,
    ) -> Result<Option<Self>, Error> {
        let failed = |source| Error::new("lock", &folder.path.join(name), source);
        let _acting = folder.acting()?;
        for _ in 0..2 {
            match make(folder, name, form) {
                Ok(()) => {
                    let folder = Rc::clone(folder);
                    return Ok(Some(Self { folder, name: name.to_owned(), form }));
                }
                Err(Errno::EXIST) if is_stale(folder, name, stale_after) => {
                    clear(folder, name).map_err(failed)?;
                }
                Err(Errno::EXIST) => return Ok(None),
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(None)
    }
}

impl Drop for ForeignLock {
    fn drop(&mut self) {
        if let Ok(_acting) = self.folder.acting() {
            let flags = match self.form {
                Form::File => AtFlags::empty(),
                Form::Folder => AtFlags::REMOVEDIR,
            };
            // Whoever finds it left behind sees its age.
            let _ = rustix::fs::unlinkat(&self.folder.fd, &self.name, flags);
        }
    }
}

fn make(folder: &Folder, name: &str, form: Form) -> Result<(), Errno> {
    if form == Form::Folder {
        return rustix::fs::mkdirat(&folder.fd, name, Mode::RWXU);
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&folder.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
    // No process id: seen from inside a container ours would look dead and the lock be stolen.
    let text = format!("{{\"createdAt\":\"{}\",\"owner\":\"oauth-sync\"}}", clock::now());
    rustix::io::write(&fd, text.as_bytes()).map(|_| ())
}

fn is_stale(folder: &Folder, name: &str, stale_after: Duration) -> bool {
    let Ok(stat) = rustix::fs::statat(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW) else {
        return true;
    };
    let touched = Timestamp(stat.st_mtime.saturating_mul(1000));
    touched.after(stale_after) < clock::now()
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
