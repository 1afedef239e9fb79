//! Finds what else does this job on the host, and what could spend the same refresh token.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::app::setup::detect::homes::Home;
use crate::app::setup::detect::tree::Tree;
use crate::app::setup::detect::units;
use crate::domain::unit_paths;

/// The units and scripts of the original `openclaw_oauth_sync`.
const UNITS: [&str; 4] = [
    "sync-oauth-token.service",
    "trigger-claude-refresh.timer",
    "trigger-claude-refresh.service",
    "fallback-claude-refresh.timer",
];
const SCRIPTS: [&str; 3] =
    ["sync-oauth-token.sh", "trigger-claude-refresh.sh", "fallback-claude-refresh.sh"];

/// What a crontab line, or a unit's command, has in it that renews or copies a login.
const WORDS: [&str; 4] = ["claude -p", "sync-oauth-token", "claude-refresh", ".credentials.json"];

/// Something that does the same job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    /// A unit of the original, and whose it is where it is a user's.
    Unit {
        /// Its file.
        path: PathBuf,
        /// The user.
        user: Option<String>,
    },
    /// Another unit that runs Claude or copies its login, and whose it is where it is a user's.
    Service {
        /// Its file.
        path: PathBuf,
        /// The user.
        user: Option<String>,
    },
    /// A script of the original; it does nothing by itself.
    Script(PathBuf),
    /// A crontab with a line that renews or copies a login.
    Cron {
        /// The file.
        path: PathBuf,
        /// What such a line has in it.
        words: &'static [&'static str],
    },
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit { path, .. } => write!(f, "unit of the original: {}", path.display()),
            Self::Service { path, .. } => {
                write!(f, "unit that runs Claude or copies its login: {}", path.display())
            }
            Self::Script(path) => write!(f, "script of the original: {}", path.display()),
            Self::Cron { path, .. } => write!(f, "cron job: {}", path.display()),
        }
    }
}

/// Finds every rival.
pub(crate) fn all(tree: &Tree, homes: &[Home]) -> Vec<Rival> {
    let system = (PathBuf::from("/etc/systemd/system"), None);
    let users =
        homes.iter().map(|home| (home.path.join(unit_paths::UNITS), Some(home.name.clone())));
    let mut rivals = Vec::new();
    for (folder, user) in std::iter::once(system).chain(users) {
        let units = those(tree, &folder, &UNITS);
        rivals.extend(units.map(|path| Rival::Unit { path, user: user.clone() }));
        rivals.extend(services(tree, &folder, user.as_ref()));
    }
    for folder in ["/usr/local/bin", "/usr/local/sbin", "/opt/openclaw-oauth-sync"] {
        rivals.extend(those(tree, Path::new(folder), &SCRIPTS).map(Rival::Script));
    }
    rivals.extend(crontabs(tree));
    rivals
}

/// Units but the original's own, whose command has one of the words in it.
fn services(tree: &Tree, folder: &Path, user: Option<&String>) -> Vec<Rival> {
    let acts = |line: &str| {
        line.trim_start().starts_with("Exec") && WORDS.iter().any(|word| line.contains(word))
    };
    let known = |path: &Path| UNITS.iter().any(|unit| path.ends_with(unit));
    let texts = match user {
        Some(_) => units::few_texts(tree, folder, |_| true).0,
        None => units::texts(tree, folder, |_| true),
    };
    let acting = texts.into_iter().filter(|(path, text)| !known(path) && text.lines().any(acts));
    acting.map(|(path, _)| Rival::Service { path, user: user.cloned() }).collect()
}

/// The script of the original that a program's argument names.
pub(crate) fn script(argument: &str) -> Option<&'static str> {
    let name = Path::new(argument).file_name()?;
    SCRIPTS.into_iter().find(|script| name == *script)
}

fn those(tree: &Tree, folder: &Path, names: &[&str]) -> impl Iterator<Item = PathBuf> {
    names.iter().map(|name| folder.join(name)).filter(|path| tree.has(path))
}

fn crontabs(tree: &Tree) -> Vec<Rival> {
    let folders =
        ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/var/spool/cron/crontabs"]
            .map(Path::new);
    let named = folders
        .iter()
        .flat_map(|folder| tree.names(folder).into_iter().map(|name| folder.join(name)));
    let files = named.chain([PathBuf::from("/etc/crontab")]);
    let acts = |path: &PathBuf| {
        let text = tree.text(path).unwrap_or_default();
        let mut active = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        active.any(|line| WORDS.iter().any(|word| line.contains(word)))
    };
    files.filter(acts).map(|path| Rival::Cron { path, words: &WORDS }).collect()
}
