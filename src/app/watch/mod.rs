//! Stays and brings the sinks up to date on every change of a source.
//!
//! Events are hints, content decides: whatever wakes the watcher, it compares what is there.

pub(crate) mod link_state;
pub(crate) mod maintenance;
pub(crate) mod subscriptions;

use sd_notify::NotifyState;

use crate::app::child::queue_runner::Errands;
use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::notify::FOLDER as MESSAGES;
use crate::app::refresh;
use crate::app::refresh::forecast::FOLDER as RENEWALS;
use crate::app::report::log_dedup::Said;
use crate::app::setup::detect::first;
use crate::app::status::health_file;
use crate::app::status::liveness;
use crate::app::sync::{self, BUSY_RETRY, Options};
use crate::app::watch::link_state::{COMPARE_INTERVAL, Watched};
use crate::domain::health::published::ServiceEntry;
use crate::domain::messages;
use crate::domain::time::Timestamp;
use crate::domain::units::WATCHER;
use crate::os::clock;
use crate::os::event::event_loop::{Changes, Events, Wake};
use crate::os::event::scarce::Scarce;
use crate::os::event::signals::Asked;
use crate::os::fs::dir::{self, Refused};
use crate::os::journal::detail;
use crate::os::process::self_exec::{Child, Ended};
use crate::os::queue::Queue;

/// What systemd is told before the rest where a file has faults.
const ERRORS: &str = "the configuration has errors, see 'oauth-sync check'; ";

struct Watcher {
    ground: Ground,
    events: Events,
    links: Vec<Watched>,
    /// The only link to be watched, if one was named.
    only: Option<String>,
    faults: Said,
    /// The limit of the host that was said last, and when everything is watched anew for it.
    scarce: Option<(Scarce, Timestamp)>,
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
    dir::never_wait(places.own());
    let ground = Ground::open(places)?;
    let _watching = liveness::watch(places);
    let (links, faults, status) = (Vec::new(), Said::default(), String::new());
    let only = only.map(str::to_owned);
    let errands = Errands::new(delegate);
    let scarce = None;
    let mut watcher =
        Watcher { ground, events, links, only, faults, scarce, status, errands, delegate };
    watcher.everything();
    watcher.pick_up();
    let is_of_watcher = |entry: &ServiceEntry| entry.is_of_watcher(WATCHER);
    health_file::service(places, &[], is_of_watcher);
    notify_systemd(NotifyState::Ready);
    loop {
        watcher.carry_on();
        let wake = watcher.events.wait().map_err(|source| system("wait", places, source))?;
        match wake {
            Wake::Asked(Asked::End) => break,
            Wake::Asked(Asked::Reload) | Wake::Rescan => watcher.everything(),
            Wake::Clock => watcher.due(),
            Wake::ClockSet => watcher.all_links(),
            Wake::Files(changes) => watcher.changed(&changes),
            Wake::Ended(ended) => watcher.ended(&ended),
        }
    }
    notify_systemd(NotifyState::Stopping);
    watcher.events.end_offspring();
    health_file::service(places, &[liveness::ended(places, delegate)], is_of_watcher);
    Ok(())
}

/// Tells systemd how the service is (`sd_notify(3)`); outside systemd it does nothing.
fn notify_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        detail!("cannot notify systemd: {error}");
    }
}

/// Syncs the link of that name for a watcher, which must not wait for its files; what it has to know then.
///
/// `known` is what it knew before; it hears meanwhile that the work goes on.
pub(crate) fn one(places: &Places, name: &str, known: &str) -> Result<String, Error> {
    let (links, _) = context::sound_links(&places.config_dir, Some(name))?;
    let ground = Ground::open(places)?;
    let Some(settings) = links.into_iter().next() else { return Ok(String::new()) };
    let mut watched = Watched::again(settings, known);
    let now = clock::now();
    let report = sync::link(&ground, &watched.settings, Options::default(), now)?;
    watched.attend(&ground, report, BUSY_RETRY, now);
    Ok(watched.record())
}

