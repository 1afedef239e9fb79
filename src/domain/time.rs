//! Instants and durations: epoch milliseconds, RFC 3339 text, `90m`, words for people.

use std::fmt;
use std::time::Duration;

use jiff::civil::Time;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};

/// An instant of the wall clock, in ms since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Timestamp(pub(crate) i64);

const SECOND: i64 = 1000;

impl Timestamp {
    /// The instant of a file's time stamp.
    pub(crate) fn of_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// The instant `span` later; the far end of time where that does not exist.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The instant `span` earlier.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long it is from `now` until this instant; zero once it has come.
    pub(crate) fn left(self, now: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(now.0)).unwrap_or(0))
    }

    /// Reads what a person types for a moment: RFC 3339, or a date, which is its beginning in UTC.
    pub(crate) fn parse_typed(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| Self::parse(&format!("{text}T00:00:00Z")))
    }

    /// Reads RFC 3339, with or without a fraction of a second; nothing before 1970 is believed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::at)
    }

    /// Reads a date of HTTP, as in `Sun, 22 Nov 2026 15:01:30 GMT` (RFC 9110 section 5.6.7).
    pub(crate) fn parse_http(text: &str) -> Option<Self> {
        // A wrong day of the week says nothing about the moment.
        let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
        parser.parse_timestamp(text.trim()).ok().and_then(Self::at)
    }

    fn at(instant: jiff::Timestamp) -> Option<Self> {
        Some(Self(instant.as_millisecond())).filter(|at| *at >= Self(0))
    }

    /// The same instant, for a calendar; one beyond the years that have four digits is their end.
    pub(crate) fn instant(self) -> jiff::Timestamp {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(end)
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", Self(self.0.div_euclid(SECOND) * SECOND).instant())
    }
}

/// Reads `18:00`.
pub(crate) fn time_of_day(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text.trim()).ok()
}

/// Reads `90m`, `8h`, `2d`, `45s`, or several of them in a row as in `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.as_bytes().first()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = &tail[1..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(total))
}

/// Says a duration in at most two units: `7h 40m`, `3d 2h`, `12s`.
pub(crate) fn in_words(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 if (s / 60).is_multiple_of(60) => format!("{}h", s / 3600),
        3600..86_400 => format!("{}h {}m", s / 3600, s / 60 % 60),
        _ if (s / 3600).is_multiple_of(24) => format!("{}d", s / 86_400),
        _ => format!("{}d {}h", s / 86_400, s / 3600 % 24),
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_3339_goes_both_ways() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_795_363_199_000, "2026-11-22T15:59:59Z"),
            (253_402_128_000_000, "9999-12-30T00:00:00Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(ms)));
        }
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(
            Timestamp(i64::MAX).to_string(),
            "9999-12-30T22:00:00Z",
            "the last that is written"
        );
        assert_eq!(Timestamp::parse("2026-11-22T15:59:59.25Z").map(|t| t.0 % 1000), Some(250));
        let utc = Timestamp::parse("2026-11-22T15:59:59Z");
        assert_eq!(Timestamp::parse("2026-11-22T17:59:59.000+02:00"), utc, "as podman writes it");
        assert_eq!(Timestamp::parse("2026-11-22T10:29:59-05:30"), utc);
        assert_eq!(Timestamp::parse("2026-13-22T15:59:59Z"), None);
        assert_eq!(Timestamp::parse("yesterday"), None);
        for (date, exists) in [
            ("2026-02-28", true),
            ("2026-02-29", false),
            ("2028-02-29", true),
            ("2100-02-29", false),
            ("2026-02-31", false),
            ("2026-04-31", false),
            ("2026-12-31", true),
        ] {
            let text = format!("{date}T00:00:00Z");
            assert_eq!(Timestamp::parse(&text).is_some(), exists, "{date}");
        }
        assert_eq!(Timestamp::parse_http("Sun, 31 Feb 2026 00:00:00 GMT"), None);
    }

    #[test]
    fn a_number_out_of_its_bounds_is_no_instant() {
        let huge = i64::MAX.to_string();
        let whole = ["2026", "11", "22", "15", "59", "59", "02", "00"];
        for at in 0..whole.len() {
            for number in [huge.as_str(), "-9223372036854775808", "99999"] {
                let mut parts = whole;
                parts[at] = number;
                let [year, month, day, hour, minute, second, ahead, minutes] = parts;
                let date = format!("{year}-{month}-{day}T{hour}:{minute}:{second}");
                for offset in ["+", "-"].map(|sign| format!("{sign}{ahead}:{minutes}")) {
                    assert_eq!(Timestamp::parse(&(date.clone() + &offset)), None, "{date}{offset}");
                }
                let http = format!("Sun, {day} Nov {year} {hour}:{minute}:{second} GMT");
                // The month and the offset are no numbers there.
                let bounded = at == 1 || at > 5;
                assert_eq!(Timestamp::parse_http(&http).is_some(), bounded, "{http}");
            }
        }
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59Z"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_much_for_it(
            text in "\\PC{0,40}",
            date in "[-+]?[0-9]{1,20}-[0-9]{1,20}-[0-9]{1,20}T[0-9]{1,20}:[-0-9]{1,20}:[0-9]{1,20}",
            end in "([.][0-9é]{0,20})?(Z|[-+][-0-9]{1,20}:[-0-9]{1,20})",
            http in "Sun, [0-9]{1,20} (Jan|anF|Dec|é) [-0-9]{1,20} [0-9]{1,20}:[0-9]{1,20}:[0-9]{1,20} GMT",
        ) {
            for text in [&text, &(date + &end), &http] {
                let _ = Timestamp::parse(text);
                let _ = Timestamp::parse_http(text);
                let _ = parse_duration(text);
            }
        }

        #[test]
        fn no_instant_is_too_far(ms: i64, other: i64, span: u64) {
            let (at, other, span) = (Timestamp(ms), Timestamp(other), Duration::from_millis(span));
            let _ = (at.to_string(), at.after(span), at.before(span), in_words(at.left(other)));
        }
    }

    #[test]
    fn durations_are_read_and_said() {
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("90m"), Some(Duration::from_secs(5400)));
        for bad in ["", "90", "m", "1.5h", "-1h", "99999999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(in_words(Duration::from_secs(5400)), "1h 30m");
        assert_eq!(in_words(Duration::from_secs(7200)), "2h");
        assert_eq!(in_words(Duration::from_secs(190_000)), "2d 4h");
    }

    #[test]
    fn what_has_come_has_nothing_left() {
        assert_eq!(Timestamp(5).left(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).left(Timestamp(5)), Duration::from_millis(4));
    }
}
