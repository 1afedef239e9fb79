//! Finds Claude logins: in homes, in folders that units name, and in containers.

use std::path::{Path, PathBuf};

use crate::app::setup::detect::World;
use crate::app::setup::detect::containers::{Container, Mount};
use crate::app::setup::detect::homes::Home;
use crate::app::setup::detect::tree::Tree;
use crate::app::source;
use crate::domain::credential::SIZE_LIMIT;
use crate::domain::detection::{Cli, Control, Findings, Login};
use crate::domain::program_dirs;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::visible::is_plain;
use crate::os::process::executables;

pub(super) const FILE: &str = ".credentials.json";

/// Adds every login that is found.
pub(crate) fn find(world: &World<'_>, now: Timestamp, findings: &mut Findings) {
    for container in world.containers {
        of_container(world, container, now, findings);
    }
    let of_homes = world.homes.iter().map(|home| home.path.join(".claude"));
    let of_homes = of_homes.map(|folder| (folder, None));
    let named = world.hints.iter().filter(|hint| hint.variable == "CLAUDE_CONFIG_DIR");
    let named = named.map(|hint| (hint.folder.clone(), Some(hint.uid)));
    // A user may have many logins, and very many directories where a CLI could be.
    let mut clis: Vec<(&Home, Cli)> = Vec::new();
    for (folder, named_by) in world.tree.once_each(of_homes.chain(named)) {
        let path = folder.join(FILE);
        if findings.logins.iter().all(|login| login.path != path) {
            let home = world.home_of(&path);
            let known = clis.iter().rfind(|(of, _)| Some(*of) == home).map(|(_, cli)| cli.clone());
            let cli = known.unwrap_or_else(|| {
                let cli = home.and_then(|home| claude(world.tree, home));
                cli.map_or(Cli::None, Cli::Host)
            });
            clis.extend(home.map(|home| (home, cli.clone())));
            one(world.tree, (&path, named_by), cli, now, findings);
        }
    }
}

fn of_container(world: &World<'_>, container: &Container, now: Timestamp, findings: &mut Findings) {
    let named = container.variable("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    let folders = container.homes().into_iter().map(|home| home.join(".claude"));
    let folders: Vec<PathBuf> = named.into_iter().chain(folders).collect();
    for folder in &folders {
        let Some((path, mount)) = container.on_host(&folder.join(FILE)) else { continue };
        let known = findings.logins.iter().position(|login| login.path == path);
        let at = known.unwrap_or(findings.logins.len());
        if known.is_none() {
            let cli = cli(world, &path, container, mount);
            one(world.tree, (&path, Vec::new()), cli, now, findings);
        }
        let Some(login) = findings.logins.get_mut(at) else { continue };
        login.warnings.extend(warnings(container, mount, &folder.join(FILE)));
        if let (Some(_), Cli::None) = (known, &login.cli) {
            login.cli = cli(world, &path, container, mount);
        }
    }
    let name = &container.name;
    if folders.iter().any(|folder| is_in_layer(world.tree, container, &folder.join(FILE))) {
        findings.rejected.push(format!(
            "container {name}: its login is in its own writable layer and is lost with it: mount the directory .claude"
        ));
    } else if container.looks_like_claudes()
        && folders.iter().all(|folder| container.on_host(folder).is_none())
    {
        findings.rejected.push(format!(
            "container {name}: a login in its own writable layer is lost with it: mount the directory .claude"
        ));
    }
}

/// The container's CLI, if it can save what it renews, and unless the host has one and nothing tells of
/// one in there.
fn cli(world: &World<'_>, path: &Path, container: &Container, mount: &Mount) -> Cli {
    let of_host = world.home_of(path).and_then(|home| claude(world.tree, home));
    // A login can only be replaced in a folder that may be written.
    let can_save = mount.writable && mount.inside.file_name().is_none_or(|name| name != FILE);
    match of_host {
        Some(of_host) if !can_save || !container.looks_like_claudes() => Cli::Host(of_host),
        None if !can_save => Cli::None,
        _ => Cli::Container { name: container.name.clone(), engine: container.engine },
    }
}

fn warnings(container: &Container, mount: &Mount, inside: &Path) -> Vec<String> {
    let name = &container.name;
    let proxied = container.variable("ANTHROPIC_BASE_URL").is_some_and(|url| !url.is_empty());
    let warnings = [
        (mount.inside == inside).then(|| {
            format!("container {name} mounts the file itself, so it keeps the old one after a renewal: mount its directory")
        }),
        (!mount.writable).then(|| {
            format!("container {name} mounts it read-only, so Claude CLI cannot save a renewal there")
        }),
        proxied.then(|| {
            format!("container {name} sets ANTHROPIC_BASE_URL, which is overridden for each renewal")
        }),
    ];
    warnings.into_iter().flatten().collect()
}

/// Says whether a container has a login where no mount is.
fn is_in_layer(tree: &Tree, container: &Container, inside: &Path) -> bool {
    let layer = container.in_layer(inside);
    container.on_host(inside).is_none() && layer.is_some_and(|path| tree.has(&path))
}

fn one(
    tree: &Tree,
    (path, named_by): (&Path, Vec<u32>),
    cli: Cli,
    now: Timestamp,
    findings: &mut Findings,
) {
    if !is_plain(path.as_os_str()) {
        let name = path.display();
        return findings.rejected.push(format!("'{name}' has control characters in its name"));
    }
    let state = source::look(&tree.place(path), SIZE_LIMIT, now);
    let shown = path.display();
    match &state {
        Source::Absent => return,
        Source::Foreign(reason) => {
            return findings.rejected.push(format!("'{shown}': {reason}"));
        }
        Source::Unreadable(message, _) => return findings.rejected.push(message.clone()),
        _ => {}
    }
    match tree.control(path) {
        Ok(control) => {
            let control = Control { named_by, ..control };
            let (path, state, warnings) = (path.to_owned(), state.name(), Vec::new());
            findings.logins.push(Login { path, control, state, cli, warnings });
        }
        Err(error) => findings.rejected.push(error.to_string()),
    }
}

/// Where installers put Claude CLI, in the order in which a user's PATH would find it.
fn claude(tree: &Tree, home: &Home) -> Option<PathBuf> {
    let of_user =
        program_dirs::below_home(&home.path, home.uid, |at| tree.names(at), |at| tree.text(at));
    let mut all =
        of_user.into_iter().chain(executables::of_host()).map(|folder| folder.join("claude"));
    all.find(|path| tree.has(path))
}
