//! A symbolic link where a file has to be, in the folder of a user who may have set it to anything.
//!
//! The commands are run by root: what the link leads to stands in them only as the words that it was
//! read as, and only if it is that user's own. Another's file, copied or named for the user, would
//! be handed over.

use std::path::Path;

use crate::app::doctor::Patient;
use crate::domain::shell;
use crate::os::folder::{Folder, Kind};
use crate::os::program;

/// What a link leads to, where that belongs to whoever owns the link's folder.
pub(super) fn aim(path: &Path) -> Option<String> {
    let from = folder(path)?;
    let aim = program::real_path(&from.identity, path)?;
    let (to, name) = (folder(&aim)?, aim.file_name()?.to_str()?);
    let owner = to.stat(name).ok()??.st_uid;
    let is_own = owner == from.identity.uid && to.identity.uid == owner;
    let is_file = to.kind(name).ok()? == Some(Kind::File);
    aim.into_os_string().into_string().ok().filter(|aim| is_own && is_file && is_plain(aim))
}

/// The command that puts a copy of what a link leads to in its place, or nothing.
pub(super) fn replacement(patient: &Patient<'_>, path: &Path) -> String {
    let Some(aim) = aim(path) else { return removal(patient, path) };
    let (aim, link) = (shell::quoted(&aim), shell::path(path));
    format!("{}cp -p --remove-destination {aim} {link}", run_as(patient, path))
}

/// The command that takes a link away.
pub(super) fn removal(patient: &Patient<'_>, path: &Path) -> String {
    format!("{}rm {}", run_as(patient, path), shell::path(path))
}

fn run_as(patient: &Patient<'_>, path: &Path) -> String {
    folder(path).map(|folder| patient.run_as_owner(&folder)).unwrap_or_default()
}

fn folder(path: &Path) -> Option<Folder> {
    Folder::reach(path.parent()?).ok()
}

/// Says whether a terminal takes the words as they are, when they are pasted.
fn is_plain(path: &str) -> bool {
    !path.chars().any(char::is_control)
}
