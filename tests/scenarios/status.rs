//! `status`: its text, and the JSON that other programs read.

use crate::bed::{Bed, ENV, OAUTH};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json env").login("A");
    bed
}

#[test]
fn the_json_has_a_schema() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let status = bed.run(["status", "--json"]).exit(0).err(&[]).json();
    let keys = |value: &serde_json::Value| {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(status["schema"], 2);
    assert_eq!(keys(&status), "schema time links service runs");
    let link = &status["links"][0];
    assert_eq!(
        keys(link),
        "name source sinks gateway remarks login next_renewal renewals incidents"
    );
    assert_eq!(keys(&link["source"]), "path state message expiry fingerprint");
    assert_eq!(keys(&link["sinks"][0]), "kind path state why expiry");
    assert_eq!(link["name"], "default");
    assert_eq!(link["source"]["state"], "valid");
    assert_eq!(link["source"]["fingerprint"].as_str().unwrap().len(), 8);
    assert_eq!(link["source"]["expiry"], link["sinks"][0]["expiry"]);
    assert_eq!(link["sinks"][1]["path"], bed.at(ENV).to_str().unwrap());
    assert_eq!(link["sinks"][1]["why"], serde_json::Value::Null);
}

#[test]
fn each_state_of_a_sink_is_told_with_its_reason() {
    let bed = bed();
    let sinks = || {
        let status = bed.run(["status", "--json"]).exit(0).json();
        let sinks = status["links"][0]["sinks"].as_array().unwrap().clone();
        let told = |sink: &serde_json::Value| {
            let why = sink["why"].as_str().map_or(String::new(), |why| format!(": {why}"));
            format!("{} {}{why}", sink["kind"].as_str().unwrap(), sink["state"].as_str().unwrap())
        };
        sinks.iter().map(told).collect::<Vec<_>>()
    };
    let absent = "missing: there is no such file yet";
    assert_eq!(sinks(), [format!("oauth-json {absent}"), format!("env {absent}")]);
    bed.run(["sync"]).exit(0);
    assert_eq!(sinks(), ["oauth-json up to date", "env up to date"]);
    bed.login_for("B", 9);
    assert_eq!(sinks(), ["oauth-json stale", "env stale"]);
    bed.write(ENV, "A=\"\nANTHROPIC_OAUTH_TOKEN=x\nB=\"x\"\n");
    std::fs::remove_file(bed.at(OAUTH)).unwrap();
    std::fs::create_dir(bed.at(OAUTH)).unwrap();
    let failed = bed.plain(&sinks().join("\n"));
    assert_eq!(
        failed,
        "oauth-json failed: cannot read 'BED/home/.openclaw/credentials/oauth.json': it is a directory\nenv failed: cannot edit 'BED/home/.openclaw/.env': line 1: a quote is opened and not closed"
    );
    bed.openclaw("2026.9.6");
    assert!(sinks()[0].starts_with("oauth-json refused: OpenClaw 2026.8.1 and later refuses"));
}

#[test]
fn the_text_is_for_a_person() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let ran = bed.run(["status"]).exit(0).err(&[]);
    let said = bed.plain(&ran.out);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "default");
    assert_eq!(lines[1], "  source  valid  'BED/home/.claude/.credentials.json'");
    assert_eq!(lines[2], "          access token ends at WHEN, in 7h 59m");
    assert!(
        lines[3].starts_with("          login ends about WHEN, in 2")
            && lines[3].ends_with("(estimate)")
    );
    assert_eq!(
        lines[4],
        "  sink    oauth-json 'BED/home/.openclaw/credentials/oauth.json': up to date"
    );
    assert_eq!(lines[5], "  sink    env 'BED/home/.openclaw/.env': up to date");
    assert_eq!(lines.len(), 6);
}

#[test]
fn it_changes_nothing() {
    let bed = bed();
    bed.run(["status"]).exit(0);
    assert!(!bed.exists("lib") && !bed.exists("run") && !bed.exists(ENV) && !bed.exists(OAUTH));
}

#[test]
fn one_link_of_several_can_be_asked_for() {
    let bed = bed();
    let text =
        format!("CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\n", bed.at("home/none").display());
    bed.write("etc/other.conf", text);
    let status = bed.run(["status", "--json", "--link", "other"]).exit(3).json();
    assert_eq!(status["links"].as_array().unwrap().len(), 1);
    assert_eq!(status["links"][0]["source"]["state"], "missing");
    assert_eq!(status["links"][0]["source"]["expiry"], serde_json::Value::Null);
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    let bed = bed();
    let mut command = bed.command(&[], &["status", "--json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
