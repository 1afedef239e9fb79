//! A compose project that does not hand the variable to the gateway's container.

use std::path::Path;

use crate::app::doctor::{Case, Finding, Patient};
use crate::app::report::SinkState;
use crate::domain::compose_file::{FILES, OVERRIDES};
use crate::domain::envfile;
use crate::domain::hints::{engines, files};
use crate::domain::sink::SinkKind;
use crate::os::folder::Folder;

/// The most that is read of a compose file, in bytes.
const LIMIT: u64 = 1 << 20;

/// Looks for the variable in the project's files: a `.env` there is for the files, not for containers.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    let folder = case.settings.compose_dir.as_deref()?;
    let of_project = case.report.sinks.iter().any(|sink| {
        let there = sink.path.as_deref().and_then(Path::parent) == Some(folder);
        sink.kind == SinkKind::Env && there && !matches!(sink.state, SinkState::Absent(_))
    });
    if !of_project {
        return None;
    }
    let open = Folder::reach(folder).ok()?;
    let project = Project::of(&open);
    // Of one that cannot be read nobody can tell what it hands over.
    let texts = project.files.iter().map(|name| text(&open, name)).collect::<Option<Vec<_>>>()?;
    let key = &case.settings.env_key;
    let handed = texts.iter().any(|text| text.contains(key.as_str()) || text.contains("env_file"));
    if texts.is_empty() || handed {
        return None;
    }
    let service = &case.settings.compose_service;
    let meaning = format!(
        "no compose file in '{}' hands {key} to {service}: the token is in the .env, but not in the container",
        folder.display()
    );
    let owner = patient.owner(&open);
    let Some(edited) = project.edited else {
        let command = files::run_in(folder, engines::hand_over(service, key)).run_by(&owner);
        return Some(Finding::error("variable-not-in-container", meaning, command));
    };
    let file = folder.join(edited);
    let meaning = format!(
        "{meaning}; in '{}', below services, {service}, environment, it takes the line {key}: ${{{key}}}",
        file.display()
    );
    let command = files::run_in(folder, engines::edit_and_up(&file, service)).run_by(&owner);
    Some(Finding::error("variable-not-in-container", meaning, command))
}

/// The files that compose reads in a folder.
struct Project {
    files: Vec<String>,
    /// The one that a person adds to; where there is none, an override can be made.
    edited: Option<String>,
}

impl Project {
    /// `COMPOSE_FILE` in the `.env` lists all of them; no override is looked for then.
    fn of(folder: &Folder) -> Self {
        let listed =
            text(folder, ".env").and_then(|text| envfile::get(text.as_bytes(), "COMPOSE_FILE"));
        if let Some(listed) = listed.filter(|listed| !listed.expose().is_empty()) {
            let files: Vec<String> = listed.expose().split(':').map(str::to_owned).collect();
            return Self { edited: files.last().cloned(), files };
        }
        // A link counts, wherever it leads: compose follows it, and writing would too.
        let is_there = |name: &&str| folder.kind(name).is_ok_and(|kind| kind.is_some());
        let first = |names: [&str; 4]| names.into_iter().find(is_there).map(str::to_owned);
        let edited = first(OVERRIDES);
        Self { files: first(FILES).into_iter().chain(edited.clone()).collect(), edited }
    }
}

fn text(folder: &Folder, name: &str) -> Option<String> {
    let seen = folder.read(name, LIMIT).ok()??;
    Some(String::from_utf8_lossy(&seen.bytes).into_owned())
}
