//! `check`: the exit status and the one line of a monitor.

use crate::bed::{Bed, ENV, OAUTH, SOURCE, epoch_ms};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json env").conf("GATEWAY", "none").login("A");
    bed
}

#[test]
fn a_link_in_step_is_fine() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let ran = bed.run(["check"]).exit(0).err(&[]);
    let said = bed.plain(&ran.out);
    let (text, data) = said.trim_end().split_once(" | ").unwrap();
    assert_eq!(
        text,
        "OAUTH-SYNC OK - default: access token ends in 7h 59m, login ends in about 28d, 2 of 2 sinks up to date, the gateway is left alone"
    );
    let left = data.strip_prefix("'expiry'=").and_then(|data| data.strip_suffix('s')).unwrap();
    let left: i64 = left.parse().unwrap();
    let until = |moment: i64| (bed.hence(8) - moment) / 1000;
    assert!((until(epoch_ms())..=until(bed.now)).contains(&left), "{data}");
}

#[test]
fn the_performance_data_names_each_of_several_links_and_the_shortest() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let none = bed.at("home/none");
    bed.write(
        "etc/other.conf",
        format!("CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\n", none.display()),
    );
    let said = bed.run(["check"]).exit(2).out;
    let (_, data) = said.trim_end().split_once(" | ").unwrap();
    let words: Vec<&str> = data.split('\'').collect();
    let ["", "expiry", "=0s ", "expiry default", _, "expiry other", "=0s"] = words[..] else {
        panic!("{data}");
    };
    bed.write("etc/other.conf", "CLAUDE_CREDENTALS=\"/x\"\n").write("etc/default.conf", "X");
    let said = bed.run(["check"]).exit(2).out;
    assert!(!said.contains('|'), "no link is sound: {said}");
}

#[test]
fn each_status_comes_with_its_reason() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.login_for("B", 9);
    let ran = bed.run(["check"]).exit(1);
    assert!(ran.out.starts_with("OAUTH-SYNC WARNING - default: oauth-json does not hold the new"));
    bed.login_for("B", -1);
    let ran = bed.run(["check"]).exit(2);
    assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - default: the access token expired at 20"));
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    let ran = bed.run(["check"]).exit(2);
    let said = bed.plain(&ran.out);
    assert!(said.contains("sign in again (agents work for 7h 59m more)"), "{said}");
    bed.write("etc/default.conf", "CLAUDE_CREDENTALS=\"/x\"\n");
    let ran = bed.run(["check"]).exit(2).err(&[]);
    assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - "), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn what_cannot_be_told_is_three() {
    let bed = bed();
    for call in [["check", "--link=none"], ["check", "--no-such"], ["check", "--state-dir"]] {
        let ran = bed.run(call).exit(3);
        assert!(ran.out.starts_with("OAUTH-SYNC UNKNOWN - "), "{call:?}: {}", ran.out);
    }
    for call in [
        ["status", "--link=check", "--bogus"],
        ["set", "check", "--bogus"],
        ["token", "check", "--bogus"],
    ] {
        bed.run(call).exit(2);
    }
    bed.run(["--link", "check", "status", "--bogus"]).exit(2);
    bed.run(["--link", "x", "check", "--bogus"]).exit(3);
    bed.run(["check", "--help"]).exit(0);
}

#[test]
fn a_sink_that_is_stuck_is_wrong() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    std::fs::remove_file(bed.at(OAUTH)).unwrap();
    std::fs::create_dir(bed.at(OAUTH)).unwrap();
    let ran = bed.run(["check"]).exit(2);
    assert!(ran.out.contains("oauth-json is out of date: cannot read"), "{}", ran.out);
    assert!(
        ran.out.contains("1 of 2 sinks up to date, the gateway is left alone | "),
        "{}",
        ran.out
    );
}

#[test]
fn a_sink_that_is_still_to_be_made_is_not_fine() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    std::fs::remove_file(bed.at(OAUTH)).unwrap();
    let said = bed.run(["check"]).exit(1).out;
    assert!(said.contains("oauth-json does not hold the new token"), "{said}");
    let doctor = bed.run(["doctor"]).out;
    assert!(doctor.contains("warning sink-stale (default)\n"), "{doctor}");
}

#[test]
fn the_gravest_of_several_links_counts_and_comes_first() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let none = bed.at("home/none");
    bed.write(
        "etc/other.conf",
        format!("CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\n", none.display()),
    );
    let ran = bed.run(["check"]).exit(2);
    assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - other: nobody is signed in; default: "));
    bed.run(["check", "--link", "default"]).exit(0);
}

/// A link whose configuration has a fault is not dropped, and hides no other.
#[test]
fn a_fault_of_one_link_is_told_beside_the_others() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.write("etc/other.conf", "CLAUDE_CREDENTALS=\"/x\"\n");
    let ran = bed.run(["check"]).exit(2).err(&[]);
    assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - "), "{}", ran.out);
    assert!(ran.out.contains("etc/other.conf:1: "), "{}", ran.out);
    assert!(ran.out.contains("; default: access token ends in 7h 59m"), "{}", ran.out);
    let json = bed.run(["check", "--json"]).exit(2).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["links"][0]["name"], "default");
    assert!(json["error"].as_str().unwrap().contains("etc/other.conf:1: "), "{json:#}");
    bed.run(["check", "--link", "default"]).exit(0);
    bed.run(["check", "--link", "other"]).exit(2);
    bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=old\n");
    bed.login_for("B", -1);
    let ran = bed.run(["check"]).exit(2);
    assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - "), "{}", ran.out);
}

#[test]
fn the_json_has_a_schema() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.write(ENV, "A=\"\nANTHROPIC_OAUTH_TOKEN=x\nB=\"x\"\n");
    let json = bed.run(["check", "--json"]).exit(2).json();
    assert_eq!((&json["schema"], &json["status"]), (&1.into(), &"wrong".into()));
    let link = &json["links"][0];
    assert_eq!((&link["name"], &link["status"]), (&"default".into(), &"wrong".into()));
    assert_eq!(link["findings"][0]["status"], "wrong");
}
