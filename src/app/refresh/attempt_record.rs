//! What an attempt leaves in a source's history.

use std::time::Duration;

use crate::app::refresh::Work;
use crate::app::refresh::history::{self, Entry};
use crate::domain::acceptance::Mark;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::os::clock;

/// An attempt that was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made<'a> {
    /// The method, or where else a renewal came from.
    pub(super) method: &'a str,
    /// Its own word.
    pub(super) outcome: &'a Outcome,
    /// When it began.
    pub(super) started: Timestamp,
}

/// Adds an attempt to the history; `from` is what the file showed before it, and `renewed` what it shows since,
/// whatever the method says.
pub(super) fn record(work: &Work<'_>, made: Made<'_>, from: Option<Mark>, renewed: Option<Mark>) {
    let now = clock::now();
    let unproved = Outcome::deferred("the file does not show it");
    let outcome = match (made.outcome, renewed) {
        (_, Some(_)) => &Outcome::Renewed,
        (Outcome::Renewed, None) => &unproved,
        (other, None) => other,
    };
    let gained = renewed.map(|new| new.expiry.left(from.map_or(now, |old| old.expiry)));
    let entry = Entry {
        time: now,
        method: made.method.to_owned(),
        outcome: outcome.name().to_owned(),
        cause: outcome.cause().map(str::to_owned),
        hint: outcome.hint().cloned(),
        count: 1,
        duration: millis(now.left(made.started)),
        gained: millis(gained.unwrap_or_default()),
        from: from.map(|mark| mark.fingerprint),
        to: renewed.map(|mark| mark.fingerprint),
    };
    if let Err(error) = history::add(work.sources, &work.place.key, entry) {
        log::warn!("{error}: the history has a gap");
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
