//! Whose the directories of a link are: a token goes only from and to the users that it went before.

use std::path::Path;

use crate::app::context::Ground;
use crate::domain::acceptance::Memory;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours;
use crate::domain::source::Source;
use crate::os::fs::dir::Folder;
use crate::os::user::account;

/// The directories of a link, each once.
fn directories(settings: &Settings) -> Vec<&Path> {
    let files = [&settings.env_file, &settings.oauth_json, &settings.secret_file];
    let files = files.into_iter().flatten().chain([&settings.claude_credentials]);
    let directories = [&settings.openclaw_state_dir, &settings.compose_dir].into_iter().flatten();
    let directories = directories.map(AsRef::as_ref).chain(files.filter_map(|file| file.parent()));
    let mut once: Vec<&Path> = Vec::new();
    for directory in directories {
        if !once.contains(&directory) {
            once.push(directory);
        }
    }
    once
}

/// Those that can be looked at, with the user id of each one's owner.
fn owned<'a>(directories: impl IntoIterator<Item = &'a Path>) -> Vec<(String, u32)> {
    let owned = |path: &Path| {
        let owner = Folder::reach(path).and_then(|folder| folder.owner()).ok()?;
        Some((path.to_str()?.to_owned(), owner))
    };
    directories.into_iter().filter_map(owned).collect()
}

/// The source to go by: where a directory of the link is another user's than before, nothing of it is passed on until
/// a person says so, with `force`. Those that nothing is known of are remembered, as of a link of 1.0.0.
pub(crate) fn judged(
    ground: &Ground,
    settings: &Settings,
    (dry_run, force): (bool, bool),
    memory: &mut Memory,
    source: Source,
) -> Source {
    // Why it cannot be read comes first: whose it is can be confirmed once it can.
    if matches!(source, Source::Unreadable(..)) {
        return source;
    }
    let owners = owned(directories(settings));
    if let Some((path, before, now)) = memory.owner_changed(&owners).filter(|_| !force) {
        let (before, now) = (account::name(before), account::name(now));
        let what = format!(
            "'{path}' belongs to {now}, and belonged to {before} when a token was passed on"
        );
        return Source::Unreadable(what, Some(ours::sync_forced(&settings.name)));
    }
    if !dry_run && memory.accept_owners(owners, force) {
        ground.save(settings, memory);
    }
    source
}

/// Remembers whose the directories are that a sync has made.
pub(crate) fn accept_made(
    ground: &Ground,
    settings: &Settings,
    memory: &mut Memory,
    has_passed: bool,
) {
    let mut made = directories(settings);
    made.retain(|path| path.to_str().is_some_and(|path| !memory.owners.contains_key(path)));
    if has_passed && memory.accept_owners(owned(made), false) {
        ground.save(settings, memory);
    }
}
