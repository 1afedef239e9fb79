//! Takes back what asks a person to act, before the program that would answer is removed.

use crate::app::error::Error;
use crate::app::ground;
use crate::os::folder::Folder;

/// The flag file in OpenClaw's state folder that asks for a new sign-in.
pub(crate) const FLAG: &str = "REAUTH_NEEDED";

/// How a flag file of ours begins; one that does not is somebody else's and stays.
pub(crate) const FLAG_MARK: &str = "# written by oauth-sync";

/// Removes the flag files of ours from every link's OpenClaw.
pub(crate) fn flags(config_dir: &std::path::Path) -> Result<(), Error> {
    for settings in ground::configuration(config_dir)?.links {
        let folder = settings.openclaw_state_dir.as_deref().map(Folder::reach);
        if let Some(Ok(folder)) = folder {
            remove(&folder)?;
        }
    }
    Ok(())
}

/// Removes the flag file if it is ours; says whether it did.
pub(crate) fn remove(folder: &Folder) -> Result<bool, Error> {
    let Some(seen) = folder.read(FLAG, 64 * 1024)? else { return Ok(false) };
    Ok(seen.bytes.starts_with(FLAG_MARK.as_bytes()) && folder.remove(FLAG)?)
}
