//! Which folders have to be watched so that no change of a source, its folder or its OpenClaw is missed.

use std::path::{Path, PathBuf};

use crate::app::openclaw;
use crate::app::openclaw::paste_consent;
use crate::app::state::gateway_state;
use crate::domain::config::settings::Settings;
use crate::domain::openclaw_config::include::normal;
use crate::os::error::Error;
use crate::os::event::event_loop::Events;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;

/// The last key of a link; greater ones are the watcher's own.
pub(crate) const LAST_LINK: usize = usize::MAX - 4;

/// How many paths of an OpenClaw's configuration are watched: its user could name any number.
const MOST_WAYS: usize = 64;

/// The key of the configuration folder.
pub(crate) const CONFIGURATION: usize = usize::MAX;

/// The key of requests, and of messages that wait.
pub(crate) const ERRANDS: usize = usize::MAX - 2;

/// The key of how renewals went.
pub(crate) const RENEWALS: usize = usize::MAX - 3;

/// Watches what other runs of this program leave, so that what is due next is always known.
pub(crate) fn errands(events: &mut Events, folder: &Path, key: usize) {
    if let Err(error) = whole_way(events, folder, "", key)
        && events.scarce().is_none()
    {
        detail!("{error}: looked at only with the next event");
    }
}

/// Watches the configuration folder, so that a link that appears is taken up.
pub(crate) fn configuration(events: &mut Events, folder: &Path) {
    if let Err(error) = whole_way(events, folder, "", CONFIGURATION)
        && events.scarce().is_none()
    {
        log::error!("{error}: a changed configuration is read only on SIGHUP");
    }
}

/// Watches what one link depends on; says whether its source's file system tells of changes.
pub(crate) fn link(events: &mut Events, settings: &Settings, state_dir: &Path, key: usize) -> bool {
    // What was learnt of the gateway changes what is to be written, and when to try again.
    let ledger = gateway_state::file_name(&settings.name);
    let _ = whole_way(events, &state_dir.join(gateway_state::FOLDER), &ledger, key);
    // The consent that a first paste waits for is given by other runs: a command, or setup.
    let _ = whole_way(events, state_dir, &paste_consent::mark(&settings.name), key);
    if let Some(state) = &settings.openclaw_state_dir {
        // A newer OpenClaw makes `state/`.
        let _ = whole_way(events, state, "state", key);
        for path in openclaw::ways(settings).iter().take(MOST_WAYS).map(|path| normal(path)) {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
            // It may lead, and include, elsewhere after any change.
            let watch = |events: &mut Events, folder: &Folder| {
                events.watch_step(folder, &name.to_string_lossy(), key)
            };
            let _ = way(events, folder, key, watch);
        }
    }
    match file(events, &settings.claude_credentials, key) {
        Ok(notifies) => notifies,
        // How many are left is said once, by who watches.
        Err(_) if events.scarce().is_some() => false,
        Err(error) => {
            detail!("{error}: comparing once a minute instead");
            false
        }
    }
}

fn file(events: &mut Events, path: &Path, key: usize) -> Result<bool, Error> {
    let (Some(folder), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(true);
    };
    whole_way(events, folder, name, key)
}

/// Watches `name` in `folder`, and every folder on the way for being moved, replaced or removed.
///
/// Where the way ends early, the nearest folder is watched for the next step of it.
fn whole_way(events: &mut Events, folder: &Path, name: &str, key: usize) -> Result<bool, Error> {
    way(events, folder, key, |events, folder| events.watch(folder, name, key))
}

/// The same with another watch at the end of the way.
fn way(
    events: &mut Events,
    folder: &Path,
    key: usize,
    watch: impl FnOnce(&mut Events, &Folder) -> Result<(), Error>,
) -> Result<bool, Error> {
    let mut nearest: Option<Folder> = None;
    events.watch_mounts(folder, key);
    for step in steps(folder) {
        match Folder::reach(&step) {
            Ok(reached) => {
                if let Some(parent) = &nearest {
                    on_the_way(events, parent, &step, key)?;
                }
                nearest = Some(reached);
            }
            Err(error) => {
                let (Some(parent), Some(missing)) = (&nearest, step.file_name()) else {
                    return Err(error);
                };
                events.watch_step(parent, &missing.to_string_lossy(), key)?;
                return if error.is_absent() { parent.notifies() } else { Err(error) };
            }
        }
    }
    let Some(folder) = nearest else { return Ok(true) };
    // The same directory where links led elsewhere.
    if let Some(real) = folder.real_path().ok().filter(|real| real != &folder.path) {
        events.watch_mounts(&real, key);
    }
    watch(events, &folder)?;
    folder.notifies()
}

/// Watches a step of the way: the folder itself for being moved, or the link that stands for it.
fn on_the_way(events: &mut Events, parent: &Folder, step: &Path, key: usize) -> Result<(), Error> {
    let Some(name) = step.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    // A folder that may be passed through but not listed cannot be watched; what is below still can.
    let watched = if parent.is_link(name)? {
        events.watch_step(parent, name, key)
    } else {
        events.guard(parent, key)
    };
    if let Err(error) = watched {
        detail!("{error}");
    }
    Ok(())
}

/// `/a/b/c` → `/`, `/a`, `/a/b`, `/a/b/c`.
fn steps(folder: &Path) -> Vec<PathBuf> {
    let mut steps: Vec<PathBuf> = folder.ancestors().map(Path::to_owned).collect();
    steps.reverse();
    steps
}
