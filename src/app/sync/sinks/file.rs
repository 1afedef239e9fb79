//! One file that is a sink by itself: read, compared, and given its new text.
//!
//! What its text has to say is the business of the sink that it is opened for.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::openclaw::STORE_LIMIT;
use crate::app::report::SinkState;
use crate::app::sync::sink_plan::{Change, Look};
use crate::app::sync::target::Wanted;
use crate::domain::credential::Credential;
use crate::domain::sink::{Held, SinkKind};
use crate::os::error::Error;
use crate::os::fs::atomic_write;
use crate::os::fs::dir::{Folder, Seen};

/// What is done about a symbolic link in the file's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// It is followed with the rights of whoever made it, as OpenClaw does with its `.env`.
    Followed,
    /// The file cannot be read.
    Refused,
}

/// One file that is a sink by itself.
pub(super) struct File {
    /// As it was asked for, which may be a link to where it is.
    path: PathBuf,
    folder: Rc<Folder>,
    name: String,
    old: Option<Rc<Seen>>,
}

impl File {
    /// Reads the file; `None` if its directory does not exist and is not to be made.
    pub(super) fn open(
        path: &Path,
        links: Links,
        may_make: bool,
        may_write: bool,
    ) -> Result<Option<Self>, Error> {
        let (Some(parent), Some(name)) =
            (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::odd("open", path, "it names no file"));
        };
        let folder = match Folder::reach(parent) {
            Ok(folder) => folder,
            Err(error) if error.is_absent() && may_make && may_write => {
                let (Some(above), Some(last)) =
                    (parent.parent(), parent.file_name().and_then(|name| name.to_str()))
                else {
                    return Err(error);
                };
                Folder::reach(above)?.make(last)?
            }
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        };
        let (folder, name) = match links {
            Links::Followed => folder.follow(name)?,
            Links::Refused => (folder, name.to_owned()),
        };
        if may_write {
            // A killed run may have left a token there.
            let _ = atomic_write::sweep(&folder, &name);
        }
        let old = folder.read(&name, STORE_LIMIT)?.map(Rc::new);
        Ok(Some(Self { path: path.to_owned(), folder: Rc::new(folder), name, old }))
    }

    /// Says whether there is no such file yet.
    pub(super) fn is_new(&self) -> bool {
        self.old.is_none()
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// What it holds; `None` where there is no such file yet.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.old.as_ref().map(|seen| seen.bytes.as_slice())
    }

    /// Its text; `None` where there is no such file yet.
    pub(super) fn text(&self) -> Result<Option<&str>, Error> {
        let text = self.bytes().map(std::str::from_utf8).transpose();
        text.map_err(|_| Error::odd("read", &self.path(), "it is not UTF-8 text"))
    }

    /// Its change to a new text.
    pub(super) fn change(&self, bytes: Vec<u8>) -> Change {
        let (folder, name) = (Rc::clone(&self.folder), self.name.clone());
        Change { folder, name, bytes, old: self.old.clone() }
    }

    /// Compares what it holds with what it should, and works out the new text.
    pub(super) fn compare(
        &self,
        kind: SinkKind,
        held: impl Fn(&[u8]) -> Option<Held>,
        edit: impl Fn(Option<&[u8]>, &Credential) -> Result<Option<Vec<u8>>, String>,
        wanted: &Wanted<'_>,
    ) -> Look {
        let path = self.path();
        let holds = self.bytes().and_then(held);
        let Some(credential) = wanted.credential() else {
            return wanted.compared(kind, path, holds.as_ref());
        };
        let expiry = holds.and_then(|held| held.expiry);
        match edit(self.bytes(), credential) {
            Ok(None) => Look::settled(kind, Some(path), SinkState::InStep).expiring(expiry),
            Ok(Some(bytes)) => Look::stale(kind, path, vec![self.change(bytes)]).expiring(expiry),
            Err(fault) => Look::malformed(kind, path, &fault),
        }
    }
}
