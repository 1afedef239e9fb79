//! Proves that a unit's process uses the new token: by the environment that it was started with, and
//! where nobody may read that, by what its unit sets and when it was started.

use std::path::Path;

use crate::app::gateway::proof::{self, Expected};
use crate::app::gateway::round;
use crate::app::gateway::unit_environment::{Environment, Setter};
use crate::app::gateway::work::Work;
use crate::app::sinks::env::name_env_file;
use crate::domain::envfile;
use crate::domain::gateway::Ending;
use crate::domain::hints::{files, ours};
use crate::domain::secret::Secret;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::folder::Folder;
use crate::os::processes::{Moment, Process};

/// The most that is read of a unit's environment file, in bytes.
const LIMIT: u64 = 1 << 20;

/// A unit, as far as the proof depends on it.
pub(super) struct Subject<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it sets for its process.
    pub(super) set: &'a Environment,
    /// The command that has its manager read it again.
    pub(super) reload: Hint,
}

/// Refuses a restart after which the process would still have the old token: its own unit sets the
/// variable, which beats the `.env` that OpenClaw reads by itself.
pub(super) fn in_the_way(work: &Work<'_>, unit: &Subject<'_>) -> Result<(), Ending> {
    let sinks = &work.pending().sinks;
    let (Some(ours), true) = (work.env_file.as_deref(), sinks.contains(&SinkKind::Env)) else {
        return Ok(());
    };
    let (key, link) = (&work.settings.env_key, &work.settings.name);
    let setter = unit.set.setter(key, |file| value_in(work, file, key));
    let Some((setter, value)) = setter else { return Ok(()) };
    let is_ours = work.passed_on() == Some(work.ground.fingerprinter.of(&value));
    if is_ours || setter == Setter::File(ours.to_owned()) {
        return Ok(());
    }
    let (name, shown) = (unit.name, ours.display());
    let kept = format!("which beats '{shown}': the gateway would keep the old token");
    let sync = ours::sync(link);
    let (by, hint) = match setter {
        Setter::File(file) => {
            let hint = name_env_file(link, round::user(work.settings), &file).and(sync);
            (format!("from '{}'", file.display()), Some(hint))
        }
        Setter::Unit(Some(path)) => {
            let folder = path.parent().and_then(|folder| Folder::reach(folder).ok());
            let edit = folder.map(|folder| files::edit(&path).run_by(&folder.user()));
            let hint = edit.map(|edit| edit.and(unit.reload.clone()).and(sync));
            (format!("by Environment= in '{}'", path.display()), hint)
        }
        Setter::Unit(None) => ("by Environment=".to_owned(), None),
    };
    Err(Ending::Failed(format!("{name} sets {key} {by}, {kept}"), hint))
}

fn value_in(work: &Work<'_>, file: &Path, key: &str) -> Option<Secret> {
    let state = work.openclaw.folder()?;
    let followed = state.read_through(file, LIMIT).ok()??;
    envfile::get(&followed.seen.bytes, key)
}

/// Says whether the new process was shown to use the new token; `false` where nobody can tell.
///
/// It has to have been started after `restart`, and what it reads must not have changed since.
pub(super) fn proven(
    work: &mut Work<'_>,
    process: Option<&Process>,
    is_new: Option<bool>,
    (restart, set): (&Moment, &Environment),
) -> Result<bool, Ending> {
    let expected = Expected::of(work)?;
    let shown = process.and_then(|process| process.is_started_since(restart));
    if shown.or(is_new) != Some(true) || expected.is_later_than(restart.wall) {
        return Ok(false);
    }
    let is_read_by_openclaw = match expected {
        Expected::Start(_) => return Ok(true),
        Expected::StateFile(_) => true,
        Expected::Environment(_) => false,
    };
    let (key, file) = (&work.settings.env_key, work.env_file.as_deref().unwrap_or(Path::new("")));
    let shown = file.display();
    let environment = process.and_then(Process::environment);
    let is_given = match environment.map(|environment| environment.get(key)) {
        Some(Some(token)) if Some(work.ground.fingerprinter.of(&token)) == work.passed_on() => true,
        Some(Some(_)) => {
            let why = format!("the new process was started with another {key} than '{shown}' has");
            return Err(Ending::Failed(why, None));
        }
        // OpenClaw takes it from the file when it starts.
        Some(None) if is_read_by_openclaw => true,
        Some(None) => {
            let why = format!("the new process was started without {key}: nothing reads '{shown}'");
            return Err(Ending::Failed(why, None));
        }
        // Nobody may read it: what the unit sets is left.
        None => match set.setter(key, |file| value_in(work, file, key)) {
            Some((setter, _)) => setter == Setter::File(file.to_owned()),
            None => is_read_by_openclaw,
        },
    };
    if is_given { proof::environment_counts_for(work, &expected) } else { Ok(false) }
}
