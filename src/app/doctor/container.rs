//! The container of a compose project, found as the gateway finds it.

use crate::app::doctor::{Case, Patient};
use crate::app::gateway::backend::compose;
use crate::app::gateway::backend::container::Named;
use crate::app::gateway::container_engine::Engine;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::Container;
use crate::domain::hints::files;
use crate::domain::shell::Hint;

/// What is seen of the container that a link's gateway runs in.
pub(super) enum Sight {
    /// No compose project is configured.
    Without,
    /// A tree of files stands for the host, and its engine cannot be asked.
    NotAsked,
    /// The engine does not tell.
    Silent(Ending),
    /// The engine knows none that the gateway would take.
    Missing(Ending),
    /// This one, of the compose project.
    Found(Box<Container>),
    /// This one, which the configuration names.
    Named(Box<Container>),
}

/// Looks for a link's container.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>) -> Sight {
    if case.settings.compose_dir.is_none() && !case.settings.is_container() {
        return Sight::Without;
    }
    if !patient.tree.is_host() {
        return Sight::NotAsked;
    }
    if case.settings.is_container() {
        let found = match Named::ask(case.settings) {
            Ok(found) => found,
            Err(ending) => return Sight::Silent(ending),
        };
        return match Named::accept(found, case.settings) {
            Ok(named) => Sight::Named(Box::new(named.container)),
            Err(ending) => Sight::Missing(ending),
        };
    }
    let folder = match compose::compose_folder(case.settings) {
        Ok(folder) => folder,
        Err(ending) => return Sight::Missing(ending),
    };
    let engine = Engine::of(case.settings, &folder);
    let all = match engine.of_service(&case.settings.compose_service) {
        Ok(all) => all,
        Err(ending) => return Sight::Silent(ending),
    };
    match compose::pick(case.settings, &engine, &folder, all) {
        Ok(container) => Sight::Found(Box::new(container)),
        Err(ending) => Sight::Missing(ending),
    }
}

impl Sight {
    /// The container that runs.
    pub(super) fn running(&self) -> Option<&Container> {
        match self {
            Self::Found(container) | Self::Named(container) if container.running => Some(container),
            _ => None,
        }
    }
}

/// A command of a link's engine, as a person types it; `None` where its directory is out of reach.
pub(super) fn typed(case: &Case<'_>, type_it: impl FnOnce(&Engine<'_>) -> Hint) -> Option<Hint> {
    if case.settings.is_container() {
        let named = Named::find(case.settings).ok()?;
        return Some(type_it(&named.engine(case.settings)));
    }
    let folder = compose::compose_folder(case.settings).ok()?;
    Some(type_it(&Engine::of(case.settings, &folder)))
}

/// The same in the compose folder, with the rights of its owner.
pub(super) fn in_project(
    patient: &Patient<'_>,
    case: &Case<'_>,
    type_it: impl FnOnce(&Engine<'_>) -> Hint,
) -> Option<Hint> {
    let folder = compose::compose_folder(case.settings).ok()?;
    let command = type_it(&Engine::of(case.settings, &folder));
    Some(files::run_in(&folder.path, command).run_by(&patient.owner(&folder)))
}
