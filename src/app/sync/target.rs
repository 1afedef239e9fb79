//! What the sinks of a link are compared with.

use std::path::{Path, PathBuf};

use crate::app::context::Ground;
use crate::app::report::SinkState;
use crate::app::sync::sink_plan::Look;
use crate::domain::acceptance::Memory;
use crate::domain::credential::Credential;
use crate::domain::sink::{Held, SinkKind};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::fs::dir::Folder;

/// What the sinks are compared with.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Makes fingerprints.
    pub(crate) ground: &'a Ground,
    /// What the link remembers.
    pub(crate) memory: &'a Memory,
    /// The source as it stands.
    pub(crate) source: &'a Source,
    /// The moment of the comparison.
    pub(crate) now: Timestamp,
    /// Whether folders that are missing may be made.
    pub(crate) may_write: bool,
}

impl Wanted<'_> {
    /// The credential to be passed on, if there is one.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.source.passable()
    }

    /// Looks at a sink where nothing may be passed on: it is in step with what was passed on last.
    pub(crate) fn compared(&self, kind: SinkKind, path: PathBuf, held: Option<&Held>) -> Look {
        let Some(held) = held else {
            return Look::absent(kind, Some(path), "it holds no token");
        };
        let mark = self.ground.fingerprinter.of(&held.token);
        let last = self.memory.accepted.is_some_and(|accepted| accepted.fingerprint == mark);
        let state = if last { SinkState::InStep } else { SinkState::Stale(None) };
        Look::settled(kind, Some(path), state).expiring(held.expiry)
    }

    /// Says whether a sync that may write would make this file and its folder.
    pub(crate) fn would_make(&self, file: &Path) -> bool {
        let above = file.parent().and_then(Path::parent);
        let stands = above.is_some_and(|above| Folder::reach(above).is_ok());
        !self.may_write && self.credential().is_some() && stands
    }
}
