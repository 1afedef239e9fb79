//! What the endpoint can answer, row by row: class, retry, exit status, message.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::endpoint::{Answer, TOKEN};
use crate::rig::{Rig, now_ms};

#[test]
fn a_login_that_is_due_is_renewed_once_and_every_other_byte_stays() {
    let rig = Rig::new(80);
    let before = fs::read_to_string(rig.source()).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(ran.said.contains("was renewed by method 'api'"), "{}", ran.said);
    assert!(rig.holds_last_grant() && rig.is_tidy());
    let after = fs::read_to_string(rig.source()).unwrap();
    let tail =
        |text: &str| text.split_once("\"scopes\"").unwrap().1.split_once(']').unwrap().1.to_owned();
    assert_eq!(tail(&before), tail(&after));
    assert_eq!(fs::metadata(rig.source()).unwrap().mode() & 0o777, 0o600);
    let left = rig.login_in_file()["expiresAt"].as_i64().unwrap() - now_ms();
    assert!((28_790_000..=28_800_000).contains(&left), "{left}");
    let history = rig.history();
    assert_eq!(history[0]["outcome"], "renewed");
    assert_eq!(history[0]["method"], "api");
    rig.assert_no_token_elsewhere();

    // Not due: that is said, and nothing is sent.
    let ran = rig.refresh(&[]);
    assert!(ran.code == Some(0) && ran.said.contains("is not due, nothing was done"), "{ran:?}");
    assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1);
    // But it can be asked for.
    assert_eq!(rig.refresh(&["--force"]).code, Some(0));
    assert_eq!(rig.endpoint.grants().len(), 2);
    assert!(rig.holds_last_grant());
}

#[test]
fn the_request_is_honest_and_asks_for_no_more_than_the_login_has() {
    let rig = Rig::new(-5);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    let [request] = rig.endpoint.requests_to(TOKEN).try_into().unwrap();
    assert!(request.json().get("scope").is_none());
    let agent = request.header("user-agent").to_owned();
    assert!(agent.starts_with("openclaw-oauth-sync/"), "{agent}");
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let rig = Rig::new(80);
    let before = fs::read_to_string(rig.source()).unwrap();
    let ran = rig.refresh(&["--dry-run"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.said.contains("would be renewed now by api"), "{}", ran.said);
    assert!(rig.endpoint.requests().is_empty());
    assert_eq!(fs::read_to_string(rig.source()).unwrap(), before);
    assert!(crate::rig::names(&rig.at("state")).is_empty());
    let rig = Rig::new(300);
    assert!(rig.refresh(&["--dry-run"]).said.contains("will be renewed at"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of answers")]
fn every_answer_has_its_class() {
    let html = "<html>Just a moment...</html>";
    let rows: Vec<(&str, Answer, i32, &str, std::ops::RangeInclusive<i64>)> = vec![
        (
            "400 request",
            Answer::oauth_error("invalid_request"),
            75,
            "HTTP 400 invalid_request",
            29..=46,
        ),
        (
            "400 client",
            Answer::oauth_error("invalid_client"),
            75,
            "HTTP 400 invalid_client",
            29..=46,
        ),
        ("400 grant", Answer::oauth_error("invalid_grant"), 3, "refuses the login", 0..=0),
        (
            "401",
            Answer::status(401).json(&json!({"error": {"type": "authentication_error"}})),
            75,
            "HTTP 401",
            29..=46,
        ),
        ("403", Answer::status(403).body(html), 75, "HTTP 403", 29..=46),
        ("404", Answer::status(404), 75, "HTTP 404", 29..=46),
        ("408", Answer::status(408), 75, "HTTP 408", 29..=46),
        ("429", Answer::status(429).header("Retry-After", "300"), 75, "HTTP 429", 298..=300),
        (
            "429 long",
            Answer::status(429).header("Retry-After", "86400"),
            75,
            "HTTP 429",
            1590..=1600,
        ),
        ("500", Answer::status(500), 75, "HTTP 500", 29..=46),
        ("503", Answer::status(503).body(html), 75, "HTTP 503", 29..=46),
        (
            "cut",
            Answer::status(200).json(&json!({"access_token": "sk-ant-x", "a": "b"})).cut(12),
            75,
            "cut off",
            29..=46,
        ),
        ("html", Answer::status(200).body(html), 75, "not JSON", 29..=46),
        ("empty", Answer::status(200), 75, "not JSON", 29..=46),
        ("wrong", Answer::status(200).json(&json!([1])), 75, "not JSON", 29..=46),
        (
            "no pair",
            Answer::status(200).json(&json!({"access_token": 7})),
            75,
            "no tokens",
            29..=46,
        ),
        ("reset", Answer::reset(), 75, "cannot reach", 29..=46),
        ("redirect", Answer::redirect("https://example.invalid/"), 75, "redirects", 29..=46),
    ];
    for (name, answer, code, words, wait) in rows {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, answer);
        let before = fs::read_to_string(rig.source()).unwrap();
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(code), "{name}: {}", ran.said);
        assert!(ran.said.contains(words), "{name}: {}", ran.said);
        assert_eq!(fs::read_to_string(rig.source()).unwrap(), before, "{name}");
        assert!(rig.is_tidy(), "{name}");
        assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "{name}");
        if code == 75 {
            let until = rig.state()["put_off"].as_i64().unwrap();
            let seconds = (until - now_ms()) / 1000;
            assert!(wait.contains(&seconds), "{name}: {seconds}");
            // Put off, also over a restart; then it works.
            assert_eq!(rig.refresh(&[]).code, Some(75), "{name}");
            assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "{name}");
        } else {
            // A refused token is not sent again.
            assert_eq!(rig.refresh(&[]).code, Some(3), "{name}");
            assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "{name}");
        }
        assert_eq!(rig.refresh(&["--force"]).code, Some(0), "{name}");
        assert!(rig.holds_last_grant(), "{name}");
        rig.assert_no_token_elsewhere();
    }
}

