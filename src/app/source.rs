//! Looks at a source: reads the file with its owner's rights and names its state.

use std::path::Path;

use crate::domain::config::settings::{ClaudeCli, Settings};
use crate::domain::credential::{self, Content};
use crate::domain::shell::Hint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::account;
use crate::os::error::Error;
use crate::os::folder::Folder;

/// Reads the credentials file at `path` and names its state at `now`.
pub(crate) fn look(path: &Path, now: Timestamp) -> Source {
    match read(path) {
        Ok(Some(content)) => Source::of(content, now),
        Ok(None) => Source::Absent,
        Err(error) if error.is_absent() => Source::Absent,
        Err(error) if error.is_changed() => Source::HalfWritten,
        Err(error) => Source::Unreadable(error.to_string(), error.command().cloned()),
    }
}

fn read(path: &Path) -> Result<Option<Content>, Error> {
    let (Some(folder), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(None);
    };
    let seen = Folder::reach(folder)?.read(name, credential::SIZE_LIMIT)?;
    Ok(seen.map(|seen| credential::parse(&seen.bytes)))
}

/// The command that signs in again: it finds the user or the container, the place and the CLI.
///
/// Where no CLI is to be run here, a person signs in where Claude is.
pub(crate) fn sign_in(settings: &Settings) -> Hint {
    match settings.claude_cli {
        ClaudeCli::None => "claude auth login".into(),
        _ => Hint::new("sudo oauth-sync login --link").arg(&settings.name),
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
