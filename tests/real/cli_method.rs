//! `oauth-sync refresh` by the method `cli`, with the real CLI: what it renews, and what it leaves
//! behind where nothing is renewed.

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::{Answer, Endpoint, MESSAGES, TOKEN};
use crate::oauth_sync::OauthSync;

const VERSIONS: [&str; 2] = ["2.1.197", "2.1.330"];

const MINUTES_90: i64 = 90 * 60;

/// Longer than any wait of the CLI.
const LIMIT: Duration = Duration::from_secs(60);

fn expiry(claude: &Claude<'_>) -> i64 {
    claude.credentials()["claudeAiOauth"]["expiresAt"].as_i64().unwrap_or_default()
}

/// Panics unless one grant was given and stands in the file, living and far from its end.
#[track_caller]
pub(crate) fn assert_renewed(claude: &Claude<'_>, endpoint: &Endpoint, sync: &OauthSync) {
    let [grant] = endpoint.grants().try_into().expect("one grant");
    let stored = &claude.credentials()["claudeAiOauth"];
    assert_eq!(stored["accessToken"], grant.access_token);
    assert_eq!(stored["refreshToken"], grant.refresh_token);
    assert!(expiry(claude) > sync.begun() + 7 * 3_600_000, "{stored}");
    assert_eq!(sync.state()["nudge"], Value::Null);
}

#[test]
fn ninety_minutes_before_the_end_it_is_renewed_by_one_request() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), MINUTES_90);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let ran = sync.refresh(&["--force"]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert_eq!(endpoint.requests_to(TOKEN).len(), 1, "{version}");
        assert_renewed(&claude, &endpoint, &sync);
        let again = sync.refresh(&[]);
        assert_eq!(again.code, Some(0), "{version}");
        assert!(again.stderr.contains("is not due, nothing was done"), "{version}: {again:?}");
        assert_eq!(endpoint.requests_to(TOKEN).len(), 1, "{version}");
    }
}

#[test]
fn a_call_that_hangs_after_the_save_is_a_success() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        endpoint.always(MESSAGES, Answer::hang());
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        // Ten seconds after the save it is ended; without that it would have its 90 s.
        let saved = fs::metadata(claude.source()).unwrap().modified().unwrap();
        let after = SystemTime::now().duration_since(saved).unwrap();
        assert!(after < Duration::from_secs(60), "{after:?}");
        assert_renewed(&claude, &endpoint, &sync);
        assert_eq!(sync.processes(), 0, "{version}: the CLI has ended");
    }
}

#[test]
fn a_call_that_fails_after_the_save_is_a_success() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        endpoint.always(MESSAGES, Answer::status(400).json(&json!({ "type": "error" })));
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert_renewed(&claude, &endpoint, &sync);
    }
}

#[test]
fn a_slow_answer_is_waited_for_also_when_we_are_asked_to_end() {
    for (version, signal) in [("2.1.197", Some(Signal::TERM)), ("2.1.330", None)] {
        let (endpoint, _folder) = endpoint();
        endpoint.once(TOKEN, Answer::usual().after(Duration::from_secs(20)));
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let child = sync.command(&["refresh"]).spawn().unwrap();
        endpoint.wait_for(TOKEN, 1, LIMIT);
        if let Some(signal) = signal {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), signal.is_none().then_some(0), "{version}: {ended:?}");
        assert_renewed(&claude, &endpoint, &sync);
    }
}

#[test]
fn where_the_server_does_not_renew_the_true_expiry_is_put_back() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        endpoint.always(TOKEN, Answer::status(500));
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let (before, login) = (expiry(&claude), claude.credentials());
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(75), "{version}: {ran:?}");
        assert!(!endpoint.requests_to(TOKEN).is_empty(), "{version}: it was asked");
        assert_eq!(expiry(&claude), before, "{version}");
        let token = |login: &Value| login["claudeAiOauth"]["refreshToken"].clone();
        assert_eq!(token(&claude.credentials()), token(&login), "{version}");
        assert_eq!(sync.state()["nudge"], Value::Null);
        for _ in 0..2 {
            sync.refresh(&["--force"]);
        }
        endpoint.forget();
        let fourth = sync.refresh(&["--force"]);
        assert_eq!(fourth.code, Some(75), "{fourth:?}");
        assert!(fourth.stderr.contains("three times within an hour"), "{fourth:?}");
        assert_eq!(endpoint.requests().len(), 0, "{version}: no fourth call within the hour");
    }
}

