//! A gateway that is a unit of systemd: what its unit sets itself, and what may be said of it. As root:
//! a `systemctl` of the test's own is laid over the host's in a mount namespace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bed::{Bed, ENV, Ran, STATE, is_root};

/// A link whose gateway is found by `systemctl`, which knows one unit of a user, with more properties.
fn bed(unit: &str, properties: &str) -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("GATEWAY", "auto").conf("SINKS", "env").login("new");
    let script = format!(
        r#"#!/bin/sh
n=$(cat '{0}/pid' 2>/dev/null || echo {1})
case "$*" in
*--user*show*" {unit}") printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\n{properties}' "$n" ;;
*show*) printf 'LoadState=not-found\nActiveState=inactive\nMainPID=0\n' ;;
*restart*) echo {2} >'{0}/pid' ;;
esac
"#,
        bed.at("").display(),
        // Numbers that no process has.
        4_194_305,
        4_194_306
    );
    bed.write("fake/systemctl", script);
    fs::set_permissions(bed.at("fake/systemctl"), PermissionsExt::from_mode(0o755)).unwrap();
    bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=access-old\n");
    bed
}

/// Runs the binary under that `systemctl`.
fn run<'a>(bed: &'a Bed, word: &str) -> Ran<'a> {
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c"]);
    command.arg("mount --bind \"$0\" /usr/local/sbin && exec \"$@\"").arg(bed.at("fake"));
    command.args(bed.args(&[word]));
    bed.ran(command.output().unwrap())
}

#[test]
fn a_quadlets_unit_is_found_and_restarted() {
    if !is_root() {
        return;
    }
    let bed = bed("openclaw.service", "");
    run(&bed, "sync").exit(0).says("the gateway was restarted");
    assert_eq!(bed.read("pid").trim(), "4194306");
    run(&bed, "check").exit(0);
}

#[test]
fn what_the_unit_sets_itself_is_named_and_no_success() {
    if !is_root() {
        return;
    }
    for by in ["show", "text", "inline"] {
        let file = "other.env";
        let bed = match by {
            "inline" => {
                bed("openclaw-gateway.service", "Environment=ANTHROPIC_OAUTH_TOKEN=access-x\\n")
            }
            _ => bed("openclaw-gateway.service", ""),
        };
        let path = bed.at(&format!("{STATE}/{file}"));
        bed.write(&format!("{STATE}/{file}"), "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        if by == "show" {
            let script = bed.read("fake/systemctl");
            let files = format!("EnvironmentFiles={} (ignore_errors=yes)\\n'", path.display());
            bed.write("fake/systemctl", script.replacen("%s\\n'", &format!("%s\\n{files}"), 1));
        }
        if by == "text" {
            bed.write(
                "home/.config/systemd/user/openclaw-gateway.service",
                format!("[Service]\nEnvironmentFile=-%h/.openclaw/{file}\n"),
            );
        }
        let ran = run(&bed, "sync");
        assert!(!ran.err.contains("uses the new token"), "{by}: {}", ran.err);
        let named = if by == "inline" { "by Environment=".to_owned() } else { file.to_owned() };
        let ran = ran.says("the gateway is not as it should be").says(&named);
        assert!(!bed.exists("pid"), "{by}: a restart would bring nothing: {}", ran.err);
        run(&bed, "check").exit(1);
        if by == "inline" {
            continue;
        }
        // The command that is said makes that file the sink.
        bed.conf("ENV_FILE", path.to_str().unwrap());
        run(&bed, "sync");
        run(&bed, "gateway");
        assert!(bed.read(&format!("{STATE}/{file}")).contains("access-new"), "{by}");
        assert!(bed.exists("pid"), "{by}");
    }
}

#[test]
fn the_environment_of_the_new_process_is_the_proof() {
    if !is_root() {
        return;
    }
    for (value, proves) in [("access-new", true), ("access-old", false)] {
        let bed = bed("openclaw-gateway.service", "");
        let mut sleep = Command::new("sleep");
        let mut child = sleep.arg("600").env("ANTHROPIC_OAUTH_TOKEN", value).spawn().unwrap();
        let script = bed.read("fake/systemctl");
        bed.write("fake/systemctl", script.replace("4194306", &child.id().to_string()));
        let ran = run(&bed, "sync");
        let _ = child.kill().and_then(|()| child.wait());
        assert_eq!(ran.err.contains("uses the new token"), proves, "{value}: {}", ran.err);
        let other = "started with another ANTHROPIC_OAUTH_TOKEN";
        assert_eq!(ran.err.contains(other), !proves, "{value}: {}", ran.err);
    }
}