#[test]
fn a_drip_is_read_to_its_end_and_an_endless_one_ended() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::usual().drip(Duration::from_millis(5)));
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert!(rig.holds_last_grant());
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::hang());
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(75), "{}", ran.said);
    assert!(ran.said.contains("the time limit is over"), "{}", ran.said);
}

#[test]
fn of_a_drip_without_an_end_what_came_is_kept() {
    let rig = Rig::new(80);
    // The pair comes at once, the rest would take two minutes and more.
    let endless = Answer::usual().with("zz", "x".repeat(24_000)).drip(Duration::from_millis(5));
    rig.endpoint.once(TOKEN, endless);
    let begun = Instant::now();
    let ran = rig.refresh(&[]);
    // The limit is 30 s; a run without one would take the whole two minutes.
    assert!((25..90).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant() && rig.is_tidy());
    assert_eq!(rig.refresh(&["--force"]).code, Some(0));
    assert_eq!((rig.endpoint.grants().len(), rig.endpoint.refused()), (2, 0));
}

#[test]
fn a_foreign_authority_gets_nothing() {
    let (rig, other) = (Rig::new(80), Rig::new(80));
    rig.configure(&other.endpoint.token_url());
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(75), "{}", ran.said);
    assert!(ran.said.contains("TLS: its certificate"), "{}", ran.said);
    assert!(other.endpoint.requests().is_empty());
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let rig = Rig::new(80);
    rig.configure("https://platform.claude.com/v1/oauth/token");
    let mut command = rig.command(&[], &["refresh"]);
    let ran = rig.ran(command.envs(rig.endpoint.environment()).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(rig.endpoint.requests_to(TOKEN)[0].host, "platform.claude.com");
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_and_not_gone_round() {
    let rig = Rig::new(80);
    for (name, value) in [
        ("ALL_PROXY", "socks5://user:hunter2@127.0.0.1:1"),
        ("all_proxy", "socks5h://127.0.0.1:1"),
        ("HTTPS_PROXY", "http://user:hunter2@:x"),
        ("https_proxy", "gopher://127.0.0.1:1"),
    ] {
        let mut command = rig.command(&[], &["refresh", "--force"]);
        let ran = rig.ran(command.env(name, value).output().unwrap());
        assert_eq!(ran.code, Some(75), "{}", ran.said);
        assert!(ran.said.contains(&format!("the proxy in {name} cannot be used")), "{}", ran.said);
        assert!(!ran.said.contains("hunter2"), "{}", ran.said);
    }
    assert!(rig.endpoint.requests().is_empty(), "nothing was sent");
    let mut command = rig.command(&[], &["refresh", "--force"]);
    let command = command.env("ALL_PROXY", "socks5://127.0.0.1:1").env("no_proxy", "localhost");
    let ran = rig.ran(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.said);
}

#[test]
fn twelve_requests_an_hour_are_the_limit() {
    let rig = Rig::new(80);
    rig.endpoint.always(TOKEN, Answer::status(503));
    for _ in 0..12 {
        assert_eq!(rig.refresh(&["--force"]).code, Some(75));
    }
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(75));
    assert!(ran.said.contains("12 times"), "{}", ran.said);
    assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 12);
}

#[test]
fn what_nobody_can_renew_is_left_to_a_person() {
    for (access, refresh, code) in [("", "", 3), ("sk-ant-oat01-static", "", 0)] {
        let rig = Rig::new(80);
        rig.write_source(access, refresh, 80);
        assert_eq!(rig.refresh(&[]).code, Some(code));
        assert!(rig.endpoint.requests().is_empty());
    }
    let rig = Rig::new(80);
    fs::remove_file(rig.source()).unwrap();
    assert_eq!(rig.refresh(&[]).code, Some(3));
    fs::remove_dir(rig.at("home/.claude")).unwrap();
    assert_eq!(rig.refresh(&[]).code, Some(3));
}

#[test]
fn even_at_its_most_talkative_it_says_no_token() {
    for answer in [
        Answer::usual(),
        Answer::usual().without("expires_in"),
        Answer::oauth_error("invalid_grant"),
    ] {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, answer);
        // `ran` looks for tokens in what was said.
        let output = rig.command(&[], &["refresh", "-vvv"]).output().unwrap();
        let ran = rig.ran(output);
        assert!(!ran.said.is_empty());
        assert!(!ran.said.contains("invented"), "{}", ran.said);
    }
}
