//! The host's folders, or a tree that stands for them.

use std::path::{Path, PathBuf};

use crate::domain::detection::Control;
use crate::os::error::Error;
use crate::os::folder::Folder;

/// The most that is read of a unit, a compose file or a crontab, in bytes.
const TEXT_LIMIT: u64 = 256 * 1024;

/// Where the search begins.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: Option<PathBuf>,
}

impl Tree {
    /// The host itself, or the tree at `root`.
    pub(crate) fn new(root: Option<&Path>) -> Self {
        Self { root: root.map(Path::to_owned) }
    }

    /// Whether this is the host itself, whose programs may be asked.
    pub(crate) fn is_host(&self) -> bool {
        self.root.is_none()
    }

    /// Where a path of the host lies.
    pub(crate) fn place(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// Opens a folder of the host; `None` if it is not there or its owner may not.
    pub(crate) fn folder(&self, path: &Path) -> Option<Folder> {
        Folder::reach(&self.place(path)).ok()
    }

    /// Reads a text file of the host.
    pub(crate) fn text(&self, path: &Path) -> Option<String> {
        text_in(&self.folder(path.parent()?)?, path.file_name()?.to_str()?)
    }

    /// Lists the names in a folder of the host.
    pub(crate) fn names(&self, path: &Path) -> Vec<String> {
        let names = self.folder(path).and_then(|folder| folder.names().ok()).unwrap_or_default();
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// Says whether something of this name is in a folder of the host.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let parent = path.parent().and_then(|parent| self.folder(parent));
        parent.is_some_and(|folder| folder.stat(name).is_ok_and(|stat| stat.is_some()))
    }

    /// Who could put something else at a path: the owners of its components.
    pub(crate) fn control(&self, path: &Path) -> Result<Control, Error> {
        let mut owners = Vec::new();
        let mut above: Option<PathBuf> = None;
        for step in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if let (Some(above), Some(name)) =
                (&above, step.file_name().and_then(|name| name.to_str()))
            {
                let stat = Folder::reach(&self.place(above))?.stat(name)?;
                owners.extend(stat.map(|stat| stat.st_uid));
            }
            above = Some(step.to_owned());
        }
        Ok(Control::of(&owners))
    }

    /// Who could put something at a path that need not be there yet.
    pub(crate) fn control_to_be(&self, path: &Path) -> Result<Control, Error> {
        match (self.control(path), path.parent()) {
            (Err(error), Some(parent)) if error.is_absent() => self.control_to_be(parent),
            (control, _) => control,
        }
    }
}

/// Reads a text file in a folder.
pub(super) fn text_in(folder: &Folder, name: &str) -> Option<String> {
    let seen = folder.read(name, TEXT_LIMIT).ok()??;
    String::from_utf8(seen.bytes).ok()
}
