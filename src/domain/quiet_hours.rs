//! The hours of the local day in which a gateway is left alone, over the nights of a change of clocks.

use jiff::civil::Time;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::domain::time::Timestamp;

/// A span of the local day, possibly over midnight; the two ends differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuietHours {
    /// Its first moment.
    pub(crate) from: Time,
    /// The first moment after it.
    pub(crate) to: Time,
}

impl QuietHours {
    /// Returns when they end, if they last at `now`: the next moment at which the clocks of `zone` show their end, or
    /// leave it out.
    pub(crate) fn end(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let now = now.instant();
        let local = zone.to_datetime(now);
        if !self.contains(local.time()) {
            return None;
        }
        let day =
            if local.time() < self.to { local.date() } else { local.date().tomorrow().ok()? };
        let to = zone.to_ambiguous_timestamp(day.to_datetime(self.to));
        let end = match to.offset() {
            AmbiguousOffset::Gap { .. } => zone.following(now).next()?.timestamp(),
            // Clocks that are set back show it twice.
            _ => to.earlier().ok().filter(|earlier| *earlier > now).or(to.later().ok())?,
        };
        Some(Timestamp(end.as_millisecond()))
    }

    fn contains(self, time: Time) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in Berlin: ahead by an hour, in summer by two; the clocks change at 01:00 UTC.
    const RULES: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    #[track_caller]
    fn last(hours: QuietHours, from: &str, to: Option<&str>) {
        let zone = TimeZone::posix(RULES).expect("they are rules");
        let end = hours.end(Timestamp::parse(from).expect("it is a moment"), &zone);
        assert_eq!(end.map(|end| end.to_string()).as_deref(), to, "{from}");
    }

    fn hours(from: i8, to: i8) -> QuietHours {
        QuietHours { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0) }
    }

    #[test]
    fn they_may_pass_midnight() {
        let (night, noon) = (hours(23, 7), hours(12, 13));
        last(night, "2026-11-22T21:59:59Z", None);
        last(night, "2026-11-22T22:00:00Z", Some("2026-11-23T06:00:00Z"));
        last(night, "2026-11-23T00:00:30.5Z", Some("2026-11-23T06:00:00Z"));
        last(night, "2026-11-23T06:00:00Z", None);
        last(noon, "2026-07-22T10:30:00Z", Some("2026-07-22T11:00:00Z"));
        last(noon, "2026-07-22T11:00:00Z", None);
    }

    #[test]
    fn a_night_in_which_the_clocks_change_ends_when_they_show_its_end() {
        last(hours(23, 7), "2026-03-28T23:00:00Z", Some("2026-03-29T05:00:00Z"));
        last(hours(23, 7), "2026-10-24T22:00:00Z", Some("2026-10-25T06:00:00Z"));
    }

    #[test]
    fn an_end_that_the_clocks_leave_out_is_the_moment_at_which_they_do() {
        let hours = QuietHours { to: Time::constant(2, 30, 0, 0), ..hours(23, 0) };
        last(hours, "2026-03-28T23:00:00Z", Some("2026-03-29T01:00:00Z"));
        last(hours, "2026-03-29T01:00:00Z", None);
    }

    #[test]
    fn an_end_that_the_clocks_show_twice_is_the_next_one() {
        let hours = QuietHours { to: Time::constant(2, 30, 0, 0), ..hours(23, 0) };
        last(hours, "2026-10-24T22:00:00Z", Some("2026-10-25T00:30:00Z"));
        last(hours, "2026-10-25T00:45:00Z", None);
        last(hours, "2026-10-25T01:15:00Z", Some("2026-10-25T01:30:00Z"));
    }
}
