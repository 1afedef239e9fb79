//! Files that hold the token and that others than their owner can read: the login, the sinks, and backups of both.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use log::Level;

use crate::app::report::{Line, Report, SinkState};
use crate::domain::config::settings::Settings;
use crate::domain::credential::Credential;
use crate::domain::hints::files;
use crate::domain::shell::{Hint, User};
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::fs::readers::{self, Readers};

/// The state of such a line.
pub(crate) const READABLE: &str = "readable";

/// The most that is read of a file that could be a backup, in bytes.
const BACKUP_LIMIT: u64 = 1 << 20;

/// How many names beside a file are looked at: whoever fills their own directory keeps nobody waiting.
const BACKUP_COUNT: usize = 32;

/// The stores of OpenClaw that a backup may lie beside.
const STORES: [&str; 2] = ["credentials/oauth.json", "agents/main/agent/auth-profiles.json"];

/// A file with the token that others can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exposed {
    /// The file.
    pub(crate) path: PathBuf,
    /// Who can.
    pub(crate) readers: Readers,
    /// Whose it is.
    user: User,
}

/// What was found of a link.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    /// The files that others can read.
    pub(crate) files: Vec<Exposed>,
    /// Why directories were not searched for copies of the token: they have too many names.
    pub(crate) unlisted: Vec<Error>,
}

/// Looks at all of a link's files.
pub(crate) fn look(settings: &Settings, report: &Report) -> Exposure {
    let files = files_with_token(settings, report);
    let mut exposed: Vec<Exposed> = files.iter().filter_map(|path| of(path)).collect();
    let known = exposed.iter().map(|exposed| exposed.path.clone());
    let mut known: HashSet<PathBuf> = files.iter().cloned().chain(known).collect();
    let mut unlisted = Vec::new();
    let Some(credential) = report.source.credential() else {
        return Exposure { files: exposed, unlisted };
    };
    for original in originals(settings, report) {
        match backups(&original, credential) {
            Ok(backups) => exposed.extend(
                backups
                    .into_iter()
                    .filter(|backup| known.insert(backup.clone()))
                    .filter_map(|backup| of(&backup)),
            ),
            Err(error) => unlisted.push(error),
        }
    }
    let mut named = HashSet::new();
    unlisted.retain(|error| named.insert(error.object.clone()));
    Exposure { files: exposed, unlisted }
}

/// The login, and the sinks that hold its token.
fn files_with_token(settings: &Settings, report: &Report) -> Vec<PathBuf> {
    let holds = |state: &SinkState| {
        matches!(state, SinkState::InStep | SinkState::Unused(_) | SinkState::Unsettled(_))
    };
    let source = report.source.credential().map(|_| settings.claude_credentials.clone());
    let sinks = report.sinks.iter().filter(|sink| holds(&sink.state));
    source.into_iter().chain(sinks.filter_map(|sink| sink.path.clone())).collect()
}

/// The files beside which copies may lie, each once.
fn originals(settings: &Settings, report: &Report) -> Vec<PathBuf> {
    let state = settings.openclaw_state_dir.as_deref();
    let stores = state.into_iter().flat_map(|state| STORES.map(|store| state.join(store)));
    let mut originals = files_with_token(settings, report);
    originals.extend(stores);
    originals.extend(report.sinks.iter().filter_map(|sink| sink.path.clone()));
    originals.extend([&settings.oauth_json, &settings.secret_file].into_iter().flatten().cloned());
    let mut looked_at = HashSet::new();
    originals.retain(|original| looked_at.insert(original.clone()));
    originals
}

fn of(path: &Path) -> Option<Exposed> {
    // A link has no mode of its own.
    let (folder, name) = Folder::reach_followed(path).ok()?;
    let readers = readers::of(&folder, &name).ok()??;
    Some(Exposed { path: folder.path.join(name), readers, user: folder.user() })
}

/// Copies beside a file whose names begin as its does, and in which one of the tokens stands; an error where the
/// directory has too many names.
fn backups(original: &Path, credential: &Credential) -> Result<Vec<PathBuf>, Error> {
    let (Some(parent), Some(name)) =
        (original.parent(), original.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(Vec::new());
    };
    let Ok(folder) = Folder::reach(parent) else { return Ok(Vec::new()) };
    let names = match folder.bounded_names() {
        Ok(names) => names.ok_or_else(|| folder.too_many())?,
        Err(_) => Vec::new(),
    };
    let names = names.iter().filter_map(|other| other.to_str());
    let others = names.filter(|other| {
        *other != name && other.trim_start_matches('.').starts_with(name.trim_start_matches('.'))
    });
    let tokens: Vec<&[u8]> = std::iter::once(&credential.access_token)
        .chain(&credential.refresh_token)
        .map(|token| token.expose().as_bytes())
        .collect();
    let holds = |other: &&str| {
        let open = readers::of(&folder, other).ok().flatten().is_some();
        let seen = open.then(|| folder.read(other, BACKUP_LIMIT).ok().flatten()).flatten();
        seen.is_some_and(|seen| tokens.iter().any(|token| contains(&seen.bytes, token)))
    };
    Ok(others.take(BACKUP_COUNT).filter(holds).map(|other| parent.join(other)).collect())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

impl Exposed {
    /// What is the matter.
    pub(crate) fn meaning(&self) -> String {
        let (path, who) = (self.path.display(), &self.readers.who);
        let text = format!("others can read '{path}', and the token in it: {who}");
        if self.readers.has_modes {
            return text;
        }
        format!(
            "{text}; its file system has no modes of its own: mount it with umask=077, or with file_mode=0600 and dir_mode=0700"
        )
    }

    /// The command that takes the right away, as the file's owner.
    pub(crate) fn command(&self) -> Hint {
        if !self.readers.has_modes {
            return files::show_file_system(&self.path);
        }
        files::close_to(self.readers.bits, &self.path).run_by(&self.user)
    }

    /// What there is to say.
    pub(crate) fn line(&self) -> Line {
        let mut line = Line::remark(Level::Warn, READABLE, self.meaning());
        line.hint = Some(self.command());
        line
    }

    /// Takes the right away, as the owner of the file's directory.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let (Some(parent), Some(name)) =
            (self.path.parent(), self.path.file_name().and_then(|name| name.to_str()))
        else {
            return Ok(());
        };
        let mode = self.readers.mode & !self.readers.bits;
        Folder::reach(parent)?.set_mode(name, mode)
    }
}
