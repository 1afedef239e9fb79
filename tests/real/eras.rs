//! The era in which tokens are pasted and the JSON stores refused.

use std::process::Command;

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

#[test]
fn in_2026_9_6_the_doctor_s_command_mends_a_file_that_keeps_it_from_starting() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let foreign =
        r#"{"anthropic":{"access":"foreign","refresh":"foreign","expires":4102444800000}}"#;
    openclaw.write("credentials/oauth.json", foreign);
    let link =
        Link::new(&openclaw, "OPENCLAW_VERSION=\"2026.9.6\"\nSINKS=\"env\"\nGATEWAY=\"none\"");
    link.rotate("A");
    let command = link.prescribed("harmful-file").expect("it is found");
    assert!(command.ends_with(" doctor --fix"), "{command}");
    let ran = Command::new("sh").args(["-c", &command]).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(link.prescribed("harmful-file"), None, "{said}");
    link.run(&["sync"]);
    openclaw.start_gateway();
    let turn = openclaw.turn_via_gateway();
    assert!(!turn.tokens.is_empty(), "{turn:?}");
}
