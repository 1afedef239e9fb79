//! `doctor`: each cause made on purpose and found, none on a healthy host, and the printed command
//! mends it.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::bed::{CONF, ENV, MAIN, OAUTH, SOURCE, STATE, access, eventually, refresh};
use crate::host::{Host, UID};

#[test]
fn a_healthy_host_has_nothing() {
    let host = Host::new();
    let before = host.bed.print(SOURCE);
    let root = host.at("host");
    host.bed
        .run(["doctor", "--root", root.to_str().unwrap()])
        .exit(0)
        .err(&[])
        .out(&["nothing is wrong"]);
    assert_eq!(host.bed.print(SOURCE), before);
}

#[test]
fn a_text_names_the_cause_and_the_command() {
    let host = Host::new();
    fs::remove_file(host.at(SOURCE)).unwrap();
    let root = host.at("host");
    host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(3).out(&[
        "error login-absent (default)",
        "    there is no Claude login at 'BED/home/.claude/.credentials.json': nothing is passed on",
        "    oauth-sync login --link default",
    ]);
}

#[test]
fn faults_of_the_configuration_come_with_their_line() {
    let host = Host::new();
    host.bed.write("etc/other.conf", "# mine\nCLAUDE_CREDENTALS=/x\n");
    let found = host.finds_also("configuration-wrong");
    assert!(found.command.starts_with("\"${EDITOR:-vi}\" +"), "{}", found.command);
    fs::remove_file(host.at("etc/other.conf")).unwrap();
    fs::remove_file(host.at(CONF)).unwrap();
    assert_eq!(host.finds("no-link").command, "oauth-sync setup");
}

#[test]
fn a_dead_login_asks_for_a_person() {
    let host = Host::new();
    let blanked = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
    let undated = r#"{"claudeAiOauth":{"accessToken":"access-X","refreshToken":"refresh-X"}}"#;
    let ended = r#"{"claudeAiOauth":{"accessToken":"access-X","expiresAt":1000}}"#;
    for (text, id) in [
        (blanked, "login-emptied"),
        (undated, "login-undated"),
        (ended, "setup-token-ended"),
        ("{\"claude", "login-cut-off"),
        ("[]", "login-unreadable"),
    ] {
        host.bed.write(SOURCE, text);
        assert_eq!(host.finds_also(id).command, "oauth-sync login --link default");
        let root = host.at("host");
        host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(3);
    }
}

#[test]
fn an_ended_token_wants_a_renewal() {
    let host = Host::new();
    host.bed.login_for("B", -1);
    let found = host.finds_also("token-ended");
    assert_eq!(found.command, "oauth-sync refresh --link default");
}

#[test]
fn a_setup_token_is_a_note() {
    let host = Host::new();
    let expiry = host.bed.hence(24 * 300);
    host.bed.write(
        SOURCE,
        format!(r#"{{"claudeAiOauth":{{"accessToken":"access-S","expiresAt":{expiry}}}}}"#),
    );
    host.bed.run(["sync"]).exit(0);
    assert_eq!(host.finds("setup-token").severity, "note");
    let root = host.at("host");
    host.bed.run(["doctor", "--root", root.to_str().unwrap()]).exit(0);
}

#[test]
fn a_login_that_ends_soon_is_told_in_time() {
    let host = Host::new();
    let end = host.bed.hence(6 * 24);
    let text = host.bed.login_text("A", 8);
    let text = text.replace(r#""scopes""#, &format!(r#""refreshTokenExpiresAt":{end},"scopes""#));
    host.bed.write(SOURCE, text);
    assert_eq!(host.finds("login-ends").command, "oauth-sync login --link default");
}

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
    let script = "mount --bind \"$0\" inside.json && touch ready && exec sleep 60";
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
fn retired_files_beside_a_new_openclaw() {
    let host = Host::new();
    host.bed.openclaw("2026.9.6").conf("SINKS", "env");
    host.finds_and_mends("retired-file");
    host.bed
        .write(OAUTH, r#"{"anthropic":{"access":"access-X","refresh":"refresh-X","expires":1}}"#);
    host.own();
    host.program("bin/openclaw", &format!("mv {0} {0}.migrated", host.at(OAUTH).display()));
    host.finds_and_mends("harmful-file");
    assert!(host.ids().is_empty());
}

/// Gives the main agent a store with this beside the profile of the login A.
fn store(host: &Host, more: &str) {
    let expires = host.bed.hence(8);
    host.bed.write(MAIN, format!(
        r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"token","provider":"anthropic","token":"{}","expires":{expires}}},"anthropic:key":{{"type":"api_key","provider":"anthropic","key":"sk-invented"}}}},{more}}}"#,
        access("A")
    ));
    host.bed.conf("SINKS", "auth-profiles");
    host.own();
}

