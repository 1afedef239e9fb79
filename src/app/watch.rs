//! Stays and brings the sinks in step on every change of a source.
//!
//! Events are hints, content decides: whatever wakes the watcher, it compares what is there.

use std::time::Duration;

use crate::app::arming::{self, RESCAN};
use crate::app::error::Error;
use crate::app::gateway::queue;
use crate::app::ground::{self, Ground, Places};
use crate::app::report::Report;
use crate::app::said::Said;
use crate::app::sync::{self, BUSY_RETRY, Options};
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::os::child::Child;
use crate::os::clock;
use crate::os::events::{Events, Wake};
use crate::os::notify;
use crate::os::signals::Asked;

/// How long a file may stay half-written before that is said: longer than any writer seen takes.
const HALF_WRITTEN_GRACE: Duration = Duration::from_secs(2);

/// How soon it is looked whether our own program has ended.
const CHILD_LOOK: Duration = Duration::from_secs(1);

/// How often a source is compared whose file system cannot notify.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60);

/// A link as the watcher keeps it.
struct Watched {
    settings: Box<Settings>,
    said: Said,
    /// When it has to be looked at without an event.
    next: Option<Timestamp>,
    /// Whether the source's file system tells of changes.
    notifies: bool,
    /// Since when the file has been half-written.
    half_written: Option<Timestamp>,
}

struct Watcher {
    ground: Ground,
    /// Whether units of their own see to the gateways.
    delegate: bool,
    /// Our own program, seeing to the gateways: it must never delay a sync.
    gateway: Option<Child>,
    events: Events,
    links: Vec<Watched>,
    /// The only link to be watched, if one was named.
    only: Option<String>,
    faults: Said,
    /// What systemd was told last.
    status: String,
}

/// Watches all links, or the one named, until it is asked to end.
///
/// With `delegate`, what needs other programs is left to the units that may run them.
pub(crate) fn run(places: &Places, only: Option<&str>, delegate: bool) -> Result<(), Error> {
    let events = Events::open().map_err(|source| system("watch", places, source))?;
    let mut watcher = Watcher {
        ground: Ground::open(places)?,
        delegate,
        gateway: None,
        events,
        links: Vec::new(),
        only: only.map(str::to_owned),
        faults: Said::default(),
        status: String::new(),
    };
    watcher.everything();
    notify::send("READY=1");
    loop {
        watcher.see_to_gateways();
        watcher.arm_timer();
        let wake = watcher.events.wait().map_err(|source| system("wait", places, source))?;
        match wake {
            Wake::Asked(Asked::End) => break,
            Wake::Asked(Asked::Reload) | Wake::Rescan => watcher.everything(),
            Wake::Clock => watcher.rang(),
            Wake::Changed(keys) => watcher.changed(&keys),
        }
    }
    notify::send("STOPPING=1");
    Ok(())
}

fn system(verb: &'static str, places: &Places, source: std::io::Error) -> Error {
    Error::System(crate::os::error::Error::new(verb, &places.run_dir, source))
}

impl Watcher {
    /// Reads the configuration again; links with faults are said and left out.
    fn reload(&mut self) {
        let config = match ground::configuration(&self.ground.places.config_dir) {
            Ok(config) => config,
            Err(error) => return self.faults.tell(&[error.to_string()]),
        };
        let faults: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
        self.faults.tell(&faults);
        let mut before = std::mem::take(&mut self.links);
        let only = self.only.as_deref();
        for settings in config.links.into_iter().filter(|s| only.is_none_or(|name| s.name == name))
        {
            let known = before.iter().position(|watched| *watched.settings == settings);
            let said = known.map(|index| before.swap_remove(index).said).unwrap_or_default();
            let settings = Box::new(settings);
            let watched =
                Watched { settings, said, next: None, notifies: true, half_written: None };
            self.links.push(watched);
        }
        let status = match self.links.len() {
            0 => "STATUS=no link is configured, waiting for one".to_owned(),
            1 => "STATUS=watching 1 link".to_owned(),
            count => format!("STATUS=watching {count} links"),
        };
        if status != self.status {
            notify::send(&status);
            self.status = status;
        }
    }

