//! What every command stands on: the configuration, the state folder, the run folder.

use std::path::{Path, PathBuf};

use crate::app::error::Error;
use crate::app::state::link_state;
use crate::domain::acceptance::{Mark, Memory};
use crate::domain::config::settings::Settings;
use crate::domain::config::{self, Config, Problem};
use crate::domain::credential::Credential;
use crate::domain::order;
use crate::domain::secret::Secret;
use crate::os;
use crate::os::fingerprint::Fingerprinter;
use crate::os::fs::access;
use crate::os::fs::dir::Folder;
use crate::os::lock::advisory::Lock;
use crate::os::lock::openclaw_lock::Tag;
use crate::os::process::own_files;

/// The largest configuration file that is read, in bytes.
pub(crate) const CONFIG_LIMIT: u64 = 256 * 1024;

/// Where this installation keeps its things.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the options --config-dir, --state-dir, --run-dir"
)]
pub(crate) struct Places {
    /// `NAME.conf`, one file a link.
    pub(crate) config_dir: PathBuf,
    /// What must survive a reboot.
    pub(crate) state_dir: PathBuf,
    /// Locks and queues.
    pub(crate) run_dir: PathBuf,
}

impl Places {
    /// The directories of this installation's own.
    pub(crate) fn own(&self) -> Vec<PathBuf> {
        vec![self.config_dir.clone(), self.state_dir.clone(), self.run_dir.clone()]
    }
}

/// The state folder, opened, and what depends on it.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Where everything is.
    pub(crate) places: Places,
    /// `links/` in the state directory; none before the first sync.
    pub(crate) links: Option<Folder>,
    /// This installation's fingerprints.
    pub(crate) fingerprinter: Fingerprinter,
}

impl Ground {
    /// Opens the state folder and the run folder; makes them where they are missing.
    pub(crate) fn open(places: &Places) -> Result<Self, Error> {
        let state = open_or_make(&places.state_dir)?;
        open_or_make(&places.run_dir)?;
        access::let_through(&places.run_dir)?;
        let links = state.make("links")?;
        let fingerprinter = if let Some(found) = Fingerprinter::find(&state)? {
            found
        } else {
            // Two that start at once must not make two keys.
            let _lock = Lock::wait(&places.run_dir, "key")?;
            Fingerprinter::load(&state)?
        };
        Ok(Self { places: places.clone(), links: Some(links), fingerprinter })
    }

