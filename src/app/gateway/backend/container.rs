//! Restarts a gateway whose container the configuration names, where a restart can help at all.
//!
//! The container is never recreated: only who made it knows how. A restart keeps the environment that it was made
//! with, so it helps where OpenClaw itself reads the file that the token is in.

use std::path::{Path, PathBuf};

use crate::app::gateway::container_engine::Engine;
use crate::app::gateway::job::Work;
use crate::app::gateway::verify::{self, Expected};
use crate::domain::config::settings::{self, Settings};
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{Deed, Ending};
use crate::domain::hints::engines;
use crate::os::fs::dir::Folder;
use crate::os::user::identity::Identity;

/// The container that `CONTAINER_NAME` names, and where its engine is asked.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its owner is the engine's user.
    folder: Folder,
    /// As it stood when it was looked for.
    pub(crate) container: Container,
}

impl Named {
    /// Finds it with the engine that root or its user has; an engine that does not answer ends the search.
    pub(crate) fn ask(settings: &Settings) -> Result<Option<Self>, Ending> {
        let name = settings.container_name.as_deref().unwrap_or_default();
        for place in places(settings)? {
            let folder = reach(&place)?;
            let found = Engine::of(settings, &folder).named(name)?;
            if let Some(container) = found {
                return Ok(Some(Self { folder, container }));
            }
        }
        Ok(None)
    }

    /// Takes what was found for the gateway only where it has the state directory: a name is soon another container's.
    pub(crate) fn accept(found: Option<Self>, settings: &Settings) -> Result<Self, Ending> {
        let program = settings.container_engine.program();
        let name = settings.container_name.as_deref().unwrap_or_default();
        let Some(named) = found else {
            let why = format!("{program} knows no container {name} (CONTAINER_NAME)");
            return Err(Ending::Deferred(why, Some(engines::list(program))));
        };
        let state_dir = settings.openclaw_state_dir.as_deref();
        let state_dir =
            state_dir.ok_or_else(|| Ending::deferred("OPENCLAW_STATE_DIR is not set"))?;
        if has(&named.container, &reach(state_dir)?)? {
            return Ok(named);
        }
        let why = format!(
            "container {name} does not have '{}' mounted (OPENCLAW_STATE_DIR): it is not taken for the gateway",
            state_dir.display()
        );
        Err(Ending::Deferred(why, Some(named.engine(settings).inspect_command(name))))
    }

    /// Finds it, and takes it for the gateway.
    pub(crate) fn find(settings: &Settings) -> Result<Self, Ending> {
        Self::accept(Self::ask(settings)?, settings)
    }

    /// The engine that has it.
    pub(crate) fn engine<'a>(&'a self, settings: &Settings) -> Engine<'a> {
        Engine::of(settings, &self.folder)
    }
}

fn reach(path: &Path) -> Result<Folder, Ending> {
    Folder::reach(path)
        .map_err(|error| Ending::Deferred(error.to_string(), error.command().cloned()))
}

/// Says whether a directory of this host, or one above it, is mounted in a container.
fn has(container: &Container, state: &Folder) -> Result<bool, Ending> {
    let path = state.real_path().map_err(|error| Ending::deferred(error.to_string()))?;
    let key = |path: &Path| Folder::reach(path).ok()?.key().ok();
    let above: Vec<_> = path.ancestors().filter_map(key).collect();
    let is_above = |host: &Path| key(host).is_some_and(|key| above.contains(&key));
    Ok(container.mounts.iter().any(|mount| path.starts_with(&mount.host) || is_above(&mount.host)))
}

/// Directories whose owners may have the engine: that of a socket; else root's Docker; Podman's containers belong to
/// the user of the state directory, or to root.
fn places(settings: &Settings) -> Result<Vec<PathBuf>, Ending> {
    if let Some(host) = &settings.docker_host {
        let socket = host.strip_prefix("unix://").and_then(|socket| Path::new(socket).parent());
        let why = "DOCKER_HOST is no socket of this host, and CONTAINER_NAME is asked for on this host only";
        let folder = socket.ok_or_else(|| Ending::deferred(why))?;
        return Ok(vec![folder.to_owned()]);
    }
    let of_user = settings.openclaw_state_dir.clone();
    let of_root = (Identity::own().uid == 0).then(|| PathBuf::from("/"));
    Ok(match settings.container_engine {
        settings::Engine::Docker => of_root.or(of_user).into_iter().collect(),
        settings::Engine::Podman => of_user.into_iter().chain(of_root).collect(),
    })
}

/// Says why a restart would not bring the container to use the token, if it would not.
pub(crate) fn refusal(
    settings: &Settings,
    container: &Container,
    (expected, file): (&Expected, &Path),
) -> Option<String> {
    let (name, key) = (&container.name, &settings.env_key);
    if expected.is_given_by(&container.environment, key) {
        return None;
    }
    let has = if container.variable(key).is_some() { "another" } else { "no" };
    Some(format!(
        "container {name} was made with {has} {key} than '{}' has: a restart does not change that, and it is not recreated, since only who made it knows how: make it anew without {key} and with SINKS=\"auto\", so that OpenClaw reads the .env of its state directory",
        file.display()
    ))
}

/// Restarts the container for the new token, and proves that it uses it.
pub(crate) fn restart(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let settings = work.settings;
    let named = Named::find(settings)?;
    let (engine, old) = (named.engine(settings), &named.container);
    let expected = Expected::of(work)?;
    if let Some(ending) = verify::settled(work, old, &expected)? {
        return Ok(ending);
    }
    let file = work.env_file.clone().unwrap_or_default();
    if let Some(why) = refusal(settings, old, (&expected, &file)) {
        return Err(Ending::Failed(why, Some(engine.inspect_command(&old.name))));
    }
    if !old.running {
        let name = &old.name;
        let why = format!("container {name} does not run: it is looked at again once it does");
        return Err(Ending::Deferred(why, Some(engine.start_command(name))));
    }
    if !work.pending().may_recreate() {
        let why = "the container was restarted for this token and does not hold it";
        return Err(Ending::Failed(why.to_owned(), Some(engine.logs_command(old))));
    }
    work.courtesy(&named.folder.identity)?;
    work.recreating();
    let newest = || {
        let again = engine.named(&old.name)?.filter(|one| one.id == old.id);
        again.ok_or_else(|| Ending::Failed("the container is gone".to_owned(), None))
    };
    let start = verify::Start {
        engine: &engine,
        old,
        act: &|| engine.restart(&old.id),
        newest: &newest,
        deeds: [Deed::Restarted, Deed::RestartedUnproven],
    };
    start.prove(work, expected)
}
