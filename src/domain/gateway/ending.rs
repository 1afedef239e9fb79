//! How an attempt to get a token into a gateway ended, and what was done to it.

use serde::{Deserialize, Serialize};

use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// What was done: it uses the new token, or takes it when it starts, or is not known to.
    Done(Deed, Option<u64>),
    /// It may be done, but not now; why, and when to ask again.
    PutOff(String, Timestamp),
    /// Something is in the way that may pass; nothing was touched. Why, and the command that helps.
    Deferred(String, Option<Hint>),
    /// What is needed was not found, and is looked for again; why, and the command that helps.
    NotFound(Missing, String, Option<Hint>),
    /// It was tried and is not proven; why, and the command that helps.
    Failed(String, Option<Hint>),
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Missing {
    /// What runs the gateway; the port on which one would answer.
    Gateway(Option<u16>),
    /// The program that takes the token.
    Openclaw,
}

/// What was done to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// Nothing had to be.
    Nothing,
    /// Nothing had to be, and nobody can tell whether it uses the new token.
    NothingUnproven,
    /// The token was pasted, which a running gateway notices.
    Pasted,
    /// It read its secrets again.
    Reloaded,
    /// It was restarted, and nobody can tell whether it uses the new token.
    RestartedUnproven,
    /// Its container was recreated, and nobody can tell whether it uses the new token.
    RecreatedUnproven,
    /// Its unit was restarted.
    Restarted,
    /// Its container was recreated.
    Recreated,
}

impl Deed {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing | Self::NothingUnproven => "nothing",
            Self::Pasted => "pasted",
            Self::Reloaded => "reloaded",
            Self::Restarted | Self::RestartedUnproven => "restarted",
            Self::Recreated | Self::RecreatedUnproven => "recreated",
        }
    }

    /// Says whether nobody can tell that it uses the new token.
    pub(crate) fn is_unproven(self) -> bool {
        matches!(self, Self::NothingUnproven | Self::RestartedUnproven | Self::RecreatedUnproven)
    }
}

impl Ending {
    /// Cannot be done now, without a command that helps.
    pub(crate) fn deferred(why: impl Into<String>) -> Self {
        Self::Deferred(why.into(), None)
    }

    /// The word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Done(..) => "done",
            Self::PutOff(..) => "postponed",
            Self::Deferred(..) => "deferred",
            Self::NotFound(..) => "not found",
            Self::Failed(..) => "failed",
        }
    }

    /// Why it is not done.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Done(..) => None,
            Self::PutOff(why, _)
            | Self::Deferred(why, _)
            | Self::NotFound(_, why, _)
            | Self::Failed(why, _) => Some(why),
        }
    }

    /// The command that helps.
    pub(crate) fn hint(&self) -> Option<&Hint> {
        match self {
            Self::Deferred(_, hint) | Self::NotFound(_, _, hint) | Self::Failed(_, hint) => {
                hint.as_ref()
            }
            _ => None,
        }
    }
}
