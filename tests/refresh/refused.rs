//! What a refusal of one login means for the next one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::endpoint::{Answer, TOKEN};
use crate::rig::Rig;

/// A refusal with an error code of RFC 6749 and a text.
fn refusal(status: u16, code: &str, description: &str) -> Answer {
    Answer::status(status).json(&json!({ "error": code, "error_description": description }))
}

/// A rig whose login is carried into an `.env`.
fn linked() -> Rig {
    let rig = Rig::new(80);
    fs::create_dir(rig.at("claw")).unwrap();
    fs::write(rig.at("claw/.env"), "ANTHROPIC_OAUTH_TOKEN=none\n").unwrap();
    let path = rig.at("etc/default.conf");
    let conf = fs::read_to_string(&path).unwrap().replace(
        "SINKS=\"none\"",
        &format!(
            "SINKS=\"env\"\nOPENCLAW_VERSION=\"2026.2.25\"\nOPENCLAW_STATE_DIR=\"{}\"",
            rig.at("claw").display()
        ),
    );
    fs::write(&path, conf).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    rig.ran(rig.command(&[], &["sync"]).output().unwrap());
    assert_eq!(passed_on(&rig), rig.access());
    rig
}

fn passed_on(rig: &Rig) -> String {
    let text = fs::read_to_string(rig.at("claw/.env")).unwrap();
    text.trim().strip_prefix("ANTHROPIC_OAUTH_TOKEN=").unwrap().to_owned()
}

/// Signs in to a login that ends before the one passed on last; what `sync` makes of it.
fn sign_in_shorter(rig: &Rig) -> String {
    let login = rig.endpoint.sign_in();
    rig.write_source(&login.access_token, &login.refresh_token, 70);
    rig.ran(rig.command(&[], &["sync"]).output().unwrap());
    passed_on(rig)
}

#[test]
fn a_login_that_ends_earlier_waits_no_more_for_one_that_was_refused() {
    // Nothing was refused: it may be an older one.
    let rig = linked();
    let before = rig.access();
    assert_eq!(sign_in_shorter(&rig), before);

    let rig = linked();
    rig.endpoint.once(TOKEN, Answer::oauth_error("invalid_grant"));
    assert_eq!(rig.refresh(&[]).code, Some(3));
    assert_eq!(sign_in_shorter(&rig), rig.access());

    // The CLI emptied it, as it does for the same answer; the timer saw that.
    let rig = linked();
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&[]).code, Some(75));
    rig.write_source("", "", 0);
    assert_eq!(rig.refresh(&[]).code, Some(3));
    assert_eq!(sign_in_shorter(&rig), rig.access());
    // Also where the new login was looked at by the timer first.
    let rig = linked();
    rig.endpoint.once(TOKEN, Answer::oauth_error("invalid_grant"));
    assert_eq!(rig.refresh(&[]).code, Some(3));
    let login = rig.endpoint.sign_in();
    rig.write_source(&login.access_token, &login.refresh_token, 70);
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&[]).code, Some(75));
    rig.ran(rig.command(&[], &["sync"]).output().unwrap());
    assert_eq!(passed_on(&rig), rig.access());
}

/// Claude CLI 2.1.330 leaves the file as it is for this answer, and asks for no sign-in.
#[test]
fn an_account_on_hold_is_said_to_be_that_and_asked_for_once_an_hour() {
    for (status, code) in [(400, "invalid_grant"), (401, "access_denied"), (403, "invalid_grant")] {
        let rig = linked();
        let before = rig.access();
        rig.endpoint.always(TOKEN, refusal(status, code, "account_on_hold"));
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(75), "{status}: {}", ran.said);
        let page = "Anthropic has put the account on hold: see https://claude.ai/restricted";
        assert!(ran.said.contains(page), "{status}: {}", ran.said);
        assert!(!ran.said.contains("sign in"), "{status}: {}", ran.said);
        assert_eq!(rig.access(), before);
        // Not even where little of the access token is left.
        assert_eq!(rig.refresh(&[]).code, Some(75));
        assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "{status}");
        let status = rig.ran(rig.command(&[], &["status", "--json"]).output().unwrap());
        assert!(status.said.contains("\"account-on-hold\""), "{}", status.said);
        assert!(!rig.at("state/REAUTH_NEEDED").exists());
    }
}

#[test]
fn the_reason_of_a_refusal_is_told_where_it_is_known_and_no_other_text_is() {
    for (text, reason) in [
        ("Refresh token expired", "invalid_grant: its time limit has passed"),
        (
            "Refresh token not found or invalid",
            "invalid_grant: its refresh token was spent or revoked",
        ),
        ("No organization associated with this token", "invalid_grant: its account is gone"),
        ("No account associated with this token", "invalid_grant: its account is gone"),
        ("a text that quoted it", "invalid_grant"),
    ] {
        let rig = linked();
        rig.endpoint.once(TOKEN, refusal(400, "invalid_grant", text));
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(3), "{text}");
        assert!(ran.said.contains(reason), "{text}: {}", ran.said);
        assert!(!ran.said.contains("quoted"), "{}", ran.said);
        let status = rig.ran(rig.command(&[], &["status", "--json"]).output().unwrap());
        assert!(status.said.contains(reason), "{text}: {}", status.said);
    }
}
