//! A symbolic link where a file has to be, in the folder of a user who may have set it to anything.
//!
//! The commands are run by root: what the link leads to stands in them only as the words that it was
//! read as, and only if it is that user's own. Another's file, copied or named for the user, would
//! be handed over.

use std::path::Path;

use crate::app::doctor::Patient;
use crate::domain::hints::files;
use crate::domain::shell::Hint;
use crate::domain::visible::is_plain;
use crate::os::fs::dir::{Folder, Kind};
use crate::os::process::executables;

/// What a link leads to, where that belongs to whoever owns the link's folder.
pub(super) fn aim(path: &Path) -> Option<String> {
    let from = folder(path)?;
    let aim = executables::real_path(&from.identity, path)?;
    let (to, name) = (folder(&aim)?, aim.file_name()?.to_str()?);
    let owner = to.stat(name).ok()??.st_uid;
    let is_own = owner == from.identity.uid && to.identity.uid == owner;
    let is_file = to.kind(name).ok()? == Some(Kind::File);
    Some(aim)
        .filter(|aim| is_plain(aim.as_os_str()))
        .and_then(|aim| aim.into_os_string().into_string().ok())
        .filter(|_| is_own && is_file)
}

/// The command that puts a copy of what a link leads to in its place, or nothing.
pub(super) fn replacement(patient: &Patient<'_>, path: &Path) -> Hint {
    let Some(aim) = aim(path) else { return removal(patient, path) };
    as_owner(patient, path, files::replace_by_copy(Path::new(&aim), path))
}

/// The command that takes a link away.
pub(super) fn removal(patient: &Patient<'_>, path: &Path) -> Hint {
    as_owner(patient, path, files::remove(path))
}

fn as_owner(patient: &Patient<'_>, path: &Path, command: Hint) -> Hint {
    match folder(path) {
        Some(folder) => command.run_by(&patient.owner(&folder)),
        None => command,
    }
}

fn folder(path: &Path) -> Option<Folder> {
    Folder::reach(path.parent()?).ok()
}
