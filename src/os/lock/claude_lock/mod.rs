//! The locks of the Claude CLI, in its order and by its rules.
//!
//! Each is a folder: mkdir(2) takes it, its mtime shows life, rmdir(2) gives it back. As read in and
//! seen of 1.0.44 to 2.1.330: `.oauth_refresh.lock` and the older `<folder>.lock` beside the folder
//! for a renewal, `.storage-write.lock` for a rewrite of the file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::lock::openclaw_lock::Tag;

mod heartbeat;
mod taken;

use heartbeat::Heartbeat;
use taken::{Taken, Try};

/// The lock of a renewal.
const REFRESH: &str = ".oauth_refresh.lock";
/// What 2.1.330 writes beside it about the holder.
const OWNER: &str = ".oauth_refresh.lock.owner";
/// The lock of a rewrite.
const STORAGE: &str = ".storage-write.lock";

/// When a renewal's lock is an orphan: 60 s in 2.1.330, 10 s in those before. The longer one, since
/// its holder touches it only that often.
const REFRESH_STALE: Duration = Duration::from_secs(60);
/// When a rewrite's lock is an orphan.
const STORAGE_STALE: Duration = Duration::from_secs(15);

/// How often a renewal's lock is tried, a second apart (as the CLI does).
const REFRESH_TRIES: u32 = 6;
/// How often a rewrite's lock is tried.
const STORAGE_TRIES: u32 = 16;

/// The locks of a renewal, held until dropped.
pub(crate) struct ClaudeLocks {
    folder: Arc<Folder>,
    tag: Tag,
    heartbeat: Heartbeat,
    /// In the order they were taken.
    held: Vec<Taken>,
    /// The orphans that were cleared away, in words.
    pub(crate) orphans: Vec<String>,
}

/// The lock of a rewrite, held until dropped.
pub(crate) struct StorageLock {
    _taken: Taken,
}

impl ClaudeLocks {
    /// Takes the locks of a renewal.
    ///
    /// `tag` marks them as ours: whoever calls this holds our own lock of the source, so one with
    /// that mark was left by a run that was killed, and nobody has to wait until it is stale.
    pub(crate) fn take(folder: &Arc<Folder>, tag: Tag) -> Result<Self, Refused> {
        let heartbeat = Heartbeat::start(&folder.identity, tag)
            .map_err(|source| Error::new("keep locks in", &folder.path, source))?;
        let (folder, held) = (Arc::clone(folder), Vec::new());
        let mut locks = Self { folder, tag, heartbeat, held, orphans: Vec::new() };
        let folder = Arc::clone(&locks.folder);
        locks.add(&folder, REFRESH)?;
        match beside(&folder) {
            Ok(Some((parent, name))) => match locks.add(&parent, &name) {
                // The CLI goes on without it where the folder above cannot be written.
                Err(Refused::System(error)) => detail!("{error}"),
                other => other?,
            },
            Ok(None) => {}
            Err(error) => detail!("{error}"),
        }
        Ok(locks)
    }

    /// Takes the lock of a rewrite, for as short a time as the rewrite takes.
    pub(crate) fn storage(&mut self) -> Result<StorageLock, Refused> {
        let wait = Duration::from_secs(1);
        let taken = self.patiently(
            &Arc::clone(&self.folder),
            STORAGE,
            STORAGE_STALE,
            (STORAGE_TRIES, wait),
        )?;
        self.heartbeat.keep(&taken);
        Ok(StorageLock { _taken: taken })
    }

    fn add(&mut self, folder: &Arc<Folder>, name: &str) -> Result<(), Refused> {
        let pace = (REFRESH_TRIES, Duration::from_secs(1));
        let taken = self.patiently(folder, name, REFRESH_STALE, pace)?;
        self.heartbeat.keep(&taken);
        self.held.push(taken);
        Ok(())
    }

    fn patiently(
        &mut self,
        folder: &Arc<Folder>,
        name: &str,
        stale_after: Duration,
        (tries, pause): (u32, Duration),
    ) -> Result<Taken, Refused> {
        let mut first = None;
        for round in 1..=tries {
            let last = round == tries;
            match Taken::attempt(folder, name, (stale_after, self.tag), first.filter(|_| last))? {
                Try::Taken(taken) => return Ok(taken),
                Try::Orphan(taken, age) => {
                    if name == REFRESH {
                        let _ = folder.remove(OWNER);
                    }
                    let path = folder.path.join(name);
                    self.orphans.push(format!("'{}' {age}", path.display()));
                    return Ok(taken);
                }
                Try::Held(mark) => first = first.or(Some(mark)),
            }
            if !last {
                clock::rest(pause);
            }
        }
        Err(Refused::Held(folder.path.join(name).display().to_string()))
    }
}

impl Drop for ClaudeLocks {
    fn drop(&mut self) {
        // In reverse, as the CLI does.
        while self.held.pop().is_some() {}
    }
}

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Somebody else holds it and lives; its path.
    Held(String),
    /// The system refused.
    System(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::System(error)
    }
}

/// The older lock: beside the folder, by its real name.
fn beside(folder: &Folder) -> Result<Option<(Arc<Folder>, String)>, Error> {
    let real = folder.real_path()?;
    let (Some(parent), Some(name)) =
        (real.parent(), real.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(None);
    };
    let parent = Folder::reach(Path::new(parent))?;
    // What the folder's own user cannot write the CLI could not lock either.
    let parent = parent.with_rights_of(&folder.identity);
    Ok(Some((Arc::new(parent), format!("{name}.lock"))))
}
