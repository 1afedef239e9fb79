//! Finds what else does this job on the host, and what could spend the same refresh token.

use std::path::{Path, PathBuf};

use crate::app::detect::homes::Home;
use crate::app::detect::tree::Tree;
use crate::domain::detection::Findings;

/// The units and scripts of the original `openclaw_oauth_sync`.
const UNITS: [&str; 4] = [
    "sync-oauth-token.service",
    "trigger-claude-refresh.timer",
    "trigger-claude-refresh.service",
    "fallback-claude-refresh.timer",
];
const SCRIPTS: [&str; 3] =
    ["sync-oauth-token.sh", "trigger-claude-refresh.sh", "fallback-claude-refresh.sh"];

/// What a crontab line has in it that renews or copies a login.
const CRON_WORDS: [&str; 4] =
    ["claude -p", "sync-oauth-token", "claude-refresh", ".credentials.json"];

/// Adds every rival that was found, each with where it is.
pub(crate) fn find(tree: &Tree, homes: &[Home], findings: &mut Findings) {
    let mut rivals = Vec::new();
    let of_homes = homes.iter().map(|home| home.path.join(".config/systemd/user"));
    let unit_folders = [PathBuf::from("/etc/systemd/system")].into_iter().chain(of_homes);
    rivals.extend(
        unit_folders.flat_map(|folder| those(tree, &folder, &UNITS, "unit of the original")),
    );
    let folders = [
        Path::new("/usr/local/bin"),
        Path::new("/usr/local/sbin"),
        Path::new("/opt/openclaw-oauth-sync"),
    ];
    rivals.extend(
        folders.iter().flat_map(|folder| those(tree, folder, &SCRIPTS, "script of the original")),
    );
    rivals.extend(crontabs(tree));
    findings.rivals = rivals;
}

fn those(tree: &Tree, folder: &Path, names: &[&str], what: &str) -> Vec<String> {
    let paths = names.iter().map(|name| folder.join(name)).filter(|path| tree.has(path));
    paths.map(|path| format!("{what}: {}", path.display())).collect()
}

fn crontabs(tree: &Tree) -> Vec<String> {
    let folders =
        ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/var/spool/cron/crontabs"]
            .map(Path::new);
    let named = folders
        .iter()
        .flat_map(|folder| tree.names(folder).into_iter().map(|name| folder.join(name)));
    let files = named.chain([PathBuf::from("/etc/crontab")]);
    files
        .filter_map(|path| {
            let text = tree.text(&path)?;
            let active = |line: &&str| !line.trim_start().starts_with('#');
            let at = text
                .lines()
                .filter(active)
                .find(|line| CRON_WORDS.iter().any(|word| line.contains(word)));
            at.map(|_| format!("cron job: {}", path.display()))
        })
        .collect()
}
