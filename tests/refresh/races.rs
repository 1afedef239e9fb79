//! Several at once, and what others hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::time::Instant;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::endpoint::{Answer, PATIENCE, TOKEN};
use crate::rig::Rig;

#[test]
fn sixteen_at_once_spend_one_token() {
    for force in [&[][..], &["--force"]] {
        let rig = Rig::new(80);
        let args = [&["refresh"], force].concat();
        let children: Vec<_> = (0..16).map(|_| rig.command(&[], &args).spawn().unwrap()).collect();
        for child in children {
            let ran = rig.ran(child.wait_with_output().unwrap());
            assert_eq!(ran.code, Some(0), "{}", ran.said);
        }
        assert_eq!(rig.endpoint.refused(), 0);
        assert!(rig.holds_last_grant() && rig.is_tidy());
        if force.is_empty() {
            assert_eq!(rig.endpoint.grants().len(), 1);
        }
        assert_eq!(rig.refresh(&["--force"]).code, Some(0));
        assert!(rig.holds_last_grant());
    }
}

#[test]
fn a_living_lock_of_the_cli_is_respected_and_an_orphan_cleared_away() {
    for lock in ["home/.claude/.oauth_refresh.lock", "home/.claude.lock"] {
        let rig = Rig::new(80);
        fs::create_dir(rig.at(lock)).unwrap();
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(75), "{}", ran.said);
        assert!(ran.said.contains("a Claude CLI is at work"), "{}", ran.said);
        assert!(rig.endpoint.requests().is_empty());
        assert!(rig.at(lock).exists());
        rig.let_time_pass();
        let ran = rig.refresh(&["--force"]);
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        assert!(ran.said.contains("cleared away a lock"), "{}", ran.said);
        assert!(rig.is_tidy() && rig.holds_last_grant());
    }
}

#[test]
fn a_refusal_of_a_token_that_is_not_in_the_file_any_more_condemns_nobody() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::oauth_error("invalid_grant").held());
    let child = rig.command(&[], &["refresh"]).spawn().unwrap();
    rig.endpoint.wait_for(TOKEN, 1, PATIENCE);
    let other = rig.endpoint.sign_in();
    rig.write_source(&other.access_token, &other.refresh_token, 75);
    rig.endpoint.release();
    let ran = rig.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(75), "{}", ran.said);
    assert!(ran.said.contains("another process changed the login meanwhile"), "{}", ran.said);
    assert!(rig.state()["rejected"].is_null() && rig.events().is_empty(), "{}", ran.said);
    assert_eq!(rig.access(), other.access_token);
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant());
}

#[test]
fn the_locks_show_life_while_the_endpoint_thinks() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::usual().held());
    let child = rig.command(&[], &["refresh"]).spawn().unwrap();
    rig.endpoint.wait_for(TOKEN, 1, PATIENCE);
    let locks = [rig.at("home/.claude/.oauth_refresh.lock"), rig.at("home/.claude.lock")];
    let made = locks.each_ref().map(|lock| fs::metadata(lock).unwrap().modified().unwrap());
    let begun = Instant::now();
    for (lock, made) in locks.iter().zip(made) {
        while fs::metadata(lock).unwrap().modified().unwrap() <= made {
            assert!(begun.elapsed() < PATIENCE, "{}", lock.display());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    rig.endpoint.release();
    assert_eq!(rig.ran(child.wait_with_output().unwrap()).code, Some(0));
    assert!(rig.is_tidy());
}

#[test]
fn signals_wait_for_the_save() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let rig = Rig::new(80);
        rig.endpoint.once(TOKEN, Answer::usual().held());
        let child = rig.command(&[], &["refresh"]).spawn().unwrap();
        rig.endpoint.wait_for(TOKEN, 1, PATIENCE);
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        rig.endpoint.release();
        let ran = rig.ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, None, "it ended by the signal: {}", ran.said);
        assert!(rig.holds_last_grant() && rig.is_tidy(), "{signal:?}: {}", ran.said);
        assert_eq!(rig.history()[0]["outcome"], "renewed");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_found_out_before_anything_is_sent() {
    let rig = Rig::new(80);
    let root = geteuid().is_root();
    let user = rig.give_away();
    let folder = rig.at("home/.claude");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("nothing was asked"), "{}", ran.said);
    assert!(rig.endpoint.requests().is_empty());
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(rig.refresh(&["--force"]).code, Some(0));
    assert!(rig.holds_last_grant());
    let stat = fs::metadata(rig.source()).unwrap();
    if root {
        use std::os::unix::fs::MetadataExt;
        assert_eq!((stat.uid(), stat.gid()), (user, user));
    }
}

#[test]
fn links_that_share_a_source_are_renewed_once() {
    let rig = Rig::new(80);
    let text = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    fs::write(rig.at("etc/second.conf"), text).unwrap();
    let ran = rig.refresh(&["--force"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(rig.endpoint.grants().len(), 1);
    // A process group of its own: no signal of this test's reaches it.
    let mut command = rig.command(&[], &["refresh"]);
    assert!(command.process_group(0).status().unwrap().success());
}
