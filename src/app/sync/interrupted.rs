//! Ends what a killed run began to write over in place.

use crate::app::context::Ground;
use crate::domain::config::settings::Settings;
use crate::os::fs::in_place::{Keep, Restored};

/// What a file's old text is kept as while it is written over, after the link's name.
const OVER: &str = ".over";

/// The file that a link's old text is kept in meanwhile.
pub(super) fn file_of(link: &str) -> String {
    format!("{link}{OVER}")
}

/// Does so for links that are not configured any more.
pub(crate) fn restore_unlinked(ground: &Ground, links: &[Settings]) {
    let Some(folder) = &ground.links else { return };
    for name in folder.names().unwrap_or_default() {
        let Some(name) = name.to_str() else { continue };
        let Some(link) = name.strip_suffix(OVER) else { continue };
        if !links.iter().any(|settings| settings.name == link) {
            restore(link, Keep { folder, name, mounts_too: false });
        }
    }
}

/// Brings back a file that a killed run was writing over in place.
pub(super) fn restore(link: &str, keep: Keep<'_>) {
    match keep.restore() {
        Ok(Restored::Nothing) => {}
        Ok(Restored::Back(path)) => {
            log::warn!("{link}: '{}' was half written, and is as it was before", path.display());
        }
        Ok(Restored::Gone(path)) => log::warn!(
            "{link}: '{}' was being written when an earlier run ended, and is not there any more: the copy of its old text is removed",
            path.display()
        ),
        Err(error) => log::error!("{link}: {error}: it may be half written"),
    }
}
