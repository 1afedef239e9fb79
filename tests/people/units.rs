//! What `check`, `status` and `doctor` know of the units, told by a `systemctl` of the test's own, and of
//! the watcher where there is no systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::bed;
use crate::bed::{Bed, Ran, eventually};

const UNITS: [&str; 8] = [
    "oauth-sync.service",
    "oauth-sync-refresh.timer",
    "oauth-sync-refresh.path",
    "oauth-sync-gateway.path",
    "oauth-sync-notify.path",
    "oauth-sync-renew.service",
    "oauth-sync-deliver.service",
    "oauth-sync-tell.service",
];

/// What systemd shows of a unit of a healthy host that looks after the bed.
fn shown(bed: &Bed, name: &str) -> String {
    let (active, sub) = match name {
        "oauth-sync.service" => ("active", "running"),
        _ if name.ends_with(".service") => ("inactive", "dead"),
        _ => ("active", "waiting"),
    };
    let is_enabled = ["oauth-sync.service", "oauth-sync-refresh.timer"].contains(&name);
    let run_dir = bed.at("run");
    format!(
        "Id={name}\nLoadState=loaded\nActiveState={active}\nSubState={sub}\nUnitFileState={}\nResult=success\nExecMainStatus=0\nMainPID=0\nNextElapseUSecRealtime=Mon 2026-11-30 17:00:00 UTC\nExecStart={{ path={} ; argv[]=/usr/bin/oauth-sync watch --delegate --run-dir {} ; }}\n",
        if is_enabled { "enabled" } else { "static" },
        bed::binary(),
        run_dir.display()
    )
}

/// A bed that is in step, and whose units systemd shows with one text replaced by another.
fn host(unit: &str, from: &str, to: &str) -> Bed {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    show(&bed, unit, from, to);
    bed
}

pub(crate) fn show(bed: &Bed, unit: &str, from: &str, to: &str) {
    let blocks = UNITS.map(|name| {
        let text = shown(bed, name);
        if name == unit { text.replace(from, to) } else { text }
    });
    bed.write("units", blocks.join("\n"));
    bed.write("bin/systemctl", format!("#!/bin/sh\nexec cat '{}'\n", bed.at("units").display()));
    fs::set_permissions(bed.at("bin/systemctl"), PermissionsExt::from_mode(0o755)).unwrap();
}

pub(crate) fn run<'a>(bed: &'a Bed, words: &[&str]) -> Ran<'a> {
    let [bin, sbin] = ["bin", "sbin"].map(|folder| bed.at(folder).display().to_string());
    let path = format!("{bin}:{}:{sbin}", std::env::var("PATH").unwrap());
    bed.ran(bed.command(&[], words).env("PATH", path).output().unwrap())
}

#[test]
fn a_host_whose_units_run_is_fine() {
    let bed = host("", "-", "-");
    let check = run(&bed, &["check"]).exit(0).out;
    assert!(check.starts_with("OAUTH-SYNC OK - default: "), "{check}");
}

/// A unit, what systemd shows otherwise of it, the exit status of `check`, and how its line begins.
type Case = (&'static str, &'static str, &'static str, i32, &'static str);

const CASES: [Case; 7] = [
    (
        "oauth-sync.service",
        "=active",
        "=inactive",
        2,
        "oauth-sync.service is stopped, so a renewed token is not carried on: systemctl start oauth-sync.service",
    ),
    (
        "oauth-sync.service",
        "=enabled",
        "=disabled",
        1,
        "oauth-sync.service is disabled: after the next boot it does not run: systemctl enable --now oauth-sync.service",
    ),
    ("oauth-sync.service", "=loaded", "=masked", 2, "oauth-sync.service is masked, "),
    ("oauth-sync.service", "=active", "=failed", 2, "oauth-sync.service has failed (success), "),
    (
        "oauth-sync-refresh.timer",
        "Mon 2026-11-30 17:00:00 UTC",
        "",
        2,
        "oauth-sync-refresh.timer has no next run, so nothing renews the login in time: ",
    ),
    (
        "oauth-sync-notify.path",
        "=active\nSubState=waiting",
        "=failed\nSubState=failed",
        2,
        "oauth-sync-notify.path has failed (success), so hooks and webhooks are not notified: ",
    ),
    (
        "oauth-sync-renew.service",
        "=inactive",
        "=failed",
        1,
        "the last run of oauth-sync-renew.service failed (success): systemctl status oauth-sync-renew.service",
    ),
];

