//! What a sync leaves for the gateway.

use serde::{Deserialize, Serialize};

use crate::domain::secret::Fingerprint;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;

/// What a sync leaves for the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The link's name.
    pub(crate) link: String,
    /// Which sinks changed; none where only the version of OpenClaw is asked for.
    pub(crate) sinks: Vec<SinkKind>,
    /// The token that they hold now.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// When the token before it ends, which the gateway lives on until then.
    pub(crate) old_expiry: Option<Timestamp>,
    /// When it was left.
    pub(crate) time: Timestamp,
}

impl Request {
    /// Takes an older request of the same link into this one.
    pub(crate) fn join(&mut self, older: &Self) {
        for sink in &older.sinks {
            if !self.sinks.contains(sink) {
                self.sinks.push(*sink);
            }
        }
        self.old_expiry = older.old_expiry.or(self.old_expiry);
    }
}