fn system(verb: &'static str, places: &Places, source: std::io::Error) -> Error {
    Error::System(crate::os::error::Error::new(verb, &places.run_dir, source))
}

impl Watcher {
    /// Reads the configuration again; links with faults are said and left out.
    fn reload(&mut self) {
        let config = match context::configuration(&self.ground.places.config_dir) {
            Ok(config) => config,
            Err(error) => {
                health_file::configuration(&self.ground.places, None);
                return self.faults.tell(&[error.to_string()]);
            }
        };
        health_file::configuration(&self.ground.places, Some(&config));
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
        let has_errors = !config.problems.is_empty();
        let count = match self.links.len() {
            0 if has_errors => "watching no link".to_owned(),
            0 => format!("no link is configured, waiting for one{begun}"),
            1 => "watching 1 link".to_owned(),
            count => format!("watching {count} links"),
        };
        let errors = if has_errors { ERRORS } else { "" };
        let status = format!("{errors}{count}");
        if status != self.status {
            if let Some(problem) = config.unfinished.first() {
                log::info!(
                    "{problem}: no link is configured yet; it waits for a login and an OpenClaw"
                );
            }
            notify_systemd(NotifyState::Status(&status));
            self.status = status;
        }
    }

    /// Watches everything anew, then reads and compares everything: in this order, or a change is lost.
    fn everything(&mut self) {
        if let Err(error) = self.events.forget() {
            log::error!("cannot watch anything: {error}");
        }
        subscriptions::configuration(&mut self.events, &self.ground.places.config_dir);
        self.reload();
        (0..self.links.len()).for_each(|index| self.arm(index));
        self.watch_errands();
        self.say_scarce();
        self.all_links();
    }

    /// Watches what one link depends on.
    fn arm(&mut self, index: usize) {
        let watched = &mut self.links[index];
        let state_dir = &self.ground.places.state_dir;
        watched.notifies =
            subscriptions::link(&mut self.events, &watched.settings, state_dir, index);
        let _ = dir::refused();
    }

    /// Says once that there is nothing left to watch with; then everything is compared each minute.
    fn say_scarce(&mut self) {
        let before = self.scarce.take();
        let Some(scarce) = self.events.scarce() else { return };
        if before.is_none_or(|(before, _)| before != scarce) {
            let (id, hint) = (messages::id("watch-limit"), scarce.command().to_string());
            log::warn!(MESSAGE_ID = id, hint; "{scarce}");
        }
        self.scarce = Some((scarce, clock::now().after(COMPARE_INTERVAL)));
    }

    /// Watches what other runs leave; the queues only where nobody else does.
    fn watch_errands(&mut self) {
        let places = &self.ground.places;
        for (name, key) in [(MESSAGES, subscriptions::ERRANDS), (RENEWALS, subscriptions::RENEWALS)]
        {
            if let Err(error) = self.ground.folder(name) {
                log::warn!("{error}");
            }
            subscriptions::errands(&mut self.events, &places.state_dir.join(name), key);
        }
        for queue in Queue::ALL.into_iter().filter(|_| !self.delegate) {
            if let Err(error) = queue.open(&places.run_dir) {
                log::warn!("{error}");
            }
            let folder = places.run_dir.join(queue.folder_name());
            subscriptions::errands(&mut self.events, &folder, subscriptions::ERRANDS);
        }
    }

    /// Carries home what a refresh that was cut short had been given.
    fn pick_up(&self) {
        refresh::pick_up(&self.ground, self.links.iter().map(|watched| &*watched.settings));
    }

    fn all_links(&mut self) {
        (0..self.links.len()).for_each(|index| self.bring(index));
    }

    /// Looks after what is due by now.
    fn due(&mut self) {
        let now = clock::now();
        // Of a clock that was set back it comes no later than it would have.
        let latest = now.after(COMPARE_INTERVAL);
        if self.scarce.is_some_and(|(_, moment)| moment <= now || moment > latest) {
            return self.everything();
        }
        for index in 0..self.links.len() {
            if self.links[index].next().is_some_and(|next| next <= now) {
                self.bring(index);
            }
        }
    }

