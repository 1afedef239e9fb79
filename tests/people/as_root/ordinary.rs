//! What an ordinary user may do: nothing with the system's own, everything with their own.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::bed::{Bed, ENV, Ran, SOURCE, binary, eventually, is_root};
use crate::units;

/// No account of the machine that the tests run on.
const UID: u32 = 4323;

const DENIED: &str = "permission denied; run it with sudo";

/// A link of root's in step, in directories that everybody can reach.
fn host() -> Bed {
    assert!(is_root(), "this test changes users: it has to be run by root");
    let bed = crate::bed();
    open(&bed.at("."), 0o755);
    std::fs::copy(binary(), bed.at("oauth-sync")).unwrap();
    bed.run(["sync"]).exit(0);
    // From now on it is known when somebody signed in.
    bed.run(["refresh"]).exit(0);
    bed
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Runs it as an ordinary user, with the directories of the bed.
fn ordinary<'a>(bed: &'a Bed, args: &[&str]) -> Ran<'a> {
    run(bed, bed.args(args).into_iter().skip(1).collect())
}

fn run(bed: &Bed, args: Vec<String>) -> Ran<'_> {
    let mut command = Command::new(bed.at("oauth-sync"));
    command
        .args(args)
        .env_clear()
        .env("HOME", bed.at("own"))
        .env("PATH", bed.at("sbin"))
        .uid(UID)
        .gid(UID);
    bed.ran(command.current_dir("/").output().unwrap())
}

#[test]
fn the_systems_configuration_is_denied_by_its_name_alone() {
    let bed = host();
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["sync"],
        &["sync", "--dry-run"],
        &["refresh"],
        &["refresh", "--force"],
        &["gateway"],
        &["detect", "--write"],
        &["set", "SINKS", "env"],
        &["setup", "--yes"],
        &["login"],
        &["model"],
        &["token"],
        &["doctor"],
        &["doctor", "--fix"],
        &["metrics"],
        &["watch"],
    ] {
        let ran = ordinary(&bed, args).exit(1);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
        let said = bed.plain(&ran.err);
        let is_short = said.lines().count() == 1 && said.ends_with(&format!("{DENIED}\n"));
        assert!(is_short && !said.contains("chown"), "{args:?}: {said}");
    }
    for args in [&["--help"][..], &["--version"], &["status", "--help"]] {
        ordinary(&bed, args).exit(0).err(&[]);
    }
}

#[test]
fn everything_with_ones_own_configuration_works() {
    let bed = host();
    for folder in ["own", "own/cfg", "own/.openclaw"] {
        std::fs::create_dir(bed.at(folder)).unwrap();
    }
    let login = bed.at("own/credentials.json");
    std::fs::copy(bed.at(SOURCE), &login).unwrap();
    bed.write(
        "own/cfg/mine.conf",
        format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"none\"\nREFRESH=\"off\"\n",
            login.display(),
            bed.at("own/.openclaw").display()
        ),
    );
    let own = ["own", "own/cfg", "own/cfg/mine.conf", "own/.openclaw", "own/credentials.json"];
    for path in own {
        std::os::unix::fs::chown(bed.at(path), Some(UID), Some(UID)).unwrap();
    }
    let config = format!("--config-dir={}", bed.at("own/cfg").display());
    let with = |args: &[&str]| {
        run(&bed, [config.as_str()].iter().chain(args).map(ToString::to_string).collect())
    };
    with(&["sync"]).exit(0);
    assert!(bed.read("own/.openclaw/.env").contains("ANTHROPIC_OAUTH_TOKEN="));
    with(&["status"]).exit(0).err(&[]);
    with(&["refresh"]).exit(0);
    with(&["set", "GATEWAY", "auto"]).exit(0);
    with(&["set", "GATEWAY", "none"]).exit(0);
    assert!(with(&["check"]).exit(0).out.starts_with("OAUTH-SYNC OK - mine: "));
    let state = bed.at("own/.local/state/oauth-sync").metadata().unwrap();
    assert_eq!((state.uid(), state.mode() & 0o777), (UID, 0o700));
}

/// The answer to a monitor, but for the seconds.
fn answer(ran: &Ran<'_>) -> (Option<i32>, String) {
    let text = ran.out.split(" | ").next().unwrap().to_owned();
    (ran.status.code(), text)
}

