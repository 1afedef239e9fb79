//! Files, mounts and the units' sandbox.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::bed::{CONF, ENV, OAUTH, SOURCE, STATE, eventually};
use crate::host::Host;

#[test]
fn roots_file_in_a_users_folder() {
    let host = Host::new();
    std::os::unix::fs::chown(host.at(SOURCE), Some(0), Some(0)).unwrap();
    host.shell(&format!("chmod 600 {}", host.at(SOURCE).display()));
    host.finds_and_mends("source-owner");
    assert!(host.ids().is_empty());
    std::os::unix::fs::chown(host.at(ENV), Some(0), Some(0)).unwrap();
    host.shell(&format!("chmod 600 {}", host.at(ENV).display()));
    host.finds_and_mends("sink-owner");
    assert!(host.ids().is_empty());
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let host = Host::new();
    fs::remove_file(host.at(SOURCE)).unwrap();
    fs::create_dir(host.at(SOURCE)).unwrap();
    host.finds_and_mends("source-is-folder");
    host.bed.login("A");
    host.own();
    fs::remove_file(host.at(OAUTH)).unwrap();
    fs::create_dir(host.at(OAUTH)).unwrap();
    host.finds_and_mends("sink-unusable");
}

#[test]
fn a_link_in_the_place_of_the_source() {
    let host = Host::new();
    fs::create_dir(host.at("home/.claude-real")).unwrap();
    fs::rename(host.at(SOURCE), host.at("home/.claude-real/real.json")).unwrap();
    host.own();
    std::os::unix::fs::symlink(host.at("home/.claude-real/real.json"), host.at(SOURCE)).unwrap();
    host.finds_and_mends("source-is-link");
    assert!(host.bed.read(CONF).contains("home/.claude-real/real.json\""));
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

/// A mount that goes with the value.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn bind(path: std::path::PathBuf) -> Self {
        assert!(
            Command::new("mount").arg("--bind").args([&path, &path]).status().unwrap().success()
        );
        Self(path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-ql").arg(&self.0).stderr(Stdio::null()).status();
    }
}

#[test]
fn a_file_mounted_by_itself() {
    let host = Host::new();
    let _mounted = Mounted::bind(host.at(SOURCE));
    host.finds_and_mends("single-file-mount");
}

#[test]
fn what_is_mounted_read_only() {
    let host = Host::new();
    let _mounted = Mounted::bind(host.at("home"));
    host.shell(&format!("mount -o remount,bind,ro {}", host.at("home").display()));
    let found = host.finds_also("read-only-mount");
    host.mends(&found);
    assert!(host.ids().is_empty());
}

/// A process that goes with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_container_with_the_single_file() {
    let host = Host::new();
    host.bed.write("inside.json", "").write("ready", "");
    fs::remove_file(host.at("ready")).unwrap();
    let script = "mount --bind \"$0\" inside.json && touch ready && exec sleep 600";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).arg(host.at(SOURCE)).current_dir(host.at("."));
    let _running = Running(command.spawn().unwrap());
    assert!(eventually(|| host.at("ready").exists()));
    host.finds_and_mends("single-file-mount-in-container");
}

#[test]
fn paths_outside_the_units_sandbox() {
    let host = Host::new();
    for unit in ["oauth-sync.service", "oauth-sync-renew.service", "oauth-sync-tell.service"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("units").join(unit);
        host.bed.write(&format!("host/usr/lib/systemd/system/{unit}"), fs::read(from).unwrap());
    }
    let ids = host.ids();
    assert_eq!(ids, ["outside-sandbox", "units-not-enabled"]);
    host.mends(&host.finds_also("outside-sandbox"));
    host.finds_and_mends("units-not-enabled");
    assert!(host.ids().is_empty());
}

#[test]
fn only_what_is_ours_is_mended_by_fix() {
    let host = Host::new();
    let root = host.at("host");
    host.bed.conf("NOTIFY_WEBHOOK", "https://example.org/hook");
    host.shell(&format!("chmod 644 {}", host.at(CONF).display()));
    fs::create_dir(host.at("home/.claude/.oauth_refresh.lock")).unwrap();
    host.bed.login_for("B", 9);
    host.own();
    host.shell(&format!(
        "touch -d '-1 hour' {}",
        host.at("home/.claude/.oauth_refresh.lock").display()
    ));
    assert_eq!(host.ids(), ["sink-stale", "configuration-open", "cli-lock-orphaned"]);
    host.mends(&host.finds_also("configuration-open"));
    host.shell(&format!("chmod 644 {}", host.at(CONF).display()));
    let root = root.to_str().unwrap();
    host.bed.run(["doctor", "--fix", "--root", root]).exit(1).says("mending configuration-open");
    assert_eq!(host.ids(), ["cli-lock-orphaned"]);
}

#[test]
fn a_state_folder_that_cannot_be_entered() {
    let host = Host::new();
    host.shell(&format!("chown 0:0 {0} && chmod 700 {0}", host.at(STATE).display()));
    host.mends(&host.finds_also("sink-unusable"));
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_token_that_reaches_nothing() {
    let host = Host::new();
    fs::remove_file(host.at(OAUTH)).unwrap();
    fs::remove_file(host.at(ENV)).unwrap();
    host.finds_and_mends("no-sink");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_source_that_cannot_be_reached() {
    let host = Host::new();
    host.shell(&format!("chown 0:0 {0} && chmod 700 {0}", host.at("home/.claude").display()));
    host.mends(&host.finds_also("source-unreadable"));
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_sink_that_was_not_brought_in_step() {
    let host = Host::new();
    host.bed.login_for("B", 9);
    host.own();
    host.finds_and_mends("sink-stale");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_sink_that_does_no_good_in_this_openclaw() {
    let host = Host::new();
    host.bed.openclaw("2026.9.6").conf("SINKS", "oauth-json env");
    fs::remove_file(host.at(OAUTH)).unwrap();
    host.finds_and_mends("sink-refused");
    assert!(host.bed.read(crate::bed::CONF).contains("SINKS=\"auto\""));
}

#[test]
fn a_hook_that_others_could_have_written() {
    let host = Host::new();
    host.program("etc/hooks.d/mail", "exit 0");
    assert!(host.ids().is_empty());
    host.shell(&format!("chmod 777 {}", host.at("etc/hooks.d/mail").display()));
    host.finds_and_mends("hook-refused");
    std::os::unix::fs::chown(host.at("etc/hooks.d"), Some(4322), None).unwrap();
    host.finds_and_mends("hook-refused");
    std::os::unix::fs::symlink("/bin/true", host.at("etc/hooks.d/other")).unwrap();
    host.finds_and_mends("hook-refused");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}
