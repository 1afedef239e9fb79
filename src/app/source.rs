//! Looks at a source: reads the file with its owner's rights and names its state.

use std::path::Path;

use crate::domain::config::settings::{ClaudeCli, Settings};
use crate::domain::credential::{self, Content};
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
        Err(error) => Source::Unreadable(error.to_string(), error.command().map(str::to_owned)),
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

/// The command that signs in again, as the user or in the container where Claude lives.
pub(crate) fn sign_in(settings: &Settings) -> String {
    if let ClaudeCli::Container { name } = &settings.claude_cli {
        let engine = settings.container_engine.program();
        return format!("{engine} exec -it {name} claude auth login");
    }
    let home = settings.claude_credentials.parent().and_then(Path::parent);
    match home.and_then(account::at_home) {
        Some(owner) => format!("sudo -iu {} claude auth login", owner.name),
        None => "claude auth login".to_owned(),
    }
}
