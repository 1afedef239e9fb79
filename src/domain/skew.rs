//! How far this host's clock is off, by what a server says the time is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Timestamp, in_words};

/// Less is the way through the network, and the whole seconds in which servers tell the time.
const TOLERANCE: i64 = 60_000;

/// How far this host's clock is ahead, in ms; below zero where it is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Skew(i64);

impl Skew {
    /// Judges by the `date` of an answer, which was written between `asked` and `answered`; none
    /// where both clocks agree.
    pub(crate) fn of(date: Timestamp, asked: Timestamp, answered: Timestamp) -> Option<Self> {
        let (ahead, behind) = (asked.0.saturating_sub(date.0), date.0.saturating_sub(answered.0));
        match () {
            () if ahead > TOLERANCE => Some(Self(ahead)),
            () if behind > TOLERANCE => Some(Self(-behind)),
            () => None,
        }
    }

    /// Says whether it is another one than was known `before`.
    pub(crate) fn is_news(self, before: Option<Self>) -> bool {
        before.is_none_or(|before| self.0.saturating_sub(before.0).saturating_abs() > TOLERANCE)
    }
}

impl std::fmt::Display for Skew {
    /// As in "is 12m ahead of the token endpoint's".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let span = in_words(Duration::from_millis(self.0.unsigned_abs()));
        let side = if self.0 > 0 { "ahead of" } else { "behind" };
        write!(f, "{span} {side}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_and_the_time_of_the_answer_are_no_skew() {
        let second = |second: i64| Timestamp(1_800_000_000_000 + second * 1000);
        let (asked, answered) = (second(0), second(20));
        for (date, words) in [
            (second(-60), None),
            (second(10), None),
            (second(80), None),
            (second(-61), Some("1m ahead of")),
            (second(81), Some("1m behind")),
            (second(-7200), Some("2h ahead of")),
        ] {
            let skew = Skew::of(date, asked, answered);
            assert_eq!(skew.map(|skew| skew.to_string()).as_deref(), words, "{date}");
        }
        let two_hours = Skew(7_200_000);
        assert!(two_hours.is_news(None) && two_hours.is_news(Some(Skew(-7_200_000))));
        assert!(!two_hours.is_news(Some(Skew(7_230_000))));
        assert!(Skew(i64::MIN).is_news(Some(Skew(i64::MAX))));
    }
}
