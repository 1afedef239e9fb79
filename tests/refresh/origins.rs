//! What was saved for a login comes to that very login: its account, path, device and inode have to
//! agree. And no answer is lost because a file cannot take it now.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::endpoint::{Answer, TOKEN};
use crate::rescue::{leave_answer, pair};
use crate::rig::{Ran, Rig, names, now_ms};

/// Leaves a pair as a killed run of this version would.
fn leave_pair(rig: &Rig) {
    leave_answer(rig, &pair());
    let directory = fs::metadata(rig.at("home/.claude")).unwrap();
    let origin = json!({
        "path": rig.source(), "owner": directory.uid(),
        "device": directory.dev(), "inode": directory.ino(),
    });
    let path = rig.state_file(".answer");
    let text = fs::read_to_string(&path).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(head).unwrap();
    head["origin"] = origin;
    fs::write(path, format!("{head}\n{body}")).unwrap();
}

/// Says whether the saved pair is somewhere in the state directory.
fn is_kept(rig: &Rig) -> bool {
    let sources = rig.at("state/sources");
    names(&sources).iter().any(|name| {
        let text = fs::read(sources.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&text).contains("sk-ant-ort01-saved")
    })
}

fn run(rig: &Rig, args: &[&str]) -> Ran {
    rig.ran(rig.command(&[], args).output().unwrap())
}

fn has_incident(rig: &Rig) -> bool {
    rig.events().iter().any(|event| event["name"] == "cannot-save")
}

/// `status`, `check` and `doctor` all name the saved login, and the last one says what helps.
#[track_caller]
fn is_told(rig: &Rig, words: &str, helps: &str) {
    let check = run(rig, &["check"]);
    assert_eq!(check.code, Some(2), "{}", check.said);
    let status = run(rig, &["status"]);
    let bare = rig.at("host");
    fs::create_dir_all(&bare).unwrap();
    let doctor = run(rig, &["doctor", "--root", bare.to_str().unwrap()]);
    for said in [&check.said, &status.said, &doctor.said] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(doctor.said.contains("renewal-unsaved"), "{}", doctor.said);
    assert!(doctor.said.contains(helps), "{helps}: {}", doctor.said);
}

/// Moves the directory of the login and links it there.
fn move_to(rig: &Rig, home: &str) {
    fs::create_dir_all(rig.at(home)).unwrap();
    fs::rename(rig.at("home/.claude"), rig.at(home).join(".claude")).unwrap();
    let conf = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    fs::write(rig.at("etc/default.conf"), conf.replace("/home/", &format!("/{home}/"))).unwrap();
}

/// Makes the directory of the login anew, with the same file in it.
fn make_anew(rig: &Rig) {
    fs::rename(rig.at("home/.claude"), rig.at("home/old")).unwrap();
    fs::create_dir(rig.at("home/.claude")).unwrap();
    fs::copy(rig.at("home/old/.credentials.json"), rig.source()).unwrap();
    assert_ne!(
        fs::metadata(rig.at("home/old")).unwrap().ino(),
        fs::metadata(rig.at("home/.claude")).unwrap().ino()
    );
}

#[test]
fn a_pair_goes_where_all_four_agree() {
    let rig = Rig::new(80);
    leave_pair(&rig);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert_eq!(rig.access(), "sk-ant-oat01-saved");
    let directory = fs::metadata(rig.at("home/.claude")).unwrap();
    let state = rig.state();
    assert_eq!(state["owner"], directory.uid());
    assert_eq!(
        (&state["device"], &state["inode"]),
        (&json!(directory.dev()), &json!(directory.ino()))
    );
}

#[test]
fn a_moved_or_new_directory_is_a_persons_to_decide_on() {
    for (name, change) in
        [("renamed", (|rig| move_to(rig, "elsewhere")) as fn(&Rig)), ("made anew", make_anew)]
    {
        let rig = Rig::new(80);
        leave_pair(&rig);
        let asked = rig.endpoint.requests().len();
        change(&rig);
        for _ in 0..2 {
            let ran = rig.refresh(&[]);
            assert_eq!(ran.code, Some(1), "{name}: {}", ran.said);
            assert!(ran.said.contains("is not where the login was"), "{name}: {}", ran.said);
            assert!(is_kept(&rig), "{name}");
        }
        assert_eq!(rig.endpoint.requests().len(), asked, "{name}: the spent token is not sent");
        is_told(&rig, "is not where the login was", " refresh --force --link default");
        assert!(has_incident(&rig), "{name}");
        let ran = rig.refresh(&["--force"]);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.said);
        assert!(!is_kept(&rig) && rig.endpoint.requests().len() == asked, "{name}");
        assert_eq!(run(&rig, &["check"]).code, Some(0), "{name}");
    }
}