#[test]
fn a_cli_that_reaches_nobody_is_ended_and_the_next_method_renews() {
    let (endpoint, _folder) = endpoint();
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
    let sync = OauthSync::new(&claude, &endpoint, "cli api").with_dead_proxy();
    let ran = sync.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("was renewed by method 'api'"), "{ran:?}");
    assert_renewed(&claude, &endpoint, &sync);
    assert_eq!(sync.processes(), 0, "the CLI has ended");
    let renewals = sync.status()["renewals"].clone();
    let history: Vec<_> =
        renewals.as_array().unwrap().iter().map(|one| (&one["method"], &one["outcome"])).collect();
    let expected = [("cli", "deferred"), ("api", "renewed")].map(|(a, b)| (a.into(), b.into()));
    assert_eq!(history, expected.each_ref().map(|(a, b)| (a, b)), "{renewals:#}");
}

#[test]
fn a_refused_login_is_rejected() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        endpoint.always(TOKEN, Answer::oauth_error("invalid_grant"));
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(3), "{version}: {ran:?}");
        assert_eq!(claude.credentials()["claudeAiOauth"]["accessToken"], "", "{version}");
    }
}

#[test]
fn a_lock_held_by_another_stops_us_and_changes_nothing() {
    // With an hour left we cannot take the lock; with 3 minutes the CLI cannot, and exits with 0.
    for left in [60 * 60, 180] {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), left);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let before = expiry(&claude);
        let lock = claude.source().with_file_name(".oauth_refresh.lock");
        fs::create_dir(&lock).unwrap();
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(75), "{ran:?}");
        assert_eq!((expiry(&claude), endpoint.requests_to(TOKEN).len()), (before, 0));
        assert!(lock.exists(), "it is not ours to remove");
        assert_eq!(sync.state()["nudge"], Value::Null);
    }
}

#[test]
fn settings_that_stop_the_cli_leave_the_renewal_to_the_next_method() {
    let (endpoint, _folder) = endpoint();
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
    let settings = json!({ "env": { "CLAUDE_CODE_OAUTH_TOKEN": "invented" } });
    fs::write(claude.source().with_file_name("settings.json"), settings.to_string()).unwrap();
    let sync = OauthSync::new(&claude, &endpoint, "cli");
    let ran = sync.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("CLAUDE_CODE_OAUTH_TOKEN, which keeps the CLI"), "{ran:?}");
    assert_eq!(endpoint.requests().len(), 0);
    let sync = OauthSync::new(&claude, &endpoint, "cli api");
    let ran = sync.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_renewed(&claude, &endpoint, &sync);
    assert_eq!(endpoint.requests().len(), 1, "no CLI ran");
}

#[test]
fn after_a_crash_of_ours_the_next_run_puts_the_true_expiry_back() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        endpoint.once(TOKEN, Answer::status(500).held());
        endpoint.always(TOKEN, Answer::status(500));
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let before = expiry(&claude);
        let sync = OauthSync::new(&claude, &endpoint, "cli").with_oauth_json();
        let mut child = sync.command(&["refresh"]).spawn().unwrap();
        endpoint.wait_for(TOKEN, 1, LIMIT);
        child.kill().unwrap();
        child.wait().unwrap();
        endpoint.release();
        assert!(expiry(&claude) < before, "{version}: the earlier one stands");
        assert!(sync.state()["nudge"].is_object(), "{version}");
        // A sink is told the true one all the same.
        assert!(sync.command(&["sync"]).output().unwrap().status.success(), "{version}");
        assert_eq!(sync.oauth_json()["anthropic"]["expires"], before, "{version}");
        // The CLI is in a group of its own, and goes on.
        sync.wait_for_no_process(LIMIT);
        // REFRESH is off now: putting it back is not a renewal.
        let sync = sync.with("off");
        let ran = sync.refresh(&[]);
        assert_eq!((ran.code, expiry(&claude)), (Some(0), before), "{version}: {ran:?}");
        assert_eq!(sync.state()["nudge"], Value::Null);
    }
}
