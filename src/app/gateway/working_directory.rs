//! The `.env` of a gateway's working directory: OpenClaw before 2026.4.1 reads it before the one of its
//! state directory, and neither replaces what the other has set (`loadDotEnv` of 2026.2.25 and 2026.3.13).

use std::path::Path;

use crate::app::gateway::job::Work;
use crate::app::gateway::verify::{self, LIMIT};
use crate::domain::envfile;
use crate::domain::era::Version;
use crate::domain::gateway::Ending;
use crate::domain::hints::{files, ours};
use crate::os::fs::dir::Folder;
use crate::os::process::proc_list::Process;

/// Says whether the gateway's process is known to take the token from the state directory's `.env`: `false`
/// where its working directory cannot be looked at.
///
/// Fails where the `.env` of its working directory sets another token.
pub(crate) fn leaves_it_to_ours(
    work: &Work<'_>,
    process: Option<&Process>,
) -> Result<bool, Ending> {
    let is_ignored =
        work.openclaw.verdict.version.is_some_and(|version| version >= Version::OWN_DOTENV);
    let ours = work.env_file.as_deref();
    let is_read = |ours: &&Path| verify::is_read_by_openclaw(work.settings, ours);
    let Some(ours) = ours.filter(is_read).filter(|_| !is_ignored) else { return Ok(true) };
    let Some(directory) = process.and_then(Process::working_directory) else { return Ok(false) };
    let other = directory.join(".env");
    let read = Folder::reach_followed(&other)
        .and_then(|(folder, name)| Ok((folder.read(&name, LIMIT)?, folder)));
    let (seen, folder) = match read {
        Ok((Some(seen), folder)) => (seen, folder),
        Ok((None, _)) => return Ok(true),
        Err(_) => return Ok(false),
    };
    let key = &work.settings.env_key;
    // An empty value keeps OpenClaw from the other file too.
    let Some(token) = envfile::get(&seen.bytes, key) else {
        return Ok(!envfile::has(&seen.bytes, key));
    };
    if work.passed_on() == Some(work.ground.fingerprinter.of(&token)) {
        return Ok(true);
    }
    let why = format!(
        "the gateway's working directory has a '{}' that sets {key}, which beats '{}': the gateway would keep the old token",
        other.display(),
        ours.display()
    );
    let hint = files::edit(&other).run_by(&folder.user()).and(ours::sync(&work.settings.name));
    Err(Ending::Failed(why, Some(hint)))
}