#[test]
fn an_emptied_login_in_another_directory_gets_nothing() {
    for change in [(|rig| move_to(rig, "elsewhere")) as fn(&Rig), make_anew] {
        let rig = Rig::new(80);
        leave_pair(&rig);
        rig.write_source("", "", 0);
        change(&rig);
        for args in [&[][..], &["--force"]] {
            let ran = rig.refresh(args);
            assert_eq!(ran.code, Some(3), "{}", ran.said);
            assert!(ran.said.contains("is not where the login was"), "{}", ran.said);
            assert!(is_kept(&rig));
        }
        is_told(&rig, "is not where the login was", " login --link default");
        assert!(has_incident(&rig));
    }
}

#[test]
fn another_path_to_the_same_directory_is_the_same_login() {
    let rig = Rig::new(80);
    leave_pair(&rig);
    rig.write_source("", "", 0);
    symlink(rig.at("home"), rig.at("link")).unwrap();
    let conf = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    fs::write(rig.at("etc/a.conf"), conf.replace("/home/", "/link/")).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(rig.access(), "sk-ant-oat01-saved");
}

#[test]
fn what_1_0_0_saved_is_used_where_the_file_proves_it() {
    for (is_emptied, is_moved) in [(false, false), (false, true), (true, false), (true, true)] {
        let rig = Rig::new(80);
        leave_answer(&rig, &pair());
        let mut state = rig.state();
        for key in ["owner", "device", "inode", "stuck"] {
            state.as_object_mut().unwrap().remove(key);
        }
        fs::write(rig.state_file(".json"), state.to_string()).unwrap();
        if is_emptied {
            rig.write_source("", "", 0);
        }
        if is_moved {
            make_anew(&rig);
        }
        let ran = rig.refresh(&[]);
        if is_emptied {
            assert_eq!((ran.code, rig.access().as_str()), (Some(3), ""), "{}", ran.said);
            assert!(is_kept(&rig) && ran.said.contains("was not noted whose"), "{}", ran.said);
        } else {
            assert_eq!(ran.code, Some(0), "{}", ran.said);
            assert_eq!(rig.access(), "sk-ant-oat01-saved");
            assert_eq!(rig.state()["path"], json!(rig.source()));
        }
    }
}

#[test]
fn a_backup_that_is_put_back_ends_no_later_pair() {
    let rig = Rig::new(80);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    leave_pair(&rig);
    let asked = rig.endpoint.requests().len();
    rig.write_source(&rig.login.access_token, &rig.login.refresh_token, 70);
    for args in [&[][..], &["--force"]] {
        let ran = rig.refresh(args);
        assert_eq!(ran.code, Some(1), "{}", ran.said);
        assert!(ran.said.contains("holds an older login"), "{}", ran.said);
        assert_eq!(rig.access(), rig.login.access_token);
        assert!(is_kept(&rig));
    }
    assert_eq!(rig.endpoint.requests().len(), asked, "a spent token is not sent");
    is_told(&rig, "holds an older login", " login --link default");
    rig.write_source("sk-ant-oat01-later", "sk-ant-ort01-later", 490);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert!(!is_kept(&rig) && rig.access() == "sk-ant-oat01-later");
    assert_eq!(run(&rig, &["check"]).code, Some(0));
}

type Spoil = fn(&Path, &[u8]);

