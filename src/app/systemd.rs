//! Our own units and the original's, seen to through systemctl.

use std::path::Path;
use std::time::Duration;

use crate::app::error::Error;
use crate::app::setup::detect::{Rival, Tree};
use crate::domain::unit_paths::OF_HOST;
use crate::domain::units::{self, Unit};
use crate::os;
use crate::os::process::command::Ended;
use crate::os::process::systemctl;

/// What has to be enabled; the rest is pulled in.
pub(crate) const UNITS: [&str; 2] = ["oauth-sync.service", "oauth-sync-refresh.timer"];

/// How long systemctl may take: it waits for the watcher to be ready.
const LIMIT: Duration = Duration::from_secs(120);

/// How long it may take to tell what it knows.
const SHOW_LIMIT: Duration = Duration::from_secs(10);

/// What is known of our units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Services {
    /// This host is not run by systemd.
    NoSystemd,
    /// The units are not there: it was not installed from a package.
    NotInstalled,
    /// They would not come back after a boot.
    Disabled,
    /// They come back after each boot.
    Enabled,
}

/// Looks for our units, without asking systemd.
pub(crate) fn look(tree: &Tree) -> Services {
    let installed =
        |unit: &str| OF_HOST.iter().any(|folder| tree.has(&Path::new(folder).join(unit)));
    let wanted = |unit: &str, by: &str| {
        tree.has(&Path::new("/etc/systemd/system").join(format!("{by}.wants")).join(unit))
    };
    match () {
        () if !tree.has(Path::new(systemctl::BOOTED)) => Services::NoSystemd,
        () if !UNITS.iter().all(|unit| installed(unit)) => Services::NotInstalled,
        () if wanted(UNITS[0], "multi-user.target") && wanted(UNITS[1], "timers.target") => {
            Services::Enabled
        }
        () => Services::Disabled,
    }
}

/// Enables our units and starts them.
pub(crate) fn enable() -> Result<(), Error> {
    call(&[&["enable", "--now"][..], &UNITS].concat())
}

/// The units of the original that something pulls in, by their names and their users.
pub(crate) fn originals(tree: &Tree, rivals: &[Rival]) -> Vec<(String, Option<String>)> {
    let active = rivals.iter().filter_map(|rival| match rival {
        Rival::Unit { path, user } if is_wanted(tree, path) => {
            Some((path.file_name()?.to_str()?.to_owned(), user.clone()))
        }
        _ => None,
    });
    active.collect()
}

/// Says whether something pulls a unit in.
pub(crate) fn is_wanted(tree: &Tree, unit: &Path) -> bool {
    let (Some(folder), Some(name)) = (unit.parent(), unit.file_name()) else { return false };
    let by = tree.names(folder).into_iter();
    let pulls = |name: &String| {
        Path::new(name).extension().is_some_and(|kind| kind == "wants" || kind == "requires")
    };
    by.filter(pulls).any(|by| tree.has(&folder.join(by).join(name)))
}

/// Switches one of the original's units off, now and for good.
pub(crate) fn switch_off(tree: &Tree, unit: &str, user: Option<&str>) -> Result<(), Error> {
    let root = format!("--root={}", tree.place(Path::new("/")).display());
    match user {
        None if !tree.is_host() => call(&[&root, "disable", unit]),
        // Nothing runs that could be stopped.
        None if !tree.has(Path::new(systemctl::BOOTED)) => call(&["disable", unit]),
        None => call(&["disable", "--now", unit]),
        Some(_) if !tree.is_host() => {
            let what = "it is a user's, which only the running host can manage";
            Err(os::error::Error::odd("disable", Path::new(unit), what).into())
        }
        Some(user) => {
            let machine = format!("{user}@");
            call(&["--user", "-M", &machine, "disable", "--now", unit])
        }
    }
}

/// All of our units as systemd knows them; none where this host is not run by systemd.
///
/// # Errors
/// In words fit for a message, where systemd runs and does not answer.
pub(crate) fn shown() -> Result<Vec<Unit>, String> {
    let words = [&["show", units::PROPERTIES, "--"][..], &units::ALL].concat();
    let shown =
        systemctl::run(&words, SHOW_LIMIT).map_err(|error| error.to_string()).and_then(|ended| {
            let text = String::from_utf8_lossy(&ended.stdout).into_owned();
            if ended.is_success() { Ok(units::parse(&text)) } else { Err(reason(&ended)) }
        });
    shown.or_else(|why| if systemctl::is_booted() { Err(why) } else { Ok(Vec::new()) })
}

fn call(words: &[&str]) -> Result<(), Error> {
    let ended = systemctl::run(words, LIMIT)?;
    if ended.is_success() {
        return Ok(());
    }
    Err(os::error::Error::odd("run", Path::new("systemctl"), reason(&ended)).into())
}

/// Why it came to nothing: its last words, else its exit status.
fn reason(ended: &Ended) -> String {
    let said = String::from_utf8_lossy(&ended.stderr);
    said.lines().last().map_or_else(|| ended.how(), str::to_owned)
}
