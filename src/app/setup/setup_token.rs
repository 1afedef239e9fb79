//! Stores a setup-token as a source of its own, and has the link use it.

use std::path::{Path, PathBuf};

use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::setup::config_set;
use crate::app::source;
use crate::domain::config::settings::Settings;
use crate::domain::credential::{self, Content, SIZE_LIMIT};
use crate::domain::secret::Secret;
use crate::domain::setup_token;
use crate::domain::time::Timestamp;
use crate::os;
use crate::os::clock;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// A setup-token that was stored.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The file.
    pub(crate) path: PathBuf,
    /// When the token ends; an estimate.
    pub(crate) expiry: Timestamp,
    /// The credentials file that the link used before, where that was another one.
    pub(crate) before: Option<PathBuf>,
}

/// Stores the token at `path`, else where the link has one already, else below our state directory.
pub(crate) fn store(
    places: &Places,
    settings: &Settings,
    token: &Secret,
    path: Option<&Path>,
) -> Result<Stored, Error> {
    let now = clock::now();
    let used = &settings.claude_credentials;
    let is_renewed = source::is_setup_token(settings, &source::of(settings, now));
    let own =
        || places.state_dir.join(source::SETUP_TOKENS).join(format!("{}.json", settings.name));
    let path = path.map_or_else(|| if is_renewed { used.clone() } else { own() }, Path::to_owned);
    let (folder, name) = reach(places, &path)?;
    refuse_another_login(&folder, name, &path)?;
    let expiry = now.after(setup_token::LIFE);
    let text = setup_token::file(token, expiry);
    atomic_write::replace(&folder, name, text.as_bytes(), Durability::Flushed)?;
    let value = path.to_string_lossy();
    config_set::set(places, &settings.name, "CLAUDE_CREDENTIALS", &value)?;
    let before = (*used != path).then(|| used.clone());
    Ok(Stored { path, expiry, before })
}

/// Opens the directory of the file; ours is made, a user's has to be there.
fn reach<'a>(places: &Places, path: &'a Path) -> Result<(Folder, &'a str), Error> {
    let odd = |what: &str| Error::from(os::error::Error::odd("write", path, what));
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(parent), Some(name), true) = (path.parent(), name, path.is_absolute()) else {
        return Err(odd("it is no absolute path of a file"));
    };
    if name == source::OF_THE_CLI {
        return Err(odd("it is Claude CLI's own, which a sign-in writes over"));
    }
    let is_ours = parent.starts_with(&places.state_dir);
    let folder = if is_ours { context::open_or_make(parent)? } else { Folder::reach(parent)? };
    Ok((folder, name))
}

/// Only an earlier setup-token is written over: anything else may be somebody's only copy.
fn refuse_another_login(folder: &Folder, name: &str, path: &Path) -> Result<(), Error> {
    let Some(old) = folder.read(name, SIZE_LIMIT)? else { return Ok(()) };
    match credential::parse(&old.bytes) {
        Content::Static(_) => Ok(()),
        _ => Err(os::error::Error::odd("write", path, "it is there, and no setup-token").into()),
    }
}
