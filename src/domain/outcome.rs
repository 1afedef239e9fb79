//! What became of one attempt to renew a credential.

use crate::domain::shell::Hint;
use std::time::Duration;

/// What an account's hold means, and where its owner finds out more (Claude CLI 2.1.330 names the same page).
pub(crate) const ON_HOLD: &str =
    "Anthropic has put the account on hold: see https://claude.ai/restricted";

/// How one method of renewal ended.
///
/// It is the method's own word, not evidence: only the file shows that a renewal took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The method did what it can; the file has to show it.
    Renewed,
    /// It did not work this time, and may the next.
    Deferred {
        /// Why, in words fit for a message.
        cause: String,
        /// How long the other side asked us to stay away, where it did.
        retry_after: Option<Duration>,
    },
    /// The server refuses the refresh token that is still on the disk: a person must sign in.
    Rejected {
        /// Why, in words fit for a message.
        cause: String,
    },
    /// The account is on hold: no sign-in helps, and the login itself is left as it is.
    OnHold,
    /// This method cannot be used here; the next one may.
    Unable {
        /// Why, in words fit for a message.
        cause: String,
        /// The exact command that fixes it, where one is known.
        hint: Option<Hint>,
    },
}

impl Outcome {
    /// Puts off, without a wish of the other side.
    pub(crate) fn deferred(cause: impl Into<String>) -> Self {
        Self::Deferred { cause: cause.into(), retry_after: None }
    }

    /// Says that this method cannot be used here.
    pub(crate) fn unable(cause: impl Into<String>) -> Self {
        Self::Unable { cause: cause.into(), hint: None }
    }

    /// The word for it in the history and in the journal.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Deferred { .. } => "deferred",
            Self::Rejected { .. } => "rejected",
            Self::OnHold => "on-hold",
            Self::Unable { .. } => "unable",
        }
    }

    /// The command that helps, where one is known.
    pub(crate) fn hint(&self) -> Option<&Hint> {
        match self {
            Self::Unable { hint, .. } => hint.as_ref(),
            _ => None,
        }
    }

    /// Why it is not a renewal.
    pub(crate) fn cause(&self) -> Option<&str> {
        match self {
            Self::Renewed => None,
            Self::OnHold => Some(ON_HOLD),
            Self::Deferred { cause, .. }
            | Self::Rejected { cause }
            | Self::Unable { cause, .. } => Some(cause),
        }
    }
}
