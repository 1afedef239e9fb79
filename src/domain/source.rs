//! The state of a source at a moment: a name, what follows from it, and whether a person is needed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::acceptance::Verdict;
use crate::domain::credential::{Content, Credential};
use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;

/// What a source is good for at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// Its access token lives and may be passed on.
    Living(Credential),
    /// As living, but without a refresh token: nobody renews it.
    Static(Credential),
    /// Its access token has ended.
    Expired(Credential),
    /// Its access token lives, but was replaced by a later one before.
    Superseded(Credential),
    /// Its access token lives, but ends before the one passed on last.
    Waiting(Credential, Timestamp),
    /// It has no expiry that could be read.
    Undated,
    /// The CLI emptied it after the server refused to renew it.
    Blanked,
    /// A writer is at work, or died.
    HalfWritten,
    /// It is complete, but no credentials file; the reason.
    Foreign(Cow<'static, str>),
    /// There is no file.
    Absent,
    /// The system does not let us read it; its message and the command that fixes it.
    Unreadable(String, Option<Hint>),
}

impl Source {
    /// Names what stands in the file at `now`; whether it may be passed on is judged afterwards.
    pub(crate) fn of(content: Content, now: Timestamp) -> Self {
        match content {
            Content::Login(credential) | Content::Static(credential)
                if credential.expiry <= now =>
            {
                Self::Expired(credential)
            }
            Content::Login(credential) => Self::Living(credential),
            Content::Static(credential) => Self::Static(credential),
            Content::Undated => Self::Undated,
            Content::Blanked => Self::Blanked,
            Content::HalfWritten => Self::HalfWritten,
            Content::Foreign(reason) => Self::Foreign(reason.into()),
        }
    }

    /// Applies the verdict on a living credential; every other state stays what it is.
    pub(crate) fn judged(self, verdict: Verdict) -> Self {
        match (self, verdict) {
            (Self::Living(credential) | Self::Static(credential), Verdict::Superseded) => {
                Self::Superseded(credential)
            }
            (Self::Living(credential) | Self::Static(credential), Verdict::Wait(until)) => {
                Self::Waiting(credential, until)
            }
            (state, _) => state,
        }
    }

    /// The credential that may be passed on, if there is one.
    pub(crate) fn passable(&self) -> Option<&Credential> {
        match self {
            Self::Living(credential) | Self::Static(credential) => Some(credential),
            _ => None,
        }
    }

