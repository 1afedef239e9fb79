use super::*;
use crate::domain::credential::parse;

const NOW: Timestamp = Timestamp(1_900_000_000_000);
const HOUR: i64 = 3_600_000;

fn login(hours: i64) -> Source {
    let expiry = NOW.0 + hours * HOUR;
    let text = format!(
        r#"{{"claudeAiOauth":{{"accessToken":"a","refreshToken":"r","expiresAt":{expiry}}}}}"#
    );
    Source::of(parse(text.as_bytes()), NOW)
}

fn setup_token(hours: i64) -> Source {
    let expiry = NOW.0 + hours * HOUR;
    let text = format!(r#"{{"claudeAiOauth":{{"accessToken":"a","expiresAt":{expiry}}}}}"#);
    Source::of(parse(text.as_bytes()), NOW)
}

fn sink(condition: Condition) -> Sink {
    Sink { name: "env", condition, expiry: None }
}

fn view<'a>(source: &'a Source, sinks: &'a [Sink]) -> View<'a> {
    View {
        source,
        expiry: None,
        login_end: None,
        passed: None,
        margin: Some(Duration::from_secs(90 * 60)),
        sinks,
        troubles: Vec::new(),
        worries: Vec::new(),
        scope: Scope::All,
        renewed_by: None,
        is_public: false,
        now: NOW,
    }
}

fn exact(hours: i64) -> LoginEnd {
    LoginEnd { at: hence(hours), is_estimate: false, is_setup_token: false }
}

fn hence(hours: i64) -> Timestamp {
    Timestamp(NOW.0 + hours * HOUR)
}

#[test]
fn the_source_is_judged() {
    for (source, level, part) in [
        (login(8), Level::Fine, ""),
        (login(1), Level::Fine, ""),
        (setup_token(5000), Level::Fine, ""),
        (login(0), Level::Wrong, "the access token expired at"),
        (setup_token(0), Level::Wrong, "the setup-token expired at"),
        (Source::Blanked, Level::Wrong, "sign in again"),
        (Source::Absent, Level::Wrong, "nobody is signed in"),
        (Source::Undated, Level::Wrong, "no readable expiry"),
        (Source::Foreign("it is not JSON".into()), Level::Wrong, "it is not JSON"),
        (Source::Unreadable("cannot read it".to_owned(), None), Level::Wrong, "cannot read it"),
        (Source::HalfWritten, Level::Wrong, "cut off"),
    ] {
        let health = judge(&view(&source, &[]));
        assert_eq!(health.level, level, "{source:?}");
        let first = health.findings.first().map_or("", |(_, text)| text);
        assert!(first.contains(part), "{first}");
    }
    // Whoever writes it may be at it, and agents work meanwhile.
    let works = View { passed: Some(hence(1)), ..view(&Source::HalfWritten, &[]) };
    assert_eq!(judge(&works).level, Level::Soon);
}

#[test]
fn a_renewal_that_is_overdue_deserves_a_look() {
    let source = login(0).clone();
    assert_eq!(judge(&view(&source, &[])).level, Level::Wrong);
    let source = login(2);
    for (margin, level) in [
        (Some(Duration::from_secs(3 * 3600)), Level::Fine),
        (Some(Duration::from_secs(5 * 3600)), Level::Soon),
        (None, Level::Fine),
    ] {
        assert_eq!(judge(&View { margin, ..view(&source, &[]) }).level, level, "{margin:?}");
    }
}

#[test]
fn the_second_clock_is_judged_by_itself() {
    let source = login(8);
    for (days, level) in [(30, Level::Fine), (8, Level::Fine), (7, Level::Soon), (0, Level::Wrong)]
    {
        let health = judge(&View { login_end: Some(exact(days * 24)), ..view(&source, &[]) });
        assert_eq!(health.level, level, "{days} days");
    }
    let long = judge(&View { login_end: Some(exact(12 * 24)), ..view(&source, &[]) });
    assert_eq!(long.summary.text(NOW), "access token ends in 8h, login ends in 12d");
}

#[test]
fn sinks_are_judged_by_what_reaches_openclaw() {
    let source = login(8);
    let ended = Sink { expiry: Some(hence(-1)), ..sink(Condition::Pending) };
    for (sinks, level) in [
        (vec![], Level::Fine),
        (vec![sink(Condition::InStep)], Level::Fine),
        (vec![sink(Condition::InStep), sink(Condition::Absent)], Level::Fine),
        (vec![sink(Condition::Absent)], Level::Soon),
        (vec![sink(Condition::InStep), sink(Condition::Pending)], Level::Soon),
        (vec![ended], Level::Wrong),
        (vec![sink(Condition::InStep), sink(Condition::Stuck("why".to_owned()))], Level::Wrong),
    ] {
        assert_eq!(judge(&view(&source, &sinks)).level, level, "{sinks:?}");
    }
    let both = [sink(Condition::InStep), sink(Condition::Pending), sink(Condition::Absent)];
    assert!(judge(&view(&source, &both)).summary.text(NOW).ends_with("1 of 2 sinks up to date"));
}

#[test]
fn a_dead_source_says_how_long_agents_go_on() {
    let sinks = [sink(Condition::Pending)];
    let view = View { passed: Some(hence(3)), ..view(&Source::Blanked, &sinks) };
    let health = judge(&view);
    assert_eq!(health.findings.len(), 1, "the sink is not to blame: {health:?}");
    assert!(health.findings[0].1.ends_with("(agents work for 3h more)"), "{health:?}");
}

#[test]
fn the_gravest_comes_first() {
    let source = login(8);
    let mut view = view(&source, &[]);
    view.worries = vec!["a worry".into()];
    view.troubles = vec!["a trouble".into()];
    let health = judge(&view);
    assert_eq!(health.level, Level::Wrong);
    assert_eq!(health.findings[0], (Level::Wrong, "a trouble".to_owned()));
}

#[test]
fn an_estimate_never_says_that_a_login_has_ended() {
    let source = login(8);
    let end = LoginEnd { at: hence(-1), is_estimate: true, is_setup_token: false };
    let health = judge(&View { login_end: Some(end), ..view(&source, &[]) });
    assert_eq!(health.level, Level::Soon);
    assert_eq!(health.findings[0].1, "the login may end at any moment: sign in again");
}

#[test]
fn everybody_reads_no_word_of_anybody_elses() {
    let source = Source::Unreadable("cannot read '/home/a/x'".to_owned(), None);
    let sinks = [sink(Condition::Stuck("'/home/a/y' is odd".to_owned()))];
    let mut view = View { is_public: true, ..view(&source, &sinks) };
    view.troubles = vec!["our own words".into(), "'/home/a/z'".to_owned().into()];
    view.worries = vec!["what a said".to_owned().into(), "what b said".to_owned().into()];
    let texts: Vec<String> = judge(&view).findings.into_iter().map(|(_, text)| text).collect();
    let expected = [
        "the credentials file cannot be read",
        "env is out of date: see sudo oauth-sync check",
        "our own words",
        "something is wrong: see sudo oauth-sync check",
        "something needs a look: see sudo oauth-sync check",
    ];
    assert_eq!(texts, expected);
}