#[track_caller]
fn both_answer(bed: &Bed, code: i32, part: &str) {
    // Unless a minute ends between the two.
    let root = bed.run(["check"]);
    let is_same = || answer(&bed.run(["check"])) == answer(&ordinary(bed, &["check"]));
    assert!(eventually(is_same), "{}{}", root.out, ordinary(bed, &["check"]).out);
    assert_eq!(root.status.code(), Some(code), "{}", root.out);
    assert!(root.out.contains(part), "{}", root.out);
    let json = |ran: Ran<'_>| {
        let mut json = ran.json();
        json["time"] = "NOW".into();
        json["links"][0]["expires_in"] = 0.into();
        json
    };
    let args = ["check", "--json"];
    assert!(eventually(|| json(bed.run(args)) == json(ordinary(bed, &args))));
}

#[test]
fn an_ordinary_monitor_gets_the_same_answer() {
    let bed = host();
    both_answer(&bed, 0, "OK - default: access token ends in ");
    bed.login_for("B", -1).run(["sync"]);
    both_answer(&bed, 2, "CRITICAL - default: the access token expired at 20");
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    bed.run(["sync"]);
    both_answer(&bed, 2, "CRITICAL - default: the login was refused and emptied: sign in again");
    for (args, part) in [
        (&["check", "--link", "none"][..], "UNKNOWN - there is no link 'none'"),
        (&["check", "--bogus"], "UNKNOWN - wrong call"),
    ] {
        assert!(ordinary(&bed, args).exit(3).out.contains(part), "{args:?}");
    }
}

#[test]
fn what_is_published_is_replaced_at_each_change_and_tells_nothing() {
    let bed = host();
    let run = |path: &str| bed.at("run").join(path).symlink_metadata().unwrap();
    assert_eq!(run(".").mode() & 0o7777, 0o711);
    let before = run("health.json");
    assert_eq!((before.mode() & 0o7777, before.uid()), (0o644, 0));
    let watcher = bed.watch();
    // A sink that cannot be written, with a reason that holds a path.
    std::fs::remove_file(bed.at(ENV)).unwrap();
    std::fs::create_dir(bed.at(ENV)).unwrap();
    bed.login("B");
    let says = |part: &str| ordinary(&bed, &["check"]).out.contains(part);
    assert!(eventually(|| says(
        "CRITICAL - default: env is out of date: see sudo oauth-sync check"
    )));
    assert_ne!(run("health.json").ino(), before.ino());
    bed.write("etc/other.conf", "CLAUDE_CREDENTALS=\"/x\"\n");
    assert!(eventually(|| says("CRITICAL - the configuration has errors; default: env")));
    let text = bed.read("run/health.json");
    for secret in [bed.at(".").to_str().unwrap(), "home", "access-", "refresh-", "CREDENT"] {
        assert!(!text.contains(secret), "'{secret}' is in {text}");
    }
    drop(watcher);
    for entry in std::fs::read_dir(bed.at("run")).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().mode() & 0o777;
        let is_published = entry.file_name() == "health.json";
        assert!(is_published || matches!(mode, 0o600 | 0o700), "{:?}: {mode:o}", entry.path());
    }
}

/// What is published of the service itself.
fn published(bed: &Bed) -> Vec<(String, String)> {
    let all: serde_json::Value = serde_json::from_str(&bed.read("run/health.json")).unwrap();
    let service = all["service"].as_array().unwrap().iter();
    let word = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    service.map(|entry| (word(entry, "id"), word(entry, "level"))).collect()
}

#[test]
fn the_state_of_the_units_is_published_by_each_run_of_the_timer() {
    let bed = host();
    let (unit, part) = ("oauth-sync-gateway.path", "oauth-sync-gateway.path has failed");
    units::show(&bed, unit, "=active", "=failed");
    units::run(&bed, &["refresh", "--unattended"]).exit(0);
    let root = units::run(&bed, &["check"]).exit(2);
    assert!(root.out.contains(part), "{}", root.out);
    let monitor = ordinary(&bed, &["check"]).exit(2);
    assert_eq!(answer(&monitor), answer(&root));
    assert_eq!(published(&bed), [("unit-failed".to_owned(), "wrong".to_owned())]);
    units::show(&bed, "", "-", "-");
    units::run(&bed, &["refresh", "--unattended"]).exit(0);
    ordinary(&bed, &["check"]).exit(0);
    assert_eq!(published(&bed), []);
}

