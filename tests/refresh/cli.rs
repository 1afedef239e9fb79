//! Method `cli` with a stand-in for the CLI: how often it is called at most.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::rig::Rig;

#[test]
fn a_cli_that_never_renews_is_run_three_times_an_hour_at_most() {
    let rig = Rig::new(80);
    // Whoever the login belongs to: this one writes a line for each call and renews nothing.
    let (claude, calls) = (rig.at("claude"), rig.at("calls"));
    fs::write(&claude, format!("#!/bin/sh\necho call >>'{}'\n", calls.display())).unwrap();
    fs::set_permissions(&claude, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    let text = text.replace("REFRESH=\"api\"", "REFRESH=\"cli\"");
    let text = text + &format!("CLAUDE_CLI_PATH=\"{}\"\n", claude.display());
    fs::write(rig.at("etc/default.conf"), text).unwrap();
    let called = || fs::read_to_string(&calls).unwrap_or_default().lines().count();
    for run in 1..=3 {
        let ran = rig.refresh(&["--force"]);
        assert_eq!((ran.code, called()), (Some(75), run), "{}", ran.said);
    }
    for _ in 0..2 {
        let ran = rig.refresh(&["--force"]);
        assert_eq!((ran.code, called()), (Some(75), 3), "{}", ran.said);
        assert!(ran.said.contains("the CLI was run three times within an hour"), "{}", ran.said);
    }
    // An hour later it is called again.
    let path = rig.state_file(".json");
    let mut state = rig.state();
    for run in state["cli_runs"].as_array_mut().unwrap() {
        *run = (run.as_i64().unwrap() - 3_600_000).into();
    }
    fs::write(path, state.to_string()).unwrap();
    assert_eq!((rig.refresh(&["--force"]).code, called()), (Some(75), 4));
    assert!(rig.endpoint.requests().is_empty());
}
