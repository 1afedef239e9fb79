//! `GATEWAY="container"`: a container that somebody else made is restarted where that helps, and never recreated.

use std::fs;

use crate::bed::Bed;
use crate::token;

/// A link to a gateway that `docker run` started, with more words for it; its container's name.
fn bed(words: &[&str]) -> (Bed, String) {
    let bed = Bed::new();
    let name = format!("{}-plain", bed.project);
    let text = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"env\"\nGATEWAY=\"container\"\nCONTAINER_NAME=\"{name}\"\n",
        bed.path("claude/.credentials.json").display(),
        bed.path("claw").display(),
    );
    fs::write(bed.path("etc/default.conf"), text).expect("the folder is there");
    fs::write(bed.path("claw/.env"), format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old")))
        .expect("the folder is there");
    let label = format!("com.docker.compose.project={}", bed.project);
    let mount = format!("{}:/root/.openclaw", bed.path("claw").display());
    let port = format!("127.0.0.1:{}:18789", bed.port);
    let network = format!("{}_default", bed.project);
    bed.docker().args(["network", "create", &network]).output().expect("docker is there");
    let mut run = bed.docker();
    // The label alone makes it no project's; the bed takes it away by it.
    run.args(["run", "-d", "--name", &name, "--label", &label, "-v", &mount, "-p", &port]);
    run.args(["--network", &network, "-e", "OPENCLAW_STATE_DIR=/root/.openclaw"])
        .args(words)
        .arg("openclaw:local");
    let output = run.output().expect("docker is there");
    assert!(output.status.success(), "{output:?}");
    bed.wait_for("the gateway answers", || bed.get("/healthz").is_some());
    (bed, name)
}

/// The container's id, and when its process started.
fn shown(bed: &Bed, name: &str) -> (String, String) {
    let format = "{{.Id}} {{.State.StartedAt}}";
    let output = bed.docker().args(["inspect", "--format", format, name]).output();
    let text = String::from_utf8(output.expect("docker is there").stdout).expect("it is text");
    let (id, started) = text.trim().split_once(' ').expect("it tells both");
    (id.to_owned(), started.to_owned())
}

#[test]
fn one_that_reads_the_state_directory_is_restarted_and_proven() {
    let (bed, name) = bed(&[]);
    bed.uses(&token("old"));
    let before = shown(&bed, &name);
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
    let after = shown(&bed, &name);
    assert!(before.0 == after.0 && before.1 != after.1, "{before:?} {after:?}");
    let ran = bed.run(&["sync"]);
    assert_eq!((ran.code, shown(&bed, &name)), (Some(0), after), "{ran:?}");
}

#[test]
fn one_that_was_made_with_another_token_is_left_alone_and_named() {
    let variable = format!("ANTHROPIC_OAUTH_TOKEN={}", token("made-with"));
    let (bed, name) = bed(&["-e", &variable]);
    let before = shown(&bed, &name);
    bed.rotate(&token("new"));
    let why = format!("container {name} was made with another ANTHROPIC_OAUTH_TOKEN");
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains(&why), "{ran:?}");
    assert_eq!(shown(&bed, &name), before);
    let check = bed.run(&["check"]);
    assert!(check.code != Some(0) && check.stderr.contains(&why), "{check:?}");
    let doctor = bed.run(&["doctor", "--json"]);
    assert!(doctor.stderr.contains("container-keeps-token"), "{doctor:?}");
}

#[test]
fn one_that_is_stopped_or_gone_is_waited_for() {
    let (bed, name) = bed(&[]);
    let stopped = bed.docker().args(["stop", "-t", "1", &name]).output().expect("docker is there");
    assert!(stopped.status.success(), "{stopped:?}");
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(ran.stderr.contains(&format!("docker start {name}")), "{ran:?}");
    let renamed = format!("{name}-renamed");
    bed.docker().args(["rename", &name, &renamed]).output().expect("docker is there");
    let ran = bed.run(&["sync"]);
    assert!(ran.stderr.contains(&format!("docker knows no container {name}")), "{ran:?}");
    assert_ne!(bed.run(&["check"]).code, Some(0));
    bed.docker().args(["rename", &renamed, &name]).output().expect("docker is there");
    bed.docker().args(["start", &name]).output().expect("docker is there");
    bed.wait_for("the gateway answers", || bed.get("/healthz").is_some());
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
}

#[test]
fn another_that_took_its_name_gets_nothing() {
    let (bed, name) = bed(&[]);
    let moved = format!("{name}-renamed");
    bed.docker().args(["rename", &name, &moved]).output().expect("docker is there");
    let label = format!("com.docker.compose.project={}", bed.project);
    let network = format!("{}_default", bed.project);
    let mut run = bed.docker();
    run.args(["run", "-d", "--name", &name, "--label", &label, "--network", &network]);
    let output = run.arg("openclaw:local").output().expect("docker is there");
    assert!(output.status.success(), "{output:?}");
    let before = shown(&bed, &name);
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    let state_dir = bed.path("claw").display().to_string();
    let why = format!("container {name} does not have '{state_dir}' mounted");
    assert!(ran.stderr.contains(&why), "{ran:?}");
    assert_eq!(shown(&bed, &name), before);
    let check = bed.run(&["check"]);
    assert!(check.code != Some(0) && check.stderr.contains(&why), "{check:?}");
}

#[test]
fn an_engine_that_does_not_answer_is_not_taken_for_one_without_it() {
    let (bed, name) = bed(&[]);
    let path = bed.path("etc/default.conf");
    let text = fs::read_to_string(&path).expect("the bed has it");
    let nowhere = bed.path("claw/docker.sock").display().to_string();
    fs::write(&path, format!("{text}DOCKER_HOST=\"unix://{nowhere}\"\n"))
        .expect("it may be written");
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert!(ran.code == Some(75) && ran.stderr.contains("docker does not answer"), "{ran:?}");
    let doctor = bed.run(&["doctor"]);
    let said = doctor.stderr;
    assert!(said.contains(&format!("container {name}")) && !said.contains("knows no"), "{said}");
    fs::write(&path, format!("{text}DOCKER_HOST=\"tcp://127.0.0.1:1\"\n"))
        .expect("it may be written");
    let ran = bed.run(&["sync"]);
    assert!(ran.stderr.contains("DOCKER_HOST is no socket of this host"), "{ran:?}");
}
