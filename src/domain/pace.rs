//! How often something may happen: a burst at first, then one at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// How often something happened lately: the moment at which all of it has been paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pace(Timestamp);

/// What is allowed: `burst` at once, and one more each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// How many at once; at least 1.
    pub(crate) burst: u32,
    /// How long it takes until one more is allowed.
    pub(crate) interval: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Timestamp(0))
    }
}

impl Pace {
    /// Takes note that it happens `now`.
    ///
    /// # Errors
    /// The moment from which on it is allowed again; a clock that was set back puts nothing off for longer
    /// than the burst lasts.
    pub(crate) fn take(&mut self, limit: Limit, now: Timestamp) -> Result<(), Timestamp> {
        let span = limit.interval * limit.burst;
        let paid = if self.0 > now.after(span) { now } else { self.0.max(now) };
        let next = paid.after(limit.interval);
        if next > now.after(span) {
            return Err(next.before(span));
        }
        self.0 = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { burst: 3, interval: Duration::from_secs(10) };

    #[test]
    fn a_burst_is_free_and_then_one_at_a_time() {
        let (mut pace, now) = (Pace::default(), Timestamp(1_000_000));
        for _ in 0..3 {
            assert_eq!(pace.take(LIMIT, now), Ok(()));
        }
        let next = now.after(LIMIT.interval);
        assert_eq!(pace.take(LIMIT, now), Err(next));
        assert_eq!(pace.take(LIMIT, next), Ok(()));
        assert_eq!(pace.take(LIMIT, next), Err(next.after(LIMIT.interval)));
    }

    #[test]
    fn a_clock_that_was_set_back_is_no_end() {
        let (mut pace, now) = (Pace::default(), Timestamp(1_000_000));
        assert_eq!(pace.take(LIMIT, now.after(Duration::from_secs(3600))), Ok(()));
        assert_eq!(pace.take(LIMIT, now), Ok(()));
    }
}
