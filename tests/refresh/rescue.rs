//! Answers that could not be used at once.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::endpoint::{Answer, TOKEN};
use crate::rig::Rig;

/// Puts an answer where a killed run would have left it.
pub(crate) fn leave_answer(rig: &Rig, body: &str) {
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&["--force"]).code, Some(75));
    let replaces = rig.state()["refresh"].as_str().unwrap().to_owned();
    let head = json!({"asked": crate::rig::now_ms(), "replaces": replaces});
    fs::write(rig.state_file(".answer"), format!("{head}\n{body}      ")).unwrap();
}

pub(crate) fn pair() -> String {
    json!({"access_token": "sk-ant-oat01-saved", "refresh_token": "sk-ant-ort01-saved", "expires_in": 28800})
        .to_string()
}

#[test]
fn a_saved_answer_is_picked_up_without_asking_again() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    let asked = rig.endpoint.requests().len();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(ran.said.contains("an earlier run had saved"), "{}", ran.said);
    assert_eq!(rig.access(), "sk-ant-oat01-saved");
    assert_eq!(rig.endpoint.requests().len(), asked);
    assert!(rig.is_tidy());
}

#[test]
fn a_saved_answer_fills_a_login_that_was_emptied_for_the_spent_token() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    rig.write_source("", "", 0);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert_eq!(rig.refresh_token(), "sk-ant-ort01-saved");
    assert!(rig.is_tidy());
}

#[test]
fn the_watcher_picks_it_up_as_it_starts() {
    for is_emptied in [false, true] {
        let rig = Rig::new(80);
        leave_answer(&rig, &pair());
        if is_emptied {
            rig.write_source("", "", 0);
        }
        let asked = rig.endpoint.requests().len();
        let mut child = rig.command(&[], &["watch", "--delegate"]).spawn().unwrap();
        let begun = Instant::now();
        while rig.access() != "sk-ant-oat01-saved" {
            assert!(begun.elapsed() < Duration::from_secs(60), "emptied: {is_emptied}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(child.try_wait().unwrap().is_none(), "it stays");
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let ran = rig.ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        assert!(ran.said.contains("an answer that an earlier run had saved"), "{}", ran.said);
        assert_eq!(rig.endpoint.requests().len(), asked, "nothing was sent");
        assert!(rig.is_tidy());
    }
}

#[test]
fn a_saved_answer_never_replaces_another_login() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    rig.write_source("sk-ant-oat01-other", "sk-ant-ort01-other", 300);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert_eq!(rig.access(), "sk-ant-oat01-other");
    assert!(rig.is_tidy());
}

#[test]
fn a_saved_answer_waits_for_a_source_that_is_being_written() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    let whole = fs::read(rig.source()).unwrap();
    fs::write(rig.source(), &whole[..40]).unwrap();
    assert_eq!(rig.refresh(&[]).code, Some(75));
    assert!(rig.has(".answer"));
    fs::write(rig.source(), &whole).unwrap();
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert_eq!(rig.access(), "sk-ant-oat01-saved");
}

#[test]
fn a_saved_answer_waits_for_a_source_that_is_away() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    let (source, folder, away) = (rig.source(), rig.at("home/.claude"), rig.at("away"));
    let asked = rig.endpoint.requests().len();
    for (from, to) in [(&source, &away), (&folder, &rig.at("gone"))] {
        fs::rename(from, to).unwrap();
        for args in [&["refresh"][..], &["refresh", "--force"], &["withdraw"]] {
            let ran = rig.ran(rig.command(&[], args).output().unwrap());
            assert_eq!(ran.code, Some(if args[0] == "refresh" { 3 } else { 0 }), "{}", ran.said);
        }
        fs::rename(to, from).unwrap();
        assert!(rig.has(".answer"), "{}", from.display());
    }
    // Somebody tries a token that nobody renews, and puts the login back.
    let whole = fs::read(&source).unwrap();
    rig.write_source("sk-ant-oat01-static", "", 300);
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert!(rig.has(".answer"));
    fs::write(&source, whole).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(
        (rig.access().as_str(), rig.endpoint.requests().len()),
        ("sk-ant-oat01-saved", asked)
    );
    assert!(rig.has(".json") && !rig.has(".answer"));
}

#[test]
fn what_a_crash_left_before_the_answer_is_removed() {
    for text in ["", "{\"asked\":1", "{}\n", "\n"] {
        let rig = Rig::new(300);
        assert_eq!(rig.refresh(&["--force"]).code, Some(0));
        fs::write(rig.state_file(".answer"), text).unwrap();
        assert_eq!(rig.refresh(&[]).code, Some(0));
        assert!(rig.is_tidy(), "{text}");
    }
}

#[test]
fn nonsense_keeps_the_living_token_and_its_refresh_token_is_used_next() {
    let nonsense = [
        Answer::usual().without("access_token"),
        Answer::usual().with("access_token", ""),
        Answer::usual().with("access_token", 7),
        Answer::usual().without("expires_in"),
        Answer::usual().with("expires_in", -1),
    ];
    for answer in nonsense {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, answer);
        let before = fs::read_to_string(rig.source()).unwrap();
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(75), "{}", ran.said);
        assert!(ran.said.contains("its new refresh token is kept"), "{}", ran.said);
        assert_eq!(fs::read_to_string(rig.source()).unwrap(), before);
        assert!(rig.has(".kept"));
        let mode = fs::metadata(rig.state_file(".kept")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        assert_eq!(rig.refresh(&["--force"]).code, Some(0));
        assert_eq!(rig.endpoint.refused(), 0);
        assert!(rig.holds_last_grant() && rig.is_tidy());
    }
}

#[test]
fn a_kept_refresh_token_also_saves_a_login_that_was_emptied() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::usual().without("access_token"));
    assert_eq!(rig.refresh(&[]).code, Some(75));
    rig.write_source("", "", 0);
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant() && rig.is_tidy());
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let rig = Rig::new(80);
    let same = rig.login.refresh_token.clone();
    rig.endpoint.once(TOKEN, Answer::usual().without("refresh_token"));
    assert_eq!(rig.refresh(&[]).code, Some(0));
    assert_eq!(rig.refresh_token(), same);
    assert_eq!(rig.access(), rig.endpoint.grants()[0].access_token);
}