#[test]
fn a_profile_before_ours() {
    let host = Host::new();
    store(&host, r#""order":{"anthropic":["anthropic:key","anthropic:default"]}"#);
    let main = host.at(MAIN);
    host.program("bin/openclaw", &format!(
        "[ \"$*\" = 'models auth order set --provider anthropic anthropic:default' ] && sed -i 's/\"anthropic:key\",\"anthropic:default\"/\"anthropic:default\",\"anthropic:key\"/' {0} && chown {UID} {0}",
        main.display()
    ));
    host.finds_and_mends("profile-hidden");
    assert!(host.ids().is_empty());
}

#[test]
fn a_cool_down() {
    let host = Host::new();
    let until = host.bed.hence(1);
    store(
        &host,
        &format!(
            r#""usageStats":{{"anthropic:default":{{"errorCount":1,"cooldownUntil":{until},"failureCounts":{{"auth":1}}}}}}"#
        ),
    );
    assert_eq!(host.finds("cool-down").command, "oauth-sync refresh --force --link default");
    // What that renewal comes to: another token, carried over.
    host.bed.login_for("B", 9);
    host.own();
    host.bed.run(["sync"]).exit(0);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    store(
        &host,
        &format!(
            r#""usageStats":{{"anthropic:default":{{"disabledUntil":{until},"disabledReason":"billing"}}}}"#
        ),
    );
    host.bed.login("A");
    host.own();
    let found = host.finds_also("cool-down");
    assert!(found.command.ends_with("openclaw models status"), "{}", found.command);
}

#[test]
fn one_refresh_token_in_several_files() {
    let host = Host::new();
    let copy = "host/home/other/.claude/.credentials.json";
    host.bed.write(copy, host.bed.login_text("A", 8));
    host.finds_and_mends("login-copied");
    assert!(host.at(copy).with_extension("json.copied").exists());
    host.bed.write(copy, host.bed.login_text("another", 8));
    assert!(host.ids().is_empty());
}

#[test]
fn a_refresh_token_in_openclaws_store() {
    let host = Host::new();
    host.bed.conf("SINKS", "auth-profiles");
    let expires = host.bed.hence(8);
    host.bed.write(MAIN, format!(
        r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"oauth","provider":"anthropic","access":"{}","refresh":"{}","expires":{expires}}}}}}}"#,
        access("A"), refresh("A")
    ));
    host.own();
    host.mends(&host.finds_also("login-copied-to-openclaw"));
    assert!(host.ids().is_empty());
}

#[test]
fn the_originals_units() {
    let host = Host::new();
    let folder = "host/etc/systemd/system";
    let unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
    host.bed.write(&format!("{folder}/sync-oauth-token.service"), unit);
    assert!(host.ids().is_empty(), "a unit that nothing starts is no rival");
    let root = host.at("host");
    host.shell(&format!("systemctl -q --root={} enable sync-oauth-token.service", root.display()));
    host.finds_and_mends("rival-unit");
    let user = "host/home/other/.config/systemd/user";
    host.bed.write(&format!("{user}/trigger-claude-refresh.timer"), "[Timer]\nOnCalendar=hourly\n");
    fs::create_dir_all(host.at(user).join("timers.target.wants")).unwrap();
    std::os::unix::fs::symlink(
        "../trigger-claude-refresh.timer",
        host.at(user).join("timers.target.wants/trigger-claude-refresh.timer"),
    )
    .unwrap();
    host.finds_and_mends("rival-unit");
}

#[test]
fn a_cron_job_that_runs_claude() {
    let host = Host::new();
    let cron = "host/etc/cron.d/claude";
    host.bed.write(cron, "# mine\n*/30 * * * * claw claude -p hi\n5 4 * * * root backup\n");
    host.finds_and_mends("rival-cron");
    assert_eq!(
        host.bed.read(cron),
        "# mine\n# */30 * * * * claw claude -p hi\n5 4 * * * root backup\n"
    );
}

#[test]
fn locks_of_the_cli() {
    let host = Host::new();
    for (lock, date, id) in [
        ("home/.claude/.oauth_refresh.lock", "-1 hour", "cli-lock-orphaned"),
        ("home/.claude.lock", "+1 day", "cli-lock-future"),
        ("home/.claude/.storage-write.lock", "-5 min", "cli-lock-orphaned"),
    ] {
        fs::create_dir(host.at(lock)).unwrap();
        host.own();
        host.shell(&format!("touch -d '{date}' {}", host.at(lock).display()));
        host.finds_and_mends(id);
    }
    fs::create_dir(host.at("home/.claude/.oauth_refresh.lock")).unwrap();
    host.finds_and_mends("cli-lock-owner");
    // One that somebody holds is none of the doctor's business.
    fs::create_dir(host.at("home/.claude/.oauth_refresh.lock")).unwrap();
    host.own();
    assert!(host.ids().is_empty());
}