#[test]
fn a_watcher_that_ends_or_begins_says_so_to_everybody() {
    let bed = host();
    let ends = |watch: crate::bed::watch::Watch<'_>| {
        watch.heard("READY=1");
        assert_eq!(watch.end().0, Some(0));
    };
    ends(bed.watch());
    for ran in [bed.run(["check"]), ordinary(&bed, &["check"])] {
        assert!(ran.out.starts_with("OAUTH-SYNC CRITICAL - "), "{}", ran.out);
        assert!(ran.out.contains("so a renewed token is not carried on"), "{}", ran.out);
    }
    assert_eq!(published(&bed), [("watcher-stopped".to_owned(), "wrong".to_owned())]);
    ends(bed.watch_as(&[], &["--delegate"]));
    let ran = ordinary(&bed, &["check"]).exit(2);
    assert!(ran.out.contains("oauth-sync.service is stopped, so"), "{}", ran.out);
    let watch = bed.watch();
    watch.heard("READY=1");
    ordinary(&bed, &["check"]).exit(0);
    watch.end();
}

#[test]
fn a_hook_that_fails_is_published_without_its_path_and_words() {
    let bed = host();
    bed.write("etc/hooks.d/10-secret", "#!/bin/sh\necho 'no route to pager' >&2\nexit 1\n");
    open(&bed.at("etc/hooks.d/10-secret"), 0o755);
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    let watch = bed.watch_as(&[], &["--delegate"]);
    watch.says("emptied the login");
    bed.login("C");
    watch.says("valid login found");
    watch.end();
    bed.run(["notify"]).exit(75);
    bed.run(["sync"]).exit(0);
    let root = bed.run(["check"]);
    assert!(root.out.contains("10-secret' failed for 'recovered'"), "{}", root.out);
    let monitor = ordinary(&bed, &["check"]);
    assert!(monitor.out.contains("a hook failed: sudo oauth-sync check"), "{}", monitor.out);
    let text = bed.read("run/health.json");
    assert!(!text.contains("10-secret") && !text.contains("pager"), "{text}");
    std::fs::remove_file(bed.at("etc/hooks.d/10-secret")).unwrap();
    bed.run(["notify", "--now"]).exit(0);
    assert!(!ordinary(&bed, &["check"]).out.contains("a hook failed"));
}

#[test]
fn what_is_older_than_65_minutes_is_of_a_dead_service() {
    let bed = host();
    let age = |minutes: u64| {
        let file = std::fs::File::options().append(true).open(bed.at("run/health.json")).unwrap();
        let moment = std::time::SystemTime::now() - std::time::Duration::from_secs(minutes * 60);
        file.set_modified(moment).unwrap();
    };
    age(64);
    ordinary(&bed, &["check"]).exit(0);
    age(66);
    let ran = ordinary(&bed, &["check"]).exit(2);
    assert!(ran.out.contains("the service has not looked at it for 1h 6m: it is dead"), "{ran:?}");
    std::fs::remove_file(bed.at("run/health.json")).unwrap();
    let ran = ordinary(&bed, &["check"]).exit(2);
    assert!(ran.out.contains("the service has published nothing"), "{ran:?}");
    bed.run(["refresh", "--unattended"]).exit(0);
    ordinary(&bed, &["check"]).exit(0);
}

/// Whoever pastes a command works on the same directories, and needs no program that is not there.
#[test]
fn printed_commands_repeat_the_directories_and_need_no_sudo_that_is_not_there() {
    let bed = crate::bed();
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    let options = bed.args(&[])[1..].join(" ");
    let text = |path: Option<&str>, words: &[&str]| {
        let mut command = bed.command(&[], words);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let ran = command.output().unwrap();
        String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap()
    };
    let sync = text(None, &["sync"]);
    assert!(
        sync.contains(&format!("hint: sudo oauth-sync {options} login --link default\n")),
        "{sync}"
    );
    let sync = text(Some("/nowhere"), &["sync"]);
    assert!(sync.contains(&format!("hint: oauth-sync {options} login --link default\n")), "{sync}");
    for words in [&["doctor"][..], &["status"], &["check"], &["detect"]] {
        let text = text(None, words);
        let mut commands = text.split("oauth-sync ").skip(1);
        let verbs = ["login", "sync", "doctor", "set", "detect", "setup", "refresh", "gateway"];
        let short = commands.find(|rest| verbs.iter().any(|verb| rest.starts_with(verb)));
        assert_eq!(short, None, "{text}");
    }
    // What everybody may read tells no directory.
    let health = std::fs::read_to_string(bed.at("run/health.json")).unwrap();
    assert!(!health.contains("--config-dir"), "{health}");
}
