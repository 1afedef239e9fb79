//! What a person hears where the real CLI cannot renew any more.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::{Answer, TOKEN};
use crate::oauth_sync::OauthSync;

const VERSIONS: [&str; 2] = ["2.1.197", "2.1.330"];

fn kinds(status: &Value) -> Vec<&str> {
    let incidents = status["incidents"].as_array().expect("a list");
    incidents.iter().filter_map(|incident| incident["kind"].as_str()).collect()
}

#[test]
fn a_login_that_the_cli_emptied_is_an_incident_and_the_sinks_keep_what_lives() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        let pair = endpoint.sign_in();
        let claude = Claude::version(version, &endpoint).signed_in(&pair, 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli").with_oauth_json();
        assert!(sync.command(&["sync"]).status().unwrap().success());
        assert_eq!(sync.oauth_json()["anthropic"]["access"], pair.access_token);
        endpoint.always(TOKEN, Answer::oauth_error("invalid_grant"));
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(3), "{version}: {ran:?}");
        assert_eq!(claude.credentials()["claudeAiOauth"]["accessToken"], "", "{version}");
        assert!(ran.stderr.contains("emptied the login"), "{version}: {ran:?}");
        assert!(ran.stderr.contains(" login --link "), "the command is said: {ran:?}");
        assert_eq!(sync.oauth_json()["anthropic"]["access"], pair.access_token, "{version}");
        let status = sync.status();
        assert_eq!(kinds(&status), ["blanked"], "{version}: {status:#}");
        let said = status["incidents"][0]["message"].as_str().unwrap_or_default().to_owned();
        // How much of the hour is left depends on the machine: the moment does not.
        let until = utc(sync.oauth_json()["anthropic"]["expires"].as_u64().unwrap() / 1000);
        let left = said.split_once(&format!("agents work until {until}, for "));
        let left = left.and_then(|(_, left)| left.split_once(" more")).map(|(left, _)| left);
        let fits =
            |left: &str| left == "1h" || (0..60).any(|minutes| left == format!("{minutes}m"));
        assert!(left.is_some_and(fits), "{until}: {said}");
        let flag = fs::read_to_string(sync.at("openclaw/REAUTH_NEEDED")).unwrap();
        assert!(flag.contains(" login --link ") && !flag.contains("sk-ant-"), "{flag}");
        assert_eq!(sync.events(), ["blanked"], "{version}");

        // Only a new living login ends it.
        let claude = claude.signed_in(&endpoint.sign_in(), 8 * 60 * 60);
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert!(!sync.at("openclaw/REAUTH_NEEDED").exists(), "{version}");
        assert_eq!(sync.events(), ["blanked", "recovered"], "{version}");
        let login = &claude.credentials()["claudeAiOauth"];
        assert_eq!(sync.oauth_json()["anthropic"]["access"], login["accessToken"], "{version}");
    }
}

#[test]
fn a_cli_that_is_gone_is_missed_until_it_renews_again() {
    let (endpoint, _folder) = endpoint();
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
    let (sync, cli) = OauthSync::new(&claude, &endpoint, "cli").with_cli("claude", "cli api");
    symlink(claude.program(), &cli).unwrap();
    assert_eq!(sync.refresh(&[]).code, Some(0));
    assert_eq!(sync.status()["renewals"][0]["method"], "cli");
    assert!(kinds(&sync.status()).is_empty());

    fs::remove_file(&cli).unwrap();
    let ran = sync.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "the other method renews: {ran:?}");
    assert!(ran.stderr.contains("Claude CLI cannot renew the login: "), "{ran:?}");
    assert!(ran.stderr.contains("; what helps: leave CLAUDE_CLI_PATH empty"), "{ran:?}");
    assert_eq!(kinds(&sync.status()), ["cli-gone"]);
    assert_eq!(sync.refresh(&["--force"]).code, Some(0));
    let missed = |event: &&String| *event == "cli-gone";
    assert_eq!(sync.events().iter().filter(missed).count(), 1, "once");

    symlink(claude.program(), &cli).unwrap();
    let ran = sync.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("Claude CLI can be started again"), "{ran:?}");
    assert!(kinds(&sync.status()).is_empty());
    assert_eq!(sync.events().iter().filter(|event| *event == "recovered").count(), 1);
    assert_eq!(endpoint.refused(), 0);
}

/// A moment in seconds since 1970, as messages have it.
fn utc(seconds: u64) -> String {
    let moment = format!("@{seconds}");
    let output = Command::new("date").args(["-u", "-d", &moment, "+%FT%TZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
