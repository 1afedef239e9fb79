//! Says a state once, on transition.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::report::{Line, Report};
use crate::domain::messages;
use crate::domain::pace::{Limit, Pace};
use crate::os::clock;

/// How often the same may happen to a link and be said.
const SELDOM: Limit = Limit { burst: 5, interval: Duration::from_secs(120) };

/// What was said last, so that it is not said again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Said {
    /// Digests of the lines, not the lines: a thousand links have to stay small. Sorted: of one link there may be
    /// ten thousand.
    lines: Vec<u64>,
}

impl Said {
    /// Says those of `faults` that are new.
    pub(crate) fn tell(&mut self, faults: &[String]) {
        let digests: Vec<u64> = faults.iter().map(digest).collect();
        for (fault, digest) in faults.iter().zip(&digests) {
            if !self.knows(*digest) {
                log::error!(MESSAGE_ID = messages::id("configuration"); "{fault}");
            }
        }
        self.remember(digests);
    }

    /// Says whether a report has something to say that is new, or something is over, besides the deeds.
    pub(crate) fn has_news(&self, report: &Report) -> bool {
        let lines = report.lines();
        let mut standing = lines.iter().filter(|line| !line.is_deed);
        let mut count = 0;
        let all_known = standing.all(|line| {
            count += 1;
            self.knows(digest(&line.text))
        });
        !all_known || count != self.lines.len()
    }

    /// Says what a report has to say that is new, besides the deeds.
    pub(crate) fn report(&mut self, report: &Report) {
        let lines = report.lines();
        let mut digests = Vec::with_capacity(lines.len());
        for line in lines.iter().filter(|line| !line.is_deed) {
            let digest = digest(&line.text);
            if !self.knows(digest) {
                line.log(&report.link);
            }
            digests.push(digest);
        }
        self.remember(digests);
    }

    fn knows(&self, digest: u64) -> bool {
        self.lines.binary_search(&digest).is_ok()
    }

    fn remember(&mut self, mut digests: Vec<u64>) {
        digests.sort_unstable();
        self.lines = digests;
    }
}

/// Says whether something was done.
pub(crate) fn has_deeds(report: &Report) -> bool {
    report.lines().iter().any(|line| line.is_deed)
}

/// Says what was done, which is always news.
pub(crate) fn deeds(report: &Report) {
    report.lines().iter().filter(|line| line.is_deed).for_each(|line| line.log(&report.link));
}

/// Says everything a report has to say, as a one-shot command does.
pub(crate) fn all(report: &Report) {
    report.lines().iter().for_each(|line: &Line| line.log(&report.link));
}

/// Says what happens to a link again and again: a few times at once, and then now and then.
pub(crate) fn seldom(message: &Line, link: &str, kind: impl Hash) {
    static SAID: Mutex<BTreeMap<u64, (Pace, u32)>> = Mutex::new(BTreeMap::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let (pace, left_out) = said.entry(digest((link, kind))).or_default();
    if pace.take(SELDOM, clock::now()).is_err() {
        *left_out = left_out.saturating_add(1);
        return;
    }
    match std::mem::take(left_out) {
        0 => {}
        count => log::warn!("{link}: {count} messages like the next one were not logged"),
    }
    message.log(link);
}

fn digest(text: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
