//! The key in the `.env` of a state folder or a compose folder.
//!
//! OpenClaw reads it only where no living profile comes before it; that is found out here too.

use std::path::{Path, PathBuf};

use crate::app::openclaw::OpenClaw;
use crate::app::report::{SinkReport, SinkState};
use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks::file::{File, Links};
use crate::app::sync::target::Wanted;
use crate::domain::config::settings::Settings;
use crate::domain::credential::Credential;
use crate::domain::envfile;
use crate::domain::era::{Choice, Era};
use crate::domain::hints::{files, ours};
use crate::domain::shell::Hint;
use crate::domain::sink::{Held, SinkKind};
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::executables;

/// The `.env` of a link.
pub(super) struct Place {
    path: PathBuf,
    file: Result<Option<File>, Error>,
    /// Whether it may be made where there is none: a compose `.env` never is.
    may_make: bool,
}

impl Place {
    /// Finds it: as configured, in the compose folder if it has one, else in the state directory.
    pub(super) fn find(settings: &Settings, openclaw: &OpenClaw, may_write: bool) -> Option<Self> {
        let (path, may_make) = match (&settings.env_file, &settings.compose_dir) {
            (Some(path), _) => {
                (path.clone(), settings.openclaw_state_dir.as_deref() == path.parent())
            }
            (None, Some(folder)) if has_env(folder) => (folder.join(".env"), false),
            _ => (openclaw.folder()?.path.join(".env"), true),
        };
        let file = File::open(&path, Links::Followed, false, may_write);
        Some(Self { path, file, may_make })
    }

    /// Says whether the key stands in it.
    pub(super) fn has_key(&self, key: &str) -> bool {
        let Ok(Some(file)) = &self.file else { return false };
        file.bytes().is_some_and(|bytes| envfile::has(bytes, key))
    }

    /// Looks at it as a sink.
    pub(super) fn look(&self, settings: &Settings, choice: Choice, wanted: &Wanted<'_>) -> Look {
        let kind = SinkKind::Env;
        let absent = |why| Look::absent(kind, Some(self.path.clone()), why);
        let file = match &self.file {
            Ok(Some(file)) => file,
            Ok(None) => return absent("its directory does not exist"),
            Err(error) => return self.failed(settings, error),
        };
        if file.is_new() && !(self.may_make && choice.may_create) {
            return absent("there is no such file, and none is made here");
        }
        if !choice.may_create && !self.has_key(&settings.env_key) {
            return absent("the key does not stand there, and OpenClaw does not need it");
        }
        let held = |bytes: &[u8]| {
            envfile::get(bytes, &settings.env_key).map(|token| Held { token, expiry: None })
        };
        let edit = |bytes: Option<&[u8]>, credential: &Credential| {
            envfile::set(bytes.unwrap_or_default(), &settings.env_key, &credential.access_token)
                .map_err(|refusal| refusal.to_string())
        };
        file.compare(kind, held, edit, wanted)
    }

    /// What cannot be opened; of a link that leads elsewhere, the key that names the file itself.
    fn failed(&self, settings: &Settings, error: &Error) -> Look {
        let look = Look::failed(SinkKind::Env, self.path.clone(), error);
        let folder = self.path.parent().and_then(|parent| Folder::reach(parent).ok());
        let name = self.path.file_name().and_then(|name| name.to_str());
        let (Some(folder), Some(name)) = (folder, name) else { return look };
        if error.command().is_some() || !folder.is_link(name).unwrap_or(false) {
            return look;
        }
        let target = executables::real_path(&folder.identity, &self.path);
        let target = target.unwrap_or_else(|| PathBuf::from("FILE"));
        let hint = name_env_file(&settings.name, folder.identity.uid, &target);
        let why = format!("{error}; if that is the right file, ENV_FILE has to name it");
        let state = SinkState::Failed(why, Some(hint));
        Look::settled(SinkKind::Env, Some(self.path.clone()), state)
    }
}

/// The command that makes `file` the link's `.env`.
///
/// Only where its directory belongs to `owner`, whose OpenClaw it is: what a user's link, unit or project names
/// could be any file of the host, and whoever follows the hint would have it written with its owner's rights.
pub(crate) fn name_env_file(link: &str, owner: u32, file: &Path) -> Hint {
    if is_owners(owner, file) { ours::set_path(link, "ENV_FILE", file) } else { files::list(file) }
}

/// Says whether the directory of a file belongs to `owner`.
pub(crate) fn is_owners(owner: u32, file: &Path) -> bool {
    let directory = file.parent().and_then(|parent| Folder::reach(parent).ok());
    directory.is_some_and(|directory| directory.identity.uid == owner)
}

fn has_env(folder: &Path) -> bool {
    Folder::reach(folder).and_then(|folder| folder.stat(".env")).is_ok_and(|stat| stat.is_some())
}

/// Why OpenClaw does not read the environment now: a living profile comes before it.
pub(crate) fn why_unused(openclaw: &OpenClaw, now: Timestamp) -> Option<&'static str> {
    match openclaw.verdict.era {
        Era::Live | Era::Snapshot if openclaw.has_living_profile => {
            Some("OpenClaw uses the profile in auth-profiles.json before it")
        }
        Era::Imported | Era::Guarded => {
            let living = openclaw.ledger.paste.as_ref().is_some_and(|paste| {
                paste.barred.is_none() && paste.expiry.is_some_and(|expiry| expiry > now)
            });
            living.then_some("OpenClaw uses the pasted profile before it")
        }
        _ => None,
    }
}

/// Calls an `env` unused that a profile keeps from use.
pub(crate) fn hide(sinks: &mut [SinkReport], openclaw: &OpenClaw, now: Timestamp) {
    let Some(why) = why_unused(openclaw, now) else { return };
    let in_step =
        |sink: &&mut SinkReport| sink.kind == SinkKind::Env && sink.state == SinkState::InStep;
    for sink in sinks.iter_mut().filter(in_step) {
        sink.state = SinkState::Unused(why.to_owned());
    }
}
