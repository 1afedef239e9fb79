//! Finds `OpenClaws` on the host: state folders, and the compose projects and units that run them.

use std::path::{Path, PathBuf};

use crate::app::setup::detect::World;
use crate::app::setup::detect::containers::Container;
use crate::app::setup::detect::homes::Home;
use crate::app::setup::detect::own_paths::{CONFIGURATIONS, OwnPaths, named_in};
use crate::app::setup::detect::tree::{self, Key, Tree};
use crate::app::setup::detect::units::{self, Hint};
use crate::domain::compose_service;
use crate::domain::detection::{Claw, Control, Findings};
use crate::domain::envfile;
use crate::domain::era::Version;
use crate::domain::expand::expand;
use crate::domain::gateway::process::{STATE_DIRS, state_dir_of};
use crate::domain::json5;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::visible::is_plain;
use crate::os::fs::dir::Folder;
use crate::os::user::account;

/// The names of a compose file, in compose's own order.
const COMPOSE_FILES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The service that runs the gateway.
const SERVICE: &str = "openclaw-gateway";

/// How many state folders of one home are looked at, beside those of the usual names.
const STATE_LIMIT: usize = 32;

/// How many names of a home are listed.
const NAMES_LIMIT: usize = 10_000;

/// How many folders of a home are looked into for a compose project.
const FOLDER_LIMIT: usize = 200;

/// The longest path that can be opened (`PATH_MAX`).
const PATH_LIMIT: usize = 4096;

/// A compose project whose file names the gateway's service.
struct Project {
    folder: PathBuf,
    /// What its `.env` names as the state folder.
    state_dir: Option<PathBuf>,
    /// The device and inode of that.
    key: Option<Key>,
    /// The service that runs the gateway.
    service: String,
    /// Whether only its own directory, or an engine that is ours, says so.
    is_ours: bool,
    /// The other paths that it gives OpenClaw, on this host.
    paths: OwnPaths,
}

impl Project {
    /// Whether it names this state folder, by its path or by what can be opened there.
    fn is_of(&self, path: &Path, key: Option<Key>) -> bool {
        self.state_dir.as_deref() == Some(path) || key.is_some() && self.key == key
    }
}

/// Adds every OpenClaw of the homes, of the folders that units name, and of compose projects.
pub(crate) fn find(world: &World<'_>, findings: &mut Findings) {
    let (tree, homes) = (world.tree, world.homes);
    let projects = projects(world, &mut findings.rejected);
    let of_homes: Vec<PathBuf> =
        homes.iter().flat_map(|home| of_home(tree, home, &mut findings.rejected)).collect();
    let of_homes = of_homes.into_iter().map(|folder| (folder, None));
    let of_hints = world.hints.iter().filter_map(|hint| Some((of_hint(hint)?, Some(hint.uid))));
    let of_projects = projects.iter().filter_map(|project| {
        let uids = tree.control(&project.folder).map(|control| control.uids).unwrap_or_default();
        let by = if let [uid] = uids[..] { uid } else { u32::MAX };
        Some((project.state_dir.clone()?, Some(by)))
    });
    let usual = ["/data/.openclaw", "/opt/openclaw/.openclaw", "/srv/openclaw/.openclaw"];
    let of_host = world.containers.iter().flat_map(of_container).chain(usual.map(PathBuf::from));
    let named = of_homes.chain(of_hints).chain(of_projects);
    for (folder, named_by) in tree.once_each(named.chain(of_host.map(|folder| (folder, Some(0))))) {
        one(world, &projects, (&folder, named_by), findings);
    }
}

fn of_home(tree: &Tree, home: &Home, left_out: &mut Vec<String>) -> Vec<PathBuf> {
    let names = tree.few_names(&home.path, NAMES_LIMIT);
    let is_listed = names.is_some();
    let profiles = names.into_iter().flatten().filter(|name| name.starts_with(".openclaw-"));
    let profiles: Vec<String> = profiles.collect();
    let path = home.path.display();
    if !is_listed {
        left_out.push(format!(
            "not looked at: profiles of OpenClaw in '{path}', which has more than {NAMES_LIMIT} files"
        ));
    }
    if profiles.len() > STATE_LIMIT {
        left_out.push(format!(
            "not looked at: profiles of OpenClaw in '{path}' beyond {STATE_LIMIT} of {}",
            profiles.len()
        ));
    }
    let usual = STATE_DIRS.map(str::to_owned).into_iter();
    let all = usual.chain(profiles.into_iter().take(STATE_LIMIT));
    all.map(|name| home.path.join(name)).collect()
}

fn of_hint(hint: &Hint) -> Option<PathBuf> {
    state_dir_of(&hint.variable, &hint.folder)
}

