//! What is queued for the gateway: off the queue first, and never lost.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, ENV, eventually};

const REQUEST: &str = "run/gateway.d/default.json";
const LEDGER: &str = "lib/gateway/default.json";

/// A link whose gateway is a command that counts its calls, with a token that has not reached it.
fn queued() -> Bed {
    let bed = Bed::new();
    let script = "#!/bin/sh\nwc -c <\"$1\" >>\"$2\"\n";
    bed.write("bin/restart", script);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bed.at("bin/restart"), mode).unwrap();
    let words = ["bin/restart", ENV, "calls"].map(|path| bed.at(path).display().to_string());
    bed.openclaw("2026.2.25").conf("SINKS", "env").conf("GATEWAY", "command");
    bed.conf("GATEWAY_COMMAND", &words.join(" "));
    bed.login("A").run(["sync", "--delegate"]).exit(0);
    assert!(bed.exists(REQUEST) && !bed.exists("calls"));
    bed
}

fn calls(bed: &Bed) -> usize {
    fs::read_to_string(bed.at("calls")).unwrap_or_default().lines().count()
}

#[test]
fn a_command_restarts_the_gateway_once_for_each_token() {
    let bed = queued();
    bed.run(["gateway"]).exit(0).says("default: the gateway was restarted");
    bed.run(["gateway"]).exit(0);
    bed.run(["sync"]).exit(0).err(&[]);
    assert_eq!(calls(&bed), 1);
    bed.login("B").run(["sync"]).exit(0).says("default: the gateway was restarted");
    assert_eq!(calls(&bed), 2);
}

#[test]
fn an_env_that_a_profile_keeps_from_use_asks_for_nothing() {
    let bed = queued();
    bed.agent("main", "old").conf("SINKS", "auth-profiles env");
    bed.login_for("B", 9).run(["sync"]).exit(0);
    bed.login_for("C", 10).run(["sync", "--delegate"]).exit(0);
    assert!(bed.read(ENV).contains("access-C"));
    assert!(!bed.exists(REQUEST), "OpenClaw reads the profile by itself");
}

#[test]
fn a_request_that_cannot_be_taken_keeps_no_other_in_the_queue() {
    let bed = queued();
    for link in ["aaa", "zzz"] {
        let request = bed.read(REQUEST).replace("default", link);
        bed.write(&format!("run/gateway.d/{link}.json"), request);
        // No file can be written where a directory is.
        fs::create_dir_all(bed.at(&format!("lib/gateway/{link}.json/full"))).unwrap();
    }
    bed.run(["gateway"]).exit(1).says("default: the gateway was restarted");
    assert_eq!(calls(&bed), 1);
    assert!(!bed.exists(REQUEST));
    assert!(bed.exists("run/gateway.d/aaa.json"), "it is lost");
}

#[test]
fn an_idle_command_that_cannot_be_run_is_said_once_and_does_not_mean_busy() {
    let bed = queued();
    bed.run(["gateway"]).exit(0);
    bed.conf("RECREATE_IDLE_COMMAND", "/nonexistent/idle");
    let ran = bed.login_for("B", 9).run(["sync"]).exit(75);
    let ran = ran.says("default: the gateway keeps its old token: RECREATE_IDLE_COMMAND cannot be run: cannot run '/nonexistent/idle': ");
    assert!(!ran.err.contains("busy"), "{}", ran.err);
    let ran = bed.run(["sync"]);
    assert!(!ran.err.contains("RECREATE_IDLE_COMMAND"), "{}", ran.err);
    assert_eq!(calls(&bed), 1);
    bed.conf("RECREATE_IDLE_COMMAND", "/bin/true");
    bed.run(["sync"]).exit(0).says("default: the gateway was restarted");
}

#[test]
fn a_command_that_fails_without_a_word() {
    let bed = queued();
    bed.conf("GATEWAY_COMMAND", "/bin/false");
    bed.run(["gateway"]).exit(1).err(&[
        "default: the gateway is not as it should be: GATEWAY_COMMAND failed: it exited with status 1",
    ]);
}

#[test]
fn a_request_is_off_the_queue_though_the_configuration_cannot_be_read() {
    let bed = queued();
    fs::rename(bed.at("etc"), bed.at("aside")).unwrap();
    std::os::unix::fs::symlink(bed.at("etc"), bed.at("etc")).unwrap();
    let ran = bed.run(["gateway"]);
    assert!(!bed.exists(REQUEST), "the path unit would start it again at once");
    assert!(bed.read(LEDGER).contains("\"env\""), "it is remembered");
    assert_eq!(calls(&bed), 0);
    ran.exit(1);
    fs::remove_file(bed.at("etc")).unwrap();
    fs::rename(bed.at("aside"), bed.at("etc")).unwrap();
    bed.run(["gateway"]).exit(0).says("default: the gateway was restarted");
    assert_eq!(calls(&bed), 1);
}

#[test]
fn a_request_is_off_the_queue_though_its_link_is_at_fault() {
    let bed = queued();
    let text = bed.read("etc/default.conf");
    bed.conf("GATEWAY", "nonsense");
    bed.run(["gateway"]).says("GATEWAY");
    assert!(!bed.exists(REQUEST) && calls(&bed) == 0);
    bed.write("etc/default.conf", text);
    bed.run(["gateway"]).exit(0);
    assert_eq!(calls(&bed), 1);
}

#[test]
fn what_failed_is_tried_again_by_the_next_sync_whose_moment_has_come() {
    let bed = queued();
    fs::rename(bed.at("bin"), bed.at("gone")).unwrap();
    bed.run(["gateway"]).exit(75).says("the gateway keeps its old token");
    fs::rename(bed.at("gone"), bed.at("bin")).unwrap();
    bed.run(["gateway"]).exit(75);
    assert_eq!(calls(&bed), 0, "its moment has not come");
    // A person's sync does not wait for it.
    bed.run(["sync"]).exit(0).says("default: the gateway was restarted");
    assert_eq!(calls(&bed), 1);
}

#[test]
fn a_gateway_that_is_being_restarted_is_seen_to_the_end_of_it() {
    let bed = queued();
    bed.write("bin/restart", "#!/bin/sh\n: >\"$2.begun\"\nread -r _ <\"$2.go\"\necho >>\"$2\"\n");
    let go = bed.at("calls.go");
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    let mut child = bed.command(&[], &["gateway"]).stderr(Stdio::null()).spawn().unwrap();
    assert!(eventually(|| bed.exists("calls.begun")));
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    fs::write(go, "\n").unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
    assert_eq!(calls(&bed), 1);
    assert!(bed.read(LEDGER).contains("\"pending\":null"), "it is known to be done");
}

#[test]
fn a_first_request_that_a_reboot_took_away_is_left_again_until_it_was_picked_up() {
    let bed = queued();
    for _ in 0..2 {
        fs::remove_dir_all(bed.at("run")).unwrap();
        bed.run(["sync", "--delegate"]).exit(0);
        assert!(bed.exists(REQUEST));
    }
    bed.run(["gateway"]).exit(0);
    assert_eq!(calls(&bed), 1);
    fs::remove_dir_all(bed.at("run")).unwrap();
    bed.run(["sync", "--delegate"]).exit(0);
    assert!(!bed.exists(REQUEST), "it was told");
}
