//! How the links fare, as everybody on the host may read it: no secret, no path, no account, and no text
//! that came from a file or a program of a user's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Health, Level};
use crate::domain::time::{Timestamp, in_words};

/// The version of the file's form.
pub(crate) const SCHEMA: u32 = 1;

/// How old what was published may be: the timer's run comes each half hour.
const DEAD: Duration = Duration::from_secs(65 * 60);

/// All links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The version of the form.
    pub(crate) schema: u32,
    /// When it was written.
    pub(crate) time: Timestamp,
    /// Whether the configuration has errors.
    pub(crate) has_faults: bool,
    /// What is wrong with the service itself.
    #[serde(default)]
    pub(crate) service: Vec<ServiceEntry>,
    /// The links.
    pub(crate) links: Vec<Entry>,
}

/// Something that is wrong with the service itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceEntry {
    /// The doctor's name for it.
    pub(crate) id: String,
    /// How much it matters.
    pub(crate) level: Level,
    /// What is wrong, and what follows from it.
    pub(crate) text: String,
    /// The command that fixes it, or says more.
    pub(crate) command: String,
}

impl ServiceEntry {
    /// The text, and what to type.
    pub(crate) fn message(&self) -> String {
        format!("{}: {}", self.text, self.command)
    }

    /// Returns whether it is about the units, or what stands for them.
    pub(crate) fn is_of_units(&self) -> bool {
        ["unit-", "units-", "watcher-"].iter().any(|group| self.id.starts_with(group))
    }

    /// Returns whether it is about hooks and webhooks.
    pub(crate) fn is_of_messages(&self) -> bool {
        ["hook-", "webhook-", "messages-"].iter().any(|group| self.id.starts_with(group))
    }

    /// Returns whether it is about the watcher, in the words of `unit` or without units.
    pub(crate) fn is_of_watcher(&self, unit: &str) -> bool {
        self.id.starts_with("watcher-") || (self.is_of_units() && self.text.starts_with(unit))
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// When it was looked at.
    pub(crate) time: Timestamp,
    /// How it fares.
    pub(crate) health: Health,
}

impl Published {
    /// What is published where nothing was so far.
    pub(crate) fn nothing(now: Timestamp) -> Self {
        let (service, links) = (Vec::new(), Vec::new());
        Self { schema: SCHEMA, time: now, has_faults: false, service, links }
    }

    /// Puts a link in the place of its older state.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.links.retain(|other| other.name != entry.name);
        self.links.push(entry);
        self.links.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// Ages what was not looked at for so long that nothing looks any more.
    pub(crate) fn aged(mut self, written: Timestamp, now: Timestamp) -> Self {
        for entry in &mut self.links {
            let age = now.left(entry.time.min(written));
            if age > DEAD {
                let text =
                    format!("the service has not looked at it for {}: it is dead", in_words(age));
                entry.health.findings.insert(0, (Level::Wrong, text));
                entry.health.level = Level::Wrong;
            } else if entry.health.summary.expiry.is_some_and(|expiry| expiry <= now) {
                let text = "the access token has expired".to_owned();
                entry.health.findings.insert(0, (Level::Wrong, text));
                entry.health.level = Level::Wrong;
                entry.health.summary.expiry = None;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Summary;

    fn published(hours: i64) -> Published {
        let mut all = Published::nothing(Timestamp(0));
        let expiry = Some(Timestamp(hours * 3_600_000));
        let summary = Summary { expiry, ..Summary::default() };
        let health = Health { level: Level::Fine, findings: Vec::new(), summary };
        all.put(Entry { name: "a".to_owned(), time: Timestamp(0), health });
        all
    }

    fn level(all: &Published) -> Level {
        all.links[0].health.level
    }

    #[test]
    fn what_is_older_than_65_minutes_is_of_a_dead_service() {
        let minutes = |minutes: i64| Timestamp(minutes * 60_000);
        assert_eq!(level(&published(8).aged(minutes(0), minutes(65))), Level::Fine);
        assert_eq!(level(&published(8).aged(minutes(0), minutes(66))), Level::Wrong);
        assert_eq!(level(&published(8).aged(minutes(-66), minutes(1))), Level::Wrong);
    }

    #[test]
    fn a_token_that_has_ended_meanwhile_is_not_fine() {
        assert_eq!(level(&published(1).aged(Timestamp(0), Timestamp(3_600_000))), Level::Wrong);
    }

    #[test]
    fn an_entry_tells_by_its_name_whom_it_is_about() {
        let of = |id: &str| {
            let (text, command) = ("oauth-sync.service is stopped".to_owned(), String::new());
            let entry = ServiceEntry { level: Level::Wrong, id: id.to_owned(), text, command };
            let is_of_watcher = entry.is_of_watcher("oauth-sync.service");
            (entry.is_of_units(), entry.is_of_messages(), is_of_watcher)
        };
        assert_eq!(of("unit-stopped"), (true, false, true));
        assert_eq!(of("watcher-ended"), (true, false, true));
        for id in ["hook-failed", "webhook-failed", "messages-wait"] {
            assert_eq!(of(id), (false, true, false), "{id}");
        }
        assert_eq!(of("configuration"), (false, false, false));
    }

    #[test]
    fn a_link_stands_there_once() {
        let mut all = published(8);
        let mut entry = all.links[0].clone();
        entry.time = Timestamp(5);
        all.put(entry.clone());
        assert_eq!(all.links, [entry]);
    }
}