    /// Opens what is there and makes nothing.
    pub(crate) fn look(places: &Places) -> Result<Self, Error> {
        let places = places.clone();
        match Folder::reach(&places.state_dir) {
            Ok(state) => {
                let links = state.enter(Path::new("links")).ok();
                let fingerprinter = Fingerprinter::load_existing(&state)?;
                Ok(Self { places, links, fingerprinter })
            }
            Err(error) if error.is_absent() => {
                Ok(Self { places, links: None, fingerprinter: Fingerprinter::passing() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A folder of the state folder, made where it is missing.
    pub(crate) fn folder(&self, name: &str) -> Result<Folder, Error> {
        Ok(open_or_make(&self.places.state_dir)?.make(name)?)
    }

    /// A folder of the state folder, if it is there.
    pub(crate) fn existing(&self, name: &str) -> Option<Folder> {
        Folder::reach(&self.places.state_dir).ok()?.enter(Path::new(name)).ok()
    }

    /// What a link remembers of its source.
    pub(crate) fn remember(&self, settings: &Settings) -> Result<Memory, Error> {
        let Some(links) = &self.links else { return Ok(Memory::default()) };
        let source = settings.claude_credentials.to_string_lossy();
        Ok(link_state::load(links, &settings.name, &source)?)
    }

    /// Saves what a link remembers.
    pub(crate) fn save(&self, settings: &Settings, memory: &Memory) {
        let source = settings.claude_credentials.to_string_lossy();
        let saved = match &self.links {
            Some(links) => link_state::save(links, &settings.name, &source, memory),
            None => Ok(()),
        };
        if let Err(error) = saved {
            log::warn!("{}: {error}: an older login could be taken for a new one", settings.name);
        }
    }

    /// Clears away what a killed run may have left of the link's memory.
    pub(crate) fn tidy(&self, settings: &Settings) {
        if let Some(links) = &self.links {
            link_state::tidy(links, &settings.name);
        }
    }

    /// What marks a lock as one of this installation's.
    pub(crate) fn lock_tag(&self) -> Tag {
        Tag::of(self.fingerprinter.of(&Secret::new("lock")))
    }

    /// A credential's mark: its access token's fingerprint and expiry.
    pub(crate) fn mark(&self, credential: &Credential) -> Mark {
        Mark {
            fingerprint: self.fingerprinter.of(&credential.access_token),
            expiry: credential.expiry,
        }
    }
}

/// Says whether the state folder holds a file of this name, which stands there as a mark.
pub(crate) fn is_marked(places: &Places, name: &str) -> bool {
    let state = Folder::reach(&places.state_dir);
    state.and_then(|state| state.stat(name)).is_ok_and(|stat| stat.is_some())
}

/// Opens a folder of ours; makes it, and those above it, where they are missing.
pub(crate) fn open_or_make(path: &Path) -> Result<Folder, os::error::Error> {
    match Folder::reach(path) {
        Err(error) if error.is_absent() => {
            let parent = path.parent().unwrap_or(Path::new("/"));
            let name = path.file_name().and_then(|name| name.to_str()).ok_or(error)?;
            open_or_make(parent)?.make(name)
        }
        other => other,
    }
}

/// Reads every `*.conf` of the configuration folder, with all its faults.
pub(crate) fn configuration(config_dir: &Path) -> Result<Config, Error> {
    configuration_with(config_dir, None)
}

/// The same, as it would be with the file of this name replaced by this text.
pub(crate) fn configuration_with(
    config_dir: &Path,
    draft: Option<(&str, String)>,
) -> Result<Config, Error> {
    let draft = draft.map(|(name, text)| (config_dir.join(name), text));
    let folder = match own_files::directory(config_dir) {
        Ok(folder) => folder,
        Err(error) if error.is_absent() => return Ok(config::read(draft.as_slice())),
        Err(error) if error.is_odd() => {
            let problems = vec![disobeyed(config_dir, &error)];
            return Ok(Config { problems, ..Config::default() });
        }
        Err(error) => return Err(error.into()),
    };
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    for name in folder.names()? {
        let Some(name) = name.to_str().filter(|name| is_configuration(name)) else { continue };
        let path = config_dir.join(name);
        if draft.as_ref().is_some_and(|(drafted, _)| *drafted == path) {
            continue;
        }
        match own_files::read(&folder, name, CONFIG_LIMIT) {
            Ok(Some(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => files.push((path, text)),
                Err(_) => unreadable.push(Problem {
                    file: path,
                    line: 1,
                    cause: own_files::NO_TEXT.to_owned(),
                    hint: None,
                }),
            },
            Ok(None) => {}
            Err(error) => unreadable.push(disobeyed(&path, &error)),
        }
    }
    files.extend(draft);
    order::sort_by_key(&mut files, |(path, _)| path.clone());
    let mut config = config::read(&files);
    config.problems.extend(unreadable);
    Ok(config)
}

/// A file that is not obeyed as a whole.
fn disobeyed(file: &Path, error: &os::error::Error) -> Problem {
    let hint = error.command().cloned();
    Problem { file: file.to_owned(), line: 0, cause: error.cause.to_string(), hint }
}

/// Package managers and editors leave copies beside a file; only plain `NAME.conf` counts.
fn is_configuration(name: &str) -> bool {
    name.strip_suffix(".conf").is_some_and(|stem| !stem.starts_with('.'))
}

/// The links that a one-shot command works on: all, or the one named; any fault stops it.
pub(crate) fn links(config_dir: &Path, only: Option<&str>) -> Result<Vec<Settings>, Error> {
    let (links, problems) = sound_links(config_dir, only)?;
    if problems.is_empty() { Ok(links) } else { Err(Error::Configuration(problems)) }
}

/// Why there is nothing to do where nothing had to be done: there is no link, or none of that name.
pub(crate) fn absent_link(config_dir: &Path, only: Option<&str>) -> Option<Error> {
    links(config_dir, only)
        .err()
        .filter(|error| matches!(error, Error::NoLink(..) | Error::UnknownLink(..)))
}

/// The same links as far as they are sound, and the faults of the configuration; none at all is an
/// error.
pub(crate) fn sound_links(
    config_dir: &Path,
    only: Option<&str>,
) -> Result<(Vec<Settings>, Vec<Problem>), Error> {
    let Config { mut links, problems, unfinished } = configuration(config_dir)?;
    let names: Vec<String> = links.iter().map(|link| link.name.clone()).collect();
    links.retain(|link| only.is_none_or(|only| link.name == only));
    match only {
        _ if !links.is_empty() => Ok((links, problems)),
        _ if !problems.is_empty() => Err(Error::Configuration(problems)),
        Some(only) if !names.is_empty() => Err(Error::UnknownLink(only.to_owned(), names)),
        _ => Err(Error::NoLink(config_dir.display().to_string(), unfinished)),
    }
}
