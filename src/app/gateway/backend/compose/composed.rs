//! What compose would start a service with: asked before anything is recreated, since files that the
//! project's own include or extend may set the variable too.

use std::path::{Path, PathBuf};

use crate::app::gateway::backend::compose::env_file::{beside, is_same, sets};
use crate::app::gateway::container_engine::Engine;
use crate::app::gateway::container_engine::compose_program::Compose;
use crate::app::gateway::job::Work;
use crate::app::gateway::runner;
use crate::app::gateway::verify::Expected;
use crate::app::sync::sinks::env::name_env_file;
use crate::domain::compose_service;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::Project;
use crate::domain::hints::files;

/// Refuses a recreate after which the service would not have the token that is expected of it.
///
/// What compose cannot tell is left to the recreate itself.
pub(crate) fn would_have(
    work: &Work<'_>,
    engine: &Engine<'_>,
    compose: &Compose,
    project: &Project,
    expected: &Expected,
) -> Result<(), Ending> {
    let (service, key) = (&project.service, &work.settings.env_key);
    let config = config(engine, compose, project);
    let Some(given) = config.and_then(|text| compose_service::environment(&text, service)) else {
        return Ok(());
    };
    if expected.is_given_by(&given, key) {
        return Ok(());
    }
    let is_set = given.iter().any(|(name, _)| name == key);
    let sink = work.env_file.as_deref().unwrap_or(Path::new(""));
    let what = if is_set { "another" } else { "no" };
    let is_other = |file: &PathBuf| sets(file, key) && !is_same(file, sink);
    let other = beside(project).into_iter().find(is_other).filter(|_| is_set);
    let by = other.as_ref().map(|file| format!(", which '{}' sets", file.display()));
    let why = format!(
        "compose would start {service} with {what} {key} than '{}' has{}, so nothing is recreated",
        sink.display(),
        by.unwrap_or_default()
    );
    let hint = match other {
        Some(file) => Some(name_env_file(&work.settings.name, runner::user(work.settings), &file)),
        None => project.files.first().map(|file| files::edit(&project.at(file))),
    };
    Err(Ending::Deferred(why, hint))
}

/// The project as compose has put it together; `None` where it cannot tell: podman-compose does not put the
/// variables of an `env_file` in.
fn config(engine: &Engine<'_>, compose: &Compose, project: &Project) -> Option<String> {
    let words = ["--profile", "*", "config"];
    if compose.is_podmans { None } else { engine.run_compose(compose, project, &words).ok() }
}
