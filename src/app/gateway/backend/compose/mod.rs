//! Recreates a gateway that is a service of a compose project, when nothing speaks against it.

mod composed;
pub(crate) mod env_file;
pub(crate) mod project_files;

use std::path::{Path, PathBuf};

use crate::app::gateway::backend::compose::project_files::Files;
use crate::app::gateway::container_engine::compose_program::Compose;
use crate::app::gateway::container_engine::{Composed, Engine};
use crate::app::gateway::job::Work;
use crate::app::gateway::verify::{self, Expected};
use crate::domain::config::settings::{Recreate, Settings};
use crate::domain::gateway::container::{Container, Project};
use crate::domain::gateway::{Deed, Ending};
use crate::domain::hints::{engines, files, ours};
use crate::domain::order;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::user::identity::Identity;

/// Recreates the service for the new token, and proves that it uses it.
pub(crate) fn recreate(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let settings = work.settings;
    let folder = compose_folder(settings)?;
    let engine = Engine::of(settings, &folder);
    let old = find(settings, &engine, &folder)?;
    let _held = rights(&engine, &folder, &old.project)?;
    if work.pending().sinks.contains(&SinkKind::Env)
        && let Some(sink) = work.env_file.as_deref()
    {
        env_file::agrees(work.settings, sink, &old)?;
    }
    let expected = Expected::of(work)?;
    if let Some(ending) = verify::settled(work, &old, &expected)? {
        return Ok(ending);
    }
    let ours = work.ledger.container.as_deref() == Some(old.id.as_str());
    if !old.running && !ours {
        let why = format!(
            "service {} does not run: it is recreated once it does",
            work.settings.compose_service
        );
        return Err(Ending::deferred(why));
    }
    let image = image_stands(work, &engine, &old)?;
    if old.running && !work.pending().may_recreate() {
        let why = "the service was recreated for this token and does not hold it";
        return Err(Ending::Failed(why.to_owned(), Some(engine.logs_command(&old))));
    }
    let compose = engine.compose()?;
    composed::would_have(work, &engine, &compose, &old.project, &expected)?;
    work.courtesy(&folder.identity)?;
    if let Some(line) = image {
        log::warn!("{}: {line}", work.settings.name);
    }
    work.recreating();
    let act = || {
        let said = match settings.compose_recreate {
            Recreate::Service => service(&engine, &compose, &old),
            Recreate::Project => project(&engine, &compose, &old),
        };
        said.map_err(|why| {
            Ending::Failed(format!("compose could not recreate the service: {why}"), None)
        })
    };
    let start = verify::Start {
        engine: &engine,
        old: &old,
        act: &act,
        newest: &|| verify::newest(&engine, &old),
        deeds: [Deed::Recreated, Deed::RecreatedUnproven],
    };
    start.prove(work, expected)
}

/// Opens the compose folder with its owner's rights.
pub(crate) fn compose_folder(settings: &Settings) -> Result<Folder, Ending> {
    let path = settings.compose_dir.as_deref();
    let path = path.ok_or_else(|| Ending::deferred("COMPOSE_DIR is not set"))?;
    Folder::reach(path).map_err(|error| system(&error))
}

/// Finds the container of the service whose project lives in the compose folder.
pub(crate) fn find(
    settings: &Settings,
    engine: &Engine<'_>,
    folder: &Folder,
) -> Result<Container, Ending> {
    pick(settings, engine, folder, engine.of_service(&settings.compose_service)?)
}

