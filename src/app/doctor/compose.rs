//! A compose project whose gateway does not get the token: by what its container shows, and by its files
//! where no container can be seen.

use std::path::Path;

use crate::app::doctor::container::{Sight, in_project, typed};
use crate::app::doctor::{Case, Finding, Patient};
use crate::app::gateway::backend::compose::env_file;
use crate::app::gateway::backend::compose::project_files;
use crate::app::gateway::backend::container as by_name;
use crate::app::gateway::verify::{self, Expected};
use crate::app::report::{SinkReport, SinkState};
use crate::domain::compose_file;
use crate::domain::config::settings::Gateway;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::{Container, Project};
use crate::domain::hints::{engines, files, host};
use crate::domain::sink::SinkKind;
use crate::os::fs::dir::Folder;

/// Looks whether the token gets from the `.env` into the container.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>, sight: &Sight) -> Option<Finding> {
    let is_there = |sink: &&SinkReport| {
        sink.kind == SinkKind::Env && !matches!(sink.state, SinkState::Absent(_))
    };
    let sink = case.report.sinks.iter().find(is_there);
    match sight {
        Sight::Without | Sight::Silent(_) => None,
        Sight::NotAsked => by_files(patient, case, sink?),
        Sight::Missing(ending) => missing(case, ending),
        Sight::Found(container) => by_container(patient, case, sink?, container),
        Sight::Named(container) => by_named(case, sink?, container),
    }
}

/// A gateway that is configured, and that nobody would find.
fn missing(case: &Case<'_>, ending: &Ending) -> Option<Finding> {
    if case.settings.gateway == Gateway::None {
        return None;
    }
    let why = ending.why().unwrap_or_default();
    let command = ending.hint().cloned().unwrap_or_else(host::show_log);
    Some(Finding::error("gateway-not-found", why.to_owned(), command))
}

/// Without a container to be seen: what the folder's own files say.
fn by_files(patient: &Patient<'_>, case: &Case<'_>, sink: &SinkReport) -> Option<Finding> {
    let folder = case.settings.compose_dir.as_deref()?;
    let name = compose_file::project_name(folder);
    let service = case.settings.compose_service.clone();
    let files = project_files::found(&Folder::reach(folder).ok()?);
    let folder = folder.display().to_string();
    let project = Project { name, service, folder, files, ..Project::default() };
    let of_project =
        sink.path.as_deref().and_then(Path::parent) == Some(Path::new(&project.folder));
    if !of_project || project.files.is_empty() {
        return None;
    }
    not_handed(patient, case, &project)
}

/// A container that was made with another token keeps it, however often it is restarted.
fn by_named(case: &Case<'_>, sink: &SinkReport, container: &Container) -> Option<Finding> {
    let (settings, path) = (case.settings, sink.path.as_deref()?);
    let (expected, _) = Expected::by_file(settings, path).ok()?;
    let why = by_name::refusal(settings, container, (&expected, path))?;
    let command = typed(case, |engine| engine.inspect_command(&container.name))?;
    Some(Finding::error("container-keeps-token", why, command))
}

/// By what the container shows, and the files that it was made from.
fn by_container(
    patient: &Patient<'_>,
    case: &Case<'_>,
    sink: &SinkReport,
    container: &Container,
) -> Option<Finding> {
    let (settings, path) = (case.settings, sink.path.as_deref()?);
    if let Err(ending) = env_file::agrees(settings, path, container) {
        let why = ending.why().unwrap_or_default();
        let command = ending.hint().cloned().unwrap_or_else(|| files::list(path));
        return Some(Finding::error("env-file-not-read", why.to_owned(), command));
    }
    let (expected, token) = Expected::by_file(settings, path).ok()?;
    let is_seen = container.environment.iter().any(|(_, value)| *value == token);
    let is_states = matches!(expected, Expected::StateFile(_));
    if !is_seen && !is_states && container.variable(&settings.env_key).is_none() {
        let found = not_handed(patient, case, &container.project);
        if found.is_some() {
            return found;
        }
    }
    // What is queued is about to be done, or is reported with the reason.
    let is_settled = sink.state == SinkState::InStep && case.report.gateway.pending.is_none();
    if !container.running || !is_settled || verify::holds(container, &expected, settings) {
        return None;
    }
    let (service, key) = (&settings.compose_service, &settings.env_key);
    let meaning = format!(
        "the container of {service} was not started with the {key} that '{}' holds: its gateway uses another token",
        path.display()
    );
    let command = in_project(patient, case, |engine| {
        engines::recreate(engine.call(&container.project), service)
    })?;
    Some(Finding::error("gateway-old-token", meaning, command))
}

/// The variable in the project's files: a `.env` there is for the files, not for containers.
fn not_handed(patient: &Patient<'_>, case: &Case<'_>, project: &Project) -> Option<Finding> {
    let key = &case.settings.env_key;
    if env_file::is_handed(project, key) {
        return None;
    }
    let service = &case.settings.compose_service;
    let folder = Folder::reach(case.settings.compose_dir.as_deref()?).ok()?;
    let meaning = format!(
        "no compose file in '{}' hands {key} to {service}: the token is in the .env, but not in the container",
        folder.path.display()
    );
    if project_files::is_found(project, &folder)
        && project_files::listed(&folder).is_none()
        && project.files.len() == 1
    {
        // Compose finds a new override by itself.
        let hand_over = |compose| engines::hand_over(compose, service, key);
        let command = in_project(patient, case, |engine| hand_over(engine.call(project)))?;
        return Some(Finding::error("variable-not-in-container", meaning, command));
    }
    let file = project.at(project.files.last()?);
    let meaning = format!(
        "{meaning}; in '{}', below services, {service}, environment, it takes the line {key}: ${{{key}}}",
        file.display()
    );
    let command = in_project(patient, case, |engine| {
        engines::edit_and_up(engine.call(project), &file, service)
    })?;
    Some(Finding::error("variable-not-in-container", meaning, command))
}
