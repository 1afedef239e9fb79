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
    host.finds_and_mends("source-is-directory");
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

/// The link is the user's to point at anything; the command is root's to run.
#[test]
fn what_a_link_is_called_is_never_run() {
    for name in
        [r"x|;e touch pwned #", r"x$(touch pwned)", r"x&\1 `touch pwned`", "x'; touch pwned '"]
    {
        let host = Host::new();
        let aim = host.at("home/.claude-real").join(name);
        fs::create_dir_all(aim.parent().unwrap()).unwrap();
        fs::rename(host.at(SOURCE), &aim).unwrap();
        std::os::unix::fs::symlink(aim, host.at(SOURCE)).unwrap();
        host.own();
        host.finds_and_mends("source-is-link");
        assert!(host.bed.read(CONF).contains(name), "{}", host.bed.read(CONF));
        assert!(!host.bed.exists("pwned") && host.ids().is_empty(), "{name}: {:?}", host.doctor());
    }
}

#[test]
fn a_link_to_what_is_not_the_users_own_is_taken_away() {
    let host = Host::new();
    host.bed.write("roots.json", host.bed.login_text("roots", 8));
    host.shell(&format!("chmod 600 {}", host.at("roots.json").display()));
    let removes = format!("rm {}", host.at(SOURCE).display());
    for aim in [host.at("roots.json"), host.at("nowhere.json"), host.at("home/a\nb.json")] {
        host.bed.write("home/a\nb.json", "{}");
        fs::remove_file(host.at(SOURCE)).unwrap();
        std::os::unix::fs::symlink(aim, host.at(SOURCE)).unwrap();
        host.own();
        let found = host.finds_also("source-is-link");
        let as_claw = format!("runuser --pty -s /bin/sh -l claw -c '{removes}'");
        assert_eq!(found.command, format!("{as_claw} && oauth-sync login --link default"));
    }
    host.shell(&removes);
    host.finds("login-missing");
}

/// A user names the folders of agents.
#[test]
fn what_a_folder_is_called_is_never_run() {
    let host = Host::new();
    host.bed.conf("SINKS", "auth-profiles");
    let store = "home/.openclaw/agents/x'; touch pwned '/agent/auth-profiles.json";
    let expires = host.bed.hence(8);
    host.bed.write(store, format!(
        r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"token","provider":"anthropic","token":"{}","expires":{expires}}}}}}}"#,
        crate::bed::access("A")
    ));
    host.own();
    std::os::unix::fs::chown(host.at(store), Some(0), Some(0)).unwrap();
    fs::set_permissions(host.at(store), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    host.finds_and_mends("sink-owner");
    assert!(!host.bed.exists("pwned") && host.ids().is_empty(), "{:?}", host.doctor());
}

/// Puts a link in the place of the `.env`.
fn link_env(host: &Host, aim: &str) {
    fs::rename(host.at(ENV), host.at(aim)).unwrap();
    std::os::unix::fs::symlink(host.at(aim), host.at(ENV)).unwrap();
}

#[test]
fn a_users_own_link_in_the_place_of_a_sink_is_followed() {
    let host = Host::new();
    link_env(&host, "home/dots $(touch pwned)");
    host.shell(&format!("echo OTHER=1 >>'{}'", host.at("home/dots $(touch pwned)").display()));
    host.own();
    host.bed.login_for("B", 9).run(["sync"]).exit(0);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    let text = host.bed.read(ENV);
    assert!(host.at(ENV).is_symlink() && text.contains("OTHER=1\n"), "{text}");
    assert!(text.contains(&crate::bed::access("B")) && !host.bed.exists("pwned"), "{text}");
}

#[test]
fn a_link_to_a_file_of_roots_is_neither_followed_nor_proposed() {
    let host = Host::new();
    link_env(&host, "roots.env");
    host.bed.write("roots.env", "SECRET=roots\n");
    let roots = host.at("roots.env");
    std::os::unix::fs::chown(&roots, Some(0), Some(0)).unwrap();
    for mode in ["600", "644"] {
        host.shell(&format!("chmod {mode} {}", roots.display()));
        let found = host.finds("sink-unusable");
        assert_eq!(found.command, format!("ls -l {}", roots.display()));
        host.shell(&found.command);
    }
    assert_eq!(host.bed.read("roots.env"), "SECRET=roots\n");
}

#[test]
fn a_sink_that_others_can_read() {
    let host = Host::new();
    host.shell(&format!("chmod 644 {}", host.at(ENV).display()));
    host.shell(&format!("chmod -R a+X {}", host.at("home").display()));
    host.finds_and_mends("token-readable");
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
    // By the time that it is run the number may be another process's: it only shows.
    let found = host.finds("single-file-mount-in-container");
    assert!(found.command.starts_with("findmnt -N "), "{}", found.command);
    host.shell(&found.command);
}

#[test]
fn paths_outside_the_units_sandbox() {
    let host = Host::new();
    for unit in ["oauth-sync.service", "oauth-sync-renew.service", "oauth-sync-tell.service"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("units").join(unit);
        host.bed.write(&format!("host/usr/lib/systemd/system/{unit}"), fs::read(from).unwrap());
    }
    assert_eq!(host.ids(), ["outside-sandbox"]);
    host.finds_and_mends("outside-sandbox");
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
    host.bed.run(["doctor", "--fix", "--root", root]).exit(1).says("fixing configuration-open");
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
    host.bed.openclaw("2026.9.6");
    fs::remove_file(host.at(OAUTH)).unwrap();
    // However the key is written.
    for key in ["SINKS=", "  SINKS = ", "export SINKS=", " export  SINKS  ="] {
        let text = host.bed.read(CONF);
        let others = text.split_inclusive('\n').filter(|line| !line.contains("SINKS"));
        let others: String = others.collect();
        host.bed.write(CONF, format!("{others}{key}'oauth-json env' # mine\n"));
        host.finds_and_mends("sink-refused");
        assert_eq!(host.bed.read(CONF), format!("{others}{key}\"auto\" # mine\n"));
    }
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
