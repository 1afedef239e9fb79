//! Leaves nothing behind that only this program could end, before it is removed: a request to sign in,
//! a renewal that was saved but not put in place, an expiry that is there for the CLI's sake.

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::refresh;
use crate::app::sync;
use crate::domain::config::settings::Settings;
use crate::os::fs::dir::Folder;

/// The flag file in OpenClaw's state directory that asks for a new sign-in.
pub(crate) const FLAG: &str = "REAUTH_NEEDED";

/// How a flag file of ours begins; one that does not is somebody else's and stays.
pub(crate) const FLAG_MARK: &str = "# written by oauth-sync";

/// Takes back what every link asked for and did in between; what cannot be is said and stops nothing.
pub(crate) fn all(places: &Places) -> Result<(), Error> {
    let links = context::configuration(&places.config_dir)?.links;
    for settings in &links {
        if let Err(error) = flag(settings) {
            log::warn!("{error}");
        }
    }
    // Without a state folder nothing was ever put off, and none is made in leaving.
    match Folder::reach(&places.state_dir) {
        Ok(_) => {}
        Err(error) if error.is_absent() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let ground = Ground::open(places)?;
    for settings in &links {
        settle(&ground, settings);
    }
    sync::interrupted::restore_unlinked(&ground, &[]);
    Ok(())
}

/// Removes a link's flag file if it is ours.
fn flag(settings: &Settings) -> Result<(), Error> {
    match settings.openclaw_state_dir.as_deref().map(Folder::reach) {
        Some(Ok(folder)) => remove(&folder).map(|_| ()),
        Some(Err(error)) if !error.is_absent() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Puts a saved renewal and the true expiry into the source: nobody would do so later.
fn settle(ground: &Ground, settings: &Settings) {
    refresh::pick_up(ground, [settings]);
    if refresh::waits(ground, settings) {
        log::error!(
            hint = "install openclaw-oauth-sync again, or sign in to Claude again";
            "the renewed login of '{}' could not be put in place: it stays in '{}' until that directory is removed",
            settings.claude_credentials.display(),
            ground.places.state_dir.display()
        );
    }
}

/// Removes the flag file if it is ours; says whether it did.
pub(crate) fn remove(folder: &Folder) -> Result<bool, Error> {
    let Some(seen) = folder.read(FLAG, 64 * 1024)? else { return Ok(false) };
    Ok(seen.bytes.starts_with(FLAG_MARK.as_bytes()) && folder.remove(FLAG)?)
}
