//! Where `OpenClaw` takes its token from in a process of its own.

use serde_json::json;

use crate::openclaw::OpenClaw;
use crate::{endpoint, token};

fn env_file_counts(version: &str) {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version(version, &endpoint);
    for name in ["env-A", "env-B"] {
        openclaw.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token(name)));
        openclaw.turn().used(&token(name));
    }
}

#[test]
fn the_env_file_counts_in_2026_2_25() {
    env_file_counts("2026.2.25");
}

#[test]
fn the_env_file_counts_in_2026_4_15() {
    env_file_counts("2026.4.15");
}

#[test]
fn the_env_file_counts_in_2026_9_6() {
    env_file_counts("2026.9.6");
}

#[test]
fn a_profile_counts_before_the_env_file_in_2026_2_25() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    openclaw.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("env")));
    openclaw.write(PROFILES, &profiles(&token("profile")));
    openclaw.turn().used(&token("profile"));
}

#[test]
fn oauth_json_keeps_2026_9_6_from_sending_anything() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("env")));
    let entry = json!({ "access": token("json"), "refresh": "", "expires": 4_102_444_800_000_u64 });
    openclaw.write("credentials/oauth.json", &json!({ "anthropic": entry }).to_string());
    let turn = openclaw.turn();
    turn.sent_nothing();
    assert_ne!(turn.ran.code, Some(0));
    assert!(turn.ran.stderr.contains("AUTH_PROFILE_MIGRATION_REQUIRED"), "{turn:#?}");
}

#[test]
fn an_expired_login_makes_2026_2_25_a_second_refresher() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let pair = endpoint.sign_in();
    let profile = json!({
        "type": "oauth",
        "provider": "anthropic",
        "access": pair.access_token,
        "refresh": pair.refresh_token,
        "expires": 1_000_000_000_000_u64,
    });
    let store = json!({ "version": 1, "profiles": { "anthropic:default": profile } });
    openclaw.write(PROFILES, &store.to_string());
    let turn = openclaw.turn();
    let [grant] = endpoint.grants().try_into().expect("one grant");
    assert_eq!(grant.spent, pair.refresh_token);
    turn.used(&grant.access_token);
}

/// The store of the versions up to 2026.5, below the state folder.
pub(crate) const PROFILES: &str = "agents/main/agent/auth-profiles.json";

/// Returns a store of one profile that never ends.
pub(crate) fn profiles(token: &str) -> String {
    let profile = json!({
        "type": "token",
        "provider": "anthropic",
        "token": token,
        "expires": 4_102_444_800_000_u64,
    });
    json!({ "version": 1, "profiles": { "anthropic:default": profile } }).to_string()
}
