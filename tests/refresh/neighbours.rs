//! Several credentials files in one folder: what is remembered of one is never taken for another's.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::endpoint::{Answer, TOKEN};
use crate::rescue::pair;
use crate::rig::{Rig, key, names, now_ms};

/// A rig whose folder of logins holds those of two people, each with a link of that name.
fn shared(people: [&str; 2]) -> Rig {
    let rig = Rig::new(80);
    let conf = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    fs::remove_file(rig.at("etc/default.conf")).unwrap();
    fs::create_dir(rig.at("logins")).unwrap();
    for name in people {
        let login = rig.endpoint.sign_in();
        rig.write_source(&login.access_token, &login.refresh_token, 80);
        fs::rename(rig.source(), rig.at(&format!("logins/{name}.json"))).unwrap();
        let conf = conf.replace("home/.claude/.credentials.json", &format!("logins/{name}.json"));
        fs::write(rig.at(&format!("etc/{name}.conf")), conf).unwrap();
    }
    rig
}

fn login(rig: &Rig, name: &str) -> Value {
    let text = fs::read_to_string(rig.at(&format!("logins/{name}.json"))).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["claudeAiOauth"].clone()
}

fn file(rig: &Rig, name: &str, suffix: &str) -> std::path::PathBuf {
    let key = key(&rig.at("logins"), &format!("{name}.json"));
    rig.at(&format!("state/sources/{key}{suffix}"))
}

/// Leaves an answer for one of them as a killed run would have.
fn leave_answer(rig: &Rig, name: &str) {
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&["--force", "--link", name]).code, Some(75));
    let state = fs::read_to_string(file(rig, name, ".json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let head = json!({"asked": now_ms(), "replaces": state["refresh"]});
    fs::write(file(rig, name, ".answer"), format!("{head}\n{}   ", pair())).unwrap();
}

#[test]
fn an_answer_that_waits_for_one_is_not_forgotten_in_the_turn_of_another() {
    let rig = shared(["alice", "bob"]);
    leave_answer(&rig, "alice");
    let spent = login(&rig, "alice")["refreshToken"].clone();
    let ran = rig.refresh(&["--force", "--link", "bob"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(ran.said.contains("was renewed by method 'api'"), "{}", ran.said);
    assert_eq!(login(&rig, "alice")["refreshToken"], spent);
    assert!(file(&rig, "alice", ".answer").exists());
    let asked = rig.endpoint.requests().len();
    let ran = rig.refresh(&["--link", "alice"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(login(&rig, "alice")["refreshToken"], "sk-ant-ort01-saved", "{}", ran.said);
    assert_eq!((rig.endpoint.requests().len(), rig.endpoint.refused()), (asked, 0));
}

#[test]
fn a_refusal_of_one_and_the_wait_after_it_are_its_own() {
    let rig = shared(["alice", "bob"]);
    rig.endpoint.once(TOKEN, Answer::oauth_error("invalid_grant"));
    assert_eq!(rig.refresh(&["--link", "alice"]).code, Some(3));
    let ran = rig.refresh(&["--link", "bob"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let history = |name| fs::read_to_string(file(&rig, name, ".history.json")).unwrap();
    assert!(history("alice").contains("rejected") && !history("alice").contains("renewed"));
    assert!(history("bob").contains("renewed") && !history("bob").contains("rejected"));
    // Both at once, too: the CLI's locks are the folder's, so one waits for the other.
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(rig.endpoint.refused(), 0);
}

#[test]
fn what_stands_under_the_folders_key_goes_to_the_file_that_it_is_about() {
    let rig = shared(["alice", "bob"]);
    leave_answer(&rig, "alice");
    // As it was when a folder's key stood for every file in it.
    let stat = fs::metadata(rig.at("logins")).unwrap();
    let old = format!("state/sources/{:x}-{:x}", stat.dev(), stat.ino());
    for suffix in [".json", ".history.json", ".answer"] {
        fs::rename(file(&rig, "alice", suffix), rig.at(&format!("{old}{suffix}"))).unwrap();
    }
    let ran = rig.refresh(&["--force", "--link", "bob"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.at(&format!("{old}.answer")).exists(), "it is not bob's");
    let ran = rig.refresh(&["--link", "alice"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(login(&rig, "alice")["refreshToken"], "sk-ant-ort01-saved");
    assert_eq!(rig.endpoint.refused(), 0);
    let left = names(&rig.at("state/sources"));
    let (alice, bob) = (file(&rig, "alice", ".json"), file(&rig, "bob", ".json"));
    let of = |path: &std::path::Path| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        left.iter().filter(|name| name.starts_with(&stem)).count()
    };
    assert_eq!((of(&alice), of(&bob), left.len()), (2, 2, 4), "{left:?}");
}
