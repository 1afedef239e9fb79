//! The second clock: when the login itself ends, whatever is renewed until then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::source::Source;
use crate::domain::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a login lives where the server does not tell: the shortest of those seen, 27 to 30 days.
pub(crate) const ESTIMATED_LIFE: Duration = Duration::from_secs(28 * 24 * 3600);

/// A login that is still renewed so long after its sign-in was signed in again unseen.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(31 * 24 * 3600);

/// When a login ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginEnd {
    /// The moment.
    pub(crate) at: Timestamp,
    /// Whether it was only counted from the sign-in.
    pub(crate) is_estimate: bool,
    /// Whether it is a setup-token's, which lives for a year and is not renewed.
    #[serde(default)]
    pub(crate) is_setup_token: bool,
}

/// How much later a login has to end to be another one; a renewal may shift it by seconds.
pub(crate) const ANOTHER_LOGIN: Duration = Duration::from_secs(3600);

/// When a login ends, as the Claude CLI told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldEnd {
    /// The moment.
    pub(crate) at: Timestamp,
    /// When the CLI was asked.
    pub(crate) asked: Timestamp,
}

/// What is remembered of a login besides what its file tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// When it was signed in; its first sight where nobody knows.
    pub(crate) signed_in: Option<Timestamp>,
    /// The end that its file told before it told none.
    pub(crate) end: Option<Timestamp>,
    /// The end that the CLI told.
    pub(crate) told: Option<Timestamp>,
}

impl LoginEnd {
    /// Finds when the login of a source ends: from the file, else as the CLI told, else as the file told
    /// before, else counted from its sign-in.
    pub(crate) fn of(source: &Source, known: Known, now: Timestamp) -> Option<Self> {
        let exact = |at| Some(Self { at, is_estimate: false, is_setup_token: false });
        let credential = source.credential()?;
        if credential.refresh_token.is_none() {
            let at = credential.expiry;
            return Some(Self { at, is_estimate: false, is_setup_token: true });
        }
        if let Some(at) = credential.login_end.or(known.told) {
            return exact(at);
        }
        // A pair that nobody has seen may be the CLI's own renewal: it proves no sign-in.
        let counted = known.signed_in.map(|moment| moment.after(ESTIMATED_LIFE));
        let at = known.end.or(counted)?;
        (now < at.after(LONGEST_LIFE.saturating_sub(ESTIMATED_LIFE))).then_some(Self {
            at,
            is_estimate: true,
            is_setup_token: false,
        })
    }

    /// Says whether it has come; an estimate never says so.
    pub(crate) fn has_come(self, now: Timestamp) -> bool {
        !self.is_estimate && self.at <= now
    }

    /// Finds the notice whose time has come.
    pub(crate) fn notice(self, now: Timestamp) -> Option<Notice> {
        self.notices()
            .into_iter()
            .find(|notice| now >= notice.moment(self))
            .filter(|_| !self.has_come(now))
    }

    /// The next moment at which there is something to say.
    pub(crate) fn next_moment(self, now: Timestamp) -> Option<Timestamp> {
        let notices = self.notices().into_iter().map(|notice| notice.moment(self));
        let end = (!self.is_estimate).then_some(self.at);
        notices.chain(end).filter(|moment| *moment > now).min()
    }

    /// How long before the end it is spoken of.
    pub(crate) fn first_notice(self) -> Duration {
        DAY * self.notices().map(Notice::days)[2]
    }

    /// The latest first.
    fn notices(self) -> [Notice; 3] {
        if self.is_setup_token {
            [Notice::Day, Notice::Week, Notice::Month]
        } else {
            [Notice::Day, Notice::ThreeDays, Notice::Week]
        }
    }
}

/// How long before the end of a login a person is told; the last one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Notice {
    /// Thirty days before.
    Month,
    /// A week before.
    Week,
    /// Three days before.
    ThreeDays,
    /// The day before.
    Day,
}

impl Notice {
    /// Days before the end.
    pub(crate) fn days(self) -> u32 {
        match self {
            Self::Month => 30,
            Self::Week => 7,
            Self::ThreeDays => 3,
            Self::Day => 1,
        }
    }

