//! An event that people, or their programs, may want to hear of; left in the queue `notify.d`.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
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

    /// Leaves it in the queue.
    pub(crate) fn leave(&self, run_dir: &Path) -> Result<(), Error> {
        let (ms, pid) = (clock::now().0, std::process::id());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Queue::Notify.put(run_dir, &format!("{ms:015}-{pid}-{count}.json"), &bytes)
    }
}
