//! What systemd units say: folders in their environment, and the units that run a gateway.

use std::path::{Path, PathBuf};

use crate::app::detect::homes::Home;
use crate::app::detect::tree::Tree;
use crate::domain::config::words;

/// Where units of the whole host lie, the ones that win first (systemd.unit(5)).
const SYSTEM: [&str; 3] =
    ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

/// Where a user's own units lie, below the home.
const USER: &str = ".config/systemd/user";

/// Something that a unit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// The unit's name.
    pub(crate) unit: String,
    /// Whose unit it is; `None` for the system's.
    pub(crate) user: Option<u32>,
    /// A variable of its environment and the folder that it names.
    pub(crate) variable: String,
    /// The folder.
    pub(crate) folder: PathBuf,
}

/// The variables that name a folder of Claude's or OpenClaw's.
const VARIABLES: [&str; 5] = [
    "CLAUDE_CONFIG_DIR",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_HOME",
    "OPENCLAW_CONFIG_PATH",
    "CLAWDBOT_STATE_DIR",
];

/// Collects the folders that units name.
pub(crate) fn hints(tree: &Tree, homes: &[Home]) -> Vec<Hint> {
    let system = SYSTEM.iter().take(2).flat_map(|folder| read(tree, Path::new(folder), None));
    let users = homes.iter().flat_map(|home| read(tree, &home.path.join(USER), Some(home.uid)));
    system.chain(users).collect()
}

fn read(tree: &Tree, folder: &Path, user: Option<u32>) -> Vec<Hint> {
    let units = tree.names(folder).into_iter().filter(|name| is_service(name));
    units
        .flat_map(|unit| {
            let text = tree.text(&folder.join(&unit)).unwrap_or_default();
            variables(&text)
                .into_iter()
                .map(|(variable, folder)| Hint { unit: unit.clone(), user, variable, folder })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn is_service(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "service")
}

fn variables(unit: &str) -> Vec<(String, PathBuf)> {
    let lines = unit.lines().filter_map(|line| line.trim().strip_prefix("Environment="));
    let assignments = lines.flat_map(|line| words::split(line).unwrap_or_default());
    assignments
        .filter_map(|word| {
            let (variable, value) = word.split_once('=')?;
            let folder = Path::new(value);
            (VARIABLES.contains(&variable) && folder.is_absolute())
                .then(|| (variable.to_owned(), folder.to_owned()))
        })
        .collect()
}

/// The unit that runs the gateway of a state folder, by its name, and whether it is a user's.
pub(crate) fn gateway(
    tree: &Tree,
    home: Option<&Home>,
    state_dir: &Path,
) -> Option<(String, bool)> {
    let profile = state_dir.file_name()?.to_str()?.strip_prefix(".openclaw-").map(str::to_owned);
    let of_user = match profile {
        Some(profile) => format!("openclaw-gateway-{profile}.service"),
        None => "openclaw-gateway.service".to_owned(),
    };
    if let Some(home) = home
        && tree.has(&home.path.join(USER).join(&of_user))
    {
        return Some((of_user, true));
    }
    let names = [of_user.as_str(), "openclaw.service"];
    let found = names
        .into_iter()
        .find(|name| SYSTEM.iter().any(|folder| tree.has(&Path::new(folder).join(name))))?;
    Some((found.to_owned(), false))
}