#[test]
fn a_clock_that_is_wrong() {
    let host = Host::new();
    host.shell(&format!("touch -d '+1 hour' {}", host.at(SOURCE).display()));
    assert_eq!(host.finds("clock-skew").command, "timedatectl set-ntp true");
    host.bed.login_for("A", 48);
    host.own();
    host.bed.run(["sync"]).exit(0);
    host.finds("clock-skew");
    host.bed.login("C");
    host.own();
    host.bed.run(["sync", "--force"]).exit(0);
    fs::create_dir_all(host.at("host/run/systemd/timesync")).unwrap();
    assert_eq!(host.finds("clock-not-set").severity, "note");
}

#[test]
fn a_user_who_does_not_linger() {
    let host = Host::new();
    host.bed.conf("GATEWAY", "systemd-user");
    host.finds_and_mends("linger-missing");
    assert!(host.ids().is_empty());
}

#[test]
fn a_compose_owner_outside_the_docker_group() {
    let host = Host::new();
    compose(&host, "    environment:\n      - ANTHROPIC_OAUTH_TOKEN\n");
    host.bed.write("host/run/docker.sock", "");
    host.finds_and_mends("docker-group");
    assert!(host.ids().is_empty());
}

/// Puts a compose project with a `.env` that holds the token beside the state folder.
fn compose(host: &Host, service: &str) {
    let folder = host.at("home/compose");
    host.bed.write(
        "home/compose/compose.yaml",
        format!("services:\n  openclaw-gateway:\n    image: openclaw\n{service}"),
    );
    host.bed.write("home/compose/.env", format!("ANTHROPIC_OAUTH_TOKEN={}\n", access("A")));
    host.bed.conf("COMPOSE_DIR", folder.to_str().unwrap());
    host.own();
}

#[test]
fn a_container_without_the_variable() {
    let host = Host::new();
    compose(&host, "");
    host.finds_and_mends("variable-not-in-container");
    let written = host.bed.read("home/compose/compose.override.yaml");
    assert_eq!(
        written,
        "services:\n  openclaw-gateway:\n    environment:\n      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}\n"
    );
    assert!(
        host.bed.read("docker.log").ends_with("home/compose: compose up -d openclaw-gateway\n")
    );
}

#[test]
fn a_cli_that_is_gone() {
    let host = Host::new();
    fs::remove_file(host.at("home/.local/bin/claude")).unwrap();
    let target = host.at("home/.npm-global/bin/claude");
    host.program("bin/npm", &format!(
        "case \"$*\" in 'install -g --prefix '*' @anthropic-ai/claude-code') ;; *) exit 1 ;; esac; install -D -o {UID} -m 755 /bin/true {}",
        target.display()
    ));
    let found = host.finds_also("cli-missing");
    assert!(found.command.starts_with("sudo -iu claw npm install -g"), "{}", found.command);
    host.mends(&found);
    host.bed.conf("CLAUDE_CLI_PATH", "/opt/old/claude");
    host.finds_and_mends("cli-moved");
    assert!(host.ids().is_empty());
    host.bed.conf("REFRESH", "cli");
    fs::remove_file(target).unwrap();
    assert_eq!(host.finds("cli-missing").severity, "error");
}

#[test]
fn a_version_of_the_cli_that_nobody_tried() {
    let host = Host::new();
    for (version, id) in [("3.0.1", "cli-version-unknown"), ("1.0.2", "cli-version-old")] {
        host.bed.write(
            "home/.local/package.json",
            format!(r#"{{"name":"@anthropic-ai/claude-code","version":"{version}"}}"#),
        );
        host.own();
        host.finds(id);
    }
    host.bed.write(
        "home/.local/package.json",
        r#"{"name":"@anthropic-ai/claude-code","version":"2.1.330"}"#,
    );
    assert!(host.ids().is_empty());
}

#[test]
fn a_token_in_the_settings() {
    let host = Host::new();
    let settings = "home/.claude/settings.json";
    host.bed.write(settings, "{\"env\": {\"CLAUDE_CODE_OAUTH_TOKEN\": \"sk-invented\"}}\n");
    host.own();
    host.finds_and_mends("env-token-in-settings");
    assert!(host.bed.read(settings).contains("UNUSED_CLAUDE_CODE_OAUTH_TOKEN"));
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