/// The one of a service's containers whose project lives in the compose folder.
pub(crate) fn pick(
    settings: &Settings,
    engine: &Engine<'_>,
    folder: &Folder,
    all: Composed,
) -> Result<Container, Ending> {
    let service = &settings.compose_service;
    let note = all.note();
    let (here, elsewhere): (Vec<Container>, Vec<Container>) =
        all.found.into_iter().partition(|container| is_in(&container.project, folder));
    let mut names: Vec<&str> = here.iter().map(|one| one.project.name.as_str()).collect();
    order::sort_and_dedup(&mut names);
    let path = folder.path.display();
    match (names.len(), elsewhere.first()) {
        (0, Some(other)) => {
            let place = &other.project.folder;
            let why = format!(
                "COMPOSE_DIR is '{path}', but the container of service {service} was made in '{place}'"
            );
            if is_here(&other.project) {
                let hint = ours::set(&settings.name, "COMPOSE_DIR", place);
                return Err(Ending::Deferred(why, Some(hint)));
            }
            let maker = maker(&other.project);
            let why = format!("{why}, which this host does not have: {maker}");
            Err(Ending::Deferred(why, Some(without_project(settings, other))))
        }
        (0, None) => {
            let why = format!("no container of service {service} stands in '{path}'{note}");
            let up = engines::up(engine.typed(), service);
            let hint = engine.in_project(up);
            Err(Ending::Deferred(why, Some(hint)))
        }
        (1, _) => {
            // Of several copies the one that runs tells.
            let running = here.iter().position(|one| one.running).unwrap_or(0);
            let found = here.into_iter().nth(running);
            let found = found.ok_or_else(|| Ending::deferred("it is gone"))?;
            if is_from_input(&found.project) {
                let why = format!(
                    "the project of service {service} in '{path}' has no file to be recreated from: {}",
                    maker(&found.project)
                );
                return Err(Ending::Deferred(why, Some(without_project(settings, &found))));
            }
            Ok(found)
        }
        _ => {
            let why = format!("several projects have a service {service} in '{path}': {names:?}");
            Err(Ending::deferred(why))
        }
    }
}

/// Says whether a project's folder and its files are on this host.
fn is_here(project: &Project) -> bool {
    let is_file = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Folder::reach(path.parent()?).ok()?.stat(&name).ok()?
    };
    Folder::reach(Path::new(&project.folder)).is_ok()
        && project.files.iter().all(|file| is_file(project.at(file)).is_some())
}

/// What works for a project that compose cannot make anew from here.
fn without_project(settings: &Settings, container: &Container) -> Hint {
    if container.variable(&settings.env_key).is_some() {
        // A restart does not change what it was made with.
        return "set GATEWAY=\"command\" and GATEWAY_COMMAND, see oauth-sync.conf(5)".into();
    }
    ours::use_container(&settings.name, &container.name)
}

/// Programs that make projects from files of their own: where those lie, and how their labels begin.
const MAKERS: [(&str, &[&str], &str); 8] = [
    ("Portainer", &["/data/compose/"], "io.portainer."),
    ("Coolify", &["/data/coolify/", "/artifacts/"], "coolify."),
    ("Dockge", &["/opt/stacks/", "/app/data/"], "dockge."),
    ("CasaOS", &["/var/lib/casaos/", "/DATA/AppData/"], "casaos"),
    ("Umbrel", &["/umbrel/", "/home/umbrel/"], "umbrel."),
    ("Unraid", &["/boot/config/plugins/compose.manager/"], "net.unraid.docker."),
    ("Runtipi", &["/runtipi/", "/opt/runtipi/"], "runtipi."),
    ("Komodo", &["/etc/komodo/"], "komodo."),
];

/// Says whether compose was given a file of the project on its standard input.
fn is_from_input(project: &Project) -> bool {
    project.files.iter().any(|file| file == "-" || file.ends_with("/-"))
}

/// Who made a project whose files are elsewhere, by its labels and by where it says that they are.
fn maker(project: &Project) -> String {
    if is_from_input(project) {
        return "compose read it from its standard input".to_owned();
    }
    let file = project.files.first().map_or("", String::as_str);
    let is_at = |start: &&str| project.folder.starts_with(start) || file.starts_with(start);
    let found = |(_, places, label): &&(&str, &[&str], &str)| {
        project.labels.iter().any(|name| name.starts_with(label)) || places.iter().any(is_at)
    };
    let name = MAKERS.iter().find(found).map_or("another program", |(name, ..)| name);
    format!("{name} made it, from files of its own")
}

