//! An event that people, or their programs, may want to hear of; left in the queue `notify.d`.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use crate::app::memory::STATE_LIMIT;
use crate::app::record;
use crate::domain::time::Timestamp;
use crate::domain::visible::visible;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::folder::Folder;
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
        }
    }

    /// Leaves it in the queue; news for people only if it is not what waits there last of this link:
    /// on a full disk nobody can remember that it was left.
    pub(crate) fn leave(&self, run_dir: &Path) -> Result<(), Error> {
        if self.for_people && self.waits(&Queue::Notify.open(run_dir)?)? {
            return Ok(());
        }
        let (ms, pid) = (clock::now().0, std::process::id());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let message = visible(&self.message).into_owned();
        let bytes = serde_json::to_vec(&Self { message, ..self.clone() }).unwrap_or_default();
        Queue::Notify.put(run_dir, &format!("{ms:015}-{pid}-{count}.json"), &bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_for_people_waits_once_and_a_deed_as_often_as_it_was_done() {
        let run = tempfile::tempdir().unwrap();
        let deed = Event::deed("recreated", "default", "it was recreated".to_owned(), None);
        let news = |name: &str| Event { name: name.to_owned(), for_people: true, ..deed.clone() };
        let (begun, over) = (news("blanked"), news("recovered"));
        for event in [&begun, &begun, &deed, &begun, &over, &begun, &deed] {
            event.leave(run.path()).unwrap();
        }
        let queue = Queue::Notify.open(run.path()).unwrap();
        assert_eq!(queue.names().unwrap().len(), 5);
    }
}
