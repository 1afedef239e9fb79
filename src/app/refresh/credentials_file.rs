//! A source's place: its folder, reached as the owner, and rewrites of the file in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::credential::{self, Content, Credential};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fingerprint;
use crate::os::fs::atomic_write::Replacement;
use crate::os::fs::dir::{Folder, Seen};
use crate::os::fs::replacement;
use crate::os::lock::claude_lock::{ClaudeLocks, Refused};

/// How often a rewrite begins anew because somebody else wrote the file meanwhile.
const REWRITES: u32 = 5;

/// Where a source is.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file, as configured.
    pub(crate) path: PathBuf,
    /// Its folder, with the rights of its owner.
    pub(crate) folder: Arc<Folder>,
    /// Its name there.
    pub(crate) name: String,
    /// The folder's device.
    pub(crate) device: u64,
    /// Its inode.
    pub(crate) inode: u64,
    /// The user id of its owner.
    pub(crate) owner: u32,
    /// What tells the folder apart from every other one, by whatever path it is reached; the CLI's
    /// locks are its, and so is ours.
    pub(crate) folder_key: String,
    /// What tells the file apart from every other one, of the same folder too: what is remembered of
    /// it stands under this key.
    pub(crate) key: String,
    /// The most that is read of it, in bytes.
    limit: u64,
}

/// What became of a rewrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// It is written.
    Done,
    /// What stands there was not to be changed.
    Declined,
    /// There is no file.
    Absent,
}

/// The file as it was read.
pub(crate) struct Reading {
    /// What it holds.
    pub(crate) content: Content,
    seen: Seen,
}

impl Reading {
    /// All of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.seen.bytes
    }

    /// The login in it, if there is one.
    pub(crate) fn login(&self) -> Option<&Credential> {
        match &self.content {
            Content::Login(credential) => Some(credential),
            _ => None,
        }
    }
}

impl Place {
    /// Reaches the folder of a credentials file of at most `limit` bytes.
    pub(crate) fn reach(path: &Path, limit: u64) -> Result<Self, Error> {
        let (Some(parent), Some(name)) =
            (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::odd("open", path, "it is not the path of a file"));
        };
        let folder = Folder::reach(parent)?;
        let (device, inode) = folder.key()?;
        let owner = folder.owner()?;
        let folder_key = format!("{device:x}-{inode:x}");
        let key = format!("{folder_key}-{}", fingerprint::of_name(name));
        let (path, folder, name) = (path.to_owned(), Arc::new(folder), name.to_owned());
        Ok(Self { path, folder, name, device, inode, owner, folder_key, key, limit })
    }

    /// Reads the file; `None` if there is none.
    pub(crate) fn read(&self) -> Result<Option<Reading>, Error> {
        let seen = self.folder.read(&self.name, self.limit)?;
        Ok(seen.map(|seen| Reading { content: credential::parse(&seen.bytes), seen }))
    }

    /// Reads the file and names its state.
    pub(crate) fn source(&self, now: Timestamp) -> Source {
        match self.read() {
            Ok(Some(text)) => Source::of(text.content, now),
            Ok(None) => Source::Absent,
            Err(error) => Source::Unreadable(error.to_string(), error.command().cloned()),
        }
    }

    /// Replaces the text of the file, durably and under the CLI's lock of a rewrite.
    ///
    /// `edit` gets the file as it stands under the lock, and is asked again if somebody changed it
    /// after all; where it answers nothing, nothing is written.
    pub(crate) fn rewrite(
        &self,
        locks: &mut ClaudeLocks,
        mut edit: impl FnMut(&Reading) -> Option<Vec<u8>>,
    ) -> Result<Rewrite, Refused> {
        let _storage = locks.storage()?;
        let mut last = None;
        for _ in 0..REWRITES {
            let Some(old) = self.read()? else { return Ok(Rewrite::Absent) };
            let Some(new) = edit(&old) else { return Ok(Rewrite::Declined) };
            match self.replace(&old, &new) {
                Err(error) if error.is_changed() => last = Some(error),
                other => return Ok(other.map(|()| Rewrite::Done)?),
            }
        }
        last.map_or(Ok(Rewrite::Declined), |error| Err(error.into()))
    }

    fn replace(&self, old: &Reading, new: &[u8]) -> Result<(), Error> {
        let (folder, name) = (&*self.folder, self.name.as_str());
        let part = Replacement { folder, name, bytes: new, old: Some(&old.seen) };
        replacement::replace_all([part], None, || {}).into_iter().collect()
    }
}
