//! When something that failed is tried again: the waits double up to a longest one, and no try is the last.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// The first wait after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Returns the wait after the `failures`th failure in a row: `first` after the first, then twice the one before, up
/// to `longest`.
pub(crate) fn doubled(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(longest)
}

/// The tries that failed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// How many tries failed.
    pub(crate) tries: u32,
    /// When it is tried again.
    pub(crate) next: Option<Timestamp>,
    /// How long the other side wants to be left alone, where it said so.
    #[serde(default)]
    pub(crate) wish: Option<Duration>,
    /// Why the last try failed.
    #[serde(default)]
    pub(crate) why: Option<String>,
}

impl Retry {
    /// Records a failure; the moment of the next try.
    pub(crate) fn put_off(&mut self, why: &str, now: Timestamp) -> Timestamp {
        self.put_off_for(why, None, now)
    }

    /// The same after an answer with a wish of the other side's.
    pub(crate) fn put_off_for(
        &mut self,
        why: &str,
        wish: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        self.wish = wish;
        self.tries = self.tries.saturating_add(1);
        let next = now.after(self.wait());
        (self.next, self.why) = (Some(next), Some(why.to_owned()));
        next
    }

    /// How long the wait after the last failure is.
    pub(crate) fn wait(&self) -> Duration {
        let own = doubled(FIRST_WAIT, self.tries, LONGEST_WAIT);
        self.wish.map_or(own, |wish| wish.max(own))
    }

    /// Returns whether the next try is in the future; a clock that was set back makes no wait longer.
    pub(crate) fn is_put_off(&self, now: Timestamp) -> bool {
        self.waits(self.wait(), now)
    }

    /// The same for a wait of another length.
    pub(crate) fn waits(&self, wait: Duration, now: Timestamp) -> bool {
        self.next.is_some_and(|next| next > now && next <= now.after(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let wait = |tries| Retry { tries, ..Retry::default() }.wait().as_secs();
        assert_eq!([1, 2, 3, 7, 8, 99].map(wait), [30, 60, 120, 1920, 3600, 3600]);
    }

    #[test]
    fn a_wish_makes_a_wait_longer_and_never_shorter() {
        let (mut retry, now) = (Retry::default(), Timestamp(0));
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        assert_eq!(retry.put_off_for("why", hours(2), now), Timestamp(7_200_000));
        assert!(retry.is_put_off(Timestamp(7_199_999)));
        assert_eq!(retry.put_off_for("why", Some(Duration::from_secs(1)), now), Timestamp(60_000));
        assert_eq!(retry.put_off("why", now), Timestamp(120_000));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_wait_longer() {
        let (mut retry, now) = (Retry::default(), Timestamp(1_000_000_000));
        assert_eq!(retry.put_off("why", now), now.after(FIRST_WAIT));
        assert!(retry.is_put_off(now) && !retry.is_put_off(now.after(FIRST_WAIT)));
        assert!(!retry.is_put_off(now.before(Duration::from_secs(1))));
    }
}
