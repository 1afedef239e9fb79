//! Stays and brings the sinks in step on every change of a source.
//!
//! Events are hints, content decides: whatever wakes the watcher, it compares what is there.

use std::time::Duration;

use crate::app::arming::{self, RESCAN};
use crate::app::errands::Errands;
use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::notify::FOLDER as ERRAND_FOLDER;
use crate::app::prospect::FOLDER as RENEWAL_FOLDER;
use crate::app::report::Report;
use crate::app::rounds;
use crate::app::said::Said;
use crate::app::sync::{self, BUSY_RETRY, Options};
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::events::{Events, Wake};
use crate::os::notify;
use crate::os::queue::Queue;
use crate::os::signals::Asked;

/// How long a file may stay half-written before that is said: longer than any writer seen takes.
const HALF_WRITTEN_GRACE: Duration = Duration::from_secs(2);

/// How often a source is compared whose file system cannot notify.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60);

/// How long a request to renew is given before it is made again.
const ANSWER_TIME: Duration = Duration::from_secs(60);

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
    /// When it is to be renewed.
    due: Option<Timestamp>,
    /// When a renewal was asked for last.
    asked: Option<Timestamp>,
    /// When people have to be told something.
    tell: Option<Timestamp>,
    /// What went wrong with telling them.
    trouble: Said,
}

struct Watcher {
    ground: Ground,
    events: Events,
    links: Vec<Watched>,
    faults: Said,
    errands: Errands,
    /// Whether systemd's path units carry out what is queued.
    delegate: bool,
}

/// Watches all links until it is asked to end; with `delegate` it starts no process and opens no
/// connection, but leaves all that in the queues.
pub(crate) fn run(places: &Places, delegate: bool) -> Result<(), Error> {
    let events = Events::open().map_err(|source| system("watch", places, source))?;
    let ground = Ground::open(places)?;
    let (links, faults, errands) = (Vec::new(), Said::default(), Errands::new(delegate));
    let mut watcher = Watcher { ground, events, links, faults, errands, delegate };
    watcher.reload();
    watcher.everything();
    notify::send("READY=1");
    loop {
        watcher.start_errands();
        let wake = watcher.events.wait().map_err(|source| system("wait", places, source))?;
        match wake {
            Wake::Asked(Asked::End) => break,
            Wake::Asked(Asked::Reload) => {
                watcher.reload();
                watcher.everything();
            }
            Wake::Rescan => watcher.everything(),
            Wake::Clock => watcher.all_links(),
            Wake::Changed(keys) => watcher.changed(&keys),
            Wake::Ended(key, done) => {
                watcher.errands.ended(key, done, clock::now());
                watcher.all_links();
            }
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
        for settings in config.links {
            let known = before.iter().position(|watched| *watched.settings == settings);
            let said = known.map(|index| before.swap_remove(index).said).unwrap_or_default();
            let settings = Box::new(settings);
            self.links.push(Watched::new(settings, said));
        }
        notify::send(&match self.links.len() {
            0 => "STATUS=no link is configured, waiting for one".to_owned(),
            1 => "STATUS=watching 1 link".to_owned(),
            count => format!("STATUS=watching {count} links"),
        });
    }

    /// Watches everything anew, then compares everything: in this order, or a change is lost.
    fn everything(&mut self) {
        if let Err(error) = self.events.forget() {
            log::error!("cannot watch anything: {error}");
        }
        arming::configuration(&mut self.events, &self.ground.places.config_dir);
        for (index, watched) in self.links.iter_mut().enumerate() {
            watched.notifies = arming::link(&mut self.events, &watched.settings, index);
        }
        self.watch_errands();
        self.all_links();
    }

    /// Watches what other runs leave; the queues only where nobody else does.
    fn watch_errands(&mut self) {
        let places = &self.ground.places;
        for (name, key) in [(ERRAND_FOLDER, arming::ERRANDS), (RENEWAL_FOLDER, arming::RENEWALS)] {
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

    fn all_links(&mut self) {
        (0..self.links.len()).for_each(|index| self.bring(index));
    }

    fn changed(&mut self, keys: &[usize]) {
        if keys.contains(&arming::CONFIGURATION) {
            self.reload();
        }
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
        let mut report = match sync::link(&self.ground, &watched.settings, Options::default(), now)
        {
            Ok(report) => report,
            Err(error) => {
                watched.next = Some(now.after(COMPARE_INTERVAL));
                return watched.said.tell(&[error.to_string()]);
            }
        };
        let quiet = watched.still_writing(&report, now);
        report.told = watched.look_ahead(&self.ground, &report, now);
        if !quiet {
            watched.said.report(&report);
        }
        watched.next = watched.next_look(&report, now);
    }

    /// Starts what is queued and sets the timer for what comes next.
    fn start_errands(&mut self) {
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

impl Watched {
    fn new(settings: Box<Settings>, said: Said) -> Self {
        let trouble = Said::default();
        let (next, half_written, due, asked, tell) = (None, None, None, None, None);
        Self { settings, said, next, notifies: true, half_written, due, asked, tell, trouble }
    }

    /// Tells people what they have to hear, and asks for a renewal that is due; says whether people
    /// were asked to sign in.
    fn look_ahead(&mut self, ground: &Ground, report: &Report, now: Timestamp) -> bool {
        let (people, due) = match rounds::attend(ground, &self.settings, report, now) {
            Ok(known) => known,
            Err(error) => {
                self.tell = Some(now.after(COMPARE_INTERVAL));
                self.trouble.tell(&[format!("{}: {error}", self.settings.name)]);
                return false;
            }
        };
        (self.tell, self.due) = (people.next, due);
        let is_due = due.is_some_and(|due| due <= now) && !self.waits_for_answer(now);
        let asked = match is_due {
            true => rounds::ask_for_renewal(&ground.places, &self.settings),
            false => Ok(()),
        };
        if is_due {
            self.asked = Some(now);
        }
        let trouble = asked.err().map(|error| format!("{}: {error}", self.settings.name));
        self.trouble.tell(trouble.as_slice());
        people.open.iter().any(|open| open.kind.needs_sign_in())
    }

    /// Says whether a renewal was asked for a moment ago; a clock that was set back forgets it.
    fn waits_for_answer(&self, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now && now < asked.after(ANSWER_TIME))
    }

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
        let due = match self.due {
            Some(due) if due <= now => self.asked.map(|asked| asked.after(ANSWER_TIME)),
            due => due,
        };
        let half = half.filter(|moment| *moment > now);
        let moments = [busy, half, silent, report.turns_at(), self.tell, due];
        moments.into_iter().flatten().min()
    }
}