#[test]
fn each_unit_that_does_not_run_is_named_with_its_command() {
    for (unit, from, to, code, said) in CASES {
        let bed = host(unit, from, to);
        let check = run(&bed, &["check"]).exit(code).out;
        let word = if code == 2 { "CRITICAL" } else { "WARNING" };
        assert!(check.starts_with(&format!("OAUTH-SYNC {word} - {said}")), "{unit}: {check}");
        let status = run(&bed, &["status"]).exit(0).out;
        assert!(status.contains("\nservice\n") && status.contains(unit), "{unit}: {status}");
        let doctor = run(&bed, &["doctor", "--json"]).json();
        let findings = doctor["findings"].as_array().unwrap();
        let found = findings.iter().find(|one| one["meaning"].as_str().unwrap().contains(unit));
        let severity = if code == 2 { "error" } else { "warning" };
        assert_eq!(found.unwrap()["severity"], severity, "{unit}: {findings:#?}");
        let metrics = run(&bed, &["metrics"]).out;
        assert!(metrics.contains(&format!("oauth_sync_service_status {code}\n")), "{unit}");
    }
}

#[test]
fn a_watcher_from_before_an_upgrade_is_named() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let mut sleep = Command::new("sleep").arg("600").spawn().unwrap();
    show(&bed, "oauth-sync.service", "MainPID=0", &format!("MainPID={}", sleep.id()));
    let check = run(&bed, &["check"]).out;
    sleep.kill().and_then(|()| sleep.wait()).unwrap();
    assert!(check.contains("the watcher still runs the program from before an upgrade: systemctl restart oauth-sync.service"), "{check}");
}

/// Units that look after other directories say nothing of these.
#[test]
fn units_of_other_directories_do_not_count() {
    let bed = host("oauth-sync.service", "/run ;", "/elsewhere ;");
    show(&bed, "oauth-sync.service", &bed.at("run").display().to_string(), "/run/elsewhere");
    let text = bed.read("units").replace("=active", "=inactive");
    bed.write("units", text);
    run(&bed, &["check"]).exit(0);
}

fn watcher(bed: &Bed) -> Child {
    let mut command = bed.command(&[], &["watch"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lock = bed.at("run/watch.lock");
    let holds = || fs::read_to_string(&lock).is_ok_and(|text| text == child.id().to_string());
    assert!(eventually(holds), "the watcher holds its lock");
    child
}

#[test]
fn without_systemd_the_watchers_lock_stands_for_the_units() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.run(["check"]).exit(0);
    let mut child = watcher(&bed);
    bed.run(["check"]).exit(0);
    child.kill().and_then(|()| child.wait()).unwrap();
    let check = bed.run(["check"]).exit(2);
    let said = bed.plain(&check.out);
    let stopped = "OAUTH-SYNC CRITICAL - the watcher has stopped, so a renewed token is not carried on and nothing is renewed: oauth-sync watch; default: ";
    assert!(said.starts_with(stopped), "{said}");
    let mut child = watcher(&bed);
    bed.run(["check"]).exit(0);
    child.kill().and_then(|()| child.wait()).unwrap();
}

#[test]
fn where_nothing_ever_watched_a_sync_within_the_hour_counts() {
    let bed = bed();
    bed.run(["status"]).exit(0);
    assert!(bed.run(["check"]).exit(2).out.contains("no watcher runs, so "));
    bed.run(["sync"]).exit(0);
    bed.run(["check"]).exit(0);
    let mut run: serde_json::Value = serde_json::from_str(&bed.read("lib/runs/sync.json")).unwrap();
    run["ended"] = (run["ended"].as_i64().unwrap() - 2 * bed::HOUR).into();
    bed.write("lib/runs/sync.json", run.to_string());
    let check = bed.run(["check"]).exit(2).out;
    assert!(check.contains("no watcher runs, and the last sync was 2h"), "{check}");
}

/// What `status --json` says of the last run of a part.
fn last_run(bed: &Bed, part: &str) -> serde_json::Value {
    bed.run(["status", "--json"]).json()["runs"][part].clone()
}

#[test]
fn the_last_run_of_each_part_is_known_without_systemd() {
    let bed = bed();
    bed.conf("REFRESH", "off");
    bed.login_for("A", 1).run(["sync"]).exit(0);
    for part in ["refresh", "gateway", "notify"] {
        assert!(last_run(&bed, part).is_null());
        bed.run([part]).exit(0);
        let run = last_run(&bed, part);
        assert!(run["exit"] == 0 && run["ended"].is_string(), "{run}");
        bed.run(["check"]).exit(0);
    }
    // What is refused to whoever forces it is no failure of the service.
    bed.run(["refresh", "--force"]).exit(1);
    bed.run(["check"]).exit(0);
    bed.conf("REFRESH", "cli").conf("CLAUDE_CLI_PATH", "/nowhere/claude");
    bed.run(["refresh"]).exit(1);
    bed.conf("REFRESH", "off");
    let check = bed.run(["check"]).exit(1).out;
    let said = "OAUTH-SYNC WARNING - the last run of oauth-sync refresh failed at ";
    assert!(
        check.starts_with(said) && check.contains(": oauth-sync refresh; default: "),
        "{check}"
    );
    let doctor = bed.run(["doctor"]).exit(1).out;
    assert!(doctor.contains("warning run-failed"), "{doctor}");
    assert!(bed.run(["status"]).out.contains("the last run of oauth-sync refresh failed at "));
    bed.run(["refresh", "--dry-run"]).exit(0);
    bed.run(["check"]).exit(1);
    bed.run(["refresh"]).exit(0);
    bed.run(["check"]).exit(0);
}

#[test]
fn a_run_that_was_killed_is_said_to_be_cut_short_and_one_that_goes_on_is_not() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.run(["notify"]).exit(0);
    let pipes = [bed.at("begun"), bed.at("go")];
    assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
    let [begun, go] = pipes.map(|path| path.display().to_string());
    let hook = format!("#!/bin/sh\necho >'{begun}'\nread -r _ <'{go}'\n");
    bed.write("etc/hooks.d/10-waits", hook);
    fs::set_permissions(bed.at("etc/hooks.d/10-waits"), PermissionsExt::from_mode(0o755)).unwrap();
    let event = r#"{"name":"renewed","link":"default","message":"m","severity":"info","expires_at":null,"for_people":false}"#;
    bed.write("run/notify.d/1-0-0-0.json", event);
    let mut child = bed.command(&[], &["notify"]).stderr(Stdio::null()).spawn().unwrap();
    fs::read_to_string(bed.at("begun")).unwrap();
    bed.run(["check"]).exit(0);
    child.kill().and_then(|()| child.wait()).unwrap();
    fs::write(bed.at("go"), "\n").unwrap();
    let check = bed.run(["check"]).exit(1).out;
    assert!(check.contains("the last run of oauth-sync notify, which began at "), "{check}");
    assert!(check.contains(", was cut short: oauth-sync notify; "), "{check}");
}

