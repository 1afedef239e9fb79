//! `model` against the real program: what it sets is valid, and used.

use serde_json::json;

use crate::endpoint::{Endpoint, MESSAGES};
use crate::link::Link;
use crate::openclaw::OpenClaw;
use crate::{endpoint, token};

const OTHER: &str = "anthropic/claude-sonnet-4-6";

/// The model that the last turn asked for.
fn asked(endpoint: &Endpoint) -> String {
    let requests = endpoint.requests_to(MESSAGES);
    let Some(last) = requests.last() else { return String::new() };
    last.json()["model"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_we_set_in_2026_9_6_is_valid_and_used_and_the_comments_stay() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.comment();
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    link.carry("A");
    let (code, said) = link.run(&["model", "--apply", "--primary", OTHER]);
    assert!(code == Some(0) && said.contains("and OpenClaw takes it"), "{said}");
    assert!(openclaw.read("openclaw.json").contains("// mine"));
    openclaw.turn().used(&token("A"));
    assert_eq!(asked(&endpoint), "claude-sonnet-4-6");
}

#[test]
fn what_2026_9_6_does_not_take_is_put_back() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    openclaw.configure("/gateway", "port", json!("none"));
    let before = openclaw.read("openclaw.json");
    let (code, said) = link.run(&["model", "--apply"]);
    assert!(code == Some(1) && said.contains("OpenClaw does not take the new text"), "{said}");
    assert_eq!(openclaw.read("openclaw.json"), before);
}
