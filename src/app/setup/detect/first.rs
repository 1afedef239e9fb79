//! The first link of a host, made by the timer's run once a login and an OpenClaw have appeared.

use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::setup::detect::Detection;
use crate::app::setup::detect::pairs::{self, All};
use crate::domain::config::Config;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::journal::detail;

/// The file in the state directory that says: there was a link before.
const MARK: &str = "linked";

/// Says whether anything is configured, if need be after making a first link.
///
/// Where there was a link before, it is somebody's word that there is none. Half a link is none yet.
pub(crate) fn is_linked(places: &Places) -> Result<bool, Error> {
    is_linked_by(places, || super::run(None))
}

pub(super) fn is_linked_by(
    places: &Places,
    detect: impl FnOnce() -> Detection,
) -> Result<bool, Error> {
    let Config { links, problems, .. } = context::configuration(&places.config_dir)?;
    if !links.is_empty() {
        remember(places);
        return Ok(true);
    }
    // A fault is not known to be one of a link: whoever fixes it may still wait for the login.
    if !problems.is_empty() {
        return Ok(true);
    }
    if context::is_marked(places, MARK) {
        return Ok(false);
    }
    let All { files, unlinked, left } = pairs::write_all(&places.config_dir, &detect(), &[])?;
    for one in left {
        detail!("'{}' is not linked: {}", one.claw.display(), one.why);
    }
    if let Some(why) = unlinked {
        detail!("nothing is linked: {why}");
        return Ok(false);
    }
    remember(places);
    for path in files {
        let path = path.display();
        log::info!("a Claude login and an OpenClaw were found and linked: wrote '{path}'");
    }
    Ok(true)
}

/// Remembers that there is a link.
pub(crate) fn remember(places: &Places) {
    let marked = context::open_or_make(&places.state_dir).and_then(|state| {
        let is_new = state.stat(MARK)?.is_none();
        if is_new { atomic_write::replace(&state, MARK, b"", Durability::Flushed) } else { Ok(()) }
    });
    if let Err(error) = marked {
        detail!("{error}: a link that is taken away would be made again");
    }
}
