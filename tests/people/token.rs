//! `token`: only a passable credential, and never by accident.

use std::process::Command;

use crate::bed::{Bed, SOURCE, access};

/// Runs it without the bed's own look-out for tokens: here one has to come out.
fn run(bed: &Bed, args: &[&str]) -> (Option<i32>, String, String) {
    let ran = bed.command(&[], args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

#[test]
fn a_pipe_gets_the_token_and_nothing_else() {
    let bed = Bed::new();
    bed.login("A");
    let (code, out, err) = run(&bed, &["token"]);
    assert_eq!((code, out, err.as_str()), (Some(0), format!("{}\n", access("A")), ""));
    let (code, out, _) = run(&bed, &["token", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["access_token"]), (Some(0), &access("A").into()));
    assert_eq!(json["expiry"].as_str().unwrap().len(), 20);
    assert!(!out.contains("refresh"));
}

#[test]
fn what_may_not_be_passed_on_is_not_printed() {
    let bed = Bed::new();
    bed.login("A");
    bed.run(["sync"]);
    bed.login_for("B", -1);
    bed.run(["token"]).exit(75).out(&[]).says("the access token in");
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    bed.run(["token"]).exit(3).out(&[]).says("hint: ");
    // An old file that was put back.
    bed.login("B");
    bed.run(["sync"]);
    bed.login("A");
    bed.run(["token"]).exit(1).out(&[]);
}

#[test]
fn several_links_have_to_be_told_apart() {
    let bed = Bed::new();
    bed.login("A");
    let source = bed.at(SOURCE);
    bed.write(
        "etc/other.conf",
        format!("CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\n", source.display()),
    );
    bed.run(["token"])
        .exit(2)
        .out(&[])
        .err(&["there are several links", "hint: --link NAME, one of default, other"]);
    let (code, out, _) = run(&bed, &["token", "--link", "other"]);
    assert_eq!((code, out), (Some(0), format!("{}\n", access("A"))));
}

#[test]
fn a_terminal_gets_it_by_force_only() {
    let bed = Bed::new();
    bed.login("A");
    let on_terminal = |args: &[&str]| {
        let line = bed.args(args).join(" ");
        let ran = Command::new("script").args(["-qec", &line, "/dev/null"]).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    let (code, said) = on_terminal(&["token"]);
    assert!(code == Some(2) && said.contains("not shown on a terminal"), "{said}");
    assert!(!said.contains(&access("A")));
    let (code, said) = on_terminal(&["token", "--force"]);
    assert!(code == Some(0) && said.contains(&access("A")), "{said}");
}
