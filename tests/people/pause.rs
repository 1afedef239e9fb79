//! `pause` and `resume`: a link rests until a moment, shows it everywhere, and goes on by itself.

use crate::bed::{Bed, CONF, ENV, SOURCE};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A").run(["sync"]).exit(0);
    bed
}

#[test]
fn no_sink_is_written_until_it_ends() {
    let bed = bed();
    bed.run(["pause", "--for", "2h"]).exit(0).says("default: renewals and syncs are paused until");
    bed.login_for("B", 9).run(["sync", "--force"]).exit(0).says("are paused until");
    assert!(bed.read(ENV).contains("access-A"));
    bed.run(["resume"]).exit(0).says("default: resumed");
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-B"));
    assert!(!bed.read(CONF).contains("PAUSE"));
    bed.run(["resume"]).exit(0).says("default: was not paused");
}

#[test]
fn it_is_a_warning_wherever_a_person_looks() {
    let bed = bed();
    bed.conf("PAUSE", "until 2099-01-01T00:00:00Z");
    let words = "renewals and syncs are paused until 2099-01-01T00:00:00Z";
    let check = bed.run(["check"]).exit(1).out;
    assert!(check.contains(words), "{check}");
    let status = bed.run(["status"]).exit(0).out;
    assert!(status.contains(words), "{status}");
    let doctor = bed.run(["doctor"]).out;
    assert!(doctor.contains(words), "{doctor}");
    let findings = bed.run(["doctor", "--json"]).json();
    let paused = findings["findings"].as_array().unwrap().iter();
    let paused: Vec<_> = paused.filter(|one| one["id"] == "link-paused").collect();
    assert_eq!(paused.len(), 1, "{findings}");
    let command = paused[0]["command"].as_str().unwrap();
    assert!(command.contains("resume --link default"), "{command}");
}

#[test]
fn renewals_alone_rest_where_that_was_asked_for() {
    let bed = bed();
    bed.conf("REFRESH", "api").run(["pause", "--only", "renew"]).exit(0);
    bed.login_for("B", 0).run(["refresh"]).exit(0).says("renewals are paused until");
    bed.run(["refresh", "--force"]).exit(1).says("whatever is asked for by hand");
    bed.login_for("C", 9).run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-C"));
}

#[test]
fn an_end_is_always_set_unless_a_person_types_that_there_is_none() {
    let bed = bed();
    bed.run(["pause"]).exit(0).says("paused until WHEN, 2h");
    assert!(bed.read(CONF).contains("PAUSE=\"until 2"));
    bed.run(["pause", "--forever", "--only", "sync"])
        .exit(0)
        .says("syncs are paused until somebody");
    assert!(bed.read(CONF).contains("PAUSE=\"sync forever\""));
    for arguments in [["--until", "2020-01-01"], ["--until", "soon"], ["--for", "soon"]] {
        let [option, value] = arguments;
        bed.run(["pause", option, value]).exit(2);
    }
    assert!(bed.read(CONF).contains("PAUSE=\"sync forever\""), "it is left as it was");
}

#[test]
fn every_link_rests_unless_one_is_named() {
    let bed = bed();
    let other = format!("CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\n", bed.at(SOURCE).display());
    bed.write("etc/other.conf", other);
    bed.run(["pause", "--link", "other", "--forever"]).exit(0);
    assert!(!bed.read(CONF).contains("PAUSE") && bed.read("etc/other.conf").contains("PAUSE"));
    bed.run(["pause"]).exit(0).says("default: renewals").says("other: renewals");
    assert!(bed.read(CONF).contains("PAUSE") && !bed.read("etc/other.conf").contains("forever"));
}

#[test]
fn the_watcher_rests_and_goes_on_by_itself_at_the_end() {
    let bed = bed();
    let watch = bed.watch();
    watch.holds(ENV, "A");
    bed.run(["pause", "--for", "3s"]).exit(0);
    watch.says("renewals and syncs are paused until");
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.holds(ENV, "B");
    let check = bed.run(["check"]).out;
    assert!(!check.contains("paused"), "it was written at the end, not before: {check}");
    watch.end();
}