    /// Watches everything anew, then reads and compares everything: in this order, or a change is lost.
    fn everything(&mut self) {
        if let Err(error) = self.events.forget() {
            log::error!("cannot watch anything: {error}");
        }
        arming::configuration(&mut self.events, &self.ground.places.config_dir);
        self.reload();
        for (index, watched) in self.links.iter_mut().enumerate() {
            watched.notifies = arming::link(
                &mut self.events,
                &watched.settings,
                &self.ground.places.state_dir,
                index,
            );
        }
        (0..self.links.len()).for_each(|index| self.bring(index));
    }

    /// Looks at the links whose moment has come; at all of them if the clock was set.
    fn rang(&mut self) {
        let now = clock::now();
        let due = |watched: &Watched| watched.next.is_some_and(|next| next <= now);
        if self.gateway.is_some() && !self.links.iter().any(due) {
            return;
        }
        (0..self.links.len()).for_each(|index| self.bring(index));
    }

    fn changed(&mut self, keys: &[usize]) {
        if keys.iter().any(|key| *key >= RESCAN) {
            return self.everything();
        }
        let count = self.links.len();
        keys.iter().filter(|key| **key < count).for_each(|key| self.bring(*key));
    }

    /// Brings one link's sinks in step and says what is new.
    fn bring(&mut self, index: usize) {
        let now = clock::now();
        let watched = &mut self.links[index];
        let report = match sync::link(&self.ground, &watched.settings, Options::default(), now) {
            Ok(report) => report,
            Err(error) => {
                watched.next = Some(now.after(COMPARE_INTERVAL));
                return watched.said.tell(&[error.to_string()]);
            }
        };
        let quiet = watched.still_writing(&report, now);
        watched.next = watched.next_look(&report, now);
        if !quiet {
            watched.said.report(&report);
        }
    }

    /// Starts our own program for the gateways where requests wait and no unit is there for them.
    fn see_to_gateways(&mut self) {
        if self.delegate || self.gateway.as_mut().is_some_and(|child| !child.has_ended()) {
            return;
        }
        self.gateway = None;
        let places = &self.ground.places;
        let waits = |watched: &Watched| queue::has(&places.run_dir, &watched.settings.name);
        if !self.links.iter().any(waits) {
            return;
        }
        let folders = [
            ("--config-dir", &places.config_dir),
            ("--state-dir", &places.state_dir),
            ("--run-dir", &places.run_dir),
        ];
        let folders =
            folders.into_iter().flat_map(|(name, path)| [name.as_ref(), path.as_os_str()]);
        match Child::start(std::iter::once("gateway".as_ref()).chain(folders)) {
            Ok(child) => self.gateway = Some(child),
            Err(error) => log::error!("{error}: the gateways keep their old tokens"),
        }
    }

    fn arm_timer(&self) {
        let child = self.gateway.as_ref().map(|_| clock::now().after(CHILD_LOOK));
        let next = self.links.iter().filter_map(|watched| watched.next).chain(child).min();
        if let Err(error) = self.events.arm(next) {
            log::error!("cannot set a timer: {error}");
        }
    }
}

impl Watched {
    /// Says whether the file may just be in the middle of being written, which is no news yet.
    fn still_writing(&mut self, report: &Report, now: Timestamp) -> bool {
        if !report.half_written() {
            self.half_written = None;
            return false;
        }
        let since = *self.half_written.get_or_insert(now);
        now < since.after(HALF_WRITTEN_GRACE)
    }

    fn next_look(&self, report: &Report, now: Timestamp) -> Option<Timestamp> {
        let busy = report.busy().then(|| now.after(BUSY_RETRY));
        let half = self.half_written.map(|since| since.after(HALF_WRITTEN_GRACE));
        let silent = (!self.notifies).then(|| now.after(COMPARE_INTERVAL));
        let pending = report.gateway.pending.as_ref();
        let retry = pending.and_then(|pending| pending.next_try).filter(|moment| *moment > now);
        let moments = [busy, half.filter(|moment| *moment > now), silent, report.turns_at(), retry];
        moments.into_iter().flatten().min()
    }
}
