//! `watch`: whatever happens to the login, its folder, the clock or the service, the sinks follow.

use std::fs;

use crate::bed::{Bed, ENV, HOUR, MAIN, OAUTH, SOURCE, STATE};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json auth-profiles env").login("A");
    bed.agent("main", "old");
    bed
}

/// Everything holds the login `name`.
#[track_caller]
fn all_hold(watch: &crate::bed::watch::Watch<'_>, name: &str) {
    watch.holds(OAUTH, name).holds(MAIN, name).holds(ENV, name);
}

#[test]
fn it_follows_a_rename_and_a_rewrite_in_place() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    bed.replace(SOURCE, bed.login_text("B", 9));
    all_hold(&watch, "B");
    bed.write(SOURCE, bed.login_text("C", 10));
    all_hold(&watch, "C");
    let (code, said) = watch.end();
    assert_eq!(code, Some(0));
    assert_eq!(said.matches("holds the new token").count(), 9, "{said}");
    assert_eq!(said.lines().count(), 9, "{said}");
    assert!(bed.litter(STATE).is_empty());
}

#[test]
fn a_blanked_login_is_said_once_and_never_passed_on() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    let blank = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
    bed.replace(SOURCE, blank);
    watch.says("default: Claude CLI emptied the login in 'BED/home/.claude/.credentials.json'");
    let before = (bed.print(ENV), bed.print(MAIN), bed.print(OAUTH));
    bed.write(SOURCE, blank).replace(SOURCE, blank);
    bed.login_for("B", 9);
    all_hold(&watch, "B");
    bed.replace(SOURCE, blank);
    let twice = || watch.said().matches("emptied the login").count() == 2;
    watch.until("it is said again after a recovery", twice);
    assert_ne!((bed.print(ENV), bed.print(MAIN), bed.print(OAUTH)), before);
    let (_, said) = watch.end();
    assert_eq!(said.matches("emptied the login").count(), 2, "{said}");
}

#[test]
fn a_writer_in_the_middle_of_its_work_is_no_news() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    let text = bed.login_text("B", 9);
    bed.write(SOURCE, "").write(SOURCE, &text[..40]).write(SOURCE, text);
    all_hold(&watch, "B");
    let (_, said) = watch.end();
    assert!(!said.contains("cut off"), "{said}");
}

#[test]
fn a_writer_that_died_is_said_after_a_while() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    bed.write(SOURCE, "{\"claudeAi");
    watch.says("is empty or cut off: nothing is passed on until it is complete");
    assert!(bed.read(ENV).contains("access-A"));
    watch.end();
}

#[test]
fn it_follows_a_link_on_the_way_that_is_turned() {
    let bed = bed();
    bed.write("home/one/.credentials.json", bed.login_text("one", 9));
    bed.write("home/two/.credentials.json", bed.login_text("two", 10));
    fs::remove_dir_all(bed.at("home/.claude")).unwrap();
    std::os::unix::fs::symlink("one", bed.at("home/.claude")).unwrap();
    let watch = bed.watch();
    all_hold(&watch, "one");
    std::os::unix::fs::symlink("two", bed.at("home/turned")).unwrap();
    fs::rename(bed.at("home/turned"), bed.at("home/.claude")).unwrap();
    all_hold(&watch, "two");
    bed.replace("home/two/.credentials.json", bed.login_text("three", 11));
    all_hold(&watch, "three");
    watch.end();
}

#[test]
fn it_starts_before_anything_is_there() {
    let bed = bed();
    fs::remove_dir_all(bed.at("home")).unwrap();
    let watch = bed.watch();
    watch.says("there is no Claude login at");
    bed.agent("main", "old");
    bed.login("B");
    all_hold(&watch, "B");
    watch.end();
}

