//! The token that `oauth-sync sync` carries is the one that the real `OpenClaw` sends.

use std::path::Path;

use serde_json::{Value, json};

use crate::link::Link;
use crate::openclaw::OpenClaw;
use crate::turns::{PROFILES, profiles};
use crate::{endpoint, token};

#[test]
fn in_2026_2_25_the_first_sync_seeds_it_and_the_next_renews_its_profile() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let link = Link::with(&openclaw, "OPENCLAW_VERSION=\"2026.2.25\"\nGATEWAY=\"none\"", &[]);
    link.carry("A");
    openclaw.turn().used(&token("A"));
    assert!(openclaw.state().join(PROFILES).exists(), "it imported the login");
    link.carry("B");
    openclaw.turn().used(&token("B"));
    let store: Value = serde_json::from_str(&openclaw.read(PROFILES)).expect("it is JSON");
    let profile = &store["profiles"]["anthropic:default"];
    assert_eq!((&profile["type"], &profile["refresh"]), (&json!("token"), &Value::Null));
}

#[test]
fn in_2026_2_25_the_env_file_carries_it() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let link = Link::with(&openclaw, "SINKS=\"env\"\nGATEWAY=\"none\"", &[]);
    for name in ["A", "B"] {
        link.carry(name);
        openclaw.turn().used(&token(name));
    }
}

#[test]
fn in_2026_4_15_a_renewed_profile_counts_after_a_reload_and_in_a_new_process() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("old")));
    let link = Link::with(&openclaw, "OPENCLAW_VERSION=\"2026.4.15\"\nGATEWAY=\"none\"", &[]);
    link.carry("A");
    openclaw.turn().used(&token("A"));
    openclaw.start_gateway();
    link.carry("B");
    let ran = openclaw.run(&["secrets", "reload"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_the_env_file_carries_it() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::with(&openclaw, "SINKS=\"env\"\nGATEWAY=\"none\"", &[]);
    for name in ["A", "B"] {
        link.carry(name);
        openclaw.turn().used(&token(name));
    }
}

/// The one block of commands of a document.
fn text_of_block(document: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).expect("it is there");
    let (_, block) = text.split_once("```sh\n").expect("it has one");
    block.split("```").next().unwrap_or_default().to_owned()
}

#[test]
fn in_2026_9_6_a_secret_file_carries_it_after_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    // As field-mapping.md has people type it.
    let command = text_of_block("docs/field-mapping.md");
    let home = openclaw.state().parent().expect("it lies in a home").display().to_string();
    let typed = command.replace('~', &home);
    let words: Vec<&str> = typed.split_whitespace().skip(1).collect();
    let ran = openclaw.run(&words, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let reference = json!({ "source": "file", "provider": "oauthsync", "id": "/anthropic/access" });
    openclaw.configure("/models/providers/anthropic", "apiKey", reference);
    let keys = "OPENCLAW_VERSION=\"2026.9.6\"\nSINKS=\"secret-file\"\nGATEWAY=\"none\"";
    let link = Link::with(&openclaw, keys, &[]);
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    link.carry("B");
    let ran = openclaw.run(&["secrets", "reload", "--json"], "");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(told["warningCount"], 0, "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_the_stores_that_break_it_are_refused_even_when_listed() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old")));
    let keys =
        "OPENCLAW_VERSION=\"2026.9.6\"\nSINKS=\"oauth-json auth-profiles env\"\nGATEWAY=\"none\"";
    let link = Link::with(&openclaw, keys, &[]);
    link.rotate("A");
    let (code, said) = link.run(&["sync"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("oauth-json") && said.contains("use paste-token"), "{said}");
    assert!(!openclaw.state().join("credentials/oauth.json").exists());
    assert!(!openclaw.state().join(PROFILES).exists());
    openclaw.turn().used(&token("A"));
}

#[test]
fn in_2026_2_25_a_store_that_is_asked_for_counts_before_the_first_turn() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let keys = "OPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"auth-profiles\"\nGATEWAY=\"none\"";
    let link = Link::with(&openclaw, keys, &[]);
    link.carry("A");
    openclaw.turn().used(&token("A"));
    link.carry("B");
    openclaw.turn().used(&token("B"));
}
