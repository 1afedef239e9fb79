//! What makes a running gateway use a new token.

use serde_json::{Value, json};

use crate::link::Link;
use crate::openclaw::OpenClaw;
use crate::turns::{PROFILES, profiles};
use crate::{endpoint, token};

/// What our secret file holds.
fn secret(name: &str) -> String {
    json!({ "anthropic": { "access": token(name) } }).to_string()
}

#[test]
fn in_2026_2_25_a_changed_profile_is_enough() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.2.25", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write(PROFILES, &profiles(&token("B")));
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_4_15_a_changed_profile_needs_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write(PROFILES, &profiles(&token("B")));
    openclaw.turn_via_gateway().used(&token("A"));
    let ran = openclaw.run(&["secrets", "reload"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_a_secret_file_needs_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.read_key_from_secret_file();
    openclaw.write("oauth-sync.json", &secret("A"));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write("oauth-sync.json", &secret("B"));
    let ran = openclaw.run(&["secrets", "reload", "--json"], "");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(told["warningCount"], 0, "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_a_pasted_token_is_used_at_once() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let paste = |openclaw: &OpenClaw, name: &str| {
        let profile = ["--provider", "anthropic", "--profile-id", "anthropic:oauth-sync"];
        let arguments = [&["models", "auth", "paste-token"], &profile[..], &["--expires-in", "8h"]];
        let ran = openclaw.run(&arguments.concat(), &format!("{}\n", token(name)));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    paste(&openclaw, "A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    paste(&openclaw, "B");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn we_paste_into_a_running_2026_9_6_and_its_next_turn_uses_it() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "");
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let said = link.carry("B");
    assert!(said.contains("uses it on its next turn"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
    assert!(!openclaw.state().join(".env").exists());
}

#[test]
fn we_keep_the_comments_of_2026_9_6_until_somebody_consents() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let text = openclaw.comment();
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    link.carry("A");
    assert_eq!(openclaw.read("openclaw.json"), text);
    assert!(openclaw.read(".env").contains(&token("A")));
    openclaw.turn().used(&token("A"));
    let command = link.prescribed("paste-consent").expect("it is found");
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words[0], "oauth-sync");
    let (code, said) = link.run(&words[1..]);
    assert!(code == Some(0) && said.contains("agreed"), "{said}");
    assert_eq!(link.prescribed("paste-consent"), None, "{said}");
    link.carry("B");
    assert_eq!(openclaw.read("openclaw.json.before-oauth-sync"), text);
    openclaw.turn().used(&token("B"));
}

#[test]
fn we_reload_the_secret_file_of_a_running_2026_9_6() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.read_key_from_secret_file();
    let link = Link::new(&openclaw, "SINKS=\"secret-file\"");
    openclaw.write("oauth-sync.json", &secret("A"));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let said = link.carry("B");
    assert!(said.contains("reloaded"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn we_reload_the_profiles_of_a_running_2026_4_15() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let link = Link::new(&openclaw, "");
    let said = link.carry("B");
    assert!(said.contains("reloaded"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
}
