//! A gateway that is a unit of systemd: what its unit sets itself, and what may be said of it. A
//! `systemctl` of the test's own is laid over the host's in a mount namespace, which takes root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use crate::CAPABILITIES;
use crate::bed::{Bed, ENV, Ran, STATE, is_root};

const GATEWAY: &str = "openclaw-gateway.service";

/// A link whose gateway is found by `systemctl`, which knows one unit of a user, with more properties.
///
/// A restart runs `new` and takes its number; without it numbers that no process has are told.
struct Host(Bed);

impl Host {
    fn new(unit: &str, properties: &str) -> Self {
        assert!(is_root(), "this test lays a program over the host's, as root");
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("GATEWAY", "auto").conf("SINKS", "env").login("new");
        let script = format!(
            r#"#!/bin/sh
n=$(cat '{0}/pid' 2>/dev/null || echo 4194305)
case "$*" in
*--user*show*" {unit}") printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\n{properties}' "$n" ;;
*show*) printf 'LoadState=not-found\nActiveState=inactive\nMainPID=0\n' ;;
*restart*) if [ -e '{0}/new' ]; then . '{0}/new'; else echo 4194306; fi >'{0}/pid' ;;
esac
"#,
            bed.at("").display(),
        );
        bed.write("fake/systemctl", script);
        fs::set_permissions(bed.at("fake/systemctl"), PermissionsExt::from_mode(0o755)).unwrap();
        bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        Self(bed)
    }

    /// What a restart starts: a process with these words before it.
    fn starts(&self, words: &str) -> &Self {
        self.0.write("new", format!("{words} sleep 600 </dev/null >/dev/null 2>&1 & echo $!"));
        self
    }

    /// A file of the owner's unit.
    fn unit_file(&self, name: &str, lines: &str) -> &Self {
        let path = format!("home/.config/systemd/user/{GATEWAY}{name}");
        self.0.write(&path, format!("[Service]\n{lines}\n"));
        self
    }

    /// Runs the binary under that `systemctl`.
    fn run(&self, word: &str) -> Ran<'_> {
        self.run_with("true", &[], word)
    }

    /// The same after `before`, with less rights.
    fn run_with(&self, before: &str, wrapper: &[&str], word: &str) -> Ran<'_> {
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c"]);
        let script = format!("mount --bind \"$0\" /usr/local/sbin && {before} && exec \"$@\"");
        command.arg(script).arg(self.0.at("fake")).args(wrapper).args(self.0.args(&[word]));
        self.0.ran(command.output().unwrap())
    }

    fn was_restarted(&self) -> bool {
        self.0.exists("pid")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let Ok(pid) = fs::read_to_string(self.0.at("pid")) else { return };
        let _ = Command::new("kill").args(["-s", "KILL", pid.trim()]).output();
    }
}

#[test]
fn a_quadlets_unit_is_found_and_restarted_and_not_believed() {
    let host = Host::new("openclaw.service", "");
    host.run("sync").exit(0).says("the gateway was restarted; whether it uses the new token");
    assert_eq!(host.0.read("pid").trim(), "4194306");
    let unproven = "the gateway was restarted: whether it uses the new token is not proven";
    let check = host.run("check").exit(1).out.clone();
    assert!(check.contains(unproven), "{check}");
    let status = host.run("status").out;
    assert!(status.contains("; whether it uses the new token is not proven"), "{status}");
}

#[test]
fn a_file_that_the_unit_reads_is_named_and_its_hint_makes_it_the_sink() {
    for by in ["show", "text", "drop-in", "last of two"] {
        let host = Host::new(GATEWAY, "");
        let (bed, file) = (&host.0, format!("{STATE}/other.env"));
        let path = bed.at(&file);
        bed.write(&file, "export ANTHROPIC_OAUTH_TOKEN='access-old'\n");
        let line = "EnvironmentFile=-%h/.openclaw/other.env";
        match by {
            "show" => {
                let script = bed.read("fake/systemctl");
                let files = format!("EnvironmentFiles={} (ignore_errors=yes)\\n'", path.display());
                bed.write("fake/systemctl", script.replacen("%s\\n'", &format!("%s\\n{files}"), 1));
            }
            "text" => {
                host.unit_file("", line);
            }
            "drop-in" => {
                host.unit_file("", "EnvironmentFile=%h/.openclaw/.env");
                host.unit_file(".d/10-more.conf", &format!("EnvironmentFile=\n{line}"));
            }
            _ => {
                host.unit_file("", &format!("EnvironmentFile=%h/.openclaw/.env\n{line}"));
            }
        }
        let ran = host.run("sync");
        let ran = ran.says("the gateway is not as it should be").says("other.env");
        assert!(!ran.err.contains("uses the new token"), "{by}: {}", ran.err);
        assert!(!host.was_restarted(), "{by}: a restart would bring nothing: {}", ran.err);
        host.run("check").exit(1);
        // The command that is said makes that file the sink.
        bed.conf("ENV_FILE", path.to_str().unwrap());
        host.run("sync");
        host.run("gateway");
        assert!(bed.read(&file).contains("access-new"), "{by}");
        assert!(host.was_restarted(), "{by}");
    }
}

