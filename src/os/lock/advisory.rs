//! Advisory locks in the run folder, so that two of our processes never do the same at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::os::error::Error;

/// A lock that is held until it is dropped (flock(2) on a file that is never renamed).
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `name` in `run_dir`; `None` if another process holds it.
    pub(crate) fn try_take(run_dir: &Path, name: &str) -> Result<Option<Self>, Error> {
        let (file, path) = open(run_dir, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::new("lock", &path, source)),
        }
    }

    /// Takes the lock `name` in `run_dir`, however long another process holds it.
    pub(crate) fn wait(run_dir: &Path, name: &str) -> Result<Self, Error> {
        let (file, path) = open(run_dir, name)?;
        file.lock().map_err(|source| Error::new("lock", &path, source))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock `name` beside others that share it, and writes down which process holds it.
    pub(crate) fn share(run_dir: &Path, name: &str) -> Result<Self, Error> {
        let (mut file, path) = open(run_dir, name)?;
        let failed = |source| Error::new("lock", &path, source);
        file.lock_shared().map_err(failed)?;
        file.set_len(0).map_err(failed)?;
        write!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Who holds a lock that is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody ever has in this run directory.
    Never,
    /// Nobody does any more.
    Gone,
    /// A process does: its number, 0 where it is not known.
    Process(u32),
}

/// Looks who holds the lock `name` in `run_dir`, and makes nothing.
pub(crate) fn holder(run_dir: &Path, name: &str) -> Result<Holder, Error> {
    let path = run_dir.join(format!("{name}.lock"));
    let mut file = match options().read(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Holder::Never),
        Err(source) => return Err(Error::new("open", &path, source)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Holder::Gone),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let is_read = (&mut file).take(16).read_to_string(&mut text).is_ok();
            Ok(Holder::Process(text.parse().ok().filter(|_| is_read).unwrap_or_default()))
        }
        Err(TryLockError::Error(source)) => Err(Error::new("lock", &path, source)),
    }
}

fn options() -> OpenOptions {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(flags);
    options
}

fn open(run_dir: &Path, name: &str) -> Result<(File, std::path::PathBuf), Error> {
    let path = run_dir.join(format!("{name}.lock"));
    let file = options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| Error::new("open", &path, source))?;
    Ok((file, path))
}
