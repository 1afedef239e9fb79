//! The variables by which OpenClaw finds its files, and the paths that its configuration names.

use std::path::{Component, Path, PathBuf};

use crate::domain::config::settings::Settings;
use crate::domain::envfile;
use crate::domain::expand::{expand, home_is};
use crate::os::fs::dir::Folder;
use crate::os::user::account;

/// The most that OpenClaw reads of a `.env`, in bytes (2026.9.6).
const ENV_LIMIT: u64 = 1 << 20;

/// Where the official image has its home; the state directory is mounted below it.
const HOME_IN_CONTAINER: &str = "/home/node";

/// Where OpenClaw looks for things: what our own configuration says, else the `.env` of its state
/// directory.
pub(crate) struct Variables {
    /// `OPENCLAW_CONFIG_PATH`: the configuration file.
    pub(crate) config_path: Option<Named>,
    /// `OPENCLAW_AGENT_DIR`: the directory of the main agent's store.
    pub(crate) agent_dir: Option<Named>,
    /// `OPENCLAW_INCLUDE_ROOTS`: where included files may be, beside the configuration's directory.
    pub(crate) include_roots: Vec<PathBuf>,
    names: Names,
}

/// A path, as it is named.
#[derive(Clone)]
pub(crate) struct Named {
    /// The text that names it.
    pub(crate) text: PathBuf,
    /// The path on this host, or why there is none.
    pub(crate) path: Result<PathBuf, String>,
}

/// What the names of OpenClaw's own paths mean on this host.
struct Names {
    state_dir: PathBuf,
    home: PathBuf,
    in_container: bool,
}

impl Variables {
    /// Collects them for the OpenClaw of a state directory.
    pub(crate) fn find(settings: &Settings, state: &Folder) -> Self {
        let env = state.read_through(&state.path.join(".env"), ENV_LIMIT).ok().flatten();
        let env = env.map(|env| String::from_utf8_lossy(&env.seen.bytes).into_owned());
        let in_env = |name: &str| {
            let value = envfile::get(env.as_deref()?.as_bytes(), name)?.expose().trim().to_owned();
            Some(value).filter(|value| !value.is_empty())
        };
        let in_container = settings.compose_dir.is_some() || settings.is_container();
        let names = Names { state_dir: state.path.clone(), home: home(state), in_container };
        let find = |configured: &Option<PathBuf>, name: &str| match configured {
            Some(path) => Some(Named { text: path.clone(), path: Ok(path.clone()) }),
            None => in_env(name).map(|text| Named { path: names.path(&text), text: text.into() }),
        };
        let config_path = find(&settings.openclaw_config_path, "OPENCLAW_CONFIG_PATH");
        let agent_dir = find(&settings.openclaw_agent_dir, "OPENCLAW_AGENT_DIR");
        let mut include_roots = settings.openclaw_include_roots.clone();
        if include_roots.is_empty() {
            let text = in_env("OPENCLAW_INCLUDE_ROOTS").unwrap_or_default();
            let roots = text.split(':').map(str::trim).filter(|root| !root.is_empty());
            include_roots = roots.filter_map(|root| names.path(root).ok()).collect();
        }
        Self { config_path, agent_dir, include_roots, names }
    }

    /// The path on this host that OpenClaw means by a text, or why there is none.
    pub(crate) fn path(&self, text: &str) -> Result<PathBuf, String> {
        self.names.path(text)
    }

    /// Where a path of OpenClaw's lies on this host; `None` if only its container has it.
    pub(crate) fn on_host(&self, path: &Path) -> Option<PathBuf> {
        self.names.on_host(path)
    }
}

impl Names {
    fn path(&self, text: &str) -> Result<PathBuf, String> {
        let home = if self.in_container { Path::new(HOME_IN_CONTAINER) } else { &self.home };
        let Some(path) = expand(text.trim(), &home_is(home)).map(PathBuf::from) else {
            return Err(format!("'{text}' has a variable in it whose value is not known here"));
        };
        if !path.is_absolute() {
            return Err(format!("'{text}' is no absolute path"));
        }
        self.on_host(&path)
            .filter(|path| path.components().all(|part| part != Component::ParentDir))
            .ok_or_else(|| format!("'{text}' is not on this host: it is a path in the container"))
    }

    fn on_host(&self, path: &Path) -> Option<PathBuf> {
        // Without compose it may still be a container's: Quadlet's, or one that a command starts.
        let is_inside = self.in_container || path.starts_with(HOME_IN_CONTAINER);
        if !is_inside
            || path.starts_with(&self.state_dir)
            || self.home == Path::new(HOME_IN_CONTAINER)
        {
            return Some(path.to_owned());
        }
        let below = path.strip_prefix(Path::new(HOME_IN_CONTAINER).join(".openclaw")).ok()?;
        Some(if below.as_os_str().is_empty() {
            self.state_dir.clone()
        } else {
            self.state_dir.join(below)
        })
    }
}

/// The home that OpenClaw runs with: the state directory stands in it under its usual name, else it
/// is that of the owner's account.
fn home(state: &Folder) -> PathBuf {
    let parent = || state.path.parent().unwrap_or(Path::new("/")).to_owned();
    if state.path.file_name().is_some_and(|name| name == ".openclaw") {
        return parent();
    }
    account::of(state.identity.uid).map_or_else(parent, |account| account.home)
}
