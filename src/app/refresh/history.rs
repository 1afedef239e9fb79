//! The last renewals of a source: `sources/KEY.history.json` in the state directory.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::config::settings::Method;
use crate::domain::secret::Fingerprint;
use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// How long they are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// The most that is kept of a source, in bytes: 90 days of renewals have half of it.
const LIMIT: usize = 256 << 10;

/// One attempt to renew; failures that repeat each other are one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it ended; of several, the last.
    pub(crate) time: Timestamp,
    /// `cli`, `api`, or `saved` for an answer of an earlier run.
    pub(crate) method: String,
    /// `renewed`, `deferred`, `rejected`, `on-hold` or `unable`.
    pub(crate) outcome: String,
    /// Why it is not a renewal.
    pub(crate) cause: Option<String>,
    /// The command that helps, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<Hint>,
    /// How many in a row.
    pub(crate) count: u32,
    /// How long it took, in ms.
    pub(crate) duration: u64,
    /// How much later the access token ends, in ms.
    pub(crate) gained: u64,
    /// The access token before.
    pub(crate) from: Option<Fingerprint>,
    /// The access token after.
    pub(crate) to: Option<Fingerprint>,
}

/// The word for a method.
pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Cli => "cli",
        Method::Api => "api",
    }
}

/// Loads the entries of a source, the newest last.
pub(crate) fn load(sources: &Folder, key: &str) -> Result<Vec<Entry>, Error> {
    let seen = sources.read(&file_name(key), STATE_LIMIT)?;
    let entries = seen.and_then(|seen| record::read(&seen.bytes));
    Ok(entries.unwrap_or_default())
}

/// Adds an entry.
pub(crate) fn add(sources: &Folder, key: &str, entry: Entry) -> Result<(), Error> {
    let mut entries = load(sources, key)?;
    join(&mut entries, entry);
    let mut bytes = serde_json::to_vec(&entries).unwrap_or_default();
    while bytes.len() > LIMIT {
        entries.drain(..entries.len().div_ceil(10));
        bytes = serde_json::to_vec(&entries).unwrap_or_default();
    }
    atomic_write::replace(sources, &file_name(key), &bytes, Durability::Lazy)
}

fn join(entries: &mut Vec<Entry>, entry: Entry) {
    let now = entry.time;
    // An outage must not push the renewals out, nor may one in which two methods fail in turn.
    let renewed = entries.iter().rposition(|known| known.outcome == "renewed");
    let since = renewed.map_or(0, |at| at + 1);
    let same = entries[since..].iter().position(|known| repeats(known, &entry));
    match same.filter(|_| entry.cause.is_some()) {
        Some(at) => {
            let count = entries.remove(since + at).count.saturating_add(1);
            entries.push(Entry { count, ..entry });
        }
        None => entries.push(entry),
    }
    entries.retain(|known| known.time.after(KEPT) > now);
}

fn repeats(a: &Entry, b: &Entry) -> bool {
    (&a.method, &a.outcome, &a.cause) == (&b.method, &b.outcome, &b.cause)
}

fn file_name(key: &str) -> String {
    format!("{key}.history.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time: i64, cause: Option<&str>) -> Entry {
        Entry {
            time: Timestamp(time),
            method: "api".to_owned(),
            outcome: if cause.is_some() { "deferred" } else { "renewed" }.to_owned(),
            cause: cause.map(str::to_owned),
            hint: None,
            count: 1,
            duration: 5,
            gained: 0,
            from: Some(Fingerprint(1)),
            to: None,
        }
    }

    #[test]
    fn an_outage_is_one_entry_and_ninety_days_are_kept() {
        let mut entries = Vec::new();
        join(&mut entries, entry(-90 * 24 * 3_600_000 + 400, None));
        for time in 0..300 {
            join(&mut entries, entry(time, None));
        }
        assert_eq!(entries.len(), 301);
        for time in 300..400 {
            join(&mut entries, entry(time, Some("HTTP 503")));
            let cli = Entry { method: "cli".to_owned(), ..entry(time, Some("it hangs")) };
            join(&mut entries, cli);
        }
        assert_eq!(entries.len(), 303);
        for last in entries.iter().rev().take(2) {
            assert_eq!((last.count, last.time), (100, Timestamp(399)));
        }
        // What fails after a renewal is another story.
        join(&mut entries, entry(400, None));
        join(&mut entries, entry(401, Some("HTTP 503")));
        assert_eq!(entries.last().unwrap().count, 1);
        assert_eq!(entries[0].time, Timestamp(0), "the first is too old by now");
    }
}
