//! A link as the watcher keeps it: what was said of it, and when it has to be looked at again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::child::delegated::Delegated;
use crate::app::context::Ground;
use crate::app::report::Report;
use crate::app::report::log_dedup::{self, Said};
use crate::app::watch::maintenance;
use crate::domain::config::settings::Settings;
use crate::domain::gateway;
use crate::domain::pace::{Limit, Pace};
use crate::domain::retry::doubled;
use crate::domain::time::Timestamp;

/// How soon a link is looked at again that something kept from being looked at.
pub(crate) const COMPARE_INTERVAL: Duration = Duration::from_secs(60);

/// How long a file may stay half-written before that is said: longer than any writer seen takes.
const HALF_WRITTEN_GRACE: Duration = Duration::from_secs(2);

/// How long a request to renew is given before it is made again; twice as long after each one that came to nothing.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// The longest that it is waited for.
const LONGEST_ANSWER_TIME: Duration = Duration::from_secs(8 * 60);

/// How often events have one link compared: beyond it a user who changes files without end waits.
const COMPARE_LIMIT: Limit = Limit { burst: 20, interval: Duration::from_millis(100) };

/// How often something new is said of one link.
const TALK_LIMIT: Limit = Limit { burst: 20, interval: Duration::from_secs(30) };

/// A link as the watcher keeps it.
pub(crate) struct Watched {
    pub(crate) settings: Box<Settings>,
    /// Whether the source's file system tells of changes.
    pub(crate) notifies: bool,
    /// Whether what it depends on has to be watched anew.
    pub(crate) moved: bool,
    /// The process that syncs it where this one must not.
    pub(crate) delegated: Delegated,
    /// How often events had it compared.
    pace: Pace,
    known: Known,
}

/// What is known of a link from one look to the next, in whichever process.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    said: Said,
    /// When it has to be looked at without an event.
    next: Option<Timestamp>,
    /// Since when the file has been half-written.
    half_written: Option<Timestamp>,
    /// When it is to be renewed.
    due: Option<Timestamp>,
    /// When a renewal was asked for last.
    asked: Option<Timestamp>,
    /// How often in a row that changed nothing.
    unanswered: u32,
    /// When people have to be told something.
    tell: Option<Timestamp>,
    /// What went wrong with telling them.
    trouble: Said,
    /// How often something was said.
    talk: Pace,
    /// Of how many looks nothing was said since.
    unsaid: u32,
    /// How often in a row a sink could not be written.
    unwritten: u32,
}

impl Watched {
    /// A link that was never looked at.
    pub(crate) fn new(settings: Settings) -> Self {
        let (delegated, pace, known) = Default::default();
        let (settings, notifies, moved) = (Box::new(settings), true, false);
        Self { settings, notifies, moved, delegated, pace, known }
    }

    /// A link as another process knew it; one that cannot be read was never looked at.
    pub(crate) fn again(settings: Settings, record: &str) -> Self {
        let known = serde_json::from_str(record).unwrap_or_default();
        Self { notifies: false, known, ..Self::new(settings) }
    }

    /// What another process has to know of it.
    pub(crate) fn record(&self) -> String {
        serde_json::to_string(&self.known).unwrap_or_default()
    }

    /// Takes over what another process knows; says whether that can be read.
    pub(crate) fn take_over(&mut self, record: &[u8]) -> bool {
        let known = serde_json::from_slice(record);
        known.map(|known| self.known = known).is_ok()
    }

