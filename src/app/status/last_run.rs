//! When each part ran last and how that ended, in the directory `runs` of the state directory.
//!
//! The units of systemd tell it too, but not in a container, and not to who starts the parts by hand or by cron.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::context::Places;
use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::hints::ours;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::lock::advisory::{self, Holder, Lock};

/// The directory's name.
const FOLDER: &str = "runs";

/// The exit status of a run that failed, and not merely was put off or needs a person.
const FAILED: u8 = 1;

/// The exit statuses that the units take for success.
const GOOD: [u8; 3] = [0, 3, 75];

/// A part of the service that runs and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Carries tokens to the sinks.
    Sync,
    /// Renews logins.
    Refresh,
    /// Has gateways use the new token.
    Gateway,
    /// Runs hooks and posts to webhooks.
    Notify,
}

/// The last run of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// When it began.
    pub(crate) begun: Timestamp,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// Its exit status.
    pub(crate) exit: Option<u8>,
    /// Whether somebody forced it, who sees what comes of it.
    #[serde(default)]
    is_forced: bool,
}

impl Run {
    /// Says whether its unit counts as failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.ended.is_some() && !self.is_good()
    }

    /// Says whether it ended as it may: done, put off, or in need of a person.
    pub(crate) fn is_good(&self) -> bool {
        self.exit.is_some_and(|exit| GOOD.contains(&exit))
    }
}

/// A run that has begun.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    places: &'a Places,
    part: Part,
    run: Run,
    /// Tells a run that goes on from one that was killed.
    _lock: Option<Lock>,
}

impl Part {
    /// All parts.
    pub(crate) const ALL: [Self; 4] = [Self::Sync, Self::Refresh, Self::Gateway, Self::Notify];

    /// The command that runs it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Refresh => "refresh",
            Self::Gateway => "gateway",
            Self::Notify => "notify",
        }
    }

    fn lock(self) -> String {
        format!("run-{}", self.name())
    }
}

/// Records that a part begins.
pub(crate) fn begin(places: &Places, part: Part, is_forced: bool) -> Running<'_> {
    let lock = Lock::share(&places.run_dir, &part.lock()).ok();
    let run = Run { begun: clock::now(), ended: None, exit: None, is_forced };
    keep(places, part, &run);
    Running { places, part, run, _lock: lock }
}

impl Running<'_> {
    /// Records how it ended.
    pub(crate) fn end(self, exit: u8) {
        let run = Run { ended: Some(clock::now()), exit: Some(exit), ..self.run };
        keep(self.places, self.part, &run);
    }
}

/// The last run of a part; none where it never ran, or nothing can be read of it.
pub(crate) fn last(places: &Places, part: Part) -> Option<Run> {
    let folder = Folder::reach(&places.state_dir.join(FOLDER)).ok()?;
    let seen = folder.read(&file_name(part), STATE_LIMIT).ok()??;
    record::read(&seen.bytes)
}

/// How long ago a run last carried tokens or renewed logins.
pub(crate) fn age(places: &Places, now: Timestamp) -> Option<Duration> {
    let runs = [Part::Sync, Part::Refresh].into_iter().filter_map(|part| last(places, part));
    runs.map(|run| now.left(run.ended.unwrap_or(run.begun))).min()
}

/// What is wrong with the last runs; that of `sync` counts only where no watcher does the same.
pub(crate) fn troubles(places: &Places, is_watched: bool) -> Vec<Trouble> {
    let parts = Part::ALL.into_iter().filter(|part| *part != Part::Sync || !is_watched);
    parts.filter_map(|part| trouble(places, part, last(places, part)?)).collect()
}

fn trouble(places: &Places, part: Part, run: Run) -> Option<Trouble> {
    let name = part.name();
    let (id, text) = match (run.ended, run.exit) {
        (Some(ended), Some(FAILED)) if !run.is_forced => {
            ("run-failed", format!("the last run of oauth-sync {name} failed at {ended}"))
        }
        (None, _) if is_over(places, part) => {
            let begun = run.begun;
            let text =
                format!("the last run of oauth-sync {name}, which began at {begun}, was cut short");
            ("run-cut-short", text)
        }
        _ => return None,
    };
    Some(Trouble::threatens(id, text, ours::part(name)))
}

/// Returns whether no process of this part runs.
fn is_over(places: &Places, part: Part) -> bool {
    matches!(advisory::holder(&places.run_dir, &part.lock()), Ok(Holder::Gone | Holder::Never))
}

fn keep(places: &Places, part: Part, run: &Run) {
    if let Err(error) = try_keep(places, part, run) {
        detail!("{error}: check does not know of this run");
    }
}

fn try_keep(places: &Places, part: Part, run: &Run) -> Result<(), Error> {
    let folder = match Folder::reach(&places.state_dir) {
        Err(error) if error.is_absent() => return Ok(()),
        other => other?.make(FOLDER)?,
    };
    let bytes = serde_json::to_vec(run).unwrap_or_default();
    atomic_write::replace(&folder, &file_name(part), &bytes, Durability::Lazy)
}

fn file_name(part: Part) -> String {
    format!("{}.json", part.name())
}
