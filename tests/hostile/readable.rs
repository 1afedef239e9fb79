//! A file with the token that others can read is named with the command that closes it.

use serde_json::Value;

use crate::lab::{ALICE, BOB, Lab};

/// A link of Alice's with a `.env` of this mode in a directory of that mode, carried to once.
fn carried(file: u32, directory: u32, more: &str) -> (Lab, String) {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7200).as_user(
        ALICE,
        &format!("mkdir home/a/.openclaw; echo A=1 >home/a/.openclaw/.env; chmod {file:o} home/a/.openclaw/.env; chmod {directory:o} home/a/.openclaw"),
    );
    lab.sh(more);
    lab.link("a", "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nSINKS=\"env\"\nGATEWAY=\"none\"\n");
    let said = lab.confined(&["sync"]).stderr;
    assert!(lab.read("home/a/.openclaw/.env").contains("test-access1"), "{said}");
    (lab, said)
}

/// The commands that the doctor prints for it.
fn commands(lab: &Lab) -> Vec<String> {
    let ran = lab.confined(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let of_it = findings.iter().filter(|finding| finding["id"] == "token-readable");
    of_it.map(|finding| finding["command"].as_str().unwrap().to_owned()).collect()
}

fn mode(lab: &Lab, path: &str) -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(lab.at(path)).unwrap().mode() & 0o777
}

#[test]
fn it_is_said_once_by_sync_and_always_by_status_and_doctor() {
    let (lab, said) = carried(0o644, 0o755, "");
    assert!(said.contains("others can read '"), "{said}");
    assert!(said.contains("chmod o= "), "{said}");
    assert!(!lab.confined(&["sync"]).stderr.contains("others can read"), "a second time");
    for _ in 0..2 {
        assert!(lab.confined(&["status"]).stdout.contains("others can read"));
        assert_eq!(commands(&lab).len(), 1);
    }
    // The command does what it says, and then nothing is left to say.
    lab.sh(&commands(&lab)[0]);
    assert_eq!((mode(&lab, "home/a/.openclaw/.env"), commands(&lab).len()), (0o640, 0));
    // Opened again, it is news again.
    lab.sh("chmod 644 home/a/.openclaw/.env");
    lab.confined(&["sync"]);
    lab.sh("chmod 604 home/a/.openclaw/.env");
    lab.confined(&["doctor", "--fix"]);
    assert_eq!((mode(&lab, "home/a/.openclaw/.env"), commands(&lab).len()), (0o600, 0));
}

#[test]
fn what_a_directory_protects_is_no_finding() {
    for (file, directory) in [(0o644, 0o700), (0o600, 0o755), (0o640, 0o755), (0o666, 0o750)] {
        let (lab, said) = carried(file, directory, "");
        assert!(!said.contains("others can"), "{file:o} in {directory:o}: {said}");
        assert_eq!(commands(&lab), Vec::<String>::new(), "{file:o} in {directory:o}");
    }
}

#[test]
fn members_of_the_group_are_named() {
    // The group of games has that account for its primary one.
    let (lab, said) = carried(0o640, 0o755, "chgrp games home/a/.openclaw/.env");
    assert!(said.contains("games"), "{said}");
    assert!(said.contains("chmod g= "), "{said}");
    lab.confined(&["doctor", "--fix"]);
    assert_eq!((mode(&lab, "home/a/.openclaw/.env"), commands(&lab).len()), (0o600, 0));
    // Members that cannot come to it are none.
    let (lab, _) = carried(0o640, 0o700, "chgrp games home/a/.openclaw/.env");
    assert_eq!(commands(&lab), Vec::<String>::new());
}

#[test]
fn backups_and_stores_with_the_token_count_too() {
    let (lab, _) = carried(0o600, 0o755, "");
    lab.as_user(
        ALICE,
        "cd home/a/.openclaw; cp .env .env.bak; cp .env env~; chmod 644 .env.bak env~; echo A=1 >.env.old; chmod 644 .env.old
         mkdir credentials; cp .env credentials/oauth.json.retired-by-oauth-sync; chmod 604 credentials/*",
    );
    let found = commands(&lab);
    for name in ["/.env.bak", "/env~", "oauth.json.retired-by-oauth-sync"] {
        assert!(found.iter().any(|command| command.contains(name)), "{name}: {found:?}");
    }
    assert_eq!(found.len(), 3, "{found:?}");
    lab.confined(&["doctor", "--fix"]);
    assert_eq!(commands(&lab), Vec::<String>::new());
    // The login itself.
    lab.as_user(ALICE, "chmod 644 home/a/.claude/.credentials.json; chmod 755 home/a/.claude");
    assert_eq!(commands(&lab).len(), 1);
}

#[test]
fn a_link_in_its_place_leads_the_fix_nowhere() {
    let (lab, _) = carried(0o644, 0o755, "");
    lab.as_user(BOB, "echo B=1 >home/b/file; chmod 644 home/b/file");
    lab.as_user(ALICE, "rm home/a/.openclaw/.env; ln -s ../../b/file home/a/.openclaw/.env");
    lab.confined(&["doctor", "--fix"]);
    assert_eq!(mode(&lab, "home/b/file"), 0o644);
}

#[test]
fn thousands_of_copies_keep_nobody_waiting() {
    let lab = Lab::new();
    for (user, uid) in [("a", ALICE), ("b", BOB)] {
        lab.login(uid, &format!("home/{user}/.claude"), user, 7200).as_user(
            uid,
            &format!("mkdir home/{user}/.openclaw; echo A=1 >home/{user}/.openclaw/.env"),
        );
        lab.link(user, "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nSINKS=\"env\"\nGATEWAY=\"none\"\n");
    }
    lab.as_user(
        ALICE,
        "chmod 755 home/a/.claude; cd home/a/.claude; umask 022; for i in $(seq 2000); do cat .credentials.json >.credentials.json.$i; done",
    );
    let said = lab.confined(&["sync"]).stderr;
    let named = said.matches("others can read").count();
    assert!((10..100).contains(&named), "{named} files are named");
    assert!(lab.read("home/b/.openclaw/.env").contains("test-accessb"), "{said}");
}