/// Ways in which a file cannot take a pair for now.
const SPOILT: [(&str, Spoil); 9] = [
    ("a byte order mark", |path, old| {
        fs::write(path, [b"\xef\xbb\xbf", old].concat()).unwrap();
    }),
    ("UTF-16", |path, old| {
        let text = String::from_utf8(old.to_vec()).unwrap();
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        fs::write(path, units.flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    }),
    ("an array", |path, old| fs::write(path, [b"[", old, b"]"].concat()).unwrap()),
    ("cut off", |path, old| fs::write(path, &old[..60]).unwrap()),
    ("empty", |path, _| fs::write(path, "").unwrap()),
    ("deleted", |path, _| fs::remove_file(path).unwrap()),
    ("too large", |path, old| {
        fs::write(path, [old, &vec![b' '; 9 << 20]].concat()).unwrap();
    }),
    ("a directory", |path, _| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("another text", |path, _| fs::write(path, "hello").unwrap()),
];

#[test]
fn a_pair_is_kept_and_told_until_its_file_can_take_it() {
    for (name, spoil) in SPOILT {
        let rig = Rig::new(80);
        leave_pair(&rig);
        let (path, old) = (rig.source(), fs::read(rig.source()).unwrap());
        let asked = rig.endpoint.requests().len();
        spoil(&path, &old);
        for args in [&[][..], &["--force"]] {
            let ran = rig.refresh(args);
            assert_ne!(ran.code, Some(0), "{name}: {}", ran.said);
            assert!(is_kept(&rig), "{name}: {}", ran.said);
        }
        // What is in the middle of being written is no news for ten minutes.
        let mut state = rig.state();
        if let Some(since) = state["stuck"]["since"].as_i64() {
            state["stuck"]["since"] = json!(since - 600_000);
            fs::write(rig.state_file(".json"), state.to_string()).unwrap();
        }
        is_told(&rig, "the new login is kept in", "oauth-sync");
        assert_eq!(rig.endpoint.requests().len(), asked, "{name}");
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, &old).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let ran = rig.refresh(&[]);
        assert_eq!((ran.code, rig.access().as_str()), (Some(0), "sk-ant-oat01-saved"), "{name}");
        assert!(rig.is_tidy() && run(&rig, &["check"]).code == Some(0), "{name}");
    }
}

#[test]
fn a_file_that_is_spoilt_while_the_answer_comes_costs_nothing() {
    for (name, spoil) in SPOILT {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, Answer::usual().held());
        let child = rig.command(&[], &["refresh"]).spawn().unwrap();
        rig.endpoint.wait_for(TOKEN, 1, crate::endpoint::PATIENCE);
        let (path, old) = (rig.source(), fs::read(rig.source()).unwrap());
        spoil(&path, &old);
        rig.endpoint.release();
        let ran = rig.ran(child.wait_with_output().unwrap());
        assert_ne!(ran.code, Some(0), "{name}: {}", ran.said);
        assert!(rig.has(".answer"), "{name}: {}", ran.said);
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, &old).unwrap();
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.said);
        assert!(rig.holds_last_grant() && rig.is_tidy(), "{name}");
        assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "{name}: one token was spent");
    }
}

#[test]
fn an_answer_whose_tokens_cannot_be_read_is_kept_until_there_is_a_later_login() {
    let rig = Rig::new(80);
    let odd =
        r#"{"data":{"access_token":"sk-ant-oat01-saved","refresh_token":"sk-ant-ort01-saved"}}"#;
    rig.endpoint.once(TOKEN, Answer::status(200).body(odd));
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(is_kept(&rig) && rig.has(".unread"), "{}", ran.said);
    is_told(&rig, "cannot be read", " login --link default");
    // The old token may still be good.
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant() && !is_kept(&rig));
    assert_eq!(run(&rig, &["check"]).code, Some(0));
}

#[test]
fn a_kept_refresh_token_goes_with_a_later_sign_in_and_comes_to_no_other_login() {
    let keep = || {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, Answer::usual().without("access_token"));
        assert_eq!(rig.refresh(&[]).code, Some(75));
        assert!(rig.has(".kept"));
        rig
    };
    let rig = keep();
    rig.write_source("sk-ant-oat01-later", "sk-ant-ort01-later", 490);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert!(rig.is_tidy());
    let rig = keep();
    let asked = rig.endpoint.requests().len();
    make_anew(&rig);
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("is not where the login was"), "{}", ran.said);
    assert!(rig.has(".kept") && rig.endpoint.requests().len() == asked);
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant() && !rig.has(".kept"));
}

#[test]
fn a_true_expiry_is_kept_until_it_can_be_put_back() {
    for (name, spoil) in SPOILT {
        let rig = Rig::new(300);
        assert_eq!(rig.refresh(&[]).code, Some(0));
        let (path, old) = (rig.source(), fs::read(rig.source()).unwrap());
        let nudged = rig.login_in_file()["expiresAt"].as_i64().unwrap();
        let expiry = nudged + 3_600_000;
        let mut state = rig.state();
        state["nudge"] =
            json!({"fingerprint": state["access"], "expiry": expiry, "nudged": nudged});
        fs::write(rig.state_file(".json"), state.to_string()).unwrap();
        spoil(&path, &old);
        let ran = rig.refresh(&[]);
        assert_eq!(rig.state()["nudge"]["expiry"], expiry, "{name}: {}", ran.said);
        if path.is_dir() {
            assert!(ran.said.contains("still has an earlier expiry"), "{name}: {}", ran.said);
            assert!(has_incident(&rig), "{name} {} {:?}", ran.said, rig.events());
            is_told(&rig, "still has an earlier expiry", "oauth-sync");
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, &old).unwrap();
        assert_eq!(rig.refresh(&[]).code, Some(0), "{name}");
        assert_eq!(rig.login_in_file()["expiresAt"], expiry, "{name}");
        assert!(rig.state()["nudge"].is_null() && now_ms() < expiry, "{name}");
    }
}