#[test]
fn a_flood_of_events_loses_nothing() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    // Stopped, so that the queue of the kernel runs over and the login's own event is lost.
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    watch.signal("STOP");
    for at in 0..=most / 3 {
        let name = bed.at("home/.claude").join(format!("x{}", at % 2));
        fs::write(&name, "").unwrap();
        fs::remove_file(&name).unwrap();
    }
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.signal("CONT");
    all_hold(&watch, "B");
    bed.replace(SOURCE, bed.login_text("C", 10));
    all_hold(&watch, "C");
    watch.end();
}

#[test]
fn one_that_waits_is_passed_on_when_ours_ends() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env");
    let text = |name: &str, expiry: i64| {
        format!(
            r#"{{"claudeAiOauth":{{"accessToken":"access-{name}","refreshToken":"refresh-{name}","expiresAt":{expiry}}}}}"#
        )
    };
    // Nothing but the clock tells that `short` has ended and that `shorter` never counts.
    let end = crate::bed::epoch_ms() + 2500;
    bed.write(SOURCE, text("short", end));
    let watch = bed.watch();
    watch.holds(ENV, "short");
    watch.says("the access token in 'BED/home/.claude/.credentials.json' expired at WHEN");
    bed.write(SOURCE, text("long", bed.now + 8 * HOUR));
    watch.holds(ENV, "long");
    watch.end();
}

#[test]
fn systemd_is_told_what_it_does() {
    let bed = bed();
    let watch = bed.watch();
    let notices = watch.notices();
    assert_eq!(notices, ["STATUS=watching 1 link", "READY=1"]);
    for sink in [ENV, MAIN, OAUTH] {
        // Ready means in step.
        assert!(bed.read(sink).contains("access-A"));
    }
    watch.signal("HUP").signal("INT").heard("STOPPING=1");
    assert_eq!(watch.notices(), ["STOPPING=1"]);
    let mut watch = watch;
    assert!(watch.child.wait().unwrap().success());
}

#[test]
fn it_ends_cleanly_while_it_is_busy() {
    let bed = bed();
    for round in 0..10 {
        let watch = bed.watch();
        bed.login_for(&format!("r{round}"), 9 + round);
        assert_eq!(watch.end().0, Some(0));
        assert!(bed.litter(STATE).is_empty());
        bed.run(["sync"]).exit(0);
        assert!(bed.read(ENV).contains(&format!("access-r{round}")));
    }
}

#[test]
fn other_files_beside_the_login_wake_nothing_up() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    let print = bed.print("lib/links/default.json");
    for at in 0..50 {
        bed.write(&format!("home/.claude/history-{at}"), "x");
        bed.write(&format!("home/.openclaw/log-{at}"), "x");
    }
    bed.login_for("B", 9);
    all_hold(&watch, "B");
    assert_ne!(bed.print("lib/links/default.json"), print);
    let (_, said) = watch.end();
    assert_eq!(said.lines().count(), 6, "{said}");
}

#[test]
fn a_lock_of_openclaws_delays_only_its_own_store() {
    let bed = bed();
    let watch = bed.watch();
    all_hold(&watch, "A");
    let lock = format!("{MAIN}.lock");
    bed.write(&lock, "{\"pid\":1}");
    bed.login_for("B", 9);
    watch.holds(OAUTH, "B").holds(ENV, "B");
    assert!(bed.read(MAIN).contains("access-A"));
    fs::remove_file(bed.at(&lock)).unwrap();
    watch.holds(MAIN, "B");
    watch.end();
}

#[test]
fn one_link_alone_can_be_watched() {
    let bed = bed();
    let env = bed.at("home/other/.env");
    bed.write("home/other/.env", "ANTHROPIC_OAUTH_TOKEN=x\n");
    let text = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"env\"\nENV_FILE=\"{}\"\n",
        bed.at(SOURCE).display(),
        env.display()
    );
    bed.write("etc/other.conf", text);
    let watch = bed.watch_as(&[], &["--link", "other"]);
    watch.heard("READY=1").holds("home/other/.env", "A");
    assert!(!bed.exists(ENV) && !bed.exists(OAUTH));
    watch.end();
}

