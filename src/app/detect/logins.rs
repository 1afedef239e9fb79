//! Finds Claude logins: in homes, in folders that units name, and in containers.

use std::path::{Path, PathBuf};

use crate::app::detect::World;
use crate::app::detect::containers::Container;
use crate::app::detect::homes::Home;
use crate::app::detect::tree::Tree;
use crate::app::source;
use crate::domain::detection::{Cli, Findings, Login};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

const FILE: &str = ".credentials.json";

/// Adds every login that is found.
pub(crate) fn find(world: &World<'_>, now: Timestamp, findings: &mut Findings) {
    for container in world.containers {
        of_container(world, container, now, findings);
    }
    let of_homes = world.homes.iter().map(|home| home.path.join(".claude"));
    let named = world.hints.iter().filter(|hint| hint.variable == "CLAUDE_CONFIG_DIR");
    let mut folders: Vec<PathBuf> = of_homes.chain(named.map(|hint| hint.folder.clone())).collect();
    folders.sort();
    folders.dedup();
    for folder in folders {
        let path = folder.join(FILE);
        if findings.logins.iter().all(|login| login.path != path) {
            let cli = world.home_of(&path).and_then(|home| claude(world.tree, home));
            one(world.tree, &path, cli.map_or(Cli::None, Cli::Host), now, findings);
        }
    }
}

fn of_container(world: &World<'_>, container: &Container, now: Timestamp, findings: &mut Findings) {
    let named = container.variable("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    let folders = container.homes().into_iter().map(|home| home.join(".claude"));
    for folder in named.into_iter().chain(folders) {
        let Some((path, mount)) = container.on_host(&folder.join(FILE)) else { continue };
        if findings.logins.iter().any(|login| login.path == path) {
            continue;
        }
        let before = findings.logins.len();
        one(world.tree, &path, Cli::Container(container.name.clone()), now, findings);
        let Some(login) = findings.logins.get_mut(before) else { continue };
        if mount.inside == folder.join(FILE) {
            login.warnings.push(format!(
                "container {} mounts the file itself, so it keeps the old one after a renewal: mount its folder",
                container.name
            ));
        }
        if !mount.writable {
            login.warnings.push(format!(
                "container {} mounts it read-only, so Claude CLI cannot save a renewal there",
                container.name
            ));
        }
        if container.variable("ANTHROPIC_BASE_URL").is_some_and(|url| !url.is_empty()) {
            login.warnings.push(format!(
                "container {} sets ANTHROPIC_BASE_URL, which is overridden for each renewal",
                container.name
            ));
        }
    }
    if container.image.contains("claude") && container.mounts.is_empty() {
        findings.rejected.push(format!(
            "container {}: a login in its own writable layer is lost with it: mount the folder .claude",
            container.name
        ));
    }
}

fn one(tree: &Tree, path: &Path, cli: Cli, now: Timestamp, findings: &mut Findings) {
    let state = source::look(&tree.place(path), now);
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
            let (path, state, warnings) = (path.to_owned(), state.name(), Vec::new());
            findings.logins.push(Login { path, control, state, cli, warnings });
        }
        Err(error) => findings.rejected.push(error.to_string()),
    }
}

/// Where installers put Claude CLI, in the order in which a user's PATH would find it.
fn claude(tree: &Tree, home: &Home) -> Option<PathBuf> {
    let of_user = [".local/bin/claude", ".claude/local/claude", ".npm-global/bin/claude"];
    let of_user = of_user.map(|below| home.path.join(below));
    let of_host = ["/usr/local/bin/claude", "/usr/bin/claude"].map(PathBuf::from);
    let nvm = home.path.join(".nvm/versions/node");
    let versions =
        tree.names(&nvm).into_iter().rev().map(|version| nvm.join(version).join("bin/claude"));
    of_user.into_iter().chain(of_host).chain(versions).find(|path| tree.has(path))
}
