use std::time::Duration;

use super::*;
use crate::domain::acceptance::Mark;
use crate::domain::credential::parse;
use crate::domain::login::LoginEnd;
use crate::domain::source::Source;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_800_000_000_000;

/// A source as it may be met, and what is known besides.
struct Bed {
    source: Source,
    token: Option<Fingerprint>,
    login: Option<LoginEnd>,
    away: Option<Timestamp>,
    unclear: Option<Timestamp>,
    renewals: Renewals,
    harmful: Option<String>,
    open: Vec<Open>,
}

impl Bed {
    fn new() -> Self {
        let bed = Self {
            source: Source::Absent,
            token: None,
            login: None,
            away: None,
            unclear: None,
            renewals: Renewals::default(),
            harmful: None,
            open: Vec::new(),
        };
        bed.holding(1, START + 40 * DAY)
    }

    fn holding(mut self, token: u64, expiry: i64) -> Self {
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"canary","refreshToken":"canary","expiresAt":{expiry}}}}}"#
        );
        self.source = Source::of(parse(text.as_bytes()), Timestamp(START));
        self.token = Some(Fingerprint(token));
        self
    }

    fn set(&mut self, source: Source) {
        self.source = source;
        self.token = None;
    }

    fn ends(&mut self, at: i64) {
        self.login =
            Some(LoginEnd { at: Timestamp(at), is_estimate: false, is_setup_token: false });
    }

    /// Looks at `hours` after the start; what is said as `first blanked`.
    fn at(&mut self, hours: i64) -> Vec<String> {
        let now = Timestamp(START + hours * HOUR);
        let view = View {
            path: "/c".to_owned(),
            place: " as claw".to_owned(),
            renewed_by: None,
            source: &self.source,
            login: self.login,
            passed: Some(Mark { fingerprint: Fingerprint(1), expiry: Timestamp(START + 5 * HOUR) }),
            away: self.away,
            unclear: self.unclear,
            renewals: self.renewals.clone(),
            margin: Duration::from_secs(90 * 60),
            harmful: self.harmful.clone(),
            now,
        };
        let stands = standing(&view);
        let (open, news) = step(&self.open, &stands, self.token, &view);
        self.open = open;
        let texts = news.iter().map(|news| {
            assert!(!news.message.is_empty() && !news.message.contains("canary"));
            format!("{:?} {}", news.said, news.kind.name()).to_lowercase()
        });
        texts.collect()
    }
}

#[test]
fn an_incident_is_said_once_again_daily_and_when_it_is_over() {
    let mut bed = Bed::new();
    assert!(bed.at(0).is_empty());
    bed.set(Source::Blanked);
    assert_eq!(bed.at(1), ["first blanked"]);
    assert_eq!(
        bed.open[0].message,
        "Claude CLI emptied the login in '/c' after the server refused it: sign in again as claw, agents work until 2027-01-15T13:00:00Z, for 4h more"
    );
    assert_eq!(next_moment(&bed.open), Some(Timestamp(START + 25 * HOUR)));
    for quiet in [1, 2, 24] {
        assert!(bed.at(quiet).is_empty(), "{quiet}");
    }
    assert_eq!(bed.at(25), ["again blanked"]);
    assert!(bed.at(26).is_empty());
    assert_eq!(bed.at(49), ["again blanked"]);
    bed = bed.holding(2, START + 90 * HOUR);
    assert_eq!(bed.at(50), ["over blanked"]);
    assert!(bed.open.is_empty() && bed.at(51).is_empty());
}

#[test]
fn only_another_living_login_ends_a_sign_in() {
    let mut bed = Bed::new();
    bed.set(Source::Blanked);
    bed.at(0);
    for (source, why) in [
        (Source::HalfWritten, "a writer is at work"),
        (Source::Absent, "a sign-in takes the file away first"),
        (Source::Unreadable("no".into(), None), "nobody knows what is there"),
    ] {
        bed.set(source);
        assert!(bed.at(1).is_empty() && bed.open.len() == 1, "{why}");
    }
    let mut bed = bed.holding(1, START + 4 * HOUR);
    assert!(bed.at(2).is_empty() && bed.open.len() == 1, "the old file was put back");
    bed = bed.holding(2, START - 1);
    assert!(bed.at(2).is_empty() && bed.open.len() == 1, "it is over already");
    bed = bed.holding(3, START + 9 * HOUR);
    assert_eq!(bed.at(2), ["over blanked"]);
}

#[test]
fn one_sign_in_is_asked_for_at_a_time() {
    let mut bed = Bed::new();
    bed.renewals.rejected = true;
    assert_eq!(bed.at(0), ["first rejected"]);
    bed.set(Source::Blanked);
    assert!(bed.at(1).is_empty());
    assert_eq!(bed.open[0].kind, Kind::Blanked);
    assert_eq!(bed.open[0].since, Timestamp(START));
    assert_eq!(bed.at(24), ["again blanked"]);
}