    /// When it has to be looked at without an event.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.known.next
    }

    /// Sets when it is looked at without an event.
    pub(crate) fn next_is(&mut self, moment: Option<Timestamp>) {
        self.known.next = moment;
    }

    /// Says whether an event may have it compared now; else it is compared soon.
    pub(crate) fn may_compare(&mut self, now: Timestamp) -> bool {
        match self.pace.take(COMPARE_LIMIT, now) {
            Ok(()) => true,
            Err(moment) => {
                self.known.next = Some(self.known.next.map_or(moment, |next| next.min(moment)));
                false
            }
        }
    }

    /// Says once why it could not be looked at.
    pub(crate) fn say_failure(&mut self, failure: &str) {
        self.known.said.tell(&[format!("{}: {failure}", self.settings.name)]);
    }

    /// Takes note of what a sync found, says what is new, asks for what is due.
    pub(crate) fn attend(
        &mut self,
        ground: &Ground,
        mut report: Report,
        busy_retry: Duration,
        now: Timestamp,
    ) {
        let quiet = self.still_writing(&report, now);
        if !quiet {
            self.said_deeds(&report, now);
        }
        report.let_go();
        self.known.unwritten =
            if report.has_failed() { self.known.unwritten.saturating_add(1) } else { 0 };
        self.look_ahead(ground, &mut report, now);
        self.known.next = self.next_look(&report, busy_retry, now);
        if !quiet && self.known.said.has_news(&report) {
            self.say_news(&report, now);
        }
    }

    /// Says what was done, unless too much of the kind was said.
    fn said_deeds(&mut self, report: &Report, now: Timestamp) {
        if !log_dedup::has_deeds(report) {
            return;
        }
        match self.known.talk.take(TALK_LIMIT, now) {
            Ok(()) => {
                self.say_left_out();
                log_dedup::deeds(report);
            }
            Err(_) => self.known.unsaid = self.known.unsaid.saturating_add(1),
        }
    }

    /// Says how things stand; where too much was said already, as soon as it is allowed again.
    fn say_news(&mut self, report: &Report, now: Timestamp) {
        match self.known.talk.take(TALK_LIMIT, now) {
            Ok(()) => {
                self.say_left_out();
                self.known.said.report(report);
            }
            Err(moment) => {
                self.known.unsaid = self.known.unsaid.saturating_add(1);
                self.known.next = Some(self.known.next.map_or(moment, |next| next.min(moment)));
            }
        }
    }

    fn say_left_out(&mut self) {
        let name = &self.settings.name;
        match std::mem::take(&mut self.known.unsaid) {
            0 => {}
            count => {
                log::warn!("{name}: it changes again and again: {count} changes were not logged");
            }
        }
    }

    /// Tells people what they have to hear, and asks for a renewal that is due.
    fn look_ahead(&mut self, ground: &Ground, report: &mut Report, now: Timestamp) {
        let name = &self.settings.name;
        match maintenance::attend(ground, &self.settings, report, now) {
            Ok((people, due)) => {
                (self.known.tell, self.known.due) = (people.next, due);
                report.told = people.open.iter().map(|open| open.kind).collect();
            }
            Err(error) => {
                self.known.tell = Some(now.after(COMPARE_INTERVAL));
                return self.known.trouble.tell(&[format!("{name}: {error}")]);
            }
        }
        let is_due = self.known.due.is_some_and(|due| due <= now);
        if !is_due {
            self.known.unanswered = 0;
        }
        if !is_due || self.waits_for_answer(now) {
            return self.known.trouble.tell(&[]);
        }
        self.known.asked = Some(now);
        self.known.unanswered = self.known.unanswered.saturating_add(1);
        let asked = maintenance::ask_for_renewal(&ground.places, &self.settings);
        let trouble = asked.err().map(|error| format!("{name}: {error}"));
        self.known.trouble.tell(trouble.as_slice());
    }

    /// Says whether a renewal was asked for a moment ago; a clock that was set back forgets it.
    fn waits_for_answer(&self, now: Timestamp) -> bool {
        self.known.asked.is_some_and(|asked| asked <= now && now < asked.after(self.answer_time()))
    }

    fn answer_time(&self) -> Duration {
        doubled(ANSWER_TIME, self.known.unanswered, LONGEST_ANSWER_TIME)
    }

    /// Says whether the file may just be in the middle of being written, which is no news yet.
    fn still_writing(&mut self, report: &Report, now: Timestamp) -> bool {
        if !report.half_written() {
            self.known.half_written = None;
            return false;
        }
        let since = *self.known.half_written.get_or_insert(now);
        now < since.after(HALF_WRITTEN_GRACE)
    }

    fn next_look(
        &self,
        report: &Report,
        busy_retry: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let busy = report.busy().then(|| now.after(busy_retry));
        let half = self.known.half_written.map(|since| since.after(HALF_WRITTEN_GRACE));
        let half = half.filter(|moment| *moment > now);
        let silent = (!self.notifies).then(|| now.after(COMPARE_INTERVAL));
        let due = match self.known.due {
            Some(due) if due <= now => {
                self.known.asked.map(|asked| asked.after(self.answer_time()))
            }
            due => due,
        };
        let pending = report.gateway.pending.as_ref();
        let retry = pending.and_then(|pending| pending.next_try).filter(|moment| *moment > now);
        let again = self.known.unwritten;
        let again = (again > 0).then(|| now.after(gateway::retry(again)));
        let resumed = self.settings.pause_at(now);
        let resumed = resumed.and_then(|pause| pause.until);
        let told = self.known.tell;
        let moments = [busy, half, silent, report.turns_at(), told, due, retry, again, resumed];
        moments.into_iter().flatten().min()
    }
}
