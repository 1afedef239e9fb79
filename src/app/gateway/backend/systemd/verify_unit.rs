//! Proves that a unit's process uses the new token: by the environment that it was started with, and
//! where nobody may read that, by what its unit sets and when it was started.

use std::path::Path;

use crate::app::gateway::backend::systemd::unit_environment::{Environment, Setter, Value};
use crate::app::gateway::backend::systemd::unit_files::Reader;
use crate::app::gateway::job::Work;
use crate::app::gateway::runner;
use crate::app::gateway::verify::{self, Expected};
use crate::app::gateway::working_directory;
use crate::app::sync::sinks::env::{is_owners, name_env_file};
use crate::domain::gateway::Ending;
use crate::domain::hints::{files, ours};
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::fs::dir::Folder;
use crate::os::process::proc_list::{Moment, Process};

/// A unit, as far as the proof depends on it.
pub(crate) struct Subject<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What it sets for its process.
    pub(crate) set: &'a Environment,
    /// What reads its files.
    pub(crate) reader: Option<Reader>,
    /// The command that has its manager read it again.
    pub(crate) reload: Hint,
    /// The command that takes the variable from what its manager hands to all units.
    pub(crate) unset: Hint,
}

impl Subject<'_> {
    fn setter(&self, key: &str) -> Option<(Setter, Value)> {
        self.set.setter(key, |pattern| self.reader.as_ref()?.value(pattern, key))
    }

    /// Where a setter that beats the `.env` stands, and the command that fixes it.
    fn way_out(&self, work: &Work<'_>, setter: Setter) -> (String, Option<Hint>) {
        let link = &work.settings.name;
        let sync = || ours::sync(link);
        let edit = |path: &Path| {
            let folder = path.parent().and_then(|folder| Folder::reach(folder).ok());
            folder.map(|folder| files::edit(path).run_by(&folder.user()))
        };
        let edited = |path: &Path, then: &Hint| Some(edit(path)?.and(then.clone()).and(sync()));
        let at = |path: Option<&Path>| {
            path.map(|path| format!(" in '{}'", path.display())).unwrap_or_default()
        };
        match setter {
            Setter::File(file) => {
                let owner = runner::user(work.settings);
                let hint = if is_owners(owner, &file) {
                    Some(name_env_file(link, owner, &file))
                } else {
                    // It is read anew at each start: without the line OpenClaw's own `.env` counts.
                    edit(&file)
                };
                (format!("from '{}'", file.display()), hint.map(|hint| hint.and(sync())))
            }
            Setter::Unit(path) => {
                let hint = path.as_deref().and_then(|path| edited(path, &self.reload));
                (format!("by Environment={}", at(path.as_deref())), hint)
            }
            Setter::Unset(path) => {
                let hint = path.as_deref().and_then(|path| edited(path, &self.reload));
                (format!("by UnsetEnvironment={}", at(path.as_deref())), hint)
            }
            Setter::Manager(path) => {
                let by = match &path {
                    Some(path) => format!("from '{}', by its manager", path.display()),
                    None => "by its manager's own environment".to_owned(),
                };
                let hint = match path.as_deref() {
                    Some(path) => edited(path, &self.unset),
                    None => Some(self.unset.clone().and(sync())),
                };
                (by, hint)
            }
        }
    }
}

/// Refuses a restart after which the process would still have the old token: its own unit sets the
/// variable, which beats the `.env` that OpenClaw reads by itself, or takes it away from it, or the `.env` of
/// the directory where the old process works does.
pub(crate) fn in_the_way(
    work: &Work<'_>,
    unit: &Subject<'_>,
    old: Option<&Process>,
) -> Result<(), Ending> {
    let sinks = &work.pending().sinks;
    let (Some(ours), true) = (work.env_file.as_deref(), sinks.contains(&SinkKind::Env)) else {
        return Ok(());
    };
    let key = &work.settings.env_key;
    let (setter, value) = match unit.setter(key) {
        Some((setter, Value::Known(value))) => (setter, value),
        Some((_, Value::Unreadable)) => return Ok(()),
        None => return working_directory::leaves_it_to_ours(work, old).map(drop),
    };
    let is_ours = work.passed_on() == Some(work.ground.fingerprinter.of(&value));
    let is_unset = matches!(setter, Setter::Unset(_));
    // What the unit takes away OpenClaw still reads in its own `.env`.
    let is_read = is_unset && verify::is_read_by_openclaw(work.settings, ours);
    if is_read {
        return working_directory::leaves_it_to_ours(work, old).map(drop);
    }
    if is_ours || setter == Setter::File(ours.to_owned()) {
        return Ok(());
    }
    let (name, shown) = (unit.name, ours.display());
    let (by, hint) = unit.way_out(work, setter);
    let why = if is_unset {
        format!("{name} takes {key} away {by}: nothing would read '{shown}'")
    } else {
        format!(
            "{name} sets {key} {by}, which beats '{shown}': the gateway would keep the old token"
        )
    };
    Err(Ending::Failed(why, hint))
}

/// Says whether the new process was shown to use the new token; `false` where nobody can tell.
///
/// It has to have been started after `restart`, and what it reads must not have changed since.
pub(crate) fn proven(
    work: &mut Work<'_>,
    process: Option<&Process>,
    is_new: Option<bool>,
    (restart, unit): (&Moment, &Subject<'_>),
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
        Some(None) if is_read_by_openclaw => working_directory::leaves_it_to_ours(work, process)?,
        Some(None) => {
            let why = format!("the new process was started without {key}: nothing reads '{shown}'");
            return Err(Ending::Failed(why, None));
        }
        // Nobody may read it: what the unit sets is left.
        None => match unit.setter(key) {
            // It may be the same file under another name.
            Some((Setter::File(other), Value::Known(token))) => {
                other == file || Some(work.ground.fingerprinter.of(&token)) == work.passed_on()
            }
            Some((Setter::Unset(_), _)) | None => {
                is_read_by_openclaw && working_directory::leaves_it_to_ours(work, process)?
            }
            Some(_) => false,
        },
    };
    if is_given { verify::environment_counts_for(work, &expected) } else { Ok(false) }
}