#[test]
fn a_login_that_is_away_for_long_was_signed_out() {
    let mut bed = Bed::new();
    bed.set(Source::Absent);
    bed.away = Some(Timestamp(START));
    assert!(bed.at(0).is_empty());
    assert_eq!(bed.at(1), ["first signed-out"]);
}

#[test]
fn a_login_that_stays_damaged_or_unreadable_is_told_and_one_that_is_being_written_is_not() {
    for (source, name) in [
        (Source::HalfWritten, "damaged"),
        (Source::Undated, "damaged"),
        (Source::Unreadable("cannot read '/c'".to_owned(), None), "unreadable"),
    ] {
        let mut bed = Bed::new();
        bed.set(source);
        bed.unclear = Some(Timestamp(START));
        assert!(bed.at(0).is_empty());
        assert_eq!(bed.at(1), [format!("first {name}")]);
        assert!(bed.at(2).is_empty());
        assert_eq!(bed.at(25), [format!("again {name}")]);
        // The same token as before: what was cut off has been completed.
        let mut bed = Bed { unclear: None, ..bed }.holding(1, START + 40 * DAY);
        assert_eq!(bed.at(26), [format!("over {name}")]);
    }
}

#[test]
fn notices_come_once_each_and_not_daily() {
    let mut bed = Bed::new();
    bed.ends(START + 10 * DAY);
    let mut said = Vec::new();
    for hour in 0..=10 * 24 {
        said.extend(bed.at(hour).into_iter().map(|text| (hour, text)));
    }
    let said: Vec<_> = said.iter().map(|(hour, text)| (*hour, text.as_str())).collect();
    assert_eq!(
        said,
        [
            (72, "first login-ends-in-7-days"),
            (168, "first login-ends-in-3-days"),
            (216, "first login-ends-in-1-day"),
            (240, "first login-ended"),
        ]
    );
    bed.ends(START + 40 * DAY);
    let mut bed = bed.holding(2, START + 11 * DAY);
    assert_eq!(bed.at(241), ["over login-ended"]);
}

#[test]
fn a_new_login_ends_a_notice_and_a_wrong_clock_says_it_only_once() {
    let mut bed = Bed::new();
    bed.ends(START + 6 * DAY);
    assert_eq!(bed.at(0), ["first login-ends-in-7-days"]);
    assert!(bed.at(-100).is_empty() && bed.at(0).is_empty());
    bed.ends(START + 6 * DAY + 1000);
    assert!(bed.at(1).is_empty(), "a renewal counts the seconds anew");
    bed.ends(START + 30 * DAY);
    assert_eq!(bed.at(2), ["over login-ends-in-7-days"]);
    bed.ends(START + 2 * DAY);
    assert_eq!(bed.at(3), ["first login-ends-in-3-days"], "a short one is told at once");
}

#[test]
fn failing_counts_only_where_an_attempt_failed_after_half_the_margin() {
    let mut bed = Bed::new();
    let at = |minutes: i64| Timestamp(START + minutes * 60_000);
    for (last, said) in [(0, &[][..]), (44, &[]), (45, &["first refresh-failing"])] {
        bed.renewals.failing = Some((at(0), at(last)));
        assert_eq!(bed.at(20), said, "{last}");
    }
    bed.renewals.failing = None;
    assert_eq!(bed.at(21), ["over refresh-failing"]);
}

#[test]
fn what_is_mended_is_over() {
    let mut bed = Bed::new();
    bed.renewals.cannot_save = Some("cannot write '/c': full".into());
    bed.renewals.cli_gone = Some("there is no claude".into());
    bed.harmful = Some("'/x' makes this OpenClaw refuse to work".into());
    assert_eq!(bed.at(0), ["first cannot-save", "first cli-gone", "first harmful-file"]);
    assert_eq!(bed.at(24), ["again cannot-save", "again cli-gone", "again harmful-file"]);
    (bed.renewals, bed.harmful) = (Renewals::default(), None);
    assert_eq!(bed.at(25), ["over cannot-save", "over cli-gone", "over harmful-file"]);
}

#[test]
fn a_clock_that_was_set_back_starts_the_day_anew() {
    let mut bed = Bed::new();
    bed.set(Source::Blanked);
    assert_eq!(bed.at(1000), ["first blanked"]);
    assert!(bed.at(0).is_empty() && bed.at(23).is_empty());
    assert_eq!(bed.at(24), ["again blanked"]);
}

#[test]
fn every_kind_survives_the_state_file() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
    for severity in [Severity::Info, Severity::Warning, Severity::Error] {
        assert_eq!(Severity::from_name(severity.name()), severity);
    }
}
