use super::*;
use crate::domain::credential::Content;
use crate::domain::secret::Secret;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn credential(seconds_left: i64) -> Credential {
    Credential {
        access_token: Secret::new("access-A"),
        refresh_token: Some(Secret::new("refresh-A")),
        expiry: Timestamp(NOW.0 + seconds_left * 1000),
        login_end: None,
    }
}

fn terms(margin: u64, lifetime: Option<u64>) -> Terms {
    Terms {
        margin: Duration::from_secs(margin),
        lifetime: lifetime.map(Duration::from_secs),
        expiry: None,
    }
}

fn need(seconds_left: i64, terms: Terms) -> Need {
    decide(&Source::of(Content::Login(credential(seconds_left)), NOW), terms, NOW)
}

#[test]
fn it_is_due_within_the_margin_or_half_the_lifetime() {
    let usual = terms(5400, None);
    assert_eq!(need(5401, usual), Need::Fresh(Timestamp(NOW.0 + 1000)));
    assert_eq!(need(5400, usual), Need::Due);
    assert_eq!(need(1, usual), Need::Due);
    assert_eq!(need(0, usual), Need::Expired);
    // A token that lives an hour is not renewed for ever.
    assert_eq!(need(1801, terms(5400, Some(3600))), Need::Fresh(Timestamp(NOW.0 + 1000)));
    assert_eq!(need(1800, terms(5400, Some(3600))), Need::Due);
    assert_eq!(need(14_401, terms(86_400, None)), Need::Fresh(Timestamp(NOW.0 + 1000)));
}

#[test]
fn what_is_no_login_is_not_renewed() {
    let terms = terms(5400, None);
    let fixed = Credential { refresh_token: None, ..credential(9) };
    for (source, wanted) in [
        (Source::Blanked, Need::Blanked),
        (Source::Absent, Need::Absent),
        (Source::Undated, Need::Unusable),
        (Source::HalfWritten, Need::Unusable),
        (Source::Foreign("x".into()), Need::Unusable),
        (Source::Static(fixed.clone()), Need::Static),
        (Source::Expired(fixed), Need::Static),
    ] {
        assert_eq!(decide(&source, terms, NOW), wanted);
    }
}

#[test]
fn a_nudged_expiry_does_not_count() {
    let nudge = Nudge { fingerprint: Fingerprint(1), expiry: NOW, nudged: credential(240).expiry };
    assert_eq!(nudge.true_expiry(&credential(240), Fingerprint(1)), Some(NOW));
    assert_eq!(nudge.true_expiry(&credential(240), Fingerprint(2)), None);
    assert_eq!(nudge.true_expiry(&credential(241), Fingerprint(1)), None);
    let terms = Terms { expiry: Some(Timestamp(NOW.0 + 9_000_000)), ..terms(5400, None) };
    assert_eq!(need(240, terms), Need::Fresh(Timestamp(NOW.0 + 3_600_000)));
}

#[test]
fn waits_double_and_never_take_more_than_a_third_of_what_is_left() {
    for (failures, asked, left, jitter, wanted) in [
        (1, None, 5400, 0, 30),
        (1, None, 5400, 1000, 44),
        (2, None, 5400, 0, 60),
        (5, None, 5400, 0, 480),
        (9, None, 5400, 0, 1800),
        (99, None, 864_000, 0, 3600),
        (1, Some(600), 5400, 0, 600),
        (1, Some(7200), 5400, 0, 1800),
        (1, Some(7200), 86_400, 0, 7200),
        (9, None, 90, 0, 30),
        (9, Some(3600), 5, 999, 30),
        (1, None, 0, 0, 30),
        (3, None, 0, 0, 120),
        (9, None, 0, 999, 300),
    ] {
        let asked = asked.map(Duration::from_secs);
        let wait = back_off(failures, asked, Duration::from_secs(left), jitter);
        assert_eq!(wait.as_secs(), wanted, "{failures} {asked:?} {left} {jitter}");
    }
}

#[test]
fn a_clock_that_was_set_back_puts_nothing_off() {
    let left = Duration::from_secs(900);
    let at = |seconds: i64| Timestamp(NOW.0 + seconds * 1000);
    assert_eq!(not_before(at(-1), left, NOW), None);
    assert_eq!(not_before(at(60), left, NOW), Some(at(60)));
    assert_eq!(not_before(at(86_400), left, NOW), Some(at(300)));
    assert_eq!(posts_allowed_at(&[at(60); 20], NOW), None);
}

#[test]
fn an_hour_has_room_for_twelve_requests() {
    let at = |seconds: i64| Timestamp(NOW.0 + seconds * 1000);
    let eleven: Vec<_> = (1..12).map(|n| at(-n * 60)).collect();
    assert_eq!(posts_allowed_at(&eleven, NOW), None);
    let twelve: Vec<_> = (1..13).map(|n| at(-n * 60)).collect();
    assert_eq!(posts_allowed_at(&twelve, NOW), Some(at(3600 - 720)));
    let old: Vec<_> = (0..50).map(|n| at(-3600 - n)).collect();
    assert_eq!(posts_allowed_at(&old, NOW), None);
}
