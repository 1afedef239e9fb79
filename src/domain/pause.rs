//! A pause of a link: what rests meanwhile, and until when.

use std::fmt;

use jiff::tz::TimeZone;

use crate::domain::time::{Timestamp, time_of_day};

/// What a pause can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Renewals of the login.
    Renew,
    /// Writing the sinks, and updating the gateway.
    Sync,
}

impl Activity {
    /// Both.
    const ALL: [Self; 2] = [Self::Renew, Self::Sync];

    /// The one for which the configuration has this word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Sync => "sync",
        }
    }
}

/// A pause, as `PAUSE` in the configuration says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The only work that rests; none: all of it.
    pub(crate) only: Option<Activity>,
    /// When it ends; none: when somebody resumes.
    pub(crate) until: Option<Timestamp>,
}

impl Pause {
    /// Reads `[renew|sync] until TIME` or `[renew|sync] forever`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let only = words.first().and_then(|first| Activity::named(first));
        let until = match &words[usize::from(only.is_some())..] {
            ["forever"] => None,
            ["until", moment] => Some(Timestamp::parse(moment)?),
            _ => return None,
        };
        Some(Self { only, until })
    }

    /// Says whether it lasts at `now`.
    pub(crate) fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// Says whether `activity` rests at `now`.
    pub(crate) fn covers(&self, activity: Activity, now: Timestamp) -> bool {
        self.lasts(now) && self.only.is_none_or(|only| only == activity)
    }

    /// What rests, and until when, for people.
    pub(crate) fn in_words(&self) -> String {
        let what = match self.only {
            None => "renewals and syncs are",
            Some(Activity::Renew) => "renewals are",
            Some(Activity::Sync) => "syncs are",
        };
        match self.until {
            Some(until) => format!("{what} paused until {until}"),
            None => format!("{what} paused until somebody resumes them"),
        }
    }
}

impl fmt::Display for Pause {
    /// Writes it as the configuration has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(activity) = self.only {
            write!(f, "{} ", activity.word())?;
        }
        match self.until {
            Some(until) => write!(f, "until {until}"),
            None => f.write_str("forever"),
        }
    }
}

/// Reads the moment that somebody types for an end: RFC 3339, a date, or a time of day, which is the next one that the
/// clocks of `zone` show.
pub(crate) fn end_typed(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let Some(time) = time_of_day(text) else { return Timestamp::parse_typed(text) };
    let today = zone.to_datetime(now.instant()).date();
    [Some(today), today.tomorrow().ok()].into_iter().flatten().find_map(|day| {
        let shown = zone.to_ambiguous_timestamp(day.to_datetime(time));
        let moment = shown.compatible().ok()?;
        let moment = Timestamp(moment.as_millisecond());
        (moment > now).then_some(moment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-12-01T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("it is a moment")
    }

    #[test]
    fn what_the_configuration_says_is_read_and_written() {
        let until = Some(at("2026-12-01T14:00:00Z"));
        for (text, pause) in [
            ("until 2026-12-01T14:00:00Z", Pause { only: None, until }),
            ("renew until 2026-12-01T14:00:00Z", Pause { only: Some(Activity::Renew), until }),
            ("sync forever", Pause { only: Some(Activity::Sync), until: None }),
            ("forever", Pause { only: None, until: None }),
        ] {
            assert_eq!(Pause::parse(text), Some(pause), "{text}");
            assert_eq!(pause.to_string(), text);
        }
        for text in ["", "until", "renew", "all forever", "until soon", "forever until 2026-12-01"]
        {
            assert_eq!(Pause::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_covers_what_it_names_until_its_end() {
        let pause = |text| Pause::parse(text).expect("it is a pause");
        let covers =
            |pause: Pause, now| Activity::ALL.map(|activity| pause.covers(activity, at(now)));
        let until = pause("until 2026-12-01T14:00:00Z");
        assert_eq!(covers(until, NOW), [true, true]);
        assert_eq!(
            covers(until, "2026-12-01T14:00:00Z"),
            [false, false],
            "its end is no part of it"
        );
        assert_eq!(covers(pause("renew forever"), "2036-12-01T14:00:00Z"), [true, false]);
        assert_eq!(covers(pause("sync forever"), NOW), [false, true]);
    }

    #[test]
    fn a_time_of_day_is_the_next_one_that_the_local_clocks_show() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("they are rules");
        for (typed, end) in [
            ("18:00", Some("2026-12-01T17:00:00Z")),
            ("13:00", Some("2026-12-02T12:00:00Z")),
            ("08:30", Some("2026-12-02T07:30:00Z")),
            ("2026-12-05", Some("2026-12-05T00:00:00Z")),
            ("2026-12-01T18:00:00+01:00", Some("2026-12-01T17:00:00Z")),
            ("25:00", None),
            ("tomorrow", None),
        ] {
            assert_eq!(end_typed(typed, at(NOW), &zone), end.map(at), "{typed}");
        }
    }
}
