//! The first version of the era in which tokens are pasted and the JSON stores refused.

use crate::link::Link;
use crate::openclaw::OpenClaw;
use crate::{endpoint, token};

/// A token that is pasted reaches the running gateway after a reload, and no `.env` is made.
fn we_paste_and_reload(version: &str) {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version(version, &endpoint);
    let link = Link::new(&openclaw, "");
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let said = link.carry("B");
    assert!(said.contains("the gateway was reloaded"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
    assert!(!openclaw.state().join(".env").exists());
}

#[test]
fn we_paste_into_a_running_2026_8_1_and_reload_it() {
    we_paste_and_reload("2026.8.1");
}