/// Says whether a project's folder is this very one, whatever it is called.
fn is_in(project: &Project, folder: &Folder) -> bool {
    let path = Path::new(&project.folder);
    let same = || Some(Folder::reach(path).ok()?.key().ok()? == folder.key().ok()?);
    path == folder.path || same().unwrap_or(false)
}

/// Lets compose read the project's files: all of them are there, and root goes on only with those that
/// nobody else can write, which stay open as long as the answer lives.
fn rights(engine: &Engine<'_>, folder: &Folder, project: &Project) -> Result<Files, Ending> {
    if project.files.is_empty() {
        return Err(Ending::deferred("the container does not tell its compose files"));
    }
    for file in project.files.iter().chain(&project.env_files) {
        is_there(&project.at(file))?;
    }
    if folder.identity.uid != 0 || Identity::own().uid != 0 {
        return Ok(Files::default());
    }
    let held = Files::hold(project).map_err(|error| {
        let show = || files::show_way(&error.object);
        let hint = error.command().cloned().unwrap_or_else(show);
        Ending::Deferred(format!("compose is not run: {error}"), Some(hint))
    })?;
    // Who is root in a container is root to the host's files that it has mounted.
    match engine.writer(&held.paths())? {
        None => Ok(held),
        Some((name, path)) => {
            let why = format!(
                "compose is not run: root does not use '{}', which container {name} can write: mount it read-only there, or move it",
                path.display()
            );
            Err(Ending::Deferred(why, Some(engine.inspect_command(&name))))
        }
    }
}

fn is_there(path: &Path) -> Result<(), Ending> {
    let (Some(parent), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(Ending::deferred(format!("'{}' is no file", path.display())));
    };
    match Folder::reach(parent).and_then(|parent| parent.stat(name)) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(missing(path)),
        Err(error) if error.is_absent() => Err(missing(path)),
        Err(error) => Err(system(&error)),
    }
}

fn missing(path: &Path) -> Ending {
    let shown = path.display();
    Ending::deferred(format!("'{shown}', which the running project was made from, is not there"))
}

fn system(error: &Error) -> Ending {
    Ending::Deferred(error.to_string(), error.command().cloned())
}

/// Looks at the image that a recreate would take; what is to be said first if it is another one.
fn image_stands(
    work: &Work<'_>,
    engine: &Engine<'_>,
    old: &Container,
) -> Result<Option<String>, Ending> {
    let Some((id, version)) = engine.image(&old.tag)? else {
        let why = format!("the image '{}' is not there any more: build or pull it", old.tag);
        let build = engines::build(engine.call(&old.project), &work.settings.compose_service);
        return Err(Ending::Deferred(why, Some(engine.in_project(build))));
    };
    if id == old.image {
        return Ok(None);
    }
    let from = old.version.as_deref().unwrap_or("an unnamed version");
    let to = version.as_deref().unwrap_or("an unnamed version");
    Ok(Some(format!(
        "'{}' is another image than the one that runs ({from} becomes {to}): recreating {} takes it",
        old.tag, work.settings.compose_service
    )))
}

fn service(engine: &Engine<'_>, compose: &Compose, old: &Container) -> Result<(), String> {
    let words = Engine::up(compose, &old.project.service);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    engine.run_compose(compose, &old.project, &words).map(drop)
}

/// Takes the whole project down and up, as the services stood: after the check that it can come up.
fn project(engine: &Engine<'_>, compose: &Compose, old: &Container) -> Result<(), String> {
    let refused = |ending: Ending| ending.why().unwrap_or_default().to_owned();
    let services = engine.running_services(&old.project).map_err(refused)?;
    let names: Vec<&str> = services.iter().map(String::as_str).collect();
    for tag in engine.images(compose, &old.project, &names)? {
        if engine.image(&tag).map_err(refused)?.is_none() {
            return Err(format!(
                "the image '{tag}' is not there any more, so nothing was taken down"
            ));
        }
    }
    engine.run_compose(compose, &old.project, Engine::down(compose))?;
    let up = [&["up", "-d", "--no-build"], &names[..]].concat();
    engine.run_compose(compose, &old.project, &up).map(drop)
}
