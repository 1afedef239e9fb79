//! One sink as it stands, what has to be written to bring it up to date, and what became of that.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::app::report::{SinkReport, SinkState};
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Replacement};
use crate::os::fs::dir::{Folder, Seen};
use crate::os::lock::openclaw_lock::{ForeignLock, Form, Tag};

/// When OpenClaw takes its own lock for abandoned (2026.2.25 and 2026.4.15).
const LOCK_LIFE: Duration = Duration::from_secs(30);

/// A sink as it stands, and what has to be written to bring it up to date.
pub(crate) struct Look {
    kind: SinkKind,
    path: Option<PathBuf>,
    state: SinkState,
    /// Why it is not known whether OpenClaw uses what the sink holds.
    doubt: Option<&'static str>,
    expiry: Option<Timestamp>,
    changes: Vec<Change>,
    lock: Option<LockPlace>,
    held: Option<ForeignLock>,
    written: bool,
    is_new: bool,
}

/// One file's new text.
pub(crate) struct Change {
    /// The folder that it is in.
    pub(crate) folder: Rc<Folder>,
    /// Its name there.
    pub(crate) name: String,
    /// What it is to hold.
    pub(crate) bytes: Vec<u8>,
    /// What the new text was made from.
    pub(crate) old: Option<Rc<Seen>>,
}

/// The lock that OpenClaw itself takes before it writes the file.
pub(crate) struct LockPlace {
    /// The folder that it is in.
    pub(crate) folder: Rc<Folder>,
    /// Its name there.
    pub(crate) name: &'static str,
    /// A file or a folder, by OpenClaw's version.
    pub(crate) form: Form,
    /// What tells a lock of ours, left by a killed run, from OpenClaw's.
    pub(crate) tag: Tag,
}

impl Look {
    /// A sink that nothing has to be, or can be, written to.
    pub(crate) fn settled(kind: SinkKind, path: Option<PathBuf>, state: SinkState) -> Self {
        let (doubt, expiry, changes) = (None, None, Vec::new());
        let (lock, held, written, is_new) = (None, None, false, false);
        Self { kind, path, state, doubt, expiry, changes, lock, held, written, is_new }
    }

    /// A sink that cannot be looked at.
    pub(crate) fn failed(kind: SinkKind, path: PathBuf, error: &Error) -> Self {
        let state = SinkState::Failed(error.to_string(), error.command().cloned());
        Self::settled(kind, Some(path), state)
    }

    /// A sink whose text is not what it should be, so that nothing can be put into it.
    pub(crate) fn malformed(kind: SinkKind, path: PathBuf, fault: &str) -> Self {
        let error = Error::odd("edit", &path, fault);
        Self::failed(kind, path, &error)
    }

    /// A sink that is not there, and is not to be made.
    pub(crate) fn absent(kind: SinkKind, path: Option<PathBuf>, why: &str) -> Self {
        Self::settled(kind, path, SinkState::Absent(why.to_owned()))
    }

    /// A sink that holds another token and gets these new texts.
    pub(crate) fn stale(kind: SinkKind, path: PathBuf, changes: Vec<Change>) -> Self {
        let is_new = changes.iter().all(|change| change.old.is_none());
        Self { changes, is_new, ..Self::settled(kind, Some(path), SinkState::Stale(None)) }
    }

    /// A sink whose folder would be made first, as far as a dry run can see.
    pub(crate) fn to_be_made(kind: SinkKind, path: PathBuf) -> Self {
        Self { is_new: true, ..Self::settled(kind, Some(path), SinkState::Stale(None)) }
    }

    /// Remembers when the sink says that its token ends.
    pub(crate) fn expiring(self, expiry: Option<Timestamp>) -> Self {
        Self { expiry, ..self }
    }

    /// Remembers why it is not known whether OpenClaw uses what the sink holds.
    pub(crate) fn doubted(self, doubt: Option<&'static str>) -> Self {
        Self { doubt, ..self }
    }

    /// Remembers which lock OpenClaw takes for it.
    pub(crate) fn locked_by(self, lock: LockPlace) -> Self {
        Self { lock: Some(lock), ..self }
    }

    /// Which kind of sink is about to change, if it is.
    pub(crate) fn changing(&self) -> Option<SinkKind> {
        (!self.changes.is_empty()).then_some(self.kind)
    }

    /// The path of a sink of this kind that holds the token, or is about to.
    pub(crate) fn holding(&self, kind: SinkKind) -> Option<&Path> {
        let holds = self.state == SinkState::InStep || !self.changes.is_empty();
        self.path.as_deref().filter(|_| self.kind == kind && holds)
    }

    /// Takes OpenClaw's lock where there is something to write; `other` is one that is held already.
    pub(crate) fn hold(mut self, other: Option<&ForeignLock>) -> Self {
        let Some(lock) = self.lock.as_ref().filter(|_| !self.changes.is_empty()) else {
            return self;
        };
        let LockPlace { folder, name, form, tag } = lock;
        match ForeignLock::try_take(folder, name, *form, *tag, LOCK_LIFE, other) {
            Ok(Some(held)) => self.held = Some(held),
            Ok(None) => {
                self.changes.clear();
                self.is_new = false;
                self.state = SinkState::Busy("OpenClaw holds its lock".to_owned());
            }
            Err(error) => self.fail(&error),
        }
        self
    }

    /// OpenClaw's lock, if it is held for this sink.
    pub(crate) fn lock(&self) -> Option<&ForeignLock> {
        self.held.as_ref()
    }

    /// What is to be replaced, all of it or nothing.
    pub(crate) fn replacements(&self) -> impl Iterator<Item = Replacement<'_>> {
        self.changes.iter().map(|change| Replacement {
            folder: &change.folder,
            name: &change.name,
            bytes: &change.bytes,
            old: change.old.as_deref(),
        })
    }

    /// Takes note of what became of its replacements.
    pub(crate) fn settle(&mut self, results: impl Iterator<Item = Result<(), Error>>) {
        for result in results {
            match result {
                Ok(()) if matches!(self.state, SinkState::Stale(_)) => {
                    self.state = SinkState::InStep;
                    self.written = true;
                }
                Ok(()) => {}
                Err(error) if error.is_changed() => {
                    self.state = SinkState::Busy("another process wrote it meanwhile".to_owned());
                }
                Err(error) if error.is_unsettled() => {
                    self.state = SinkState::Unsettled(error.to_string());
                }
                Err(error) => self.fail(&error),
            }
        }
    }

    /// What a dry run has to say of it.
    pub(crate) fn planned(mut self) -> SinkReport {
        let barrier = |change: &Change| {
            atomic_write::barrier(&change.folder, &change.name, change.old.as_deref())
        };
        if let Some(error) = self.changes.iter().find_map(barrier) {
            self.fail(&error);
        }
        if self.is_new || !self.changes.is_empty() {
            self.state = SinkState::InStep;
            self.written = true;
        }
        self.done()
    }

    /// What became of it; gives OpenClaw's lock back.
    pub(crate) fn done(self) -> SinkReport {
        let Self { kind, path, mut state, doubt, expiry, changes, written, is_new, .. } = self;
        if let (SinkState::InStep, Some(doubt)) = (&state, doubt) {
            state = SinkState::Stale(Some(doubt.to_owned()));
        }
        let replaced = changes.into_iter().filter_map(|change| change.old).collect();
        SinkReport { kind, path, state, expiry, written, is_new, replaced }
    }

    fn fail(&mut self, error: &Error) {
        self.changes.clear();
        (self.written, self.is_new) = (false, false);
        self.state = SinkState::Failed(error.to_string(), error.command().cloned());
    }
}
