//! A host whose kernel, or whose filter of system calls, has no openat2(2): one line says so, and nothing is done.

use std::process::Command;

use crate::lab::{ALICE, Lab, program};

#[test]
fn without_openat2_one_line_says_what_is_needed_and_nothing_is_written() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 20_000).as_user(ALICE, "mkdir home/a/.openclaw");
    lab.link("a", "GATEWAY=\"none\"\nSINKS=\"env\"\n");
    let tool = lab.tool("without_openat2.c");
    let run = |errno: &str, arguments: &[&str]| {
        let mut command = Command::new(&tool);
        command.arg(errno).arg(program());
        let output = lab.completed(command, arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    // ENOSYS of Linux 4.18 and 5.4, EPERM of an older container engine.
    for errno in ["38", "1"] {
        for command in ["sync", "refresh", "watch", "status", "doctor"] {
            let (code, _, err) = run(errno, &[command]);
            assert_eq!(code, Some(1), "{command}: {err}");
            assert_eq!(err.lines().count(), 1, "{command}: {err}");
            assert!(err.contains("openat2(2) is missing: Linux 5.6"), "{command}: {err}");
        }
        let (code, out, err) = run(errno, &["check"]);
        assert!(out.contains("openat2(2) is missing") && err.is_empty(), "{out}{err}");
        assert_eq!(code, Some(3), "{out}");
        assert_eq!(run(errno, &["--version"]).0, Some(0));
    }
    assert!(!lab.at("home/a/.openclaw/.env").exists());
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    assert!(lab.at("home/a/.openclaw/.env").exists());
}
