//! Stays and brings the sinks in step on every change of a source.
//!
//! Events are hints, content decides: whatever wakes the watcher, it compares what is there.

use crate::app::arming::{self, RESCAN};
use crate::app::detect::first;
use crate::app::errands::Errands;
use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::notify::FOLDER as MESSAGES;
use crate::app::prospect::FOLDER as RENEWALS;
use crate::app::refresh;
use crate::app::rounds;
use crate::app::said::Said;
use crate::app::sync::{self, BUSY_RETRY, Options};
use crate::app::watched::{COMPARE_INTERVAL, Watched};
use crate::os::clock;
use crate::os::events::{Events, Wake};
use crate::os::notify;
use crate::os::queue::Queue;
use crate::os::signals::Asked;

struct Watcher {
    ground: Ground,
    events: Events,
    links: Vec<Watched>,
    /// The only link to be watched, if one was named.
    only: Option<String>,
    faults: Said,
    /// What systemd was told last.
    status: String,
    errands: Errands,
    /// Whether systemd's path units carry out what is queued.
    delegate: bool,
}

/// Watches all links, or the one named, until it is asked to end.
///
/// With `delegate` it starts no process and opens no connection, but leaves all that in the queues.
pub(crate) fn run(places: &Places, only: Option<&str>, delegate: bool) -> Result<(), Error> {
    let events = Events::open().map_err(|source| system("watch", places, source))?;
    let ground = Ground::open(places)?;
    let (links, faults, status) = (Vec::new(), Said::default(), String::new());
    let only = only.map(str::to_owned);
    let errands = Errands::new(delegate);
    let mut watcher = Watcher { ground, events, links, only, faults, status, errands, delegate };
    watcher.everything();
    watcher.pick_up();
    notify::send("READY=1");
    loop {
        watcher.carry_on();
        let wake = watcher.events.wait().map_err(|source| system("wait", places, source))?;
        match wake {
            Wake::Asked(Asked::End) => break,
            Wake::Asked(Asked::Reload) | Wake::Rescan => watcher.everything(),
            Wake::Clock => watcher.all_links(),
            Wake::Changed(keys) => watcher.changed(&keys),
            Wake::Ended(key, done) => watcher.errands.ended(key, done, clock::now()),
        }
    }
    notify::send("STOPPING=1");
    watcher.events.end_offspring();
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
            let watched = known.map(|index| before.swap_remove(index));
            self.links.push(watched.unwrap_or_else(|| Watched::new(settings)));
        }
        if !self.links.is_empty() {
            first::remember(&self.ground.places);
        }
        let begun = config.unfinished.first();
        let begun = begun.map(|problem| format!(": {problem}")).unwrap_or_default();
        let status = match self.links.len() {
            0 => format!("STATUS=no link is configured, waiting for one{begun}"),
            1 => "STATUS=watching 1 link".to_owned(),
            count => format!("STATUS=watching {count} links"),
        };
        if status != self.status {
            if let Some(problem) = config.unfinished.first() {
                log::info!("{problem}: it is no link yet, and waits for a login and an OpenClaw");
            }
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
        self.watch_errands();
        self.all_links();
    }

    /// Watches what other runs leave; the queues only where nobody else does.
    fn watch_errands(&mut self) {
        let places = &self.ground.places;
        for (name, key) in [(MESSAGES, arming::ERRANDS), (RENEWALS, arming::RENEWALS)] {
            if let Err(error) = self.ground.folder(name) {
                log::warn!("{error}");
            }
            arming::errands(&mut self.events, &places.state_dir.join(name), key);
        }
        for queue in Queue::ALL.into_iter().filter(|_| !self.delegate) {
            if let Err(error) = queue.open(&places.run_dir) {
                log::warn!("{error}");
            }
            let folder = places.run_dir.join(queue.folder_name());
            arming::errands(&mut self.events, &folder, arming::ERRANDS);
        }
    }

    /// Carries home what a refresh that was cut short had been given.
    fn pick_up(&self) {
        refresh::pick_up(&self.ground, self.links.iter().map(|watched| &*watched.settings));
    }

    fn all_links(&mut self) {
        (0..self.links.len()).for_each(|index| self.bring(index));
    }

    fn changed(&mut self, keys: &[usize]) {
        if keys.iter().any(|key| *key >= RESCAN) {
            return self.everything();
        }
        if keys.contains(&arming::RENEWALS) {
            return self.all_links();
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
        watched.attend(&self.ground, report, BUSY_RETRY, now);
    }

    /// Starts what is queued and sets the timer for what comes next.
    fn carry_on(&mut self) {
        let now = clock::now();
        let places = &self.ground.places;
        let messages = rounds::remind_of_messages(places, now);
        self.errands.start(&mut self.events, places, now);
        let links = self.links.iter().filter_map(|watched| watched.next);
        let next = links.chain(messages).chain(self.errands.next()).min();
        if let Err(error) = self.events.arm(next) {
            log::error!("cannot set a timer: {error}");
        }
    }
}
