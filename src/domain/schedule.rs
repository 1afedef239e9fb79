//! When a credential is to be renewed, and when it is tried again after a failure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::credential::Credential;
use crate::domain::order;
use crate::domain::retry;
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// How long an access token lives where nothing is known of it (public reports, 2025 and 2026).
const USUAL_LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// The first wait after a failure, and the shortest one.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait of our own choice.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The longest wait once the access token has expired: then nothing is left to take a third of, and
/// every 5 minutes is what [`HOURLY_POSTS`] allows anyhow.
const ENDED_WAIT: Duration = Duration::from_secs(300);

/// How many requests a source may cost in an hour, whatever happens.
const HOURLY_POSTS: usize = 12;

const HOUR: Duration = Duration::from_secs(3600);

/// What a source needs at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing yet; when it will be due.
    Fresh(Timestamp),
    /// To be renewed: its margin has begun.
    Due,
    /// To be renewed: its access token has ended.
    Expired,
    /// A person: the CLI emptied it.
    Blanked,
    /// Nothing that we could do: it has no refresh token.
    Static,
    /// A person: there is no login.
    Absent,
    /// A person, or a moment's patience: there is something, but no login that could be read.
    Unusable,
}

/// The true expiry of an access token whose file says an earlier one, so that the CLI renews it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nudge {
    /// The access token that it is about.
    pub(crate) fingerprint: Fingerprint,
    /// When that token really ends.
    pub(crate) expiry: Timestamp,
    /// What stands in the file instead.
    pub(crate) nudged: Timestamp,
}

/// What is known about a source besides the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// `REFRESH_MARGIN`.
    pub(crate) margin: Duration,
    /// How long its access tokens live, if one was renewed before.
    pub(crate) lifetime: Option<Duration>,
    /// When its access token really ends, if the file says something else.
    pub(crate) expiry: Option<Timestamp>,
}

impl Nudge {
    /// The true expiry of a credential, if this is about that credential as it stands.
    pub(crate) fn true_expiry(
        &self,
        credential: &Credential,
        fingerprint: Fingerprint,
    ) -> Option<Timestamp> {
        let stands = self.fingerprint == fingerprint && self.nudged == credential.expiry;
        stands.then_some(self.expiry)
    }
}

/// Says what a source needs.
pub(crate) fn decide(source: &Source, terms: Terms, now: Timestamp) -> Need {
    let Some(credential) = source.credential() else {
        return match source {
            Source::Blanked => Need::Blanked,
            Source::Absent => Need::Absent,
            _ => Need::Unusable,
        };
    };
    if credential.refresh_token.is_none() {
        return Need::Static;
    }
    let expiry = terms.expiry.unwrap_or(credential.expiry);
    let due = expiry.before(margin(terms.margin, terms.lifetime));
    match () {
        () if expiry <= now => Need::Expired,
        () if due <= now => Need::Due,
        () => Need::Fresh(due),
    }
}

/// How long before its end an access token is renewed: never more than half its lifetime.
pub(crate) fn margin(configured: Duration, lifetime: Option<Duration>) -> Duration {
    configured.min(lifetime.unwrap_or(USUAL_LIFETIME) / 2)
}

/// How long to wait after the server has said that the account is on hold, whatever the access token has left.
pub(crate) const ON_HOLD_WAIT: Duration = HOUR;

/// How long to wait after the `failures`th failure in a row, 1 being the first.
///
/// `left` is what the access token still has, `asked` what the other side asked for, `jitter` a
/// number drawn from 0 to 999. Never more than a third of what is left, so that an outage that ends
/// in time is always noticed in time.
pub(crate) fn back_off(
    failures: u32,
    asked: Option<Duration>,
    left: Duration,
    jitter: u32,
) -> Duration {
    let doubled = retry::doubled(FIRST_WAIT, failures, LONGEST_WAIT);
    let spread = doubled + doubled / 2000 * jitter.min(999);
    let wait = spread.min(LONGEST_WAIT).max(asked.unwrap_or_default());
    wait.min(longest(left))
}

/// When a try that was put off may be made: a clock that was set back must not put it off further.
pub(crate) fn not_before(put_off: Timestamp, left: Duration, now: Timestamp) -> Option<Timestamp> {
    let moment = put_off.min(now.after(longest(left)));
    (moment > now).then_some(moment)
}

/// When the next request may be sent; `None` is now.
pub(crate) fn posts_allowed_at(posts: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let mut recent: Vec<Timestamp> =
        posts.iter().copied().filter(|post| is_recent(*post, now)).collect();
    order::sort_by_key(&mut recent, |post| *post);
    let excess = recent.len().checked_sub(HOURLY_POSTS)?;
    Some(recent[excess].after(HOUR))
}

/// Says whether a request still counts; one of the future was sent before the clock was set back.
pub(crate) fn is_recent(post: Timestamp, now: Timestamp) -> bool {
    post.after(HOUR) > now && post <= now
}

fn longest(left: Duration) -> Duration {
    if left.is_zero() { ENDED_WAIT } else { (left / 3).max(FIRST_WAIT) }
}

#[cfg(test)]
#[path = "schedule/tests.rs"]
mod tests;
