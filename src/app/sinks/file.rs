//! One file that is a sink by itself: read, compared, and given its new text.
//!
//! What its text has to say is the business of the sink that it is opened for.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::look::{Change, Look};
use crate::app::openclaw::STORE_LIMIT;
use crate::app::report::SinkState;
use crate::app::wanted::Wanted;
use crate::domain::credential::Credential;
use crate::domain::sink::{Held, SinkKind};
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};
use crate::os::stage;

/// One file that is a sink by itself.
pub(super) struct File {
    folder: Rc<Folder>,
    name: String,
    old: Option<Rc<Seen>>,
}

impl File {
    /// Reads the file; `None` if its folder does not exist and is not to be made.
    pub(super) fn open(
        path: &Path,
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
        if may_write {
            // A killed run may have left a token there.
            let _ = stage::sweep(&folder, name);
        }
        let old = folder.read(name, STORE_LIMIT)?.map(Rc::new);
        Ok(Some(Self { folder: Rc::new(folder), name: name.to_owned(), old }))
    }

    /// Says whether there is no such file yet.
    pub(super) fn is_new(&self) -> bool {
        self.old.is_none()
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    /// What it holds; `None` where there is no such file yet.
    pub(super) fn text(&self) -> Result<Option<&str>, Error> {
        let text = self.old.as_ref().map(|seen| std::str::from_utf8(&seen.bytes)).transpose();
        text.map_err(|_| Error::odd("read", &self.path(), "it is not UTF-8 text"))
    }

    /// Compares what it holds with what it should, and works out the new text.
    pub(super) fn compare(
        &self,
        kind: SinkKind,
        held: impl Fn(&str) -> Option<Held>,
        edit: impl Fn(Option<&str>, &Credential) -> Result<Option<String>, String>,
        wanted: &Wanted<'_>,
    ) -> Look {
        let path = self.path();
        let text = match self.text() {
            Ok(text) => text,
            Err(error) => return Look::failed(kind, path, &error),
        };
        let holds = text.and_then(held);
        let Some(credential) = wanted.credential() else {
            return wanted.compared(kind, path, holds.as_ref());
        };
        let expiry = holds.and_then(|held| held.expiry);
        match edit(text, credential) {
            Ok(None) => Look::settled(kind, Some(path), SinkState::InStep).expiring(expiry),
            Ok(Some(text)) => {
                let (folder, name) = (Rc::clone(&self.folder), self.name.clone());
                let change = Change { folder, name, text, old: self.old.clone() };
                Look::stale(kind, path, vec![change]).expiring(expiry)
            }
            Err(fault) => Look::malformed(kind, path, &fault),
        }
    }
}
