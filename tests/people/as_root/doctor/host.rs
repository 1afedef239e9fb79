//! The Claude CLI and the host around it.

use std::fs;

use crate::bed::{CONF, SOURCE};
use crate::host::{Host, UID};

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
fn units_that_would_not_come_back_after_a_boot() {
    let host = Host::new();
    host.bed.write("host/run/systemd/system/.keep", "");
    let units = ["oauth-sync.service", "oauth-sync-refresh.timer"];
    for unit in units {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("units").join(unit);
        host.bed.write(&format!("host/etc/systemd/system/{unit}"), fs::read(from).unwrap());
    }
    let root = host.at("host");
    host.mends(&host.finds_also("units-not-enabled"));
    for unit in units {
        host.shell(&format!("systemctl -q --root={} disable {unit}", root.display()));
        host.mends(&host.finds_also("units-not-enabled"));
    }
}

#[test]
fn a_unit_that_runs_claude() {
    let host = Host::new();
    let folder = "host/etc/systemd/system";
    let unit =
        "[Service]\nExecStart=/usr/bin/claude -p hi\n[Install]\nWantedBy=multi-user.target\n";
    host.bed.write(&format!("{folder}/mine.service"), unit);
    assert!(host.ids().is_empty(), "a unit that nothing starts is no rival");
    let root = host.at("host");
    host.shell(&format!("systemctl -q --root={} enable mine.service", root.display()));
    host.finds_and_mends("rival-service");
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
fn a_cli_that_is_gone() {
    let host = Host::new();
    fs::remove_file(host.at("home/.local/bin/claude")).unwrap();
    let target = host.at("home/.npm-global/bin/claude");
    host.program("bin/npm", &format!(
        "case \"$*\" in 'install -g --prefix '*' @anthropic-ai/claude-code') ;; *) exit 1 ;; esac; install -D -o {UID} -m 755 /bin/true {}",
        target.display()
    ));
    let found = host.finds_also("cli-missing");
    assert!(
        found.command.starts_with("runuser --pty -l claw -c 'npm install -g"),
        "{}",
        found.command
    );
    host.mends(&found);
    for line in ["CLAUDE_CLI_PATH=/opt/old/claude", " export CLAUDE_CLI_PATH = \"/opt/old/claude\""]
    {
        let before = host.bed.read(CONF);
        host.bed.write(CONF, format!("{line}\n{before}"));
        host.finds_and_mends("cli-moved");
        assert_eq!(host.bed.read(CONF), before);
    }
    assert!(host.ids().is_empty());
    host.bed.conf("REFRESH", "cli");
    fs::remove_file(target).unwrap();
    assert_eq!(host.finds("cli-missing").severity, "error");
}

#[test]
fn without_npm_and_sudo_no_command_needs_them() {
    let host = Host::new();
    fs::remove_file(host.at("home/.local/bin/claude")).unwrap();
    host.bed
        .write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    host.own();
    // The machine's own npm must not be found.
    let hide = "for npm in /usr/bin/npm /usr/local/bin/npm; do [ ! -e $npm ] || mount --bind /dev/null $(realpath $npm); done; exec \"$@\"";
    let wrapper = ["unshare", "-m", "sh", "-c", hide, "sh"];
    let ran = host.bed.ran(host.bed.command(&wrapper, &["doctor"]).output().unwrap());
    assert!(ran.out.contains("curl -fsSL https://claude.ai/install.sh"), "{}", ran.out);
    assert!(ran.out.contains("error login-emptied (default)"), "{}", ran.out);
    let commands: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("    ")).collect();
    for absent in ["npm ", "sudo "] {
        let needs = commands.iter().find(|command| command.contains(absent));
        assert_eq!(needs, None, "{}", ran.out);
    }
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
fn a_base_url_that_is_kept() {
    let host = Host::new();
    let settings = r#"{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}}"#;
    host.bed.write("home/.claude/settings.json", settings);
    host.own();
    assert!(host.ids().is_empty(), "it is overridden for the one call");
    host.bed.write(CONF, host.bed.read(CONF) + "export CLAUDE_BASE_URL_OVERRIDE=no\n");
    host.finds_and_mends("base-url-kept");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

/// As those of containers: sudo knows no such user.
#[test]
fn a_cli_for_a_user_without_an_account() {
    let host = Host::new();
    host.shell(&format!("chown -R 7003:7003 {}", host.at("home").display()));
    fs::remove_file(host.at("home/.local/bin/claude")).unwrap();
    let target = host.at("home/.npm-global/bin/claude");
    // The user has to get to the stand-in and to the home.
    host.shell(&format!("chmod 755 {0} {0}/bin", host.at(".").display()));
    host.program("bin/npm", &format!(
        "[ \"$(id -u):$(id -g):$(id -G):$HOME\" = 7003:7003:7003:{} ] && install -D -m 755 /bin/true {}",
        host.at("home").display(), target.display()
    ));
    let found = host.finds_also("cli-missing");
    assert!(found.command.contains(" setpriv --reuid=7003 "), "{}", found.command);
    host.mends(&found);
}

#[test]
fn a_script_of_the_original_that_runs() {
    let host = Host::new();
    host.program("sync-oauth-token.sh", "while :; do sleep 60 & wait $!; done");
    let mut script = std::process::Command::new(host.at("sync-oauth-token.sh")).spawn().unwrap();
    let folder = format!("host/proc/{}", script.id());
    host.bed.write(&format!("{folder}/cmdline"), "/bin/sh\0/x/sync-oauth-token.sh\0");
    let found = host.finds("rival-process");
    // By the time that it is run the number may be another process's.
    let guard = format!("grep -qsF sync-oauth-token.sh /proc/{}/cmdline && kill ", script.id());
    assert!(found.command.starts_with(&guard), "{}", found.command);
    host.shell(&found.command);
    assert!(!script.wait().unwrap().success(), "it was ended");
}
