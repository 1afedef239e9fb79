//! Reads openclaw.json as OpenClaw does: where it stands, through its user's links, with the files
//! that it includes. What cannot be read is never taken for absent.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::openclaw::variables::{Named, Variables};
use crate::app::openclaw::{CONFIGURATIONS, SIZE_LIMIT};
use crate::domain::config::settings::Settings;
use crate::domain::json5;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::openclaw_config::include::{self, Included, normal};
use crate::os::fs::dir::{self, Folder, Followed, QUICK};

/// The most that OpenClaw reads of an included file, in bytes (2026.9.6).
const INCLUDE_LIMIT: u64 = 2 << 20;

/// The most that is read of all files of a configuration, in bytes.
const TOTAL_LIMIT: usize = 4 << 20;

/// The file that a configuration stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// Its path, as OpenClaw names it.
    pub(crate) path: PathBuf,
    /// Where it really is, if a link leads there.
    pub(crate) target: Option<PathBuf>,
    /// The files that it includes.
    pub(crate) included: Vec<Included>,
    /// Whether it, or a file that it includes, has comments, or could have.
    pub(crate) has_comments: bool,
    /// Every path that its text depends on: its own, the included ones, and links on the way to them.
    pub(crate) ways: Vec<PathBuf>,
    /// Why it is not understood.
    pub(crate) fault: Option<String>,
}

/// Every path that the configuration of a link's OpenClaw depends on.
pub(crate) fn ways(settings: &Settings) -> Vec<PathBuf> {
    let state = settings.openclaw_state_dir.as_deref().map(Folder::reach);
    let Some(Ok(state)) = state else { return Vec::new() };
    let (_, file) = read(&state, &Variables::find(settings, &state));
    file.map_or_else(|| vec![state.path.join(CONFIGURATIONS[0])], |file| file.ways)
}

/// Reads the configuration; of one that does not stand anywhere there is no file.
pub(super) fn read(state: &Folder, variables: &Variables) -> (OpenclawConfig, Option<ConfigFile>) {
    match load(state, variables) {
        None => (OpenclawConfig::default(), None),
        Some((file, Ok(value))) => (OpenclawConfig::read(&value), Some(file)),
        Some((mut file, Err(why))) => {
            file.fault = Some(why);
            file.has_comments = true;
            (OpenclawConfig::unknown(), Some(file))
        }
    }
}

/// Reads what the configuration says, with all that it includes, or why it is not understood; `None` if
/// it does not stand anywhere.
pub(crate) fn load(
    state: &Folder,
    variables: &Variables,
) -> Option<(ConfigFile, Result<Value, String>)> {
    let path = match &variables.config_path {
        Some(Named { path: Ok(path), .. }) => path.clone(),
        Some(Named { path: Err(why), text }) => {
            return Some((ConfigFile::new(text.clone()), Err(why.clone())));
        }
        None => existing(state),
    };
    let mut file = ConfigFile::new(path);
    let value = match state.read_along(&file.path, SIZE_LIMIT, &mut file.ways) {
        Ok(Some(followed)) => understood(state, variables, &mut file, followed),
        Ok(None) if stands(&file.path) => Err("its link leads to nothing".to_owned()),
        Ok(None) => return None,
        Err(error) => Err(error.to_string()),
    };
    Some((file, value))
}

impl ConfigFile {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            target: None,
            included: Vec::new(),
            has_comments: false,
            ways: Vec::new(),
            fault: None,
        }
    }
}

/// The configuration under the newest name that stands there, be it a link that leads nowhere.
fn existing(state: &Folder) -> PathBuf {
    let stands = |name: &&str| !matches!(state.stat(name), Ok(None));
    let name = CONFIGURATIONS.into_iter().find(stands).unwrap_or(CONFIGURATIONS[0]);
    state.path.join(name)
}

fn stands(path: &Path) -> bool {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
    let stat = Folder::reach(parent).and_then(|folder| folder.stat(&name.to_string_lossy()));
    !matches!(stat, Ok(None))
}

fn understood(
    state: &Folder,
    variables: &Variables,
    file: &mut ConfigFile,
    followed: Followed,
) -> Result<Value, String> {
    let folder = file.path.parent().unwrap_or(Path::new("/"));
    let real_folder = real(folder);
    let is_link = file.path.file_name() != followed.real_path.file_name()
        || Some(real_folder.as_path()) != followed.real_path.parent();
    file.target = is_link.then_some(followed.real_path);
    let document = json5::read(&followed.seen.bytes).map_err(|fault| fault.to_string())?;
    file.has_comments = document.has_comments;
    let mut read = Includes {
        state,
        variables,
        roots: roots(folder, variables),
        left: TOTAL_LIMIT,
        has_comments: document.has_comments,
        ways: Vec::new(),
    };
    let resolved = include::resolve(document.value, &file.path, &mut |path| {
        read.load(path).map_err(|why| format!("it includes '{}': {why}", path.display()))
    });
    file.has_comments = read.has_comments;
    file.ways.append(&mut read.ways);
    let resolved = resolved?;
    file.included = resolved.files;
    if resolved.value.is_object() {
        Ok(resolved.value)
    } else {
        Err("it holds no object".to_owned())
    }
}

/// A directory in which included files may be: as it is named, and as it really is.
struct Root {
    named: PathBuf,
    real: PathBuf,
}

fn roots(folder: &Path, variables: &Variables) -> Vec<Root> {
    let more = variables.include_roots.iter().cloned();
    let all = std::iter::once(folder.to_owned()).chain(more);
    all.map(|named| Root { real: real(&named), named: normal(&named) }).collect()
}

fn real(folder: &Path) -> PathBuf {
    let real = Folder::reach(folder).and_then(|folder| folder.real_path());
    real.unwrap_or_else(|_| folder.to_owned())
}

/// The files that a configuration includes, on this host.
struct Includes<'a> {
    state: &'a Folder,
    variables: &'a Variables,
    roots: Vec<Root>,
    /// How many bytes may still be read.
    left: usize,
    has_comments: bool,
    ways: Vec<PathBuf>,
}

impl Includes<'_> {
    fn load(&mut self, path: &Path) -> Result<Value, String> {
        let path = self.variables.on_host(path).ok_or("it is a path in the container")?;
        if !self.roots.iter().any(|root| path.starts_with(&root.named)) {
            let why = "OpenClaw includes only what is below the directory of its configuration, or below OPENCLAW_INCLUDE_ROOTS";
            return Err(why.to_owned());
        }
        let followed = self.state.read_along(&path, INCLUDE_LIMIT, &mut self.ways);
        let followed = followed.map_err(|error| error.to_string())?.ok_or("it is not there")?;
        if !self.roots.iter().any(|root| followed.real_path.starts_with(&root.real)) {
            return Err("a link leads out of the directory of the configuration".to_owned());
        }
        if followed.seen.stat.st_nlink > 1 {
            return Err("OpenClaw refuses a file with a second name (hard link)".to_owned());
        }
        let bytes = followed.seen.bytes;
        self.left = self.left.checked_sub(bytes.len()).ok_or("it is too much in all")?;
        if TOTAL_LIMIT - self.left > QUICK && dir::leave_to_another(&path, "large configuration") {
            return Err("it is read by another process".to_owned());
        }
        let document = json5::read(&bytes).map_err(|fault| fault.to_string())?;
        self.has_comments |= document.has_comments;
        Ok(document.value)
    }
}
