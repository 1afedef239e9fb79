//! Sees to the gateways: carries out what syncs left for them, and tries again what did not work.

mod child;
mod command;
mod compose;
mod courtesy;
mod engine;
mod paste;
mod program;
mod proof;
mod reload;
mod round;
mod telling;
mod unit;
mod work;

use crate::app::error::Error;
use crate::app::gateway::work::Work;
use crate::app::ground::{self, Ground, Places};
use crate::app::ledger;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::Ending;
use crate::os::clock;

pub(crate) use round::run;

/// How a run is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Wait for bursts to end, and for gateways that another process sees to.
    Joined,
    /// A person waits: at once, and what another process works on is left to it.
    AtOnce,
}

/// How it ended for one link.
#[derive(Debug)]
pub(crate) struct Closing {
    /// The link.
    pub(crate) link: String,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// Asks each OpenClaw for its version that nothing else names: it decides what may be written.
pub(crate) fn learn_versions(places: &Places, only: Option<&str>) -> Result<(), Error> {
    // A fault in the configuration comes first: then nothing is made at all.
    let links = ground::links(&places.config_dir, only)?;
    let ground = Ground::open(places)?;
    for settings in &links {
        // Whoever works on it asks by itself, and its ledger must not be overwritten.
        let lock = ledger::try_lock(&places.run_dir, &settings.name)?;
        let Some(_lock) = lock else { continue };
        let ledger = ledger::load(&places.state_dir, &settings.name);
        // The sync that follows reads the same, and says of which link it cannot.
        let Ok(mut work) = Work::begin(&ground, settings, ledger) else { continue };
        if work.openclaw.wants_version(settings, clock::now()) {
            work.learn_version();
            work.save();
        }
    }
    Ok(())
}

/// Runs this link's `openclaw` with these words: whether it exited with 0, and its output.
pub(crate) fn ask(
    ground: &Ground,
    settings: &Settings,
    words: &[&str],
) -> Result<(bool, String), Ending> {
    let ledger = ledger::load(&ground.places.state_dir, &settings.name);
    let work = Work::begin(ground, settings, ledger);
    let mut work = work.map_err(|error| Ending::deferred(error.to_string()))?;
    let program = work.program()?;
    let ended = program.run(&work, words, Vec::new())?;
    Ok((ended.is_success(), child::text(&ended.stdout)))
}
