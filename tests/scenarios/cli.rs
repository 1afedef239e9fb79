//! The command line: its help, its faults, its levels of talk.

use crate::bed::{Bed, ENV};

#[test]
fn a_wrong_call_exits_2() {
    let bed = Bed::new();
    for args in [&["--no-such"][..], &["frobnicate"], &["sync", "--no-such"], &["-v", "-q", "sync"]]
    {
        let ran = bed.ran(bed.command(&[], args).output().unwrap()).exit(2);
        assert!(ran.out.is_empty() && ran.err.starts_with("error: "), "{}", ran.err);
    }
    assert!(!bed.exists("lib"));
}

#[test]
fn help_and_version_are_answers() {
    let bed = Bed::new();
    let help = bed.run(["--help"]).exit(0).err(&[]);
    for command in ["watch", "sync", "status"] {
        assert!(help.out.contains(&format!("\n  {command} ")), "{}", help.out);
    }
    let version = bed.run(["--version"]).exit(0).err(&[]);
    assert_eq!(version.out, format!("oauth-sync {}\n", env!("CARGO_PKG_VERSION")));
    let ran = bed.ran(std::process::Command::new(crate::bed::binary()).output().unwrap()).exit(2);
    assert!(ran.err.contains("Usage: oauth-sync"));
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    bed.run(["-q", "sync"]).exit(0).err(&[]);
    assert!(bed.read(ENV).contains("access-A"));
    bed.write(ENV, "A='\nANTHROPIC_OAUTH_TOKEN=x\nB='x'");
    let ran = bed.run(["-q", "sync"]).exit(1);
    assert_eq!(ran.err.lines().count(), 1);
    bed.run(["-vv", "sync"]).exit(1);
}

#[test]
fn the_state_folder_comes_from_systemd_too() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    let folder = |name: &str| bed.at(name).display().to_string();
    let (etc, run) = (folder("etc"), folder("run"));
    let mut command = std::process::Command::new(crate::bed::binary());
    command.args(["--config-dir", &etc, "--run-dir", &run, "sync"]).env_clear();
    command.env("STATE_DIRECTORY", format!("{}:/elsewhere", folder("from-systemd")));
    bed.ran(command.output().unwrap()).exit(0);
    assert!(bed.exists("from-systemd/links/default.json"));
}

#[test]
fn a_name_with_control_characters_forges_no_line() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "auth-profiles").login("A");
    let id = "x\u{1b}[2J\noauth-sync: default: all is well";
    bed.write(&format!("home/.openclaw/agents/{id}/agent/auth-profiles.json"), "[]");
    // No agent of OpenClaw's has such a name.
    bed.run(["sync"]).exit(0).err(&[
        "default: auth-profiles 'BED/home/.openclaw/agents/main/agent/auth-profiles.json' holds the new token FP, which ends at WHEN",
    ]);
    let status = bed.run(["status"]).exit(0);
    assert!(!status.out.contains("all is well"), "{}", status.out);
    bed.write("etc/x\u{1b}[2J.conf", "SINK=1\n");
    let ran = bed.run(["sync"]);
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
}
