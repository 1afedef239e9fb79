//! A gateway in a container of compose: what is said of it once it was made anew. A `docker` of the test's own is laid
//! over the host's in a mount namespace, which takes root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bed::{Bed, Ran, is_root};

/// What stands for docker: one container, which `up` makes anew with the token of the project's `.env`.
const DOCKER: &str = r#"#!/bin/sh
echo "$*" >>'BED/docker.log'
id=$(cat 'BED/id') token=$(cat 'BED/token')
case "$*" in
"ps -a -q"*) echo "$id" ;;
inspect*) cat <<J
[{"Id":"$id","Image":"sha256:aaaa","Config":{"Image":"openclaw:local","Env":["ANTHROPIC_OAUTH_TOKEN=$token"],"Labels":{
  "com.docker.compose.project":"openclaw","com.docker.compose.service":"openclaw-gateway",
  "com.docker.compose.project.working_dir":"BED/stack","com.docker.compose.project.config_files":"BED/stack/compose.yml"}},
  "State":{"Running":true,"Restarting":false,"ExitCode":0,"StartedAt":"$(cat 'BED/started')"},"NetworkSettings":{"Ports":{}}}]
J
;;
"image inspect"*) echo 'sha256:aaaa {}' ;;
"compose version"*) echo 2.26.1 ;;
events*) ;;
logs*) echo log ;;
compose*up*)
    sed -n 's/^ANTHROPIC_OAUTH_TOKEN=//p' 'BED/stack/.env' >'BED/token'
    echo "$id" | tr 1 2 >'BED/id'; date -u +%FT%TZ >'BED/started' ;;
exec*"$id"*--version*) echo 'OpenClaw 2026.9.6 (stub)' ;;
exec*"$id"*"models status"*) cat 'BED/status' ;;
*) exit 1 ;;
esac
"#;

/// A compose project with an `OpenClaw` of these days, which takes the token from its environment alone.
fn project() -> Bed {
    assert!(is_root(), "this test lays a program over the host's, as root");
    let bed = Bed::new();
    bed.openclaw("2026.9.6").login("new");
    bed.conf("SINKS", "env").conf("GATEWAY", "compose").conf("OPENCLAW_COMMAND", "");
    bed.conf("COMPOSE_DIR", bed.at("stack").to_str().unwrap());
    bed.write("stack/.env", "ANTHROPIC_OAUTH_TOKEN=access-old\n");
    bed.write("stack/compose.yml", "services:\n  openclaw-gateway:\n    env_file: .env\n");
    bed.write("id", "1".repeat(64)).write("token", "access-old");
    bed.write("started", "2026-11-01T00:00:00Z");
    bed.write(
        "fake/docker",
        DOCKER.replace("BED", bed.at("").to_str().unwrap().trim_end_matches('/')),
    );
    for path in ["fake/docker", ""] {
        fs::set_permissions(bed.at(path), PermissionsExt::from_mode(0o755)).unwrap();
    }
    for path in ["stack/.env", "stack/compose.yml"] {
        fs::set_permissions(bed.at(path), PermissionsExt::from_mode(0o600)).unwrap();
    }
    bed
}

/// Runs the binary under that `docker`.
fn run<'a>(bed: &'a Bed, word: &str) -> Ran<'a> {
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c"]);
    command.arg("mount --bind \"$0\" /usr/local/sbin && exec \"$@\"");
    bed.ran(command.arg(bed.at("fake")).args(bed.args(&[word])).output().unwrap())
}

/// What `models status --json` says where this is what counts of Anthropic's.
fn status(kind: &str) -> String {
    format!(
        r#"{{"auth":{{"providers":[{{"provider":"anthropic","effective":{{"kind":"{kind}"}}}}]}}}}"#
    )
}

#[test]
fn a_recreated_container_uses_the_token_only_if_openclaw_puts_no_profile_first() {
    let unproven = "whether it uses the new token is not proven";
    for (told, said, code) in [
        (status("env"), "recreated and uses the new token", 0),
        (status("profiles"), "OpenClaw uses a profile of its own before ANTHROPIC_OAUTH_TOKEN", 1),
        ("no answer".to_owned(), unproven, 1),
    ] {
        let bed = project();
        bed.write("status", &told);
        let ran = run(&bed, "sync");
        let ran = ran.says(said);
        assert_eq!(ran.err.contains("uses the new token; it"), code == 0, "{}", ran.err);
        assert!(bed.read("token").contains("access-new"), "{}", ran.err);
        // It has the token, so it is not made anew again, and the same is said of it.
        let check = run(&bed, "check");
        assert_eq!(
            check.out.contains(if code == 1 { said } else { unproven }),
            code == 1,
            "{}",
            check.out
        );
        run(&bed, "sync");
        run(&bed, "gateway");
        let ups = bed.read("docker.log").lines().filter(|line| line.contains(" up -d")).count();
        assert_eq!(ups, 1, "{told}: {}", bed.read("docker.log"));
    }
}