fn one(
    world: &World<'_>,
    projects: &[Project],
    (path, named_by): (&Path, Vec<u32>),
    findings: &mut Findings,
) {
    let tree = world.tree;
    if !tree.has(path) {
        return;
    }
    if !is_plain(path.as_os_str()) {
        let name = path.display();
        return findings.rejected.push(format!("'{name}' has control characters in its name"));
    }
    let control = match tree.control(path) {
        Ok(control) => Control { named_by, ..control },
        Err(error) => return findings.rejected.push(error.to_string()),
    };
    if tree.folder(path).is_none() {
        return findings
            .rejected
            .push(format!("'{}' is not a directory that its owner may open", path.display()));
    }
    let config = CONFIGURATIONS.iter().find_map(|name| tree.text(&path.join(name)));
    let document = config.as_deref().and_then(|text| json5::read(text.as_bytes()).ok());
    let version = document.and_then(|document| OpenclawConfig::read(&document.value).last_touched);
    let unit = units::gateway(tree, world.home_of(path), path, &control.uids);
    let of_unit = unit.as_ref().map(|unit| units::paths(tree, world.home_of(path), unit));
    let runs_it = running(world, path);
    let mut paths =
        runs_it.iter().fold(of_unit.unwrap_or_default(), |paths, one| paths.or(&paths_in(one)));
    let container = by_itself(tree, &runs_it).filter(|_| unit.is_none());
    let mut warnings = warnings(tree, path);
    let mut compose = None;
    let key = tree.key(path);
    for project in projects.iter().filter(|project| project.is_of(path, key)) {
        // Whoever writes the compose folder gets the token by its `.env`; root has it anyway.
        let is_safe = |of_project: Control| {
            let is_roots = project.is_ours && of_project.uids == [0];
            (is_roots || of_project.uids == control.uids) && !of_project.is_shared
        };
        if tree.control(&project.folder).is_ok_and(is_safe) && is_plain(project.folder.as_os_str())
        {
            compose = compose.or_else(|| Some((project.folder.clone(), project.service.clone())));
            paths = paths.or(&project.paths);
        } else {
            let (folder, path) = (project.folder.display(), path.display());
            warnings
                .push(format!("'{folder}' names '{path}', but another user controls it: left out"));
        }
    }
    let container = container.filter(|_| compose.is_none());
    let paths = paths.besides(path);
    let is_clean = |path: &PathBuf| is_plain(path.as_os_str());
    findings.claws.push(Claw {
        control,
        version: version_text(version, tree.has(&path.join("state/openclaw.sqlite"))),
        compose,
        container,
        unit,
        config_path: paths.config.filter(is_clean),
        agent_dir: paths.agent_dir.filter(is_clean),
        configured: config.is_some(),
        warnings,
        state_dir: path.to_owned(),
    });
}

/// The containers that have a state directory.
fn running<'a>(world: &World<'a>, path: &Path) -> Vec<&'a Container> {
    let has = |container: &&Container| {
        of_container(container).any(|state_dir| world.tree.is_same(&state_dir, path))
    };
    world.containers.iter().filter(has).collect()
}

/// The only container with a state directory, where an engine of ours has it and no compose project of this host made it.
fn by_itself(tree: &Tree, runs_it: &[&Container]) -> Option<(&'static str, String)> {
    let [only] = runs_it else { return None };
    let is_made_here = only.compose.as_ref().is_some_and(|(folder, _)| tree.has(folder));
    let may_be = only.is_ours() && !is_made_here;
    may_be.then(|| (only.engine, only.name.clone()))
}

fn version_text(touched: Option<Version>, sqlite: bool) -> String {
    match (touched, sqlite) {
        (Some(version), _) => format!("{version} (lastTouchedVersion in openclaw.json)"),
        (None, true) => "2026.6 or later (an SQLite store)".to_owned(),
        (None, false) => "unknown".to_owned(),
    }
}

fn warnings(tree: &Tree, path: &Path) -> Vec<String> {
    let sqlite = tree.has(&path.join("state/openclaw.sqlite"));
    let retired = path.join("credentials/oauth.json");
    let harmful = sqlite && tree.has(&retired);
    let text = || {
        format!("'{}' can make an OpenClaw of 2026.8.1 or later refuse to work", retired.display())
    };
    harmful.then(text).into_iter().collect()
}

