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

/// How many names are listed in a user's directory of units, how many of the files are read, how many
/// bytes of them, and how many directories they may name.
const NAMES_LIMIT: usize = 10_000;
const UNIT_LIMIT: usize = 200;
const TEXT_LIMIT: usize = 4 << 20;
const HINT_LIMIT: usize = 64;

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

/// Collects the folders that units name, and says which units of users' were not looked at.
pub(crate) fn hints(tree: &Tree, homes: &[Home], left_out: &mut Vec<String>) -> Vec<Hint> {
    let system = SYSTEM.iter().take(2).flat_map(|folder| {
        let texts = texts(tree, Path::new(folder), |_| true).into_iter();
        // Whoever wrote a system unit may read what it names; a user may not have root read for them.
        texts.flat_map(|(_, text)| {
            let home = home_of(&text, homes);
            let mut texts = environment_of(tree, &text);
            texts.push((specifiers(&text, Path::new("/root")), 0));
            texts.into_iter().map(move |(text, uid)| (text, uid, home.clone()))
        })
    });
    let mut all: Vec<Hint> =
        system.flat_map(|(text, uid, home)| variables(&text, uid, home.as_deref())).collect();
    for home in homes {
        let folder = home.path.join(USER);
        let (texts, is_all) = few_texts(tree, &folder, |_| true);
        let texts = texts.into_iter().map(|(_, text)| specifiers(&text, &home.path));
        let mut named = texts.flat_map(|text| variables(&text, home.uid, Some(&home.path)));
        all.extend(named.by_ref().take(HINT_LIMIT));
        let folder = folder.display();
        if !is_all {
            left_out.push(format!(
                "not looked at: units in '{folder}' beyond {UNIT_LIMIT} files or 4 MiB"
            ));
        }
        if named.next().is_some() {
            left_out.push(format!(
                "not looked at: what units in '{folder}' name beyond {HINT_LIMIT} directories"
            ));
        }
    }
    all
}

/// The home of the user that a unit of the host runs as.
fn home_of(unit: &str, homes: &[Home]) -> Option<PathBuf> {
    let user = unit.lines().filter_map(|line| line.trim().strip_prefix("User=")).next_back();
    let is_user = |home: &&Home| user.map_or(home.uid == 0, |user| user.trim() == home.name);
    homes.iter().find(is_user).map(|home| home.path.clone())
}

/// The service units of a folder and their drop-ins, with their texts, as far as `is_wanted` takes the
/// names of units or of their directories of drop-ins.
pub(super) fn texts(
    tree: &Tree,
    folder: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<(PathBuf, String)> {
    let names = tree.names(folder).into_iter().filter(|name| is_of_unit(name) && is_wanted(name));
    let files = names.flat_map(|name| files(folder.join(name), |drop_ins| tree.names(drop_ins)));
    files.filter_map(|path| Some((path.clone(), tree.text(&path)?))).collect()
}

/// The same of a user's directory, where anything may lie, up to the limits; and whether these are all.
pub(super) fn few_texts(
    tree: &Tree,
    folder: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> (Vec<(PathBuf, String)>, bool) {
    let Some(mut names) = tree.few_names(folder, NAMES_LIMIT) else { return (Vec::new(), false) };
    names.retain(|name| is_of_unit(name) && is_wanted(name));
    // OpenClaw's own before any other.
    names.sort_by_key(|name| !name.contains("claw"));
    let (mut texts, mut is_all) = (Vec::new(), true);
    let (mut files_left, mut bytes_left) = (UNIT_LIMIT, TEXT_LIMIT);
    for name in names {
        let all = files(folder.join(name), |drop_ins| {
            let parts = tree.few_names(drop_ins, UNIT_LIMIT);
            is_all &= parts.is_some();
            parts.unwrap_or_default()
        });
        // An empty directory of drop-ins takes as long as a file.
        let Some(fewer) = files_left.checked_sub(all.len().max(1)) else { return (texts, false) };
        files_left = fewer;
        for path in all {
            let Some(text) = tree.text(&path) else { continue };
            let Some(fewer) = bytes_left.checked_sub(text.len()) else { return (texts, false) };
            bytes_left = fewer;
            texts.push((path, text));
        }
    }
    (texts, is_all)
}

fn is_of_unit(name: &str) -> bool {
    [".service", ".service.d"].iter().any(|kind| name.ends_with(kind))
}

/// The file of a service unit, or those in its directory of drop-ins.
fn files(path: PathBuf, names: impl FnOnce(&Path) -> Vec<String>) -> Vec<PathBuf> {
    if path.extension().is_some_and(|kind| kind == "service") {
        return vec![path];
    }
    let parts = names(&path).into_iter().map(|part| path.join(part));
    parts.filter(|part| part.extension().is_some_and(|kind| kind == "conf")).collect()
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
    let whose = home.filter(|_| *is_users).map(|home| home.path.as_path());
    let drop_ins = format!("{unit}.d");
    let is_its = |name: &str| name == unit || name == drop_ins;
    let texts: Vec<(PathBuf, String)> = if *is_users {
        let folder = home.map(|home| home.path.join(USER));
        folder.map(|folder| few_texts(tree, &folder, is_its).0).unwrap_or_default()
    } else {
        let folders = SYSTEM.iter().rev().map(Path::new);
        folders.flat_map(|folder| texts(tree, folder, is_its)).collect()
    };
    let hints = texts.into_iter().flat_map(|(_, text)| {
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
