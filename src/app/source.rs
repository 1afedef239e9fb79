//! Looks at a source: reads the file with its owner's rights and names its state.

use std::path::Path;

use crate::domain::config::settings::{ClaudeCli, Settings};
use crate::domain::credential::{self, Content};
use crate::domain::hints::{host, ours};
use crate::domain::shell::Hint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::user::account;

/// Reads the credentials file of a link and names its state at `now`.
pub(crate) fn of(settings: &Settings, now: Timestamp) -> Source {
    let (path, limit) = (&settings.claude_credentials, settings.max_credentials_size);
    match look(path, limit, now) {
        Source::Unreadable(why, None) => {
            let command = size(path).filter(|size| *size > limit).and_then(|size| {
                let fitting = (size >> 20).checked_add(1)?.checked_next_power_of_two()?;
                let set = ours::set(&settings.name, "MAX_CREDENTIALS_SIZE", &format!("{fitting}M"));
                (fitting <= 64).then_some(set)
            });
            Source::Unreadable(why, command)
        }
        other => other,
    }
}

fn size(path: &Path) -> Option<u64> {
    let stat = Folder::reach(path.parent()?).ok()?.stat(path.file_name()?.to_str()?).ok()??;
    u64::try_from(stat.st_size).ok()
}

/// Reads the credentials file at `path`, of at most `limit` bytes, and names its state at `now`.
pub(crate) fn look(path: &Path, limit: u64, now: Timestamp) -> Source {
    match read(path, limit) {
        Ok(Some(content)) => Source::of(content, now),
        Ok(None) => Source::Absent,
        Err(error) if error.is_absent() => Source::Absent,
        Err(error) if error.is_changed() => Source::HalfWritten,
        Err(error) => Source::Unreadable(error.to_string(), error.command().cloned()),
    }
}

fn read(path: &Path, limit: u64) -> Result<Option<Content>, Error> {
    let (Some(folder), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(None);
    };
    let seen = Folder::reach(folder)?.read(name, limit)?;
    Ok(seen.map(|seen| credential::parse(&seen.bytes)))
}

/// The directory of our state directory that holds the setup-tokens.
pub(crate) const SETUP_TOKENS: &str = "setup-tokens";

/// What the CLI calls its own file, in every directory: a sign-in writes it, whatever stands there.
pub(crate) const OF_THE_CLI: &str = ".credentials.json";

/// Says whether a link lives on a setup-token: one stands in a file of its own, or the file is where we keep them.
pub(crate) fn is_setup_token(settings: &Settings, source: &Source) -> bool {
    if settings.claude_credentials.file_name().is_some_and(|name| name == OF_THE_CLI) {
        return false;
    }
    let folder = settings.claude_credentials.parent().and_then(Path::file_name);
    source.is_setup_token() || folder.is_some_and(|name| name == SETUP_TOKENS)
}

/// The command that brings a new token where `source` stands: a setup-token, or a sign-in.
pub(crate) fn renewed_by_hand(settings: &Settings, source: &Source) -> Hint {
    if settings.renewed_by.is_none() && is_setup_token(settings, source) {
        return ours::login_setup_token(&settings.name);
    }
    sign_in(settings)
}

/// The command that signs in again: it finds the user or the container, the place and the CLI.
///
/// Where another host renews the login it is that host that has to be looked at. Where no CLI is to be run here, a person signs in where Claude is.
pub(crate) fn sign_in(settings: &Settings) -> Hint {
    if let Some(host) = &settings.renewed_by {
        return ours::doctor_on(host);
    }
    match settings.claude_cli {
        ClaudeCli::None => host::claude_login(),
        _ => ours::login_as_root(&settings.name),
    }
}

/// Where that is: ` as USER`, ` in the container NAME`; nothing where it cannot be told.
pub(crate) fn signed_in(settings: &Settings) -> String {
    match &settings.claude_cli {
        ClaudeCli::Container { name } => format!(" in the container {name}"),
        ClaudeCli::None => String::new(),
        ClaudeCli::Host { .. } => {
            let folder = settings.claude_credentials.parent();
            let owner = folder.and_then(|folder| Folder::reach(folder).ok());
            let owner = owner.map(|folder| account::name(folder.identity.uid));
            // Before the first sign-in the folder need not be there.
            let home = || account::at_home(folder?.parent()?).map(|account| account.name);
            owner.or_else(home).map(|name| format!(" as {name}")).unwrap_or_default()
        }
    }
}
