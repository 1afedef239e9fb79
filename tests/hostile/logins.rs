//! Whose login it is: a directory that gets another one's inode number, path or owner gets nothing
//! that was saved for that one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lab::{ALICE, BOB, Lab};

const PAIR: &str = r#"{"access_token":"sk-ant-oat01-test-savedB","refresh_token":"sk-ant-ort01-test-savedB","expires_in":28800}"#;

/// Two links that are renewed by an endpoint that cannot be reached.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.login(BOB, "home/b/.claude", "B", 600);
    for user in ["a", "b"] {
        let source = lab.at("home").join(user).join(".claude/.credentials.json");
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nREFRESH=\"api\"\nCLAUDE_CLI=\"none\"\nSINKS=\"none\"\nTOKEN_URL=\"https://127.0.0.1:9/\"\n",
            source.display()
        );
        lab.configuration(user, &text);
    }
    lab.confined(&["refresh", "--link", "b"]);
    lab
}

fn sources(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.at("state/sources")).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Leaves a pair for bob's login as a killed run would; `notes` says whose it is.
fn leave_pair(lab: &Lab, notes: bool) {
    let name = sources(lab).into_iter().find(|name| !name.contains("history")).unwrap();
    let key = name.strip_suffix(".json").unwrap();
    let text = lab.read(&format!("state/sources/{name}"));
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let directory = fs::metadata(lab.at("home/b/.claude")).unwrap();
    assert_eq!((&state["owner"], &state["inode"]), (&BOB.into(), &directory.ino().into()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * 1000;
    let mut head = serde_json::json!({"asked": now, "replaces": state["refresh"]});
    if notes {
        head["origin"] = serde_json::json!({
            "path": state["path"], "owner": BOB,
            "device": directory.dev(), "inode": directory.ino(),
        });
    } else {
        for key in ["owner", "device", "inode"] {
            state.as_object_mut().unwrap().remove(key);
        }
        fs::write(lab.at(&format!("state/sources/{name}")), state.to_string()).unwrap();
    }
    let answer = lab.at(&format!("state/sources/{key}.answer"));
    fs::write(answer, format!("{head}\n{PAIR}   ")).unwrap();
}

fn is_kept(lab: &Lab) -> bool {
    sources(lab).iter().any(|name| lab.read(&format!("state/sources/{name}")).contains(PAIR))
}

/// Nobody gets the pair, it is kept, and everything that reports names it and what helps.
#[track_caller]
fn nobody_gets_it(lab: &Lab, link: &str) {
    for args in [&["refresh", "--link", link][..], &["refresh"], &["refresh", "--force"]] {
        let ran = lab.confined(args);
        let file = lab.read(&format!("home/{link}/.claude/.credentials.json"));
        assert!(!file.contains("savedB"), "{args:?}: {file}: {}", ran.stderr);
        assert!(is_kept(lab), "{args:?}: {}", ran.stderr);
    }
    let bare = lab.at("bare");
    fs::create_dir_all(&bare).unwrap();
    let doctor = ["doctor", "--link", link, "--root", bare.to_str().unwrap()];
    for args in [&["check", "--link", link][..], &["status", "--link", link], &doctor] {
        let ran = lab.confined(args);
        let kept = ran.stdout.contains("is kept in") || ran.stdout.contains("is another one's");
        assert!(kept, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(lab.confined(&["check", "--link", link]).code, Some(2));
    let doctor = lab.confined(&doctor).stdout;
    let helps = doctor.contains("rm -i -- ") || doctor.contains(" login --link");
    assert!(doctor.contains("renewal-unsaved") && helps, "{doctor}");
}

/// What a user puts where a login was emptied.
const EMPTIED: &str =
    r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0,"scopes":[]}}"#;

#[test]
fn a_directory_with_anothers_inode_number_gets_nothing() {
    for notes in [true, false] {
        let lab = lab();
        leave_pair(&lab, notes);
        // The very inode, as if its number had been given out again.
        lab.sh("mv home/b/.claude home/a/.claude && chown -R 61421:61421 home/a/.claude");
        lab.as_user(ALICE, &format!("echo '{EMPTIED}' >home/a/.claude/.credentials.json"));
        nobody_gets_it(&lab, "a");
        // Bob signs in anew: his saved login is of no more use, and alice's link is quiet.
        lab.login(BOB, "home/b/.claude", "new", 8 * 3600);
        lab.login(ALICE, "home/a/.claude", "own", 8 * 3600);
        if notes {
            lab.confined(&["refresh"]);
            let ran = lab.confined(&["refresh"]);
            assert!(!is_kept(&lab), "{}", ran.stderr);
            let check = lab.confined(&["check"]);
            assert_eq!(check.code, Some(0), "{}", check.stdout);
        }
    }
}

#[test]
fn a_path_that_another_account_has_now_gets_nothing() {
    for (notes, script) in [
        (true, "chown -R 61421:61421 home/b"),
        (
            true,
            "mv home/b home/old; mkdir home/b; cp -a home/old/.claude home/b/; chown -R 61421:61421 home/b",
        ),
        (
            false,
            "mv home/b home/old; mkdir home/b; cp -a home/old/.claude home/b/; chown -R 61421:61421 home/b",
        ),
    ] {
        let lab = lab();
        leave_pair(&lab, notes);
        lab.sh(script);
        lab.as_user(ALICE, &format!("echo '{EMPTIED}' >home/b/.claude/.credentials.json"));
        nobody_gets_it(&lab, "b");
    }
}
