//! Nothing is silent: what was not done is said, and what could not be done stays said.

use crate::bed::{Bed, SOURCE, is_root};

const UID: u32 = 4321;

#[test]
fn refresh_says_what_it_did_not_do_and_when_it_will() {
    let bed = crate::bed();
    let ran = bed.run(["refresh"]).exit(0);
    let said = bed.plain(&ran.err);
    let text = "default: 'BED/home/.claude/.credentials.json' is not due, nothing was done: the next renewal is due at WHEN";
    assert!(said.contains(text), "{said}");
    bed.run(["-q", "refresh"]).exit(0).err(&[]);
    bed.run(["refresh", "--unattended"]).exit(0).err(&[]);
    bed.conf("REFRESH", "off");
    bed.run(["refresh"]).exit(0).says("is not renewed here, nothing was done: REFRESH is off");
    bed.run(["refresh", "--unattended"]).exit(0).err(&[]);
    bed.run(["refresh", "--force"]).exit(1).says("REFRESH is off, whatever is asked for by hand");
    bed.login_for("A", -1);
    bed.run(["refresh", "--force"]).exit(1).says("REFRESH is off, whatever is asked for by hand");
}

#[test]
fn status_exits_as_documented_for_a_link_that_needs_a_person() {
    let bed = crate::bed();
    bed.run(["status"]).exit(0);
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    bed.run(["status"]).exit(3);
    bed.run(["status", "--json"]).exit(3);
    std::fs::remove_file(bed.at(SOURCE)).unwrap();
    bed.run(["status", "--link", "default"]).exit(3);
}

/// A link whose sink lies in a directory in which its user must not write.
fn unwritable() -> Bed {
    assert!(is_root(), "this test changes owners: it has to be run by root");
    let bed = crate::bed();
    bed.conf("SINKS", "env");
    let home = bed.at("home");
    let shell = |line: &str| {
        let ran = std::process::Command::new("sh").args(["-ec", line]).current_dir(&home).status();
        assert!(ran.unwrap().success(), "{line}");
    };
    shell(&format!("chmod 755 ..; chown -R {UID}:{UID} .; chmod 555 .openclaw"));
    bed
}

/// What only root can set up or see.
mod as_root {
    use super::unwritable;
    use crate::bed::{CONF, ENV, STATE};

    #[test]
    fn a_write_that_failed_keeps_its_reason() {
        let bed = unwritable();
        bed.run(["sync"]).exit(1).says("so env keeps its old token");
        let reason = "Permission denied";
        let said = bed.run(["status"]).exit(0).out;
        let line = said.lines().find(|line| line.contains("sink    env")).unwrap();
        assert!(line.contains(": failed: cannot ") && line.contains(reason), "{said}");
        let json = bed.run(["status", "--json"]).exit(0).json();
        let sink = &json["links"][0]["sinks"][0];
        assert!(
            sink["state"] == "failed" && sink["why"].as_str().unwrap().contains(reason),
            "{sink}"
        );
        assert!(bed.run(["check"]).exit(2).out.contains(reason));
        // Once it is written, nothing is left of it.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(bed.at(STATE), mode).unwrap();
        bed.run(["sync"]).exit(0);
        assert!(bed.read(ENV).contains("ANTHROPIC_OAUTH_TOKEN="));
        let json = bed.run(["status", "--json"]).exit(0).json();
        assert_eq!(json["links"][0]["sinks"][0]["state"], "up to date");
        assert!(!bed.exists("run/unwritten-default.json") && bed.exists(CONF));
    }

    /// What the watcher knows of a link says when it looks again.
    #[test]
    fn a_write_that_failed_is_tried_again_less_and_less_often() {
        let bed = unwritable();
        let look = |known: &str| {
            bed.write("known", known);
            let mut command =
                bed.command(&[], &["sync", "--delegate", "--link", "default", "--watched"]);
            let known = std::fs::File::open(bed.at("known")).unwrap();
            let ran = bed.ran(command.stdin(known).output().unwrap()).exit(0);
            let now = crate::bed::epoch_ms();
            let known: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
            let wait = known["next"].as_i64().unwrap() - now;
            (ran.out.clone(), wait)
        };
        let mut known = "{}".to_owned();
        // A process of its own, which is told of no change, compares each minute at least.
        for (least, most) in [(0, 30), (30, 60)] {
            let (then, wait) = look(&known);
            assert!((least * 1000..=most * 1000).contains(&wait), "{wait} ms: {then}");
            known = then;
        }
    }
}
