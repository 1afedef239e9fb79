//! An event that people, or their programs, may want to hear of; left in the queue `notify.d`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::time::Timestamp;
use crate::domain::visible::visible;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::queue::Queue;

/// Tells the events of one process and one millisecond apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// An event; it holds no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The word that hooks get as `OAUTH_SYNC_EVENT`.
    pub(crate) name: String,
    /// The link.
    pub(crate) link: String,
    /// What happened, what follows, and the command that helps.
    pub(crate) message: String,
    /// How much it matters: `info`, `warning` or `error`.
    pub(crate) severity: String,
    /// When the access token that agents work with ends, in RFC 3339.
    pub(crate) expires_at: Option<String>,
    /// Whether a person is meant, by the webhook; a deed is for the hooks alone.
    pub(crate) for_people: bool,
    /// The incident that it is about; empty for a deed.
    #[serde(default)]
    pub(crate) about: String,
    /// How many earlier ones of its kind it stands for, of which nobody was notified.
    #[serde(default)]
    pub(crate) merged: u32,
}

impl Event {
    /// Something that was done, for which nobody has to be woken.
    pub(crate) fn deed(name: &str, link: &str, message: String, expiry: Option<Timestamp>) -> Self {
        Self {
            name: name.to_owned(),
            link: link.to_owned(),
            message,
            severity: "info".to_owned(),
            expires_at: expiry.map(|expiry| expiry.to_string()),
            for_people: false,
            about: String::new(),
            merged: 0,
        }
    }

    /// A test, by which a person sees whether events of a link arrive.
    pub(crate) fn test(link: &str) -> Self {
        let message = "this is a test: what oauth-sync has to say of this link arrives here";
        Self { for_people: true, ..Self::deed("test", link, message.to_owned(), None) }
    }

    /// What is alike in all events of one kind of a link, fit for a file's name.
    pub(crate) fn kind(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.link, &self.name, &self.about).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Takes the place of an earlier event of its kind.
    pub(crate) fn merge(&mut self, earlier: &Self) {
        self.merged = self.merged.saturating_add(earlier.merged).saturating_add(1);
    }

    /// Leaves it in the queue, in place of one of its kind that waits there: whatever a user does, no more
    /// than one of each kind waits for each link. News for people is left only if it is not what waits
    /// there last of this link: on a full disk nobody can remember that it was left.
    pub(crate) fn leave(&self, run_dir: &Path) -> Result<(), Error> {
        let queue = Queue::Notify.open(run_dir)?;
        if self.for_people && self.waits(&queue)? {
            return Ok(());
        }
        let kind = self.kind();
        let mut event = self.clone();
        let mut earlier = Vec::new();
        for name in queue.names()?.iter().filter_map(|name| name.to_str()) {
            if is_of_kind(name, &kind)
                && let Ok(Some(seen)) = queue.read(name, STATE_LIMIT)
            {
                if let Some(old) = record::read::<Self>(&seen.bytes) {
                    event.merge(&old);
                }
                earlier.push(name.to_owned());
            }
        }
        let (ms, pid) = (clock::now().0, std::process::id());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        event.message = visible(&event.message).into_owned();
        let bytes = serde_json::to_vec(&event).unwrap_or_default();
        Queue::Notify.put(run_dir, &format!("{ms:015}-{pid}-{count}-{kind}.json"), &bytes)?;
        // The new one first: a run that is killed here tells one twice.
        earlier.iter().try_for_each(|name| queue.remove(name).map(|_| ()))
    }

    /// Says whether the last that waits of this link is the same news.
    fn waits(&self, queue: &Folder) -> Result<bool, Error> {
        let mut waiting = queue.names()?.into_iter().filter_map(|name| {
            let seen = queue.read(name.to_str()?, STATE_LIMIT).ok()??;
            record::read::<Self>(&seen.bytes)
        });
        let last = waiting.rfind(|event| event.link == self.link && event.for_people);
        Ok(last.is_some_and(|last| last.name == self.name))
    }
}

/// Says whether an event's file name says that it is of this kind.
pub(crate) fn is_of_kind(file: &str, kind: &str) -> bool {
    file.strip_suffix(".json").and_then(|stem| stem.rsplit('-').next()) == Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_the_newest_waits_and_stands_for_the_others() {
        let run = tempfile::tempdir().unwrap();
        let deed = Event::deed("recreated", "default", "it was recreated".to_owned(), None);
        let news = |name: &str| Event { name: name.to_owned(), for_people: true, ..deed.clone() };
        let (begun, over) = (news("blanked"), news("recovered"));
        for event in [&begun, &begun, &deed, &begun, &over, &begun, &deed] {
            event.leave(run.path()).unwrap();
        }
        let queue = Queue::Notify.open(run.path()).unwrap();
        let waiting: Vec<(String, u32)> = queue
            .names()
            .unwrap()
            .iter()
            .map(|name| {
                let seen = queue.read(name.to_str().unwrap(), STATE_LIMIT).unwrap().unwrap();
                let event = record::read::<Event>(&seen.bytes).unwrap();
                (event.name, event.merged)
            })
            .collect();
        // The second `begun` was the same news as the one before it.
        let newest = [("recovered", 0), ("blanked", 1), ("recreated", 1)];
        assert_eq!(waiting, newest.map(|(name, merged)| (name.to_owned(), merged)));
        for _ in 0..1000 {
            begun.leave(run.path()).unwrap();
            over.leave(run.path()).unwrap();
        }
        assert_eq!(queue.names().unwrap().len(), 3);
    }
}
