//! Starts what is queued as child processes, where no path unit of systemd does.

use std::ffi::OsString;
use std::time::Duration;

use log::LevelFilter;

use crate::app::context::Places;
use crate::domain::time::Timestamp;
use crate::os::event::event_loop::Events;
use crate::os::process::self_exec::{Child, Offspring};
use crate::os::queue::Queue;

/// How long a queue rests after a run that failed, so that a fault does not keep the machine busy.
const REST: Duration = Duration::from_secs(10);

/// The runs that this process looks after.
#[derive(Debug)]
pub(crate) struct Errands {
    /// Whether systemd's path units start the runs.
    delegate: bool,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    queue: Queue,
    is_running: bool,
    rests_until: Option<Timestamp>,
}

impl Errands {
    /// Nothing runs yet.
    pub(crate) fn new(delegate: bool) -> Self {
        let run = |queue| Run { queue, is_running: false, rests_until: None };
        Self { delegate, runs: Queue::ALL.map(run).into() }
    }

    /// Starts a run for every queue that has a request and no run.
    pub(crate) fn start(&mut self, events: &mut Events, places: &Places, now: Timestamp) {
        if self.delegate {
            return;
        }
        for (key, run) in self.runs.iter_mut().enumerate() {
            if run.is_running || run.is_resting(now) || !run.queue.has_request(&places.run_dir) {
                continue;
            }
            let words: Vec<OsString> = run.queue.command().iter().map(Into::into).collect();
            match Offspring::start(&arguments(places, &words)) {
                Ok(child) => {
                    events.adopt(Child::Queue(key), child);
                    run.is_running = true;
                }
                Err(error) => {
                    log::error!("{error}: what is queued waits");
                    run.rests_until = Some(now.after(REST));
                }
            }
        }
    }

    /// Takes note that a run has ended.
    pub(crate) fn ended(&mut self, key: usize, done: bool, now: Timestamp) {
        if let Some(run) = self.runs.get_mut(key) {
            run.is_running = false;
            run.rests_until = (!done).then(|| now.after(REST));
        }
    }

    /// When a queue has rested enough.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.runs.iter().filter_map(|run| run.rests_until).min()
    }
}

impl Run {
    /// Says whether it still rests; not longer than it should, whatever was done to the clock.
    fn is_resting(&mut self, now: Timestamp) -> bool {
        let rests = self.rests_until.is_some_and(|until| until > now && until <= now.after(REST));
        if !rests {
            self.rests_until = None;
        }
        rests
    }
}

/// The arguments of a run of this program with the same directories and the same talk.
pub(crate) fn arguments(places: &Places, command: &[OsString]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    for (option, folder) in [
        ("--config-dir", &places.config_dir),
        ("--state-dir", &places.state_dir),
        ("--run-dir", &places.run_dir),
    ] {
        arguments.extend([option.into(), folder.into()]);
    }
    let verbosity = match log::max_level() {
        LevelFilter::Off | LevelFilter::Error | LevelFilter::Warn => Some("-q"),
        LevelFilter::Info => None,
        LevelFilter::Debug | LevelFilter::Trace => Some("-v"),
    };
    arguments.extend(verbosity.map(OsString::from));
    arguments.extend_from_slice(command);
    arguments
}
