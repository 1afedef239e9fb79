//! Links whose files may not answer: each is synced by a process of its own, which may hang.

use std::ffi::OsString;
use std::time::Duration;

use crate::app::child::queue_runner;
use crate::app::context::Places;
use crate::domain::retry::doubled;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::event::event_loop::Events;
use crate::os::process::self_exec::{Child, Offspring};

/// How long a process for one link may show no progress.
const LIMIT: Duration = Duration::from_secs(60);

/// How long it may take in all.
const IN_ALL: Duration = Duration::from_secs(1200);

/// How long it has to end once it was asked to.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How many processes are started within [`START_TIME`], so that many links do not come all at once.
const AT_ONCE: usize = 8;

/// How long a process counts as just started; one that takes longer waits for others.
const START_TIME: Duration = Duration::from_secs(2);

/// How long a link rests after a process that failed; twice as long after each further one.
const SHORTEST_REST: Duration = Duration::from_secs(60);

/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(32 * 60);

/// The process that syncs a link, while there is one.
#[derive(Debug)]
struct Run {
    since: Timestamp,
    /// When it is told to end, or ended.
    limit: Timestamp,
    /// How much progress it had shown when the limit was set.
    progress: u64,
    /// How often it was told.
    told: u32,
    /// Whether something changed since it was started.
    again: bool,
}

impl Run {
    /// Gives more time to a process that shows progress, but not without end; says whether it did.
    fn may_go_on(&mut self, progress: u64, now: Timestamp) -> bool {
        let is_in_time = self.since <= now && now < self.since.after(IN_ALL);
        let may = self.told == 0 && progress > self.progress && is_in_time;
        if may {
            (self.progress, self.limit) = (progress, now.after(LIMIT));
        }
        may
    }
}

/// What the watcher knows of the processes of one link.
#[derive(Debug, Default)]
pub(crate) struct Delegated {
    run: Option<Run>,
    /// How many failed in a row.
    failures: u32,
}

impl Delegated {
    /// Says whether a process was started a moment ago.
    pub(crate) fn is_new(&self, now: Timestamp) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.since <= now && now < run.since.after(START_TIME))
    }

    /// When the process has to be looked at.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.run.as_ref().filter(|run| run.told < 2).map(|run| run.limit)
    }

    /// Starts the process of the link `name`, of which `record` is known, unless one runs or `new` other
    /// ones have just begun to; when to look at the link again.
    ///
    /// # Errors
    /// If none can be started.
    pub(crate) fn start(
        &mut self,
        (events, places): (&mut Events, &Places),
        (name, record): (&str, String),
        new: usize,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        if let Some(run) = &mut self.run {
            run.again = true;
            return Ok(None);
        }
        if new >= AT_ONCE {
            return Ok(Some(now.after(START_TIME / 8)));
        }
        let mut words: Vec<OsString> = ["sync", "--delegate", "--link"].map(OsString::from).into();
        words.extend([name, "--watched", "--attended"].map(Into::into));
        let process =
            Offspring::start_for_answer(&queue_runner::arguments(places, &words), &record)?;
        events.adopt(Child::Link(name.to_owned()), process);
        self.run =
            Some(Run { since: now, limit: now.after(LIMIT), progress: 0, told: 0, again: false });
        Ok(None)
    }

    /// Tells a process that takes too long to end, then ends it; says why when it is told for the first
    /// time. What does not end even so is waited for by nobody, and no second one is started.
    pub(crate) fn hurry(
        &mut self,
        events: &mut Events,
        name: &str,
        now: Timestamp,
    ) -> Option<String> {
        let run = self.run.as_mut().filter(|run| run.told < 2)?;
        // Of a clock that was set back the limit is not longer than it was.
        if now < run.limit && run.since <= now {
            return None;
        }
        let process = events.child(&Child::Link(name.to_owned()));
        let progress = process.as_ref().map_or(0, |process| process.progress());
        let goes_on = progress > run.progress;
        if run.may_go_on(progress, now) {
            return None;
        }
        if let Some(process) = process {
            process.signal(run.told > 0);
        }
        run.told += 1;
        run.limit = now.after(LAST_WAIT);
        (run.told == 1).then(|| {
            let seconds = if goes_on { IN_ALL } else { LIMIT }.as_secs();
            if goes_on {
                format!("its sync was ended, since it took more than {seconds} s: this link alone waits")
            } else {
                format!("its sync was ended, since the file system of its files has not answered for {seconds} s: this link alone waits")
            }
        })
    }

    /// Takes note that the process has ended; whether something changed meanwhile.
    pub(crate) fn ended(&mut self) -> bool {
        self.run.take().is_some_and(|run| run.again)
    }

    /// Takes note of how that went; when to try again what failed.
    pub(crate) fn went(&mut self, well: bool, now: Timestamp) -> Option<Timestamp> {
        if well {
            self.failures = 0;
            return None;
        }
        self.failures += 1;
        Some(now.after(doubled(SHORTEST_REST, self.failures, LONGEST_REST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_progress_goes_on_but_not_without_end() {
        let begun = Timestamp(0);
        let limit = begun.after(LIMIT);
        let mut run = Run { since: begun, limit, progress: 0, told: 0, again: false };
        assert!(run.may_go_on(1, limit));
        assert_eq!(run.limit, limit.after(LIMIT));
        assert!(!run.may_go_on(1, run.limit), "it has shown nothing since");
        assert!(run.may_go_on(9, run.limit));
        assert!(!run.may_go_on(10, begun.after(IN_ALL)), "its time is over");
        run.told = 1;
        assert!(!run.may_go_on(11, limit), "it was told to end");
    }
}