    fn changed(&mut self, changes: &Changes) {
        let own = |keys: &[usize]| keys.iter().any(|key| *key > subscriptions::LAST_LINK);
        if own(&changes.ways) || changes.names.contains(&subscriptions::CONFIGURATION) {
            return self.everything();
        }
        if changes.names.contains(&subscriptions::RENEWALS) {
            self.all_links();
        }
        let count = self.links.len();
        let now = clock::now();
        for index in changes.ways.iter().copied().filter(|index| *index < count) {
            if self.links[index].may_compare(now) {
                self.events.release(index);
                self.arm(index);
                self.bring(index);
            } else {
                self.links[index].moved = true;
            }
        }
        self.say_scarce();
        let names = changes.names.iter().filter(|index| **index < count);
        for index in names.filter(|index| !changes.ways.contains(index)) {
            if self.links[*index].may_compare(now) {
                self.bring(*index);
            }
        }
    }

    /// Brings one link's sinks up to date and says what is new.
    fn bring(&mut self, index: usize) {
        let now = clock::now();
        if std::mem::take(&mut self.links[index].moved) {
            self.events.release(index);
            self.arm(index);
        }
        let watched = &mut self.links[index];
        let _ = dir::refused();
        let report = sync::link(&self.ground, &watched.settings, Options::default(), now);
        if let Some(refused) = dir::refused() {
            return self.hand_over(index, &refused, now);
        }
        match report {
            Ok(report) => watched.attend(&self.ground, report, BUSY_RETRY, now),
            Err(error) => {
                watched.next_is(Some(now.after(COMPARE_INTERVAL)));
                watched.say_failure(&error.to_string());
                health_file::failure(&self.ground.places, &watched.settings.name, now);
            }
        }
    }

    /// Has a link synced by a process of its own, since what is `refused` may not answer.
    fn hand_over(&mut self, index: usize, refused: &Refused, now: Timestamp) {
        let new = self.links.iter().filter(|watched| watched.delegated.is_new(now)).count();
        let watched = &mut self.links[index];
        let means = (&mut self.events, &self.ground.places);
        let known = (&*watched.settings.name, watched.record());
        match watched.delegated.start(means, known, new, now) {
            Ok(next) => watched.next_is(next),
            Err(error) => {
                watched.next_is(Some(now.after(COMPARE_INTERVAL)));
                let (place, kind) = (refused.path.display(), &refused.kind);
                watched.say_failure(&format!("{error}: '{place}' ({kind}) is not looked at"));
            }
        }
    }

    /// Takes note of what a child process has done.
    fn ended(&mut self, ended: &Ended) {
        let now = clock::now();
        match &ended.child {
            Child::Queue(key) => self.errands.ended(*key, ended.done, now),
            Child::Link(name) => {
                let named = |watched: &Watched| watched.settings.name == *name;
                let Some(index) = self.links.iter().position(named) else { return };
                let watched = &mut self.links[index];
                let again = watched.delegated.ended();
                let is_done = ended.done && watched.take_over(&ended.answer);
                if let Some(next) = watched.delegated.went(is_done, now) {
                    watched.next_is(Some(next));
                } else if again && watched.may_compare(now) {
                    self.bring(index);
                }
            }
        }
    }

    /// Starts what is queued and sets the timer for what comes next.
    fn carry_on(&mut self) {
        let now = clock::now();
        let places = &self.ground.places;
        let messages = maintenance::remind_of_messages(places, now);
        self.errands.start(&mut self.events, places, now);
        for watched in &mut self.links {
            let name = &watched.settings.name;
            if let Some(why) = watched.delegated.hurry(&mut self.events, name, now) {
                health_file::failure(places, name, now);
                watched.say_failure(&why);
            }
        }
        let links =
            self.links.iter().flat_map(|watched| [watched.next(), watched.delegated.next()]);
        let scarce = self.scarce.map(|(_, moment)| moment);
        let next = links.flatten().chain(messages).chain(self.errands.next()).chain(scarce).min();
        if let Err(error) = self.events.arm(next) {
            log::error!("cannot set a timer: {error}");
        }
    }
}
