//! A link as the watcher keeps it: what was said of it, and when it has to be looked at again.

use std::time::Duration;

use crate::app::ground::Ground;
use crate::app::report::Report;
use crate::app::rounds;
use crate::app::said::{self, Said};
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;

/// How soon a link is looked at again that something kept from being looked at.
pub(crate) const COMPARE_INTERVAL: Duration = Duration::from_secs(60);

/// How long a file may stay half-written before that is said: longer than any writer seen takes.
const HALF_WRITTEN_GRACE: Duration = Duration::from_secs(2);

/// How long a request to renew is given before it is made again; twice as long after each one that
/// came to nothing, up to eight times.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// A link as the watcher keeps it.
pub(crate) struct Watched {
    pub(crate) settings: Box<Settings>,
    pub(crate) said: Said,
    /// When it has to be looked at without an event.
    pub(crate) next: Option<Timestamp>,
    /// Whether the source's file system tells of changes.
    pub(crate) notifies: bool,
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
}

impl Watched {
    /// A link that was never looked at.
    pub(crate) fn new(settings: Settings) -> Self {
        let (said, trouble) = (Said::default(), Said::default());
        let (next, half_written, due, asked, tell) = (None, None, None, None, None);
        let (settings, notifies) = (Box::new(settings), true);
        let unanswered = 0;
        Self { settings, said, next, notifies, half_written, due, asked, unanswered, tell, trouble }
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
            said::deeds(&report);
        }
        report.let_go();
        self.look_ahead(ground, &mut report, now);
        self.next = self.next_look(&report, busy_retry, now);
        if !quiet {
            self.said.report(&report);
        }
    }

    /// Tells people what they have to hear, and asks for a renewal that is due.
    fn look_ahead(&mut self, ground: &Ground, report: &mut Report, now: Timestamp) {
        let name = &self.settings.name;
        match rounds::attend(ground, &self.settings, report, now) {
            Ok((people, due)) => {
                (self.tell, self.due) = (people.next, due);
                report.told = people.open.iter().map(|open| open.kind).collect();
            }
            Err(error) => {
                self.tell = Some(now.after(COMPARE_INTERVAL));
                return self.trouble.tell(&[format!("{name}: {error}")]);
            }
        }
        let is_due = self.due.is_some_and(|due| due <= now);
        if !is_due {
            self.unanswered = 0;
        }
        if !is_due || self.waits_for_answer(now) {
            return self.trouble.tell(&[]);
        }
        self.asked = Some(now);
        self.unanswered = self.unanswered.saturating_add(1);
        let asked = rounds::ask_for_renewal(&ground.places, &self.settings);
        let trouble = asked.err().map(|error| format!("{name}: {error}"));
        self.trouble.tell(trouble.as_slice());
    }

    /// Says whether a renewal was asked for a moment ago; a clock that was set back forgets it.
    fn waits_for_answer(&self, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now && now < asked.after(self.answer_time()))
    }

    fn answer_time(&self) -> Duration {
        ANSWER_TIME * (1 << self.unanswered.saturating_sub(1).min(3))
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

    fn next_look(
        &self,
        report: &Report,
        busy_retry: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let busy = report.busy().then(|| now.after(busy_retry));
        let half = self.half_written.map(|since| since.after(HALF_WRITTEN_GRACE));
        let half = half.filter(|moment| *moment > now);
        let silent = (!self.notifies).then(|| now.after(COMPARE_INTERVAL));
        let due = match self.due {
            Some(due) if due <= now => self.asked.map(|asked| asked.after(self.answer_time())),
            due => due,
        };
        let pending = report.gateway.pending.as_ref();
        let retry = pending.and_then(|pending| pending.next_try).filter(|moment| *moment > now);
        let moments = [busy, half, silent, report.turns_at(), self.tell, due, retry];
        moments.into_iter().flatten().min()
    }
}
