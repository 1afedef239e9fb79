//! Links with faults, no link at all, and requests that must not start a run again and again.

use std::fs;
use std::os::unix::fs::symlink;

use crate::endpoint::{Answer, TOKEN};
use crate::rig::{Rig, key, names};

#[test]
fn a_bad_link_keeps_no_other_from_being_renewed() {
    let rig = Rig::new(80);
    fs::write(rig.at("etc/bad.conf"), "SINK=\"env\"\n").unwrap();
    let ran = rig.refresh(&["--dry-run"]);
    assert!(ran.code == Some(2) && ran.said.contains("would be renewed now"), "{}", ran.said);
    for options in [&[][..], &["--force"], &["--force", "--link", "default"]] {
        let ran = rig.refresh(options);
        assert_eq!(ran.code, Some(2), "{}", ran.said);
        assert!(ran.said.contains("bad.conf:1: unknown key 'SINK'"), "{}", ran.said);
        assert!(ran.said.contains("was renewed by method 'api'"), "{}", ran.said);
        assert!(rig.holds_last_grant());
    }
    assert_eq!(rig.endpoint.grants().len(), 3);
    assert_eq!(rig.refresh(&["--link", "bad"]).code, Some(2));
    fs::remove_file(rig.at("etc/bad.conf")).unwrap();
    assert_eq!(rig.refresh(&[]).code, Some(0));
}

#[test]
fn a_source_that_cannot_be_looked_after_keeps_no_other_from_being_renewed() {
    let rig = Rig::new(80);
    let text = fs::read_to_string(rig.at("etc/default.conf")).unwrap();
    fs::create_dir_all(rig.at("other/.claude")).unwrap();
    fs::copy(rig.source(), rig.at("other/.claude/.credentials.json")).unwrap();
    fs::write(rig.at("etc/a.conf"), text.replace("/home/", "/other/")).unwrap();
    // What is remembered of the other cannot be read.
    let key = key(&rig.at("other/.claude"), ".credentials.json");
    let state = format!("state/sources/{key}.json");
    fs::create_dir_all(rig.at(&state)).unwrap();
    let ran = rig.refresh(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("a: '"), "{}", ran.said);
    assert!(ran.said.contains("default: '") && rig.holds_last_grant(), "{}", ran.said);
}

#[test]
fn requests_are_taken_out_before_anything_can_fail() {
    for broken in ["etc", "state"] {
        for (command, queue, request) in [
            ("refresh", "refresh.d", "default"),
            (
                "gateway",
                "gateway.d",
                r#"{"link":"default","sinks":["env"],"fingerprint":null,"old_expiry":null,"time":1}"#,
            ),
        ] {
            if (command, broken) == ("gateway", "state") {
                // What a gateway needs is kept there, and its unit starts once a minute.
                continue;
            }
            let rig = Rig::new(80);
            assert_eq!(rig.refresh(&[]).code, Some(0));
            fs::create_dir_all(rig.at("run").join(queue)).unwrap();
            fs::write(rig.at("run").join(queue).join("default.json"), request).unwrap();
            fs::rename(rig.at(broken), rig.at("away")).unwrap();
            symlink(rig.at(broken), rig.at(broken)).unwrap();
            let ran = rig.ran(rig.command(&[], &[command]).output().unwrap());
            assert_eq!(ran.code, Some(1), "{command} {broken}: {}", ran.said);
            let left = names(&rig.at("run").join(queue));
            assert!(left.is_empty(), "{command} {broken}: {left:?}: {}", ran.said);
        }
    }
}

#[test]
fn where_a_link_was_taken_away_none_is_looked_for() {
    let rig = Rig::new(80);
    rig.endpoint.once(TOKEN, Answer::status(503));
    assert_eq!(rig.refresh(&["--unattended"]).code, Some(75));
    fs::remove_file(rig.at("etc/default.conf")).unwrap();
    let begun = "REFRESH=\"api\"\nNOTIFY_WEBHOOK=\"https://chat.example.org/x\"\n";
    for text in [None, Some("# commented out\n#SINKS=\"none\"\n"), Some(begun)] {
        if let Some(text) = text {
            fs::write(rig.at("etc/default.conf"), text).unwrap();
        }
        let ran = rig.refresh(&["--unattended"]);
        assert_eq!((ran.code, ran.said.as_str()), (Some(0), ""));
        let left = fs::read_to_string(rig.at("etc/default.conf")).ok();
        assert_eq!(left.as_deref(), text);
        // A person is told.
        let ran = rig.refresh(&[]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.said.contains("no link is configured"), "{}", ran.said);
    }
}
