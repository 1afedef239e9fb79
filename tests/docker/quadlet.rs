//! Quadlet's user unit `openclaw.service`, whose container is found, restarted, pasted into and proven.
//! The unit is a `systemctl` of the test's own that runs what Quadlet would.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::podman::{Bed, rotate, run};
use crate::token;

/// What Quadlet makes of `openclaw.container`, with more options.
const SYSTEMCTL: &str = r#"#!/bin/sh
case "$*" in
*--user*show*" openclaw.service")
    printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\n' "$(podman inspect -f '{{.State.ConmonPid}}' NAME)" ;;
*show*) printf 'LoadState=not-found\nActiveState=inactive\nMainPID=0\n' ;;
*restart*)
    podman rm -f -t 0 NAME
    podman run -d --name NAME --network none --user 0 -v CLAW:/home/node/.openclaw OPTIONS localhost/openclaw:local ;;
esac
"#;

/// Stands for OpenClaw 2026.9.6 in the container, as far as it is called.
const OPENCLAW: &str = r#"#!/bin/sh
s=/home/node/.openclaw
case "$*" in
--version) echo "OpenClaw 2026.9.6 (stub)" ;;
*paste-token*) cat >$s/pasted ;;
*"models status"*)
    t=$(tail -c 9 $s/pasted)
    echo '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:…'"$t"'"]}}],"oauth":{"providers":[{"provider":"anthropic","effectiveProfiles":[{"profileId":"anthropic:oauth-sync"}]}]}}}' ;;
*) exit 1 ;;
esac
"#;

/// A link to the owner's unit, whose container runs with these options and this name.
fn bed(lines: &str, name: &str, options: &str) -> Bed {
    let bed = Bed::new(lines);
    let claw = bed.path("claw").display().to_string();
    let script = SYSTEMCTL.replace("NAME", name).replace("OPTIONS", options);
    let script = script.replace("CLAW", &claw);
    fs::create_dir(bed.path("fake")).expect("it is new");
    for (path, text) in [("fake/systemctl", script.as_str()), ("openclaw", OPENCLAW)] {
        fs::write(bed.path(path), text).expect("the folder is there");
        fs::set_permissions(bed.path(path), PermissionsExt::from_mode(0o755)).expect("it is ours");
    }
    let old = format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old"));
    fs::write(bed.path("claw/.env"), old).expect("the folder is there");
    let mount = [bed.path("fake").display().to_string(), "/usr/local/sbin".to_owned()];
    run(bed.within("mount").arg("--bind").args(mount));
    run(bed.within("systemctl").args(["restart", "openclaw.service"]));
    rotate(&bed, &token("new"));
    bed
}

#[test]
fn the_environment_of_its_new_container_is_the_proof() {
    for (name, env, is_proven) in [
        ("openclaw", "--env-file CLAW/.env", true),
        // OpenClaw takes it from the mounted file when it starts.
        ("openclaw", "-e A=1", true),
        ("openclaw", "-e ANTHROPIC_OAUTH_TOKEN=other", false),
        ("systemd-openclaw", "--env-file CLAW/.env", true),
    ] {
        let bed = bed("GATEWAY=\"auto\"\n", name, env);
        if name == "systemd-openclaw" {
            let folder = bed.path(".config/containers/systemd");
            fs::create_dir_all(&folder).expect("it is new");
            fs::write(folder.join("openclaw.container"), "[Container]\nImage=x\n")
                .expect("the folder is there");
        }
        let (_, said) = bed.sync();
        let claimed = said.contains("the gateway was restarted and uses the new token");
        assert_eq!(claimed, is_proven, "{name} {env}: {said}");
        let other = "was started with another ANTHROPIC_OAUTH_TOKEN";
        assert_eq!(said.contains(other), !is_proven, "{name} {env}: {said}");
    }
}

#[test]
fn the_token_is_pasted_in_its_container() {
    let options =
        "--label org.opencontainers.image.version=2026.9.6 -v CLAW/../openclaw:/bin/openclaw:ro";
    let bed = bed("GATEWAY=\"auto\"\n", "openclaw", options);
    let conf = fs::read_to_string(bed.path("etc/default.conf")).expect("it is there");
    let conf = conf.replace("SINKS=\"env\"", "SINKS=\"auto\"");
    fs::write(bed.path("etc/default.conf"), conf).expect("the folder is there");
    let (code, said) = bed.sync();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the token was handed to OpenClaw"), "{said}");
    let pasted = fs::read_to_string(bed.path("claw/pasted")).unwrap_or_default();
    assert_eq!(pasted.trim(), token("new"));
}
