//! What cannot be put into a source for now, for people: why, since when, and what helps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::outcome::Outcome;
use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;

/// How long what settles by itself may take before it is worth a word: a writer is at work, or
/// somebody signs in.
const PATIENCE: Duration = Duration::from_secs(600);

/// A new login, or a true expiry, that is kept in the state directory and not in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stuck {
    /// What is the matter.
    pub(crate) cause: String,
    /// The command that helps.
    pub(crate) hint: Option<Hint>,
    /// Whether it is likely to settle by itself.
    pub(crate) settles: bool,
    /// Since when.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
}

impl Stuck {
    /// What only a person, or a change of the file, ends.
    pub(crate) fn for_people(cause: String, hint: Option<Hint>) -> Self {
        Self { cause, hint, settles: false, since: None }
    }

    /// What is likely to settle by itself.
    pub(crate) fn for_now(cause: String) -> Self {
        Self { cause, hint: None, settles: true, since: None }
    }

    /// Says whether people have to hear of it.
    pub(crate) fn is_news(&self, now: Timestamp) -> bool {
        !self.settles || self.since.is_some_and(|since| now >= since.after(PATIENCE))
    }

    /// How an attempt ends that it stands in the way of.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.settles {
            return Outcome::deferred(self.cause.clone());
        }
        Outcome::Unable { cause: self.cause.clone(), hint: self.hint.clone() }
    }
}
