//! What the packages run before the program is removed.

use std::fs;

use serde_json::json;

use crate::endpoint::{Answer, TOKEN};
use crate::rescue::{leave_answer, pair};
use crate::rig::{Ran, Rig};

fn withdraw(rig: &Rig) -> Ran {
    let ran = rig.ran(rig.command(&[], &["withdraw"]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    ran
}

#[test]
fn a_saved_answer_is_put_in_place_before_it_is_too_late() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    let asked = rig.endpoint.requests().len();
    assert!(withdraw(&rig).said.contains("an earlier run had saved"));
    assert_eq!(rig.access(), "sk-ant-oat01-saved");
    assert_eq!(rig.endpoint.requests().len(), asked);
    assert!(rig.is_tidy());
}

#[test]
fn the_true_expiry_is_put_back() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&["--force"]).code, Some(75));
    // One text for both tokens, so that the fingerprint is known.
    let token = rig.login.refresh_token.clone();
    rig.write_source(&token, &token, 4);
    let nudged = rig.login_in_file()["expiresAt"].as_i64().unwrap();
    let expiry = nudged + 3_600_000;
    let mut state = rig.state();
    let fingerprint = state["refresh"].clone();
    state["nudge"] = json!({"fingerprint": fingerprint, "expiry": expiry, "nudged": nudged});
    fs::write(rig.state_file(".json"), state.to_string()).unwrap();
    withdraw(&rig);
    assert_eq!(rig.login_in_file()["expiresAt"], expiry);
    assert_eq!(rig.access(), token);
}

#[test]
fn what_cannot_be_put_in_place_is_said_and_kept() {
    let rig = Rig::new(80);
    leave_answer(&rig, &pair());
    let whole = fs::read(rig.source()).unwrap();
    fs::write(rig.source(), &whole[..40]).unwrap();
    let said = withdraw(&rig).said;
    assert!(said.contains("could not be put in place: it stays in"), "{said}");
    // rpm has no purge, so what is said of the folder has to be true without one.
    assert!(said.contains("until that directory is removed") && !said.contains("purge"), "{said}");
    assert!(rig.has(".answer"));
}

#[test]
fn a_flag_of_ours_goes_and_anybody_elses_stays() {
    let rig = Rig::new(80);
    for (name, text) in [("a", "# written by oauth-sync\nlink: a\n"), ("b", "mine\n")] {
        fs::create_dir_all(rig.at(name)).unwrap();
        fs::write(rig.at(name).join("REAUTH_NEEDED"), text).unwrap();
        let conf = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"none\"\n",
            rig.source().display(),
            rig.at(name).display()
        );
        fs::write(rig.at(&format!("etc/{name}.conf")), conf).unwrap();
    }
    withdraw(&rig);
    assert!(!rig.at("a/REAUTH_NEEDED").exists());
    assert!(rig.at("b/REAUTH_NEEDED").exists());
}

/// What only root can set up or see.
mod as_root {
    use super::{Rig, fs, withdraw};

    #[test]
    fn it_ends_well_whatever_is_there_and_makes_nothing() {
        let rig = Rig::new(80);
        fs::remove_dir_all(rig.at("state")).unwrap();
        fs::write(rig.at("etc/broken.conf"), "NO_SUCH_KEY=1\n\"").unwrap();
        withdraw(&rig);
        assert!(!rig.at("state").exists());
        fs::write(rig.at("state"), "").unwrap();
        withdraw(&rig);
        fs::remove_dir_all(rig.at("etc")).unwrap();
        withdraw(&rig);
    }
}