#[test]
fn what_stands_in_the_unit_itself_is_named_with_its_file() {
    for (by, value) in [("show", "access-x"), ("text", "access-x"), ("drop-in", "")] {
        let line = format!("Environment=ANTHROPIC_OAUTH_TOKEN={value}");
        let host =
            Host::new(GATEWAY, &if by == "show" { format!("{line}\\n") } else { String::new() });
        let named = match by {
            "show" => "by Environment=".to_owned(),
            "text" => {
                host.unit_file("", &line);
                format!("by Environment= in 'BED/home/.config/systemd/user/{GATEWAY}'")
            }
            _ => {
                // An empty one keeps OpenClaw from its `.env` too.
                host.unit_file(".d/10.conf", &format!("Environment=A=1 \\\n  {}", &line[12..]));
                format!("by Environment= in 'BED/home/.config/systemd/user/{GATEWAY}.d/10.conf'")
            }
        };
        let ran = host.run("sync").says("the gateway is not as it should be").says(&named);
        assert_eq!(ran.err.contains("daemon-reload"), by != "show", "{by}: {}", ran.err);
        assert!(!host.was_restarted(), "{by}");
        let doctor = host.run("doctor");
        assert!(doctor.out.contains("by Environment="), "{by}: {}", doctor.out);
        host.run("check").exit(1);
    }
}

#[test]
fn a_value_that_does_not_count_is_not_in_the_way() {
    let host = Host::new(GATEWAY, "");
    host.0.write(&format!("{STATE}/other.env"), "ANTHROPIC_OAUTH_TOKEN=access-old\n");
    let lines = "Environment=ANTHROPIC_OAUTH_TOKEN=access-x\nEnvironmentFile=%h/.openclaw/other.env\nEnvironmentFile=%h/.openclaw/.env";
    host.unit_file("", lines).starts("env ANTHROPIC_OAUTH_TOKEN=access-new");
    host.run("sync").exit(0).says("was restarted and uses the new token");
}

/// Restarts, and asserts whether the proof holds; gives what was said.
#[track_caller]
fn proves(host: &Host, is_proven: bool) -> String {
    let ran = host.run("sync");
    assert!(host.was_restarted(), "{}", ran.err);
    assert_eq!(ran.err.contains("uses the new token; it was gone"), is_proven, "{}", ran.err);
    ran.err.clone()
}

#[test]
fn the_environment_of_the_new_process_is_the_proof() {
    let with = |words: &str, is_proven| {
        let host = Host::new(GATEWAY, "");
        proves(host.starts(words), is_proven)
    };
    with("env ANTHROPIC_OAUTH_TOKEN=access-new", true);
    // OpenClaw takes it from its `.env` when it starts.
    with("env -u ANTHROPIC_OAUTH_TOKEN", true);
    let other = "started with another ANTHROPIC_OAUTH_TOKEN";
    assert!(with("env ANTHROPIC_OAUTH_TOKEN=access-old", false).contains(other));
    assert!(with("env ANTHROPIC_OAUTH_TOKEN=", false).contains(other));
}

#[test]
fn a_process_that_was_there_before_proves_nothing() {
    let host = Host::new(GATEWAY, "");
    let mut sleep = Command::new("sleep");
    let mut child = sleep.arg("600").env("ANTHROPIC_OAUTH_TOKEN", "access-new").spawn().unwrap();
    host.0.write("new", format!("sleep 1; echo {}", child.id()));
    let said = proves(&host, false);
    child.kill().and_then(|()| child.wait()).unwrap();
    assert!(said.contains("whether it uses the new token is not proven"), "{said}");
}

/// An account of this host besides root, with its group.
fn account() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let all = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut numbers = all.map(|fields| (fields[2].parse().unwrap(), fields[3].parse().unwrap()));
    numbers.find(|(uid, _)| *uid != 0).expect("every host has one")
}

#[test]
fn a_users_process_is_read_with_that_users_rights_alone() {
    let (uid, gid) = account();
    for (key, is_proven) in [
        ("ANTHROPIC_OAUTH_TOKEN=access-new", true),
        ("A=1", true),
        ("ANTHROPIC_OAUTH_TOKEN=x", false),
    ] {
        let host = Host::new(GATEWAY, "");
        let bed = &host.0;
        host.starts(&format!("setpriv --reuid={uid} --regid={gid} --clear-groups env {key}"));
        for path in ["home", "home/.claude", "home/.claude/.credentials.json", STATE, ENV] {
            chown(bed.at(path), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(bed.at(""), PermissionsExt::from_mode(0o755)).unwrap();
        // As in our unit: `/proc` shows others' processes only to those who may trace them.
        let hidden = "mount -t proc -o hidepid=ptraceable proc /proc";
        let ran = host.run_with(hidden, &CAPABILITIES, "sync");
        assert!(host.was_restarted(), "{}", ran.err);
        assert_eq!(ran.err.contains("uses the new token; it"), is_proven, "{key}: {}", ran.err);
    }
}
