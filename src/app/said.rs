//! Says a state once, on transition.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::app::report::{Line, Report};
use crate::domain::messages;

/// What was said last, so that it is not said again.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Digests of the lines, not the lines: a thousand links have to stay small.
    lines: Vec<u64>,
}

impl Said {
    /// Says those of `faults` that are new.
    pub(crate) fn tell(&mut self, faults: &[String]) {
        let digests: Vec<u64> = faults.iter().map(digest).collect();
        for (fault, digest) in faults.iter().zip(&digests) {
            if !self.lines.contains(digest) {
                log::error!(MESSAGE_ID = messages::id("configuration"); "{fault}");
            }
        }
        self.lines = digests;
    }

    /// Says what a report has to say that is new, besides the deeds.
    pub(crate) fn report(&mut self, report: &Report) {
        let lines = report.lines();
        let mut digests = Vec::with_capacity(lines.len());
        for line in lines.iter().filter(|line| !line.is_deed) {
            let digest = digest(&line.text);
            if !self.lines.contains(&digest) {
                line.log(&report.link);
            }
            digests.push(digest);
        }
        self.lines = digests;
    }
}

/// Says what was done, which is always news.
pub(crate) fn deeds(report: &Report) {
    report.lines().iter().filter(|line| line.is_deed).for_each(|line| line.log(&report.link));
}

/// Says everything a report has to say, as a one-shot command does.
pub(crate) fn all(report: &Report) {
    report.lines().iter().for_each(|line: &Line| line.log(&report.link));
}

fn digest(text: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
