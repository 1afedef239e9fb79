//! Commands that a configuration names: split into words, no shell, as the owner of the state folder.
//!
//! Whoever controls the gateway's state may run what restarts it, with no more rights than their own.
//! Root runs a command only where the key `…_USER` asks for it, or where the state folder is root's,
//! and then [`exec_policy`] decides: the words of a command say nothing about who may run it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use crate::app::gateway::exec_context::{Place, text};
use crate::app::gateway::job::Work;
use crate::app::gateway::verify_process;
use crate::domain::config::settings::{Command, Settings};
use crate::domain::gateway::{Deed, Ending, masking};
use crate::domain::hints::ours;
use crate::domain::shell::Hint;
use crate::os::debounce;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::Ended;
use crate::os::process::exec_policy;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// How long `GATEWAY_COMMAND` may take.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Why a command is not run, and what helps.
pub(crate) type Refused = (String, Option<Hint>);

/// Restarts the gateway by its command; that it exits with 0 proves nothing yet.
pub(crate) fn restart(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let command = work.settings.gateway_command.clone();
    let command = command.ok_or_else(|| Ending::deferred("GATEWAY_COMMAND is not set"))?;
    work.courtesy(&Identity::own())?;
    let (watch, before) = (debounce::stopwatch(), verify_process::look(work));
    let ended =
        run(work.settings, &command, LIMIT).map_err(|(why, hint)| Ending::Deferred(why, hint))?;
    if ended.is_success() {
        let took = u64::try_from(watch().as_millis()).unwrap_or(u64::MAX);
        let is_proven = verify_process::proven(work, &before)?;
        let deed = if is_proven { Deed::Restarted } else { Deed::RestartedUnproven };
        return Ok(Ending::Done(deed, Some(took)));
    }
    let said = masking::tail(&masking::mask(&text(&ended.stderr), &[]), 3);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    let why = format!("GATEWAY_COMMAND failed: {}{said}", ended.how());
    Err(Ending::Failed(why, needs_root(work.settings, &command)))
}

/// Runs a command of the configuration to its end.
pub(crate) fn run(
    settings: &Settings,
    command: &Command,
    limit: Duration,
) -> Result<Ended, Refused> {
    let identity = identity(settings, command)?;
    let ended = Folder::reach(Path::new("/")).and_then(|root| {
        exec_policy::judge_words(&identity, &command.words)?;
        Place::new(&root, &identity).run(&command.words, limit)
    });
    ended.map_err(|error| refused(settings, command, &error))
}

/// Says why root would not run a command; `None` where it is run, or not as root.
pub(crate) fn refusal(settings: &Settings, command: &Command) -> Option<Refused> {
    let identity = match identity(settings, command) {
        Ok(identity) => identity,
        Err(refused) => return Some(refused),
    };
    let program = OsStr::new(&command.words[0]);
    let judged = exec_policy::judge(&identity, program, environment::PATH.as_ref())
        .and_then(|()| exec_policy::judge_words(&identity, &command.words));
    judged.err().filter(|error| !error.is_absent()).map(|error| refused(settings, command, &error))
}

/// As whom a command runs.
pub(crate) fn identity(settings: &Settings, command: &Command) -> Result<Identity, Refused> {
    let own = Identity::own();
    let key = command.key;
    if command.as_root {
        if own.uid == 0 {
            return Ok(own);
        }
        return Err((format!("{key}_USER is root, but oauth-sync does not run as root"), None));
    }
    if own.uid != 0 {
        return Ok(own);
    }
    let env_folder = settings.env_file.as_deref().and_then(Path::parent);
    let folder = settings.openclaw_state_dir.as_deref();
    let folder = folder.or(settings.compose_dir.as_deref()).or(env_folder);
    let Some(folder) = folder else {
        let why = format!("as whom {key} may run is not clear: OPENCLAW_STATE_DIR is not set");
        return Err((why, Some(ours::set(&settings.name, &format!("{key}_USER"), "root"))));
    };
    let reached = Folder::reach(folder);
    reached
        .map(|folder| folder.identity)
        .map_err(|error| (error.to_string(), error.command().cloned()))
}

fn refused(settings: &Settings, command: &Command, error: &Error) -> Refused {
    let hint = match error.command() {
        Some(hint) => Some(hint.clone()),
        // Its owner can run it, whoever that is; root need not.
        None if command.as_root && !error.is_absent() => {
            Some(ours::set(&settings.name, &format!("{}_USER", command.key), ""))
        }
        None => None,
    };
    (error.to_string(), hint)
}

/// What helps where a command fails for want of root's rights.
fn needs_root(settings: &Settings, command: &Command) -> Option<Hint> {
    let user = identity(settings, command).ok().filter(|user| user.uid != 0)?;
    let is_root = Identity::own().uid == 0;
    is_root.then(|| {
        let key = format!("{}_USER", command.key);
        ours::set_to_root(&settings.name, &key, &account::name(user.uid))
    })
}
