//! The method `cli` with a program in the CLI's place that does what no real one can be made to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::endpoint::{Answer, TOKEN};
use crate::rig::Rig;

/// Writes a program that notes each of its calls in the file `calls`.
fn program(rig: &Rig, name: &str, body: &str) {
    let path = rig.at(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let calls = rig.at("calls");
    let text = format!("#!/bin/sh\nroot='{}'\n{body}\n", rig.at("").display());
    fs::write(&path, text.replace("NOTE", &format!("echo \"$*\" >>'{}'", calls.display())))
        .unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn calls(rig: &Rig) -> String {
    fs::read_to_string(rig.at("calls")).unwrap_or_default()
}

/// Configures the methods, and where the CLI is.
fn configure(rig: &Rig, methods: &str, cli: &str) {
    let path = rig.at("etc/default.conf");
    let conf = fs::read_to_string(&path).unwrap();
    let conf = conf.replace("REFRESH=\"api\"", &format!("REFRESH=\"{methods}\""));
    fs::write(path, format!("{conf}{cli}\n")).unwrap();
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_cli_that_never_renews_is_called_three_times_an_hour() {
    let rig = Rig::new(80);
    program(&rig, "claude", "NOTE");
    let path = format!("CLAUDE_CLI_PATH=\"{}\"", rig.at("claude").display());
    configure(&rig, "cli", &path);
    let expiry = rig.login_in_file()["expiresAt"].clone();
    for _ in 0..3 {
        let ran = rig.refresh(&["--force"]);
        assert_eq!(ran.code, Some(75), "{}", ran.said);
        assert!(ran.said.contains("the CLI renewed nothing"), "{}", ran.said);
    }
    for _ in 0..2 {
        let ran = rig.refresh(&["--force"]);
        assert_eq!(ran.code, Some(75), "{}", ran.said);
        assert!(ran.said.contains("three times within an hour"), "{}", ran.said);
    }
    assert_eq!(calls(&rig).lines().count(), 3, "{}", calls(&rig));
    assert_eq!(rig.login_in_file()["expiresAt"], expiry, "the true expiry is back");
    // An hour later it is called again.
    let path = rig.state_file(".json");
    let mut state = rig.state();
    for run in state["cli_runs"].as_array_mut().unwrap() {
        *run = (run.as_i64().unwrap() - 3_600_000).into();
    }
    fs::write(path, state.to_string()).unwrap();
    assert_eq!(rig.refresh(&["--force"]).code, Some(75));
    assert_eq!(calls(&rig).lines().count(), 4);
}

#[test]
fn a_method_that_a_signal_came_before_is_not_begun() {
    let rig = Rig::new(80);
    program(&rig, "claude", "NOTE");
    let path = format!("CLAUDE_CLI_PATH=\"{}\"", rig.at("claude").display());
    configure(&rig, "api cli", &path);
    rig.endpoint.once(TOKEN, Answer::status(503).after(Duration::from_secs(3)));
    let child = rig.command(&[], &["refresh"]).spawn().unwrap();
    rig.endpoint.wait_for(TOKEN, 1, Duration::from_secs(30));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ran = rig.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, None, "it ended by the signal: {}", ran.said);
    assert_eq!(calls(&rig), "", "{}", ran.said);
    assert_eq!(rig.state()["cause"], "the token endpoint answers HTTP 503");
    // Without a signal the second method has its turn.
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&["--force"]).code, Some(75));
    assert_eq!(calls(&rig).lines().count(), 1);
}

#[test]
fn a_cli_that_a_signal_came_before_is_not_started() {
    let rig = Rig::new(80);
    let inspected = r#"[{"State":{"Status":"running"},"Config":{"Env":[]},"Mounts":[{"Source":"SOURCE","Destination":"/c","RW":true}]}]"#;
    let inspected = inspected.replace("SOURCE", rig.at("home/.claude").to_str().unwrap());
    // An engine that thinks about its first answer until it is told to go on.
    let body = format!(
        "NOTE\ncase \"$*\" in\ninspect*)\n    : >\"$root/asked\"\n    until [ -e \"$root/go\" ]; do sleep 0.01; done\n    echo '{inspected}' ;;\n*stat*) echo 0 ;;\n*'sh -c'*) printf 'claude\\n/c\\n' ;;\nesac"
    );
    program(&rig, "bin/docker", &body);
    configure(&rig, "cli", "CLAUDE_CLI=\"container\"\nCLAUDE_CONTAINER=\"c\"");
    let path = format!("{}:/usr/bin:/bin", rig.at("bin").display());
    let before = fs::read_to_string(rig.source()).unwrap();
    let child = rig.command(&[], &["refresh"]).env("PATH", &path).spawn().unwrap();
    wait_for(&rig.at("asked"));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    fs::write(rig.at("go"), "").unwrap();
    let ran = rig.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, None, "it ended by the signal: {}", ran.said);
    assert!(!calls(&rig).contains("claude -p"), "{}", calls(&rig));
    assert_eq!(rig.state()["cause"], "it was stopped before its request", "{}", ran.said);
    assert_eq!(rig.state()["cli_runs"], serde_json::json!([]), "it was none");
    assert_eq!(fs::read_to_string(rig.source()).unwrap(), before, "the true expiry is back");
    // Without a signal it is.
    let ran =
        rig.ran(rig.command(&[], &["refresh", "--force"]).env("PATH", &path).output().unwrap());
    assert!(calls(&rig).contains("claude -p"), "{}: {}", ran.said, calls(&rig));
}