#[test]
fn a_state_folder_of_ours_that_is_full_stops_no_sync() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    // The memory cannot be saved: said, and the token is carried all the same.
    fs::remove_file(bed.at("lib/links/default.json")).unwrap();
    fs::create_dir(bed.at("lib/links/.default.json.oauth-sync")).unwrap();
    bed.login_for("B", 9);
    bed.run(["sync"]).exit(0).says("an older login could be taken for a new one");
    assert!(bed.read(ENV).contains("access-B"));
}

/// A host that has nothing left to watch with: which call fails with what, and the limit that says so.
const SCARCE: [(&str, &str); 2] = [
    ("inotify_init1:error=EMFILE", "fs.inotify.max_user_instances"),
    ("inotify_add_watch:error=ENOSPC", "fs.inotify.max_user_watches"),
];

/// What only root can set up or see.
mod as_root {
    use std::process::Command;
    use std::time::Duration;

    use super::{SOURCE, all_hold, bed, fs};
    use crate::bed::is_root;

    #[test]
    fn a_reload_asked_for_at_the_start_does_not_end_it() {
        let bed = bed();
        for _ in 0..20 {
            let mut watch = bed.watch_as(&[], &[]);
            let fds = format!("/proc/{}/fd", watch.pid());
            let has_timer = || {
                let fds = fs::read_dir(&fds).unwrap().filter_map(Result::ok);
                let mut aims = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
                aims.any(|aim| aim.ends_with("anon_inode:[timerfd]"))
            };
            while !has_timer() {
                assert_eq!(watch.child.try_wait().unwrap(), None);
            }
            let pid = rustix::process::Pid::from_raw(watch.pid()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
            watch.heard("READY=1");
            assert_eq!(watch.end().0, Some(0));
        }
    }

    #[test]
    fn it_follows_a_folder_that_is_renamed_removed_and_made_again() {
        let bed = bed();
        let watch = bed.watch();
        all_hold(&watch, "A");
        fs::rename(bed.at("home/.claude"), bed.at("home/.claude.away")).unwrap();
        watch.says("there is no Claude login at");
        // The folder with the old inode must not be followed any more.
        bed.write("home/.claude.away/.credentials.json", bed.login_text("away", 12));
        bed.write(SOURCE, bed.login_text("B", 9));
        all_hold(&watch, "B");
        fs::remove_dir_all(bed.at("home/.claude")).unwrap();
        bed.write(SOURCE, bed.login_text("C", 10));
        all_hold(&watch, "C");
        // The whole home goes and comes back with another login in it.
        fs::rename(bed.at("home"), bed.at("home.away")).unwrap();
        watch.says("cannot open 'BED/home': No such file or directory (os error 2): skipped");
        fs::write(bed.at("home.away/.claude/.credentials.json"), bed.login_text("D", 11)).unwrap();
        fs::rename(bed.at("home.away"), bed.at("home")).unwrap();
        all_hold(&watch, "D");
        bed.replace(SOURCE, bed.login_text("E", 12));
        all_hold(&watch, "E");
        assert_eq!(watch.end().0, Some(0));
    }

    #[test]
    fn it_follows_what_is_mounted_over_the_folder() {
        assert!(is_root(), "this test mounts");
        let bed = bed();
        let watch = bed.watch_as(&["unshare", "-m", "--propagation", "private"], &[]);
        watch.heard("READY=1");
        all_hold(&watch, "A");
        let pid = watch.pid().to_string();
        let enter = |script: &str| {
            let words = ["-m", "-t", &pid, "sh", "-ec", script];
            let ran = Command::new("nsenter").args(words).current_dir("/").status().unwrap();
            assert!(ran.success(), "{script}");
        };
        let folder = bed.at("home/.claude").display().to_string();
        bed.write("home/login", bed.login_text("B", 9));
        let login = bed.at("home/login").display().to_string();
        enter(&format!(
            "mount -t tmpfs none '{folder}' && cp '{login}' '{folder}/.credentials.json'"
        ));
        all_hold(&watch, "B");
        bed.write("home/login", bed.login_text("C", 10));
        enter(&format!(
            "cp '{login}' '{folder}/x' && mv '{folder}/x' '{folder}/.credentials.json'"
        ));
        all_hold(&watch, "C");
        // What lies below shows again; it is an old one, and stays where it is.
        enter(&format!("umount '{folder}'"));
        watch.says("holds a login that was replaced before");
        bed.login_for("D", 11);
        all_hold(&watch, "D");
        watch.end();
    }

    #[test]
    fn it_sleeps_while_nothing_happens() {
        assert!(is_root(), "this test has mounts of its own: those of others wake the watcher");
        let bed = bed();
        let watch = bed.watch_as(&["unshare", "-m", "--propagation", "private"], &[]);
        watch.heard("READY=1");
        all_hold(&watch, "A");
        let switches = || {
            let status = fs::read_to_string(format!("/proc/{}/status", watch.pid())).unwrap();
            let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        // What the start has set going may still end; then two seconds in which nothing wakes it.
        let (_sender, silence) = std::sync::mpsc::channel::<()>();
        watch.until("it sleeps for two seconds", || {
            let before = switches();
            assert!(silence.recv_timeout(Duration::from_secs(2)).is_err());
            switches() == before
        });
        watch.end();
    }
}

/// What needs a program that not every host has.
mod with_tools {
    use super::{SCARCE, SOURCE, all_hold, bed};

    #[test]
    fn a_clock_that_is_set_is_noticed() {
        // The wall clock of a container's test cannot be set: the timer is armed so that the kernel tells.
        let bed = bed();
        let trace = ["strace", "-D", "-f", "-e", "trace=timerfd_create,timerfd_settime", "-o"];
        // `-D`: what is started, and killed in the end, is the program itself.
        let log = bed.at("trace").display().to_string();
        let mut wrapper: Vec<&str> = trace.to_vec();
        wrapper.push(&log);
        let watch = bed.watch_as(&wrapper, &[]);
        watch.heard("READY=1");
        all_hold(&watch, "A");
        let armed = || bed.read("trace").contains("TFD_TIMER_ABSTIME|TFD_TIMER_CANCEL_ON_SET");
        watch.until("the timer tells of a set clock", armed);
        assert!(bed.read("trace").contains("timerfd_create(CLOCK_REALTIME"));
        watch.end();
    }

    #[test]
    fn with_nothing_left_to_watch_with_it_compares_each_minute() {
        for (fault, limit) in SCARCE {
            let bed = bed();
            let (log, inject) = (bed.at("trace").display().to_string(), format!("inject={fault}"));
            let trace = "trace=inotify_init1,inotify_add_watch,timerfd_settime";
            let wrapper = ["strace", "-D", "-f", "-e", trace, "-e", &inject, "-o", &log];
            let watch = bed.watch_as(&wrapper, &[]);
            watch.heard("READY=1");
            all_hold(&watch, "A");
            watch.says(&format!("{limit}: changes are found once a minute only"));
            watch.says(&format!("hint: sysctl -w {limit}="));
            let next = || {
                let text = bed.read("trace");
                let armed =
                    text.lines().rfind(|line| line.contains("timerfd_settime")).map(str::to_owned);
                let moment =
                    armed?.split_once("it_value={tv_sec=")?.1.split(',').next()?.parse().ok();
                moment.map(|moment: i64| moment - crate::bed::epoch_ms() / 1000)
            };
            watch.until("it looks again within a minute", || next().is_some_and(|left| left <= 60));
            // What each look finds is carried on, and the limit is not told again.
            bed.replace(SOURCE, bed.login_text("B", 9));
            watch.signal("HUP");
            all_hold(&watch, "B");
            let (code, said) = watch.end();
            assert_eq!(code, Some(0));
            assert_eq!(said.matches(limit).count(), 2, "the message and its command, once: {said}");
        }
    }
}