    /// The credential that stands there, whatever it is good for.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        match self {
            Self::Living(credential)
            | Self::Static(credential)
            | Self::Expired(credential)
            | Self::Superseded(credential)
            | Self::Waiting(credential, _) => Some(credential),
            _ => None,
        }
    }

    /// Says whether a setup-token stands there, valid or expired: nothing can renew it.
    pub(crate) fn is_setup_token(&self) -> bool {
        self.credential().is_some_and(|credential| credential.refresh_token.is_none())
    }

    /// The word for it in `status` and in the journal's `STATE=`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Living(_) => "valid",
            Self::Static(_) => "setup-token",
            Self::Expired(_) => "expired",
            Self::Superseded(_) => "replaced earlier",
            Self::Waiting(..) => "held back",
            Self::Undated => "no expiry",
            Self::Blanked => "cleared by Claude CLI",
            Self::HalfWritten => "incomplete",
            Self::Foreign(_) => "not a Claude login",
            Self::Absent => "missing",
            Self::Unreadable(..) => "unreadable",
        }
    }

    /// Says whether only a person can help, by signing in again.
    pub(crate) fn needs_person(&self) -> bool {
        match self {
            Self::Undated | Self::Blanked | Self::Foreign(_) | Self::Absent => true,
            Self::Expired(credential) => credential.refresh_token.is_none(),
            _ => false,
        }
    }

    /// Says whether it may come right without anybody's help.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Expired(Credential { refresh_token: Some(_), .. })
                | Self::HalfWritten
                | Self::Waiting(..)
        )
    }

    /// The command that fixes it, where the system's refusal tells one.
    pub(crate) fn hint(&self) -> Option<Hint> {
        match self {
            Self::Unreadable(_, hint) => hint.clone(),
            _ => None,
        }
    }

    /// The same for a login that `host` renews: who has to act is that host, in every state.
    pub(crate) fn message_of_follower(&self, path: &str, host: &str) -> String {
        match self {
            Self::Living(credential) | Self::Static(credential) => {
                format!("'{path}' holds a token from {host} that ends at {}", credential.expiry)
            }
            Self::Expired(credential) => format!(
                "the token in '{path}' expired at {}: {host} has to hand on a later one",
                credential.expiry
            ),
            Self::Superseded(_) | Self::Waiting(..) => format!(
                "'{path}' holds an earlier token than the one passed on last: {host} has to hand on a later one"
            ),
            Self::Absent => {
                format!("no token from {host} is at '{path}' yet: {host} has to hand one on")
            }
            Self::Undated | Self::Blanked | Self::Foreign(_) => {
                format!("'{path}' holds no token that can be used: {host} has to hand one on")
            }
            Self::HalfWritten | Self::Unreadable(..) => self.message(path),
        }
    }

    /// One message: what is the matter with the source at `path`, and what follows.
    pub(crate) fn message(&self, path: &str) -> String {
        match self {
            Self::Living(credential) => {
                format!("'{path}' holds a login whose access token ends at {}", credential.expiry)
            }
            Self::Static(credential) => format!(
                "'{path}' holds a setup-token that ends at {}: it has no refresh token, so nothing can renew it",
                credential.expiry
            ),
            Self::Expired(credential) => format!(
                "the access token in '{path}' expired at {}: nothing is passed on until it is renewed",
                credential.expiry
            ),
            Self::Superseded(_) => format!(
                "'{path}' holds a login that was replaced before: an old file was put back, so it is not passed on"
            ),
            Self::Waiting(credential, until) => format!(
                "'{path}' holds a login that ends at {}, before the one passed on last: it waits until {until}",
                credential.expiry
            ),
            Self::Undated => {
                format!("the login in '{path}' has no readable 'expiresAt', so it is not passed on")
            }
            Self::Blanked => format!(
                "Claude CLI emptied the login in '{path}', since the server refused to renew it: the sinks keep the last token"
            ),
            Self::HalfWritten => {
                format!("'{path}' is empty or cut off: nothing is passed on until it is complete")
            }
            Self::Foreign(reason) => {
                format!("'{path}' is no Claude login: {reason}: nothing is passed on")
            }
            Self::Absent => format!("there is no Claude login at '{path}': nothing is passed on"),
            Self::Unreadable(message, _) => format!("{message}: nothing is passed on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::parse;

    fn source(expiry: i64, now: i64) -> Source {
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"access-A","refreshToken":"refresh-A","expiresAt":{expiry}}}}}"#
        );
        Source::of(parse(text.as_bytes()), Timestamp(now))
    }

    #[test]
    fn only_a_living_credential_may_be_passed_on() {
        let at = 4_000_000_000_000;
        assert!(source(at, at - 1).passable().is_some());
        assert!(source(at, at).passable().is_none());
        let living = source(at, at - 1);
        assert!(living.clone().judged(Verdict::Superseded).passable().is_none());
        assert!(living.clone().judged(Verdict::Wait(Timestamp(at))).passable().is_none());
        assert_eq!(living.clone().judged(Verdict::Pass), living);
    }

    #[test]
    fn a_person_is_called_only_where_nothing_else_helps() {
        let ended = source(1000, 2_000_000_000_000);
        assert!(!ended.needs_person() && ended.may_pass());
        assert!(Source::Blanked.needs_person() && Source::Absent.needs_person());
        assert!(!Source::HalfWritten.needs_person());
    }

    #[test]
    fn no_message_shows_a_token() {
        let states = [source(4_000_000_000_000, 1), source(1, 2_000_000_000_000), Source::Blanked];
        for state in states {
            let text = state.message("/x") + &format!("{state:?}");
            assert!(!text.contains("access-A") && !text.contains("refresh-A"), "{text}");
        }
    }
}
