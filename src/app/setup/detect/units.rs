//! What systemd units say: folders in their environment, and the units that run a gateway.

use std::path::{Path, PathBuf};

use crate::app::setup::detect::homes::Home;
use crate::app::setup::detect::own_paths::OwnPaths;
use crate::app::setup::detect::tree::Tree;
use crate::domain::expand::{expand, home_is, specifiers};
use crate::domain::unit_paths::{self, OF_HOST, is_conf};
use crate::domain::{glob, unit_text};
use crate::os::user::account::{self, Account};

/// How many files with variables are read for a unit of the host, or for all of a user's.
const FILES_LIMIT: usize = 64;

/// The container that OpenClaw's script puts where Quadlet looks, and the unit that is made of it
/// (podman-systemd.unit(5)).
const QUADLET: (&str, &str) = ("openclaw.container", "openclaw.service");

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
pub(super) const VARIABLES: [&str; 7] = [
    "CLAUDE_CONFIG_DIR",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_HOME",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_AGENT_DIR",
    "CLAWDBOT_STATE_DIR",
    "CLAWDBOT_CONFIG_PATH",
];

/// Collects the folders that units name, and says which units of users' were not looked at.
pub(crate) fn hints(tree: &Tree, homes: &[Home], left_out: &mut Vec<String>) -> Vec<Hint> {
    let by_hand = OF_HOST.iter().filter(|folder| **folder != "/usr/lib/systemd/system");
    let system = by_hand.flat_map(|folder| {
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
        let folder = home.path.join(unit_paths::UNITS);
        let (texts, is_all) = few_texts(tree, &folder, |_| true);
        let texts = of_user(tree, home, texts).into_iter();
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
    let assigned = unit_text::assignments(unit, "Service");
    let user = assigned.iter().rfind(|(key, _)| key == "User").map(|(_, user)| user);
    let user = user.filter(|user| !user.is_empty());
    let is_user = |home: &&Home| user.map_or(home.uid == 0, |user| *user == home.name);
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
    let parts = names(&path).into_iter().filter(|part| is_conf(part));
    parts.map(|part| path.join(part)).collect()
}

/// What the files that a unit takes its environment from say, in the form of a unit, and whose they
/// are.
fn environment_of(tree: &Tree, unit: &str) -> Vec<(String, u32)> {
    let files = files_of(tree, std::slice::from_ref(&unit)).into_iter();
    files.filter_map(|file| of_file(tree, &file)).collect()
}

/// The files that units take their environment from.
fn files_of(tree: &Tree, units: &[impl AsRef<str>]) -> Vec<PathBuf> {
    let all = units.iter().flat_map(|unit| unit_text::assignments(unit.as_ref(), "Service"));
    let lines = all.filter(|(key, value)| key == "EnvironmentFile" && !value.is_empty());
    let patterns = lines.map(|(_, value)| PathBuf::from(value.strip_prefix('-').unwrap_or(&value)));
    let patterns: Vec<PathBuf> = patterns.take(FILES_LIMIT).collect();
    let names = |folder: &Path| tree.few_names(folder, UNIT_LIMIT).unwrap_or_default();
    patterns.iter().flat_map(|pattern| glob::expand(pattern, names)).take(FILES_LIMIT).collect()
}

/// What a file with variables says, in the form of a unit, and whose it is.
fn of_file(tree: &Tree, file: &Path) -> Option<(String, u32)> {
    let uid = tree.control(file).ok().filter(|control| control.uids.len() == 1)?.uids[0];
    let text = tree.text(file)?;
    let values = VARIABLES.iter().filter_map(|variable| {
        let value = unit_text::variable(text.as_bytes(), variable)?;
        Some(format!("Environment=\"{variable}={}\"\n", value.expose()))
    });
    Some((values.collect(), uid))
}

/// All that sets variables of a user's units, what wins last: environment.d, these texts of units, and the user's own
/// files that they name.
fn of_user(tree: &Tree, home: &Home, texts: Vec<(PathBuf, String)>) -> Vec<String> {
    let texts = texts.into_iter().map(|(_, text)| specifiers(&text, &home.path));
    let texts: Vec<String> = texts.collect();
    let folder = home.path.join(unit_paths::VARIABLES);
    let mut confs = tree.few_names(&folder, UNIT_LIMIT).unwrap_or_default();
    confs.retain(|name| is_conf(name));
    confs.sort();
    // A user may not have root read for them.
    let own = |file: PathBuf| {
        let (text, uid) = of_file(tree, &file)?;
        let is_own = uid == home.uid || uid == 0 && file.starts_with(&home.path);
        is_own.then_some(text)
    };
    let of_manager: Vec<String> = confs.iter().filter_map(|name| own(folder.join(name))).collect();
    let of_files = files_of(tree, &texts).into_iter().filter_map(own).collect();
    [of_manager, texts, of_files].concat()
}

/// The variables of the file of a unit that tell where OpenClaw or Claude is; `uid` owns the file, and
/// `home` is the home of whoever it runs as, which OpenClaw puts in the place of `~`.
pub(crate) fn variables(unit: &str, uid: u32, home: Option<&Path>) -> Vec<Hint> {
    let all = unit_text::assignments(unit, "Service").into_iter();
    let all = all.filter(|(key, _)| key == "Environment");
    all.flat_map(|(_, value)| unit_text::words(&value))
        .filter_map(|word| {
            let (variable, value) = word.split_once('=')?;
            let known = |name: &str| home_is(home?)(name);
            let (variable, folder) = (variable.to_owned(), PathBuf::from(expand(value, &known)?));
            let known = VARIABLES.contains(&variable.as_str()) && folder.is_absolute();
            known.then_some(Hint { variable, folder, uid })
        })
        .collect()
}

/// The paths that the unit that runs a gateway gives OpenClaw.
pub(super) fn paths(
    tree: &Tree,
    home: Option<&Home>,
    (unit, is_users): &(String, bool),
) -> OwnPaths {
    let hints: Vec<Hint> = if *is_users {
        let Some(home) = home else { return OwnPaths::default() };
        let (texts, _) = few_texts(tree, &home.path.join(unit_paths::UNITS), is_of(unit));
        let texts = of_user(tree, home, texts).into_iter();
        texts.flat_map(|text| variables(&text, home.uid, Some(&home.path))).collect()
    } else {
        let texts = texts_of_host(tree, unit).flat_map(|(_, text)| {
            let read = environment_of(tree, &text).into_iter().map(|(text, _)| text);
            std::iter::once(text).chain(read).collect::<Vec<_>>()
        });
        texts.flat_map(|text| variables(&text, 0, None)).collect()
    };
    OwnPaths::find(|variable| {
        let named = hints.iter().rfind(|hint| hint.variable == variable);
        named.map(|hint| hint.folder.clone())
    })
}

/// The unit that runs the gateway of a state directory, by its name, and whether it is a user's; one of the host
/// only where it runs as the user whose directory it is.
pub(crate) fn gateway(
    tree: &Tree,
    home: Option<&Home>,
    state_dir: &Path,
    owners: &[u32],
) -> Option<(String, bool)> {
    let profile = state_dir.file_name()?.to_str()?.strip_prefix(".openclaw-").map(str::to_owned);
    let of_user = match &profile {
        Some(profile) => format!("openclaw-gateway-{profile}.service"),
        None => "openclaw-gateway.service".to_owned(),
    };
    let has = |folder: &str, name: &str| {
        home.is_some_and(|home| tree.has(&home.path.join(folder).join(name)))
    };
    if has(unit_paths::UNITS, &of_user) {
        return Some((of_user, true));
    }
    let (container, of_container) = QUADLET;
    if profile.is_none() && has(unit_paths::CONTAINERS, container) {
        return Some((of_container.to_owned(), true));
    }
    let owner =
        home.map(|home| home.uid).or(if let [owner] = owners { Some(*owner) } else { None });
    let found = [of_user.as_str(), of_container].into_iter().find(|name| {
        OF_HOST.iter().any(|folder| tree.has(&Path::new(folder).join(name)))
            && !is_anothers(runs_as(tree, name), owner)
    })?;
    Some((found.to_owned(), false))
}

/// Whether a unit is known to run as another user than the owner of a directory.
fn is_anothers(user: Option<u32>, owner: Option<u32>) -> bool {
    user.zip(owner).is_some_and(|(user, owner)| user != owner)
}

/// The files of a unit of the host and of its drop-ins with their texts, those of a package first.
fn texts_of_host(tree: &Tree, unit: &str) -> impl Iterator<Item = (PathBuf, String)> {
    OF_HOST.iter().rev().flat_map(move |folder| texts(tree, Path::new(folder), is_of(unit)))
}

/// Tells the names of a unit and of its directory of drop-ins.
fn is_of(unit: &str) -> impl Fn(&str) -> bool {
    move |name| name.strip_prefix(unit).is_some_and(|rest| rest.is_empty() || rest == ".d")
}

/// The user that a unit of the host runs as; `None` where passwd(5) does not know the account.
fn runs_as(tree: &Tree, unit: &str) -> Option<u32> {
    let (units, drop_ins): (Vec<_>, Vec<_>) =
        texts_of_host(tree, unit).partition(|(path, _)| path.ends_with(unit));
    // One in /etc takes the place of a package's, and every drop-in comes after it (systemd.unit(5)).
    let texts = units.into_iter().next_back().into_iter().chain(drop_ins);
    let users = texts.flat_map(|(_, text)| unit_text::assignments(&text, "Service"));
    let user = users.filter(|(key, _)| key == "User").map(|(_, value)| value).next_back();
    let Some(user) = user.filter(|user| !user.is_empty()) else { return Some(0) };
    let accounts = account::parse(&tree.text(Path::new("/etc/passwd"))?);
    let is_user = |one: &Account| one.name == user || user.parse() == Ok(one.uid);
    accounts.into_iter().find(is_user).map(|one| one.uid)
}
