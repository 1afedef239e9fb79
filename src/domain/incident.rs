//! Incidents: what a person has to hear, how often, and when it is over.
//!
//! What stands is worked out from the source, the login's end and the renewals in `standing`; what
//! has to be said about it, in `step`.

mod message;
mod standing;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use standing::{Renewals, View, standing};
pub(crate) use step::{News, Said, next_moment, step};

use serde::{Deserialize, Serialize};

use crate::domain::login::Notice;
use crate::domain::secret::Fingerprint;
use crate::domain::time::Timestamp;

/// What a person may have to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The server refused the refresh token that is still on the disk.
    Rejected,
    /// The account is on hold: no sign-in helps.
    AccountOnHold,
    /// The CLI emptied the login after such a refusal.
    Blanked,
    /// There was a login, and there is none any more.
    SignedOut,
    /// What stands there has been cut off, or without a readable end, for long.
    Damaged,
    /// The file could not be read for long.
    Unreadable,
    /// The login's own time is over.
    LoginEnded,
    /// It will be soon.
    LoginEnds(Notice),
    /// A renewed login could not be written where it belongs.
    CannotSave,
    /// The Claude CLI that renews is not there any more.
    CliGone,
    /// Renewing has failed for longer than half the margin.
    RefreshFailing,
    /// A file stands in OpenClaw's way, and only a person may decide about it.
    HarmfulFile,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// There is time left to act.
    Warning,
    /// Agents stop, or are about to.
    Error,
}

impl Severity {
    /// The word for it in state files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Reads what [`Severity::name`] wrote; anything else is no alarm.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            _ => Self::Info,
        }
    }
}

/// An incident that has been told and is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Open {
    /// What is the matter.
    pub(crate) kind: Kind,
    /// Since when.
    pub(crate) since: Timestamp,
    /// When it was said last.
    pub(crate) said: Timestamp,
    /// What was said.
    pub(crate) message: String,
    /// The access token that stood in the source when it began; what proves a new login differs.
    pub(crate) token: Option<Fingerprint>,
    /// The end of the login that a notice was about.
    pub(crate) login_end: Option<Timestamp>,
}

/// An incident whose conditions are met now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What is the matter.
    pub(crate) kind: Kind,
    /// What happened, what follows, how long there is.
    pub(crate) message: String,
}

impl Kind {
    /// All kinds, the gravest first.
    pub(crate) const ALL: [Self; 15] = [
        Self::Rejected,
        Self::AccountOnHold,
        Self::Blanked,
        Self::SignedOut,
        Self::Damaged,
        Self::Unreadable,
        Self::LoginEnded,
        Self::CannotSave,
        Self::RefreshFailing,
        Self::CliGone,
        Self::HarmfulFile,
        Self::LoginEnds(Notice::Day),
        Self::LoginEnds(Notice::ThreeDays),
        Self::LoginEnds(Notice::Week),
        Self::LoginEnds(Notice::Month),
    ];

    /// The word for it in state files, in `status --json` and in the journal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LoginEnds(Notice::Month) => "login-ends-in-30-days",
            Self::LoginEnds(Notice::Week) => "login-ends-in-7-days",
            Self::LoginEnds(Notice::ThreeDays) => "login-ends-in-3-days",
            Self::LoginEnds(Notice::Day) => "login-ends-in-1-day",
            other => other.event(),
        }
    }

    /// Reads what [`Kind::name`] wrote.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The word for it that hooks get.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::AccountOnHold => "account-on-hold",
            Self::Blanked => "blanked",
            Self::SignedOut => "signed-out",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
            Self::LoginEnded => "login-ended",
            Self::LoginEnds(_) => "login-ends",
            Self::CannotSave => "cannot-save",
            Self::CliGone => "cli-gone",
            Self::RefreshFailing => "refresh-failing",
            Self::HarmfulFile => "harmful-file",
        }
    }

    /// How much it matters.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::LoginEnds(Notice::Month | Notice::Week | Notice::ThreeDays) | Self::CliGone => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }

    /// Says whether agents stop until somebody signs in; what the flag file tells.
    pub(crate) fn needs_sign_in(self) -> bool {
        matches!(
            self,
            Self::Rejected | Self::Blanked | Self::SignedOut | Self::Damaged | Self::LoginEnded
        )
    }

    /// Says whether signing in helps, now or in time.
    pub(crate) fn sign_in_helps(self) -> bool {
        self.needs_sign_in() || matches!(self, Self::LoginEnds(_))
    }

    fn is_notice(self) -> bool {
        matches!(self, Self::LoginEnds(_))
    }

    /// Says whether one of them takes the other's place: only one sign-in is asked for at a time.
    fn is_same(self, other: Self) -> bool {
        self == other
            || (self.needs_sign_in() && other.needs_sign_in())
            || (self.is_notice() && other.is_notice())
    }
}
