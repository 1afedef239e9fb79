//! `doctor`: each cause made on purpose and found, none on a healthy host, and the printed command
//! mends it.

mod files;
mod host;
mod openclaw;
mod renewals;

use std::fs;

use crate::bed::{CONF, ENV, SOURCE, access};
use crate::host::Host;
use crate::sign_in_until;

#[test]
fn a_healthy_host_has_nothing() {
    let host = Host::new();
    let before = host.bed.print(SOURCE);
    let root = host.at("host");
    host.bed
        .run(["doctor", "--root", root.to_str().unwrap()])
        .exit(0)
        .err(&[])
        .out(&["nothing is wrong"]);
    assert_eq!(host.bed.print(SOURCE), before);
}

#[test]
fn a_text_names_the_cause_and_the_command() {
    let host = Host::new();
    fs::remove_file(host.at(SOURCE)).unwrap();
    let root = host.at("host");
    host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(3).out(&[
        "error login-missing (default)",
        "    there is no Claude login at 'BED/home/.claude/.credentials.json': nothing is passed on",
        "    oauth-sync login --link default",
    ]);
}

#[test]
fn faults_of_the_configuration_come_with_their_line() {
    let host = Host::new();
    host.bed.write("etc/other.conf", "# mine\nCLAUDE_CREDENTALS=/x\n");
    let found = host.finds_also("configuration-wrong");
    assert!(found.command.starts_with("\"${EDITOR:-vi}\" +"), "{}", found.command);
    // and keeps no other link from being looked at
    fs::remove_file(host.at(SOURCE)).unwrap();
    host.finds_also("configuration-wrong");
    host.finds_also("login-missing");
    let upgrade = host.bed.run(["doctor", "--upgrade"]).exit(1).out;
    assert!(upgrade.starts_with("error configuration-wrong\n"), "{upgrade}");
    assert!(!upgrade.contains("login-missing"), "{upgrade}");
    fs::remove_file(host.at("etc/other.conf")).unwrap();
    fs::remove_file(host.at(CONF)).unwrap();
    assert_eq!(host.finds("no-link").command, "oauth-sync setup");
}

#[test]
fn a_dead_login_asks_for_a_person() {
    let host = Host::new();
    let blanked = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
    let undated = r#"{"claudeAiOauth":{"accessToken":"access-X","refreshToken":"refresh-X"}}"#;
    let ended = r#"{"claudeAiOauth":{"accessToken":"access-X","expiresAt":1000}}"#;
    for (text, id) in [
        (blanked, "login-emptied"),
        (undated, "login-without-expiry"),
        (ended, "setup-token-expired"),
        ("{\"claude", "login-cut-off"),
        ("[]", "login-unreadable"),
    ] {
        host.bed.write(SOURCE, text);
        assert_eq!(host.finds_also(id).command, "oauth-sync login --link default");
        let root = host.at("host");
        host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(3);
    }
}

#[test]
fn a_setup_token_is_a_note() {
    let host = Host::new();
    let expiry = host.bed.hence(24 * 300);
    host.bed.write(
        SOURCE,
        format!(r#"{{"claudeAiOauth":{{"accessToken":"access-S","expiresAt":{expiry}}}}}"#),
    );
    host.bed.run(["sync"]).exit(0);
    assert_eq!(host.finds("setup-token").severity, "note");
    let root = host.at("host");
    host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(0);
}

#[test]
fn a_setup_token_that_ends_soon_is_told_a_month_before() {
    let host = Host::new();
    let path = host.at("home/token.json").display().to_string();
    for (days, id, severity) in [(31, "setup-token", "note"), (29, "setup-token-ends", "warning")] {
        let expiry = host.bed.hence(24 * days);
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"access-{days}","expiresAt":{expiry}}}}}"#
        );
        host.bed.write("home/token.json", text).conf("CLAUDE_CREDENTIALS", &path);
        host.own();
        host.bed.run(["sync", "--force"]).exit(0);
        let found = host.finds_also(id);
        assert_eq!(found.severity, severity);
        assert_eq!(found.command, "oauth-sync login --setup-token --link default");
    }
}

#[test]
fn a_login_that_ends_soon_is_told_in_time() {
    let host = Host::new();
    sign_in_until(&host.bed, host.bed.hence(6 * 24));
    assert_eq!(host.finds("login-ends").command, "oauth-sync login --link default");
}

#[test]
fn one_refresh_token_in_several_files() {
    let host = Host::new();
    let copy = "host/home/other/.claude/.credentials.json";
    host.bed.write(copy, host.bed.login_text("A", 8));
    host.finds_and_mends("login-copied");
    assert!(host.at(copy).with_extension("json.copied").exists());
    host.bed.write(copy, host.bed.login_text("another", 8));
    assert!(host.ids().is_empty());
}

#[test]
fn a_login_that_has_ended() {
    let host = Host::new();
    sign_in_until(&host.bed, host.bed.hence(-1));
    assert_eq!(host.finds_also("login-ended").command, "oauth-sync login --link default");
}

#[test]
fn a_login_that_was_put_back() {
    let host = Host::new();
    host.bed.login_for("B", 9);
    host.own();
    host.bed.run(["sync"]).exit(0);
    host.bed.login("A");
    host.own();
    let found = host.finds("login-put-back");
    assert_eq!(found.command, "oauth-sync login --link default");
    assert!(host.bed.read(ENV).contains(&access("B")), "the sinks keep the newer one");
    // What that comes to, see login.rs.
    host.bed.login_for("C", 9);
    host.own();
    host.shell("oauth-sync sync");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_login_that_ends_earlier_and_was_never_seen() {
    let host = Host::new();
    host.bed.login_for("B", 4);
    host.own();
    host.finds_and_mends("login-waits");
    assert!(host.bed.read(ENV).contains(&access("B")));
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}
