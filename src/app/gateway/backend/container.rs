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
use crate::os::clock;
use crate::os::debounce;
use crate::os::fs::dir::Folder;
use crate::os::net::probe;
use crate::os::user::identity::Identity;

/// The container that `CONTAINER_NAME` names, and where its engine is asked.
pub(crate) struct Named {
    /// Its owner is the engine's user.
    folder: Folder,
    /// As it stood when it was looked for.
    pub(crate) container: Container,
}

impl Named {
    /// Finds it with the engine that root or its user has.
    pub(crate) fn find(settings: &Settings) -> Result<Self, Ending> {
        let name = settings.container_name.as_deref().unwrap_or_default();
        let mut answer = None;
        for place in places(settings) {
            let folder = match Folder::reach(&place) {
                Ok(folder) => folder,
                Err(error) => {
                    answer = Some(Ending::Deferred(error.to_string(), error.command().cloned()));
                    continue;
                }
            };
            match Engine::of(settings, &folder).named(name) {
                Ok(Some(container)) => return Ok(Self { folder, container }),
                Ok(None) => {}
                Err(ending) => answer = Some(ending),
            }
        }
        let program = settings.container_engine.program();
        Err(answer.unwrap_or_else(|| {
            let why = format!("{program} knows no container {name} (CONTAINER_NAME)");
            Ending::Deferred(why, Some(engines::list(program)))
        }))
    }

    /// The engine that has it.
    pub(crate) fn engine<'a>(&'a self, settings: &Settings) -> Engine<'a> {
        Engine::of(settings, &self.folder)
    }
}

/// Directories whose owners may have the engine: that of a socket; else root's Docker; Podman's containers belong to
/// the user of the state directory, or to root.
fn places(settings: &Settings) -> Vec<PathBuf> {
    let socket = settings.docker_host.as_deref().and_then(|host| host.strip_prefix("unix://"));
    if let Some(folder) = socket.and_then(|socket| Path::new(socket).parent()) {
        return vec![folder.to_owned()];
    }
    let of_user = settings.openclaw_state_dir.clone();
    let of_root = (Identity::own().uid == 0).then(|| PathBuf::from("/"));
    match settings.container_engine {
        settings::Engine::Docker => of_root.or(of_user).into_iter().collect(),
        settings::Engine::Podman => of_user.into_iter().chain(of_root).collect(),
    }
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
    if verify::holds(old, &expected, settings) {
        let counts = verify::environment_counts_for(work, &expected)?;
        let deed = if counts { Deed::Nothing } else { Deed::NothingUnproven };
        return Ok(Ending::Done(deed, None));
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
    act(work, &engine, old, expected)
}

fn act(
    work: &mut Work<'_>,
    engine: &Engine<'_>,
    old: &Container,
    expected: Expected,
) -> Result<Ending, Ending> {
    let answered = old.published.as_ref().is_some_and(|(host, port)| probe::answers(host, *port));
    let is_variable = !matches!(expected, Expected::Start(_));
    let watch = debounce::stopwatch();
    let since = clock::now();
    engine.restart(&old.id)?;
    let newest = || {
        let again = engine.named(&old.name)?.filter(|one| one.id == old.id);
        again.ok_or_else(|| Ending::Failed("the container is gone".to_owned(), None))
    };
    let new = verify::wait(work, engine, (&newest, expected), answered)?;
    let died = engine.died(&old.id, since.0 / 1000, clock::now().0 / 1000 + 1);
    let whole = u64::try_from(watch().as_millis()).unwrap_or(u64::MAX);
    let until = if answered { Some(clock::now()) } else { new.started };
    let gap = died.zip(until).and_then(|(died, until)| u64::try_from(until.0 - died.0).ok());
    let is_proven = !is_variable || verify::environment_counts(work)?;
    let what = if is_proven { Deed::Restarted } else { Deed::RestartedUnproven };
    Ok(Ending::Done(what, Some(gap.unwrap_or(whole))))
}
