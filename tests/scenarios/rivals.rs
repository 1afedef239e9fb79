//! What `detect` says of others that do the same job, and how the original's units are switched off.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::detect::Host;

/// A stand-in for systemctl that keeps its words, and fails where they have one in them.
fn systemctl(host: Host, fails: &str) -> Host {
    let log = host.0.at("systemctl.log").display().to_string();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{log}\ncase \"$*\" in *{fails}*) echo no >&2; exit 1; esac\n"
    );
    host.0.write("bin/systemctl", script);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(host.0.at("bin/systemctl"), mode).unwrap();
    host
}

#[test]
fn rivals_are_told_of() {
    let user = "home/ann/.config/systemd/user";
    let host = Host::new()
        .file(
            "etc/systemd/system/sync-oauth-token.service",
            "[Service]\nExecStart=/usr/local/bin/sync-oauth-token.sh\n",
        )
        .file(&format!("{user}/trigger-claude-refresh.timer"), "[Timer]\n")
        .file(&format!("{user}/mine.service"), "[Service]\nExecStart=/bin/sh -c 'claude -p hi'\n")
        .file(&format!("{user}/quiet.service"), "[Service]\n# claude -p\nExecStart=/bin/true\n")
        .file("usr/local/bin/trigger-claude-refresh.sh", "")
        .file("etc/cron.d/x", "# claude -p\n")
        .file("etc/cron.d/y", "0 * * * * ann claude -p ok\n")
        .file("var/spool/cron/crontabs/bob", "0 * * * * cp ~/.claude/.credentials.json /tmp\n");
    let mut rivals = host.json()["rivals"].as_array().unwrap().clone();
    rivals.sort_by_key(ToString::to_string);
    assert_eq!(
        rivals,
        [
            "cron job: /etc/cron.d/y",
            "cron job: /var/spool/cron/crontabs/bob",
            "script of the original: /usr/local/bin/trigger-claude-refresh.sh",
            "unit of the original: /etc/systemd/system/sync-oauth-token.service",
            "unit of the original: /home/ann/.config/systemd/user/trigger-claude-refresh.timer",
            "unit that runs Claude or copies its login: /home/ann/.config/systemd/user/mine.service",
        ]
    );
}

/// What only root can set up or see.
mod as_root {
    use super::{Host, fs, systemctl};
    use crate::bed::CONF;

    #[test]
    fn the_originals_units_are_switched_off_where_something_pulls_them_in() {
        let units = "etc/systemd/system";
        let host = systemctl(Host::new(), "trigger")
            .login("home/ann/.claude", 8)
            .claw("home/ann/.openclaw")
            .file(&format!("{units}/sync-oauth-token.service"), "[Service]\n")
            .file(&format!("{units}/multi-user.target.wants/sync-oauth-token.service"), "")
            .file(&format!("{units}/trigger-claude-refresh.timer"), "[Timer]\n")
            .file(&format!("{units}/timers.target.wants/trigger-claude-refresh.timer"), "")
            .file(&format!("{units}/fallback-claude-refresh.timer"), "[Timer]\n");
        host.detect(&["--write"]).exit(0);
        assert!(!host.0.exists("systemctl.log"), "nobody asked for it");
        fs::remove_file(host.0.at(CONF)).unwrap();
        // One that cannot be stops neither the others nor the configuration.
        host.detect(&["--write", "--switch-off-original"])
            .exit(1)
            .says("switched off the original's sync-oauth-token.service")
            .says("trigger-claude-refresh.timer is not switched off: cannot run 'systemctl': no");
        assert!(host.0.exists(CONF));
        let root = format!("--root={}", host.0.at("host").display());
        let expected = format!(
            "{root} disable sync-oauth-token.service\n{root} disable trigger-claude-refresh.timer\n"
        );
        assert_eq!(host.0.read("systemctl.log"), expected);
    }
}
