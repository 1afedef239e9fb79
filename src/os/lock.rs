//! Advisory locks in the run folder, so that two of our processes never do the same at once.

use std::fs::{File, OpenOptions, TryLockError};
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
}

fn open(run_dir: &Path, name: &str) -> Result<(File, std::path::PathBuf), Error> {
    let path = run_dir.join(format!("{name}.lock"));
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(&path)
        .map_err(|source| Error::new("open", &path, source))?;
    Ok((file, path))
}