    fn moment(self, end: LoginEnd) -> Timestamp {
        end.at.before(DAY * self.days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::parse;

    const MONTH: i64 = 28 * 86_400_000;

    fn source(more: &str) -> Source {
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"a","refreshToken":"r","expiresAt":4102444800000{more}}}}}"#
        );
        Source::of(parse(text.as_bytes()), Timestamp(1))
    }

    #[test]
    fn the_file_knows_better_than_the_sign_in() {
        let told = source(r#","refreshTokenExpiresAt":200000000000"#);
        let at_five = Known { signed_in: Some(Timestamp(5)), ..Known::default() };
        let end = LoginEnd::of(&told, at_five, Timestamp(6)).unwrap();
        assert_eq!(
            end,
            LoginEnd { at: Timestamp(200_000_000_000), is_estimate: false, is_setup_token: false }
        );
        let guessed = LoginEnd::of(&source(""), at_five, Timestamp(6)).unwrap();
        assert_eq!(
            guessed,
            LoginEnd { at: Timestamp(5 + MONTH), is_estimate: true, is_setup_token: false }
        );
        assert_eq!(LoginEnd::of(&source(""), Known::default(), Timestamp(6)), None);
        assert_eq!(LoginEnd::of(&source(""), at_five, Timestamp(MONTH * 2)), None);
        let told_before = Known { end: Some(Timestamp(100)), ..at_five };
        let kept = LoginEnd::of(&source(""), told_before, Timestamp(6)).unwrap();
        assert_eq!(
            kept,
            LoginEnd { at: Timestamp(100), is_estimate: true, is_setup_token: false },
            "the earlier one"
        );
        let told_by_cli = Known { told: Some(Timestamp(90)), ..told_before };
        let told_now = LoginEnd::of(&source(""), told_by_cli, Timestamp(6)).unwrap();
        assert_eq!(
            told_now,
            LoginEnd { at: Timestamp(90), is_estimate: false, is_setup_token: false }
        );
        assert_eq!(LoginEnd::of(&told, told_by_cli, Timestamp(6)), Some(end), "the file first");
        assert_eq!(LoginEnd::of(&Source::Blanked, at_five, Timestamp(6)), None);
    }

    #[test]
    fn notices_come_a_week_three_days_and_a_day_before() {
        let day = |days: i64| Timestamp(1_000_000_000_000 - days * 86_400_000);
        let end = LoginEnd { at: day(0), is_estimate: false, is_setup_token: false };
        for (now, notice, next) in [
            (day(8), None, Some(day(7))),
            (day(7), Some(Notice::Week), Some(day(3))),
            (day(3), Some(Notice::ThreeDays), Some(day(1))),
            (day(1), Some(Notice::Day), Some(day(0))),
            (day(0), None, None),
        ] {
            assert_eq!((end.notice(now), end.next_moment(now)), (notice, next), "{now}");
        }
        let guess = LoginEnd { is_estimate: true, ..end };
        assert_eq!((guess.notice(day(-1)), guess.next_moment(day(1))), (Some(Notice::Day), None));
    }

    #[test]
    fn a_setup_token_is_spoken_of_thirty_seven_and_one_days_before() {
        let text = r#"{"claudeAiOauth":{"accessToken":"a","expiresAt":1000000000000}}"#;
        let day = |days: i64| Timestamp(1_000_000_000_000 - days * 86_400_000);
        let source = Source::of(parse(text.as_bytes()), day(365));
        let end = LoginEnd::of(&source, Known::default(), day(365)).unwrap();
        for (now, notice, next) in [
            (day(31), None, Some(day(30))),
            (day(30), Some(Notice::Month), Some(day(7))),
            (day(7), Some(Notice::Week), Some(day(1))),
            (day(3), Some(Notice::Week), Some(day(1))),
            (day(1), Some(Notice::Day), Some(day(0))),
            (day(0), None, None),
        ] {
            assert_eq!((end.notice(now), end.next_moment(now)), (notice, next), "{now}");
        }
        assert_eq!(end.first_notice(), DAY * 30);
    }
}