/// The cause of a renewal's failure has gone: the watcher has it run again, which is what counts.
#[test]
fn a_failed_refresh_runs_again_after_a_sign_in() {
    let bed = bed();
    bed.conf("REFRESH", "cli").conf("CLAUDE_CLI_PATH", "/nowhere/claude");
    bed.login("A").run(["sync"]).exit(0);
    // The first run sees the login for the first time, the second one is to have failed.
    bed.run(["refresh", "--unattended"]).exit(0);
    bed.run(["refresh", "--unattended"]).exit(0);
    let failed = bed.read("lib/runs/refresh.json").replace("\"exit\":0", "\"exit\":1");
    bed.write("lib/runs/refresh.json", &failed);
    let watch = bed.watch();
    assert!(bed.run(["check"]).exit(1).out.contains("the last run of oauth-sync refresh failed"));
    fs::remove_file(bed.at("home/.claude/.credentials.json")).unwrap();
    watch.says("there is no Claude login at");
    bed.login("B");
    watch.until("refresh has run again", || {
        bed.run(["status", "--json"]).json()["runs"]["refresh"]["exit"] == 0
    });
    assert!(!bed.run(["check"]).out.contains("last run"));
}

/// The unit that failed is not the run by hand: it has to show that it works too.
#[test]
fn a_refresh_by_hand_that_is_good_after_a_failed_one_has_the_unit_run_again() {
    let bed = bed();
    bed.conf("REFRESH", "cli").conf("CLAUDE_CLI_PATH", "/nowhere/claude");
    bed.login_for("A", 1).run(["sync"]).exit(0);
    bed.run(["refresh"]).exit(1);
    let requests = || fs::read_dir(bed.at("run/refresh.d")).map_or(0, Iterator::count);
    assert_eq!(requests(), 0);
    bed.conf("REFRESH", "off");
    bed.run(["refresh"]).exit(0);
    assert_eq!(requests(), 1);
    bed.run(["refresh", "--unattended"]).exit(0);
    bed.run(["refresh"]).exit(0);
    assert_eq!(requests(), 0);
}
