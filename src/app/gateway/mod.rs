//! Sees to the gateways: carries out what syncs left for them, and tries again what did not work.

pub(crate) mod backend;
pub(crate) mod container_engine;
mod exec_context;
mod job;
pub(crate) mod openclaw_cli;
mod quiet_hours;
mod report_outcome;
mod runner;
pub(crate) mod unknown;
pub(crate) mod verify;
mod verify_process;
mod working_directory;

use std::time::Duration;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::gateway::job::Work;
use crate::app::state::gateway_state;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::Ending;
use crate::os::process::lanes::{Lanes, Step};
use crate::os::{self, clock};

pub(crate) use runner::run;

/// How long the answers are waited for at a time.
const LIMIT: Duration = Duration::from_secs(600);

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
    /// Whether its files did not answer.
    pub(crate) is_silent: bool,
}

/// Asks each OpenClaw for its version that nothing else names: it decides what may be written.
pub(crate) fn learn_versions(places: &Places, only: Option<&str>) -> Result<(), Error> {
    // A fault in the configuration comes first: then nothing is made at all.
    let links = context::links(&places.config_dir, only)?;
    let ground = Ground::open(places)?;
    // It keeps nobody waiting: no thread is needed for it.
    if let [settings] = &links[..] {
        return learn_version(&ground, settings);
    }
    std::thread::scope(|scope| {
        let failed = |source| os::error::Error::new("wait for work in", &places.run_dir, source);
        let mut lanes = Lanes::new(scope, None).map_err(failed)?;
        for settings in &links {
            lanes.push(runner::user(settings), || learn_version(&ground, settings));
        }
        let mut result = Ok(());
        loop {
            match lanes.wait(None, LIMIT).map_err(failed)? {
                Step::Done(learnt) => result = result.and(learnt),
                Step::Woken => {}
                Step::Idle => return result,
            }
        }
    })
}

fn learn_version(ground: &Ground, settings: &Settings) -> Result<(), Error> {
    let places = &ground.places;
    // Whoever works on it asks by itself, and its ledger must not be overwritten.
    let lock = gateway_state::try_lock(&places.run_dir, &settings.name)?;
    let Some(_lock) = lock else { return Ok(()) };
    let ledger = gateway_state::load(&places.state_dir, &settings.name);
    // The sync that follows reads the same, and says of which link it cannot.
    let Ok(mut work) = Work::begin(ground, settings, ledger) else { return Ok(()) };
    if work.openclaw.wants_version(settings, clock::now()) {
        work.learn_version();
        work.save();
    }
    Ok(())
}

/// Runs this link's `openclaw` with these words, for its output.
pub(crate) fn ask(ground: &Ground, settings: &Settings, words: &[&str]) -> Result<String, Ending> {
    let ledger = gateway_state::load(&ground.places.state_dir, &settings.name);
    let work = Work::begin(ground, settings, ledger);
    let mut work = work.map_err(|error| Ending::deferred(error.to_string()))?;
    let program = work.program()?;
    let ended = program.run(&work, words, Vec::new())?;
    Ok(exec_context::text(&ended.stdout))
}
