//! What systemd units say: folders in their environment, and the units that run a gateway.

use std::path::{Path, PathBuf};

use crate::app::detect::homes::Home;
use crate::app::detect::tree::Tree;
use crate::domain::config::words;
use crate::domain::envfile;
use crate::domain::expand::{expand, home_is, specifiers};

/// Where units of the whole host lie, the ones that win first (systemd.unit(5)).
pub(super) const SYSTEM: [&str; 3] =
    ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

/// Where a user's own units lie, below the home.
pub(super) const USER: &str = ".config/systemd/user";

/// A folder that a unit's environment names.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    /// The variable.
    pub(crate) variable: String,
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Whose file says so; root's where it is the whole host's.
    pub(crate) uid: u32,
}

/// The variables that name a folder of Claude's or OpenClaw's.
pub(super) const VARIABLES: [&str; 6] = [
    "CLAUDE_CONFIG_DIR",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_HOME",
    "OPENCLAW_CONFIG_PATH",
    "CLAWDBOT_STATE_DIR",
    "CLAWDBOT_CONFIG_PATH",
];

/// Collects the folders that units name.
pub(crate) fn hints(tree: &Tree, homes: &[Home]) -> Vec<Hint> {
    let system = SYSTEM.iter().take(2).flat_map(|folder| {
        let texts = texts(tree, Path::new(folder)).into_iter();
        // Whoever wrote a system unit may read what it names; a user may not have root read for them.
        texts.flat_map(|(_, text)| {
            let home = home_of(&text, homes);
            let mut texts = environment_of(tree, &text);
            texts.push((specifiers(&text, Path::new("/root")), 0));
            texts.into_iter().map(move |(text, uid)| (text, uid, home.clone()))
        })
    });
    let users = homes.iter().flat_map(|home| {
        let texts = texts(tree, &home.path.join(USER)).into_iter();
        texts.map(|(_, text)| (specifiers(&text, &home.path), home.uid, Some(home.path.clone())))
    });
    let all = system.chain(users);
    all.flat_map(|(text, uid, home)| variables(&text, uid, home.as_deref())).collect()
}

/// The home of the user that a unit of the host runs as.
fn home_of(unit: &str, homes: &[Home]) -> Option<PathBuf> {
    let user = unit.lines().filter_map(|line| line.trim().strip_prefix("User=")).next_back();
    let is_user = |home: &&Home| user.map_or(home.uid == 0, |user| user.trim() == home.name);
    homes.iter().find(is_user).map(|home| home.path.clone())
}

/// The service units of a folder and their drop-ins, with their texts.
pub(super) fn texts(tree: &Tree, folder: &Path) -> Vec<(PathBuf, String)> {
    let ends_in = |name: &str, kind: &str| name.strip_suffix(kind).is_some();
    let mut files = Vec::new();
    for name in tree.names(folder) {
        let path = folder.join(&name);
        if ends_in(&name, ".service") {
            files.push(path);
        } else if ends_in(&name, ".service.d") {
            let parts = tree.names(&path).into_iter().filter(|part| ends_in(part, ".conf"));
            files.extend(parts.map(|part| path.join(part)));
        }
    }
    files.into_iter().filter_map(|path| Some((path.clone(), tree.text(&path)?))).collect()
}

/// What the files that a unit takes its environment from say, in the form of a unit, and whose they
/// are.
fn environment_of(tree: &Tree, unit: &str) -> Vec<(String, u32)> {
    let files = unit.lines().filter_map(|line| line.trim().strip_prefix("EnvironmentFile="));
    let texts = files.filter_map(|file| {
        let file = Path::new(file.trim_start_matches('-'));
        let uid = tree.control(file).ok().filter(|control| control.uids.len() == 1)?.uids[0];
        Some((tree.text(file)?, uid))
    });
    let named = |text: &String| {
        let values = VARIABLES.iter().filter_map(|variable| {
            Some(format!(
                "Environment=\"{variable}={}\"\n",
                envfile::get(text.as_bytes(), variable)?.expose()
            ))
        });
        values.collect::<String>()
    };
    texts.map(|(text, uid)| (named(&text), uid)).collect()
}

/// The variables of the file of a unit that tell where OpenClaw or Claude is; `uid` owns the file, and
/// `home` is the home of whoever it runs as, which OpenClaw puts in the place of `~`.
pub(crate) fn variables(unit: &str, uid: u32, home: Option<&Path>) -> Vec<Hint> {
    let lines = unit.lines().filter_map(|line| line.trim().strip_prefix("Environment="));
    let assignments = lines.flat_map(|line| words::split(line).unwrap_or_default());
    assignments
        .filter_map(|word| {
            let (variable, value) = word.split_once('=')?;
            let known = |name: &str| home_is(home?)(name);
            let (variable, folder) = (variable.to_owned(), PathBuf::from(expand(value, &known)?));
            let known = VARIABLES.contains(&variable.as_str()) && folder.is_absolute();
            known.then_some(Hint { variable, folder, uid })
        })
        .collect()
}

/// Where the unit that runs a gateway puts `openclaw.json`, if it says so.
pub(crate) fn config_path(
    tree: &Tree,
    home: Option<&Home>,
    (unit, is_users): &(String, bool),
) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = if *is_users {
        home.iter().map(|home| home.path.join(USER)).collect()
    } else {
        SYSTEM.iter().rev().map(PathBuf::from).collect()
    };
    let whose = home.filter(|_| *is_users).map(|home| home.path.as_path());
    let drop_ins = format!("{unit}.d");
    let is_its = |path: &Path| {
        let above = path.parent().and_then(Path::file_name);
        path.ends_with(unit) || above.is_some_and(|above| above == drop_ins.as_str())
    };
    let texts = folders.iter().flat_map(|folder| texts(tree, folder));
    let hints = texts.filter(|(path, _)| is_its(path)).flat_map(|(_, text)| {
        let read = if *is_users { Vec::new() } else { environment_of(tree, &text) };
        let own = home.map(|home| text.replace("%h", &home.path.to_string_lossy()));
        let own = if *is_users { own.unwrap_or_default() } else { text };
        let texts = std::iter::once(own).chain(read.into_iter().map(|(text, _)| text));
        texts.flat_map(|text| variables(&text, 0, whose)).collect::<Vec<_>>()
    });
    let mut named = hints.filter(|hint| hint.variable == "OPENCLAW_CONFIG_PATH");
    named.next_back().map(|hint| hint.folder)
}

/// The unit that runs the gateway of a state folder, by its name, and whether it is a user's.
pub(crate) fn gateway(
    tree: &Tree,
    home: Option<&Home>,
    state_dir: &Path,
) -> Option<(String, bool)> {
    let profile = state_dir.file_name()?.to_str()?.strip_prefix(".openclaw-").map(str::to_owned);
    let of_user = match profile {
        Some(profile) => format!("openclaw-gateway-{profile}.service"),
        None => "openclaw-gateway.service".to_owned(),
    };
    if let Some(home) = home
        && tree.has(&home.path.join(USER).join(&of_user))
    {
        return Some((of_user, true));
    }
    let names = [of_user.as_str(), "openclaw.service"];
    let found = names
        .into_iter()
        .find(|name| SYSTEM.iter().any(|folder| tree.has(&Path::new(folder).join(name))))?;
    Some((found.to_owned(), false))
}
