//! What a person hears when a renewed login cannot be saved, and when the clocks disagree.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::endpoint::{Answer, PATIENCE, TOKEN};
use crate::rig::Rig;

#[test]
fn a_login_that_cannot_be_saved_is_an_incident_until_it_is() {
    let rig = Rig::new(80);
    rig.give_away();
    rig.endpoint.once(TOKEN, Answer::usual().held());
    let child = rig.command(&[], &["refresh"]).spawn().unwrap();
    rig.endpoint.wait_for(TOKEN, 1, PATIENCE);
    let folder = rig.at("home/.claude");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    rig.endpoint.release();
    let ran = rig.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("until it can be written"), "{}", ran.said);
    assert!(ran.said.contains("default: a renewed login cannot be saved: "), "{}", ran.said);
    assert_eq!(rig.refresh_token(), rig.login.refresh_token);
    let mode = fs::metadata(rig.state_file(".answer")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the new login is nobody else's");
    let told = |rig: &Rig| -> Vec<String> {
        rig.events().iter().map(|event| event["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told(&rig), ["cannot-save"]);
    assert_eq!(rig.events()[0]["severity"], "error");

    // It is tried again, and told once.
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert_eq!((told(&rig).len(), rig.endpoint.requests_to(TOKEN).len()), (1, 1));
    let status = rig.command(&[], &["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["links"][0]["incidents"][0]["kind"], "cannot-save", "{status:#}");

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(ran.said.contains("an answer that an earlier run had saved"), "{}", ran.said);
    assert!(rig.holds_last_grant() && rig.is_tidy());
    assert_eq!((told(&rig).last().unwrap().as_str(), told(&rig).len()), ("recovered", 3));
    assert_eq!(rig.endpoint.requests_to(TOKEN).len(), 1, "one token was spent");
    rig.assert_no_token_elsewhere();
}

#[test]
fn a_clock_that_disagrees_with_the_endpoints_is_said_once() {
    let rig = Rig::new(80);
    // A host with nobody on it: the doctor of a test looks at no real home.
    let bare = rig.at("host");
    fs::create_dir(&bare).unwrap();
    let bare = bare.to_str().unwrap();
    let [past, future] =
        ["Mon, 01 Jan 2024 10:00:00 GMT", "Tue, 01 Jan 2999 10:00:00 GMT"].map(str::to_owned);
    for (date, words) in [
        (&past, Some(" ahead of the token endpoint's")),
        (&past, None),
        (&future, Some(" behind the token endpoint's")),
        (&String::new(), None),
    ] {
        let answer = Answer::usual();
        let answer = if date.is_empty() { answer } else { answer.header("Date", date) };
        rig.endpoint.once(TOKEN, answer);
        let ran = rig.refresh(&["--force"]);
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        assert_eq!(ran.said.contains("this host's clock is "), words.is_some(), "{}", ran.said);
        assert!(ran.said.contains(words.unwrap_or_default()), "{}", ran.said);
        let doctor = rig.ran(rig.command(&[], &["doctor", "--root", bare]).output().unwrap());
        let found = "this host's clock was";
        assert!(doctor.said.contains(found), "what was seen last stands: {}", doctor.said);
    }
    let now = Command::new("date").env("LC_ALL", "C").args(["-u", "+%a, %d %b %Y %T GMT"]).output();
    let now = String::from_utf8(now.unwrap().stdout).unwrap();
    rig.endpoint.once(TOKEN, Answer::usual().header("Date", now.trim()));
    assert_eq!(rig.refresh(&["--force"]).code, Some(0));
    assert!(rig.state()["skew"].is_null());
}