fn projects(world: &World<'_>, left_out: &mut Vec<String>) -> Vec<Project> {
    let tree = world.tree;
    let bases = world.homes.iter().map(|home| home.path.clone());
    let bases = bases.chain(["/opt", "/srv", "/data"].map(PathBuf::from));
    let folders = bases.flat_map(|base| {
        let names = tree.few_names(&base, NAMES_LIMIT);
        let mut is_all = names.is_some();
        let names = names.into_iter().flatten().filter(|name| !name.starts_with('.'));
        let mut below: Vec<PathBuf> = names.map(|name| base.join(name)).collect();
        is_all &= below.len() <= FOLDER_LIMIT;
        below.truncate(FOLDER_LIMIT);
        if !is_all {
            let base = base.display();
            left_out.push(format!(
                "not looked at: compose projects in '{base}' beyond the first {FOLDER_LIMIT} files"
            ));
        }
        below.into_iter().chain([base])
    });
    let of_folders = folders.filter_map(|folder| project(tree, folder));
    let all = world.containers.iter().filter_map(labelled).chain(of_folders);
    let keyed = |project: Project| {
        let key = project.state_dir.as_deref().and_then(|path| tree.key(path));
        Project { key, ..project }
    };
    all.map(keyed).collect()
}

/// The project that a container's labels name, with the state folder that is mounted into it.
fn labelled(container: &Container) -> Option<Project> {
    let (folder, service) = container.compose.clone()?;
    let state_dir = of_container(container).next();
    let (paths, is_ours) = (paths_in(container), container.is_ours());
    let project = Project { folder, state_dir, key: None, service, is_ours, paths };
    project.state_dir.is_some().then_some(project)
}

/// The paths that a container's environment gives OpenClaw, on this host.
fn paths_in(container: &Container) -> OwnPaths {
    OwnPaths::find(|variable| {
        container.on_host(Path::new(container.variable(variable)?)).map(|(host, _)| host)
    })
}

/// The state folders that are mounted into a container.
pub(super) fn of_container(container: &Container) -> impl Iterator<Item = PathBuf> {
    let named = units::VARIABLES
        .iter()
        .filter_map(|variable| state_dir_of(variable, Path::new(container.variable(variable)?)));
    let homes = container.homes().into_iter();
    let homes = homes.flat_map(|home| STATE_DIRS.map(|name| home.join(name)));
    let inside: Vec<PathBuf> = named.chain(homes).collect();
    inside.into_iter().filter_map(|inside| container.on_host(&inside).map(|(host, _)| host))
}

/// What a volume mounts as the state folder.
fn mounted(volume: &str) -> Option<&str> {
    let homes = [":/home/node/.openclaw", ":/root/.openclaw"];
    let (host, rest) = homes.iter().find_map(|inside| volume.split_once(inside))?;
    (rest.is_empty() || rest.starts_with(':')).then_some(host)
}

/// The home of a folder's owner.
fn home_of(tree: &Tree, folder: &Folder) -> Option<String> {
    let accounts = account::parse(&tree.text(Path::new("/etc/passwd"))?);
    let owner = accounts.into_iter().find(|one| one.uid == folder.identity.uid)?;
    owner.home.into_os_string().into_string().ok()
}

fn project(tree: &Tree, folder: PathBuf) -> Option<Project> {
    // Opened once: there are many folders, and few of them are a project's.
    let opened = tree.folder(&folder)?;
    let text = COMPOSE_FILES.iter().find_map(|name| tree::text_in(&opened, name))?;
    if !text.lines().any(|line| line.trim_end().trim_start() == format!("{SERVICE}:")) {
        return None;
    }
    let env = tree::text_in(&opened, ".env").unwrap_or_default();
    let known = |name: &str| match envfile::get(env.as_bytes(), name) {
        Some(value) => Some(value.expose().to_owned()),
        None if name == "HOME" => home_of(tree, &opened),
        None => None,
    };
    let named =
        envfile::get(env.as_bytes(), "OPENCLAW_CONFIG_DIR").map(|value| value.expose().to_owned());
    let named = named.or_else(|| {
        let volumes = compose_service::volumes(&text, SERVICE);
        volumes.iter().find_map(|volume| mounted(volume)).map(str::to_owned)
    });
    let is_path = |value: &String| value.len() < PATH_LIMIT;
    let named = named.and_then(|value| expand(&value, &known)).filter(is_path);
    let named = named.map(|value| folder.join(value));
    // The service takes the whole `.env` where it says so.
    let takes_env = text.contains("env_file");
    let paths = OwnPaths::find(|variable| {
        let in_env = || envfile::get(env.as_bytes(), variable).filter(|_| takes_env);
        let value = text.lines().find_map(|line| named_in(line, variable)).map(str::to_owned);
        let value = value.or_else(|| in_env().map(|value| value.expose().to_owned()));
        let inside = PathBuf::from(expand(&value?, &known).filter(is_path)?);
        let homes = ["/home/node/.openclaw", "/root/.openclaw"];
        let below = homes.iter().find_map(|home| inside.strip_prefix(home).ok())?;
        Some(named.as_ref()?.join(below))
    });
    let service = SERVICE.to_owned();
    Some(Project { folder, state_dir: named, key: None, service, is_ours: true, paths })
}