/// A CLI of this version that renews, tells what stands in `status`, and is what the link uses.
fn renews(rig: &Rig, version: &str) {
    let name = format!("versions/{version}");
    let body = "NOTE\ncase \"$*\" in\n'auth status --json') cat \"$root/status\" ;;\n*) cp \"$root/next\" \"$root/home/.claude/x\"; mv \"$root/home/.claude/x\" \"$root/home/.claude/.credentials.json\" ;;\nesac";
    program(rig, &name, body);
    configure(rig, "cli", &format!("CLAUDE_CLI_PATH=\"{}\"", rig.at(&name).display()));
}

/// Has the CLI renew, and tell this end of the login, if any; what `status` says of the login.
fn renewed(rig: &Rig, count: i64, end: Option<i64>) -> serde_json::Value {
    let expiry = crate::rig::now_ms() + (8 * 60 + count) * 60_000;
    let next = format!(
        r#"{{"claudeAiOauth":{{"accessToken":"access-cli-{count}","refreshToken":"refresh-cli-{count}","expiresAt":{expiry}}}}}"#
    );
    fs::write(rig.at("next"), next).unwrap();
    let status = serde_json::json!({"loggedIn": true, "loginExpiresAt": end});
    fs::write(rig.at("status"), status.to_string()).unwrap();
    let path = rig.state_file(".json");
    if path.exists() {
        let mut state = rig.state();
        state["cli_runs"] = serde_json::json!([]);
        fs::write(path, state.to_string()).unwrap();
    }
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let status = rig.command(&[], &["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    status["links"][0]["login"].clone()
}

#[test]
fn a_cli_that_knows_when_the_login_ends_is_asked_after_it_has_renewed() {
    let rig = Rig::new(300);
    renews(&rig, "2.1.330");
    // It is known since when somebody is signed in.
    assert_eq!(rig.refresh(&[]).code, Some(0));
    let day = 86_400_000;
    let end = crate::rig::now_ms() + 20 * day;
    let text = |end: i64| serde_json::json!({"end": when(end), "estimate": false});
    assert_eq!(renewed(&rig, 1, Some(end)), text(end));
    // A CLI that tells nothing any more takes nothing back, and an earlier end counts as it is told.
    assert_eq!(renewed(&rig, 2, None), text(end));
    assert_eq!(renewed(&rig, 3, Some(end - 15 * day)), text(end - 15 * day));
    let check = rig.command(&[], &["check"]).output().unwrap();
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(check.contains("the login ends in 4d 23h: sign in again"), "{check}");
    // A later one is that of a new sign-in, and the warning is gone.
    assert_eq!(renewed(&rig, 4, Some(end + 8 * day)), text(end + 8 * day));
    let check = rig.command(&[], &["check"]).output().unwrap();
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(!check.contains("sign in again"), "{check}");
    let asked = calls(&rig).lines().filter(|call| *call == "auth status --json").count();
    assert_eq!(asked, 4, "{}", calls(&rig));
}

/// A moment as `status --json` writes it.
fn when(ms: i64) -> String {
    let date = format!("--date=@{}", ms / 1000);
    let said =
        std::process::Command::new("date").args(["-u", &date, "+%Y-%m-%dT%H:%M:%SZ"]).output();
    String::from_utf8(said.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn a_cli_that_does_not_know_or_must_not_be_run_is_not_asked_when_the_login_ends() {
    let rig = Rig::new(80);
    renews(&rig, "2.1.329");
    assert_eq!(renewed(&rig, 1, Some(crate::rig::now_ms() + 86_400_000))["estimate"], true);
    assert!(!calls(&rig).contains("auth status"), "{}", calls(&rig));
    let rig = Rig::new(80);
    program(&rig, "versions/2.1.330", "NOTE");
    let path = rig.at("versions/2.1.330");
    configure(&rig, "api", &format!("CLAUDE_CLI_PATH=\"{}\"", path.display()));
    assert_eq!(rig.refresh(&["--force"]).code, Some(0));
    assert_eq!(calls(&rig), "");
}
