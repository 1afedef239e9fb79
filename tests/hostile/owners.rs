//! A link's directories stay their owners': a token goes to nobody who puts an own directory there.

use crate::lab::{ALICE, BOB, Lab, Ran};

const LINES: &str = "CLAUDE_CLI=\"none\"\nSINKS=\"env\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\nGATEWAY=\"none\"\n";

/// Configures a link from one directory to another.
fn link(lab: &Lab, source: &str, state: &str) {
    let (source, state) = (lab.at(source), lab.at(state));
    let text = format!(
        "CLAUDE_CREDENTIALS=\"{}/.credentials.json\"\nOPENCLAW_STATE_DIR=\"{}\"\n{LINES}",
        source.display(),
        state.display()
    );
    lab.configuration("a", &text);
}

fn openclaw(lab: &Lab, uid: u32, state: &str) {
    lab.as_user(uid, &format!("umask 077; mkdir -p {state}; : >{state}/.env"));
}

/// Nothing is passed on to where `token` would be seen, and everything says so, until a person confirms it.
#[track_caller]
fn waits_for_a_person(lab: &Lab, path: &str, token: &str) {
    let holds = || lab.read(path).contains(token);
    for _ in 0..2 {
        let ran = lab.confined(&["sync"]);
        assert!(ran.code != Some(0) && !holds(), "{ran:?}");
        assert!(says(&ran.stderr), "{ran:?}");
    }
    let Ran { code, stdout, .. } = lab.confined(&["check"]);
    assert!(code == Some(2) && says(&stdout), "{code:?}: {stdout}");
    assert!(says(&lab.confined(&["status"]).stdout));
    assert!(lab.confined(&["doctor"]).stdout.contains(" sync --force --link a"));
    assert_eq!(lab.confined(&["sync", "--force"]).code, Some(0));
    assert!(holds(), "a person has confirmed it");
    assert_eq!(lab.confined(&["check"]).code, Some(0));
}

fn says(text: &str) -> bool {
    text.contains(&format!("belongs to {BOB}, and belonged to {ALICE} when a token was passed on"))
}

#[test]
fn anothers_directory_in_a_shared_place_gets_no_token() {
    let lab = Lab::new();
    lab.sh("mkdir -m 1777 srv").login(ALICE, "home/a/.claude", "A1", 20000);
    openclaw(&lab, ALICE, "srv/oc/.openclaw");
    link(&lab, "home/a/.claude", "srv/oc/.openclaw");
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    lab.as_user(ALICE, "rm -r srv/oc");
    lab.confined(&["sync"]);
    openclaw(&lab, BOB, "srv/oc/.openclaw");
    lab.login(ALICE, "home/a/.claude", "A2", 21000);
    waits_for_a_person(&lab, "srv/oc/.openclaw/.env", "accessA2");
}

#[test]
fn anothers_login_in_a_shared_place_is_not_passed_on() {
    let lab = Lab::new();
    lab.sh("mkdir -m 1777 srv").login(ALICE, "srv/c/.claude", "A1", 20000);
    openclaw(&lab, ALICE, "home/a/.openclaw");
    link(&lab, "srv/c/.claude", "home/a/.openclaw");
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    lab.as_user(ALICE, "rm -r srv/c").login(BOB, "srv/c/.claude", "B1", 22000);
    waits_for_a_person(&lab, "home/a/.openclaw/.env", "accessB1");
}

#[test]
fn a_directory_that_a_groups_member_swaps_gets_no_token() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "A1", 20000);
    openclaw(&lab, ALICE, "home/a/.openclaw");
    link(&lab, "home/a/.claude", "home/a/.openclaw");
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    lab.sh(&format!("chgrp {BOB} home/a; chmod 775 home/a"));
    lab.as_user(BOB, "mv home/a/.openclaw home/a/old");
    openclaw(&lab, BOB, "home/a/.openclaw");
    waits_for_a_person(&lab, "home/a/.openclaw/.env", "accessA1");
}

#[test]
fn a_link_of_the_older_version_takes_the_owners_that_it_finds() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "A1", 20000);
    openclaw(&lab, BOB, "home/b/.openclaw");
    link(&lab, "home/a/.claude", "home/b/.openclaw");
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    let mut memory: serde_json::Value =
        serde_json::from_str(&lab.read("state/links/a.json")).unwrap();
    assert!(memory.as_object_mut().unwrap().remove("owners").is_some());
    std::fs::write(lab.at("state/links/a.json"), memory.to_string()).unwrap();
    lab.login(ALICE, "home/a/.claude", "A2", 21000);
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    assert!(lab.read("home/b/.openclaw/.env").contains("accessA2"));
}

#[test]
fn an_interrupted_write_is_not_put_into_anothers_file() {
    let lab = Lab::new();
    lab.sh("mkdir -m 1777 srv").login(ALICE, "home/a/.claude", "A", 20000);
    openclaw(&lab, ALICE, "home/a/.openclaw");
    link(&lab, "home/a/.claude", "home/a/.openclaw");
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    // What a killed run left; Bob's empty file has the path and the inode by now.
    openclaw(&lab, BOB, "srv/oc");
    let old = "ANTHROPIC_OAUTH_TOKEN=sk-ant-oat01-test-old";
    let script = format!(
        "umask 077; printf '%s\\0%s\\0{ALICE}\\0{0}\\0%s%s' \"$PWD/srv/oc/.env\" \"$(stat -c %i srv/oc/.env)\" {old} {old}new >state/links/a.over",
        old.len()
    );
    lab.sh(&script);
    let ran = lab.confined(&["sync"]);
    assert_eq!(lab.read("srv/oc/.env"), "", "{ran:?}");
    assert!(!lab.at("state/links/a.over").exists());
}

#[test]
fn roots_directory_is_open_to_the_members_of_roots_group() {
    let lab = Lab::new();
    lab.sh("mkdir -m 775 oc; mkdir -m 700 oc/.claude oc/.openclaw; cp /etc/passwd passwd");
    lab.login(0, "oc/.claude", "R", 20000).sh("umask 077; : >oc/.openclaw/.env");
    link(&lab, "oc/.claude", "oc/.openclaw");
    lab.sh(&format!("echo 'bob:x:{BOB}:0::/nonexistent:/bin/sh' >>passwd"));
    let ran = lab.with_passwd(&["sync"]);
    assert!(ran.stderr.contains("but bob, by its group, can write in it"), "{ran:?}");
    assert_eq!(lab.read("oc/.openclaw/.env"), "");
}
