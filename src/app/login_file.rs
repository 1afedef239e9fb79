//! A credentials file as it is read and rewritten: its folder, opened once, and its name there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::credential::{self, Content};
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};
use crate::os::stage::{self, Replacement};

/// Claude's `.credentials.json`, wherever it is.
#[derive(Clone, Debug)]
pub(crate) struct LoginFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The CLI's configuration folder, whose rights all of it has.
    pub(crate) folder: Arc<Folder>,
    /// Its name there.
    pub(crate) name: String,
}

impl LoginFile {
    /// Reaches the folder of the file at `path`.
    pub(crate) fn reach(path: &Path) -> Result<Self, Error> {
        let odd = || Error::odd("open", path, "it is not the path of a file");
        let folder = path.parent().ok_or_else(odd)?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(odd)?;
        let folder = Arc::new(Folder::reach(folder)?);
        Ok(Self { path: path.to_owned(), folder, name: name.to_owned() })
    }

    /// Reads the file; `None` if there is none.
    pub(crate) fn read(&self) -> Result<Option<Seen>, Error> {
        self.folder.read(&self.name, credential::SIZE_LIMIT)
    }

    /// Says what the file holds at this moment; an unreadable one is as good as one being written.
    pub(crate) fn content(&self) -> Content {
        match self.read() {
            Ok(Some(seen)) => credential::parse(&seen.bytes),
            Ok(None) | Err(_) => Content::HalfWritten,
        }
    }

    /// Replaces the text that `old` was, unless somebody else wrote meanwhile.
    pub(crate) fn replace(&self, text: &str, old: &Seen) -> Result<(), Error> {
        let (folder, name, bytes) = (&*self.folder, self.name.as_str(), text.as_bytes());
        let part = Replacement { folder, name, bytes, old: Some(old) };
        stage::replace_all([part], || {}).into_iter().collect()
    }
}
