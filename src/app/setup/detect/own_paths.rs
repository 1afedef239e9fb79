//! The paths that whatever runs an OpenClaw gives it besides its state directory.

use std::path::{Path, PathBuf};

/// The names that the configuration has had.
pub(super) const CONFIGURATIONS: [&str; 4] =
    ["openclaw.json", "clawdbot.json", "moldbot.json", "moltbot.json"];

/// The paths, on this host, as far as they are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnPaths {
    /// `OPENCLAW_CONFIG_PATH`: `openclaw.json`.
    pub(super) config: Option<PathBuf>,
    /// `OPENCLAW_AGENT_DIR`: the directory of the main agent's store.
    pub(super) agent_dir: Option<PathBuf>,
}

impl OwnPaths {
    /// Asks for each variable.
    pub(super) fn find(named: impl Fn(&str) -> Option<PathBuf>) -> Self {
        Self { config: named("OPENCLAW_CONFIG_PATH"), agent_dir: named("OPENCLAW_AGENT_DIR") }
    }

    /// Takes from another what is not named here.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            config: self.config.or_else(|| other.config.clone()),
            agent_dir: self.agent_dir.or_else(|| other.agent_dir.clone()),
        }
    }

    /// Leaves those that are where the OpenClaw of this state directory looks anyway.
    pub(super) fn besides(self, state_dir: &Path) -> Self {
        let is_usual = |file: &PathBuf| {
            let name = file.file_name();
            file.parent() == Some(state_dir)
                && name.is_some_and(|name| CONFIGURATIONS.iter().any(|usual| name == *usual))
        };
        let main = state_dir.join("agents/main/agent");
        Self {
            config: self.config.filter(|file| !is_usual(file)),
            agent_dir: self.agent_dir.filter(|directory| *directory != main),
        }
    }
}

/// What a line of a compose file's `environment:` sets a variable to.
pub(super) fn named_in<'a>(line: &'a str, variable: &str) -> Option<&'a str> {
    let line = line.trim().trim_start_matches("- ").trim().trim_matches(['"', '\'']);
    let value = line.strip_prefix(variable)?.trim_start();
    Some(value.strip_prefix([':', '='])?.trim().trim_matches(['"', '\'']))
}
