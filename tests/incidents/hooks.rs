//! `hooks.d`: every event, one program after another, none that others could have written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{SOURCE, eventually, is_root};
use crate::{age, bed, blanked, heard, hook, no_token_is_kept, queued, waiting};

const TELL: &str = r#"echo "$0 $OAUTH_SYNC_EVENT $OAUTH_SYNC_LINK $OAUTH_SYNC_EXPIRES_AT" | sed 's|.*/||' >> heard"#;

#[test]
fn without_a_link_a_person_hears_how_to_make_one() {
    let bed = bed();
    std::fs::remove_file(bed.at("etc/default.conf")).unwrap();
    bed.run(["notify"]).exit(2).says("no link is configured").says("oauth-sync setup");
}

#[test]
fn they_run_in_order_for_every_event_and_hear_no_token() {
    let bed = bed();
    hook(&bed, "20-second", &format!("{TELL}; env >> env"));
    hook(&bed, "10-first", &format!("sleep 0.2; {TELL}"));
    hook(&bed, "90-copy.dpkg-old", TELL);
    bed.write("etc/hooks.d/README", "not a program");
    blanked(&bed);
    bed.run(["notify"]).exit(0).err(&[]);
    let watch = bed.watch_as(&[], &["--delegate"]);
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("valid login found");
    watch.end();
    bed.run(["notify"]).exit(0).err(&[]);
    let events: Vec<String> = bed.plain(&heard(&bed)).lines().map(str::to_owned).collect();
    assert_eq!(
        events,
        [
            "10-first blanked default WHEN",
            "20-second blanked default WHEN",
            "10-first recovered default WHEN",
            "20-second recovered default WHEN",
        ]
    );
    let env = bed.read("env");
    assert!(
        env.contains("OAUTH_SYNC_MESSAGE=Claude CLI emptied the login in ")
            && env.contains("; run: sudo oauth-sync login --link default")
    );
    assert!(!crate::bed::leaks(&env));
    assert!(queued(&bed, "notify.d").is_empty());
    assert_eq!(fs::read_dir(bed.at("lib/notify")).unwrap().count(), 0);
    no_token_is_kept(&bed);
}

#[test]
fn one_that_others_could_have_written_is_said_and_left_out() {
    let bed = bed();
    hook(&bed, "10-open", TELL);
    fs::set_permissions(bed.at("etc/hooks.d/10-open"), fs::Permissions::from_mode(0o775)).unwrap();
    hook(&bed, "20-good", TELL);
    symlink(bed.at("etc/hooks.d/20-good"), bed.at("etc/hooks.d/30-link")).unwrap();
    if is_root() {
        hook(&bed, "40-foreign", TELL);
        chown(bed.at("etc/hooks.d/40-foreign"), Some(4711), None).unwrap();
    }
    blanked(&bed);
    let ran = bed.run(["notify"]).exit(75);
    let ran = ran.says("the hook 'BED/etc/hooks.d/10-open' is not run: others than its owner may write it\nhint: chmod go-w BED/etc/hooks.d/10-open");
    let ran = ran.says("the hook 'BED/etc/hooks.d/30-link' is not run: it is a symbolic link");
    if is_root() {
        ran.says("the hook 'BED/etc/hooks.d/40-foreign' is not run: it belongs to another user");
    }
    assert_eq!(bed.plain(&heard(&bed)), "20-good blanked default WHEN\n");
    // What is refused waits for whoever fixes it.
    fs::set_permissions(bed.at("etc/hooks.d/10-open"), fs::Permissions::from_mode(0o755)).unwrap();
    bed.run(["notify", "--now"]).exit(75);
    let heard = bed.plain(&heard(&bed));
    assert!(heard.ends_with("10-open blanked default WHEN\n"), "{heard}");
}

/// Another event comes while the first one is told.
#[test]
fn one_that_is_refused_is_said_once_for_all_events() {
    let bed = bed();
    hook(&bed, "10-open", TELL);
    fs::set_permissions(bed.at("etc/hooks.d/10-open"), fs::Permissions::from_mode(0o775)).unwrap();
    let event = r#"{"name":"renewed","link":"other","message":"m","severity":"info","expires_at":null,"for_people":false}"#;
    bed.write("event", event);
    let [event, queue] =
        ["event", "run/notify.d/1-0-0-0.json"].map(|path| bed.at(path).display().to_string());
    hook(&bed, "20-good", &format!("[ ! -e '{event}' ] || mv '{event}' '{queue}'"));
    blanked(&bed);
    let ran = bed.run(["notify"]).exit(75);
    assert!(!bed.exists("event") && !bed.exists("run/notify.d/1-0-0-0.json"));
    assert_eq!(ran.err.matches("10-open' is not run").count(), 1, "{}", ran.err);
}

#[test]
fn a_folder_that_others_may_write_runs_nothing() {
    let bed = bed();
    hook(&bed, "20-good", TELL);
    fs::set_permissions(bed.at("etc/hooks.d"), fs::Permissions::from_mode(0o777)).unwrap();
    blanked(&bed);
    bed.run(["notify"]).exit(0).says("no hook in 'BED/etc/hooks.d' is run");
    assert_eq!(heard(&bed), "");
}

#[test]
fn one_that_fails_or_hangs_keeps_nobody_else_from_hearing() {
    let bed = bed();
    hook(&bed, "10-hangs", "sleep 1000");
    hook(&bed, "20-fails", "echo 'no route to the pager' >&2; exit 3");
    hook(&bed, "30-good", TELL);
    blanked(&bed);
    let begun = Instant::now();
    bed.run(["notify"])
        .exit(75)
        .says("the hook 'BED/etc/hooks.d/10-hangs' failed: it took longer than 30 s and was ended")
        .says("20-fails' failed: it exited with status 3: no route to the pager");
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(90), "{took:?}");
    assert_eq!(bed.plain(&heard(&bed)), "30-good blanked default WHEN\n");
}

#[test]
fn a_request_that_cannot_be_read_is_taken_out_too() {
    let bed = bed();
    bed.write("run/notify.d/1.json", "{")
        .write("run/notify.d/again", "")
        .write("run/notify.d/.x", "x");
    bed.run(["notify"]).exit(0).says("the event '1.json' cannot be read and is left out");
    assert!(queued(&bed, "notify.d").is_empty(), "a path unit would start it for ever");
}

#[test]
fn without_systemd_the_watcher_runs_them_itself() {
    let bed = bed();
    hook(&bed, "10-first", TELL);
    let watch = bed.watch();
    watch.holds(crate::bed::ENV, "A");
    bed.replace(SOURCE, crate::BLANK);
    watch.until("the hook has run", || heard(&bed).contains("blanked default"));
    watch.until("nothing is left", || queued(&bed, "notify.d").is_empty());
    watch.end();
}

#[test]
fn what_was_done_about_the_gateway_is_told_to_hooks_alone() {
    let bed = bed();
    hook(&bed, "10-first", TELL);
    bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/true");
    // The webhook is for what a person has to do: nobody listens here.
    bed.conf("NOTIFY_WEBHOOK", "http://127.0.0.1:9/hooks/canary-address");
    let watch = bed.watch_as(&[], &["--delegate"]);
    watch.holds(crate::bed::ENV, "A");
    watch.end();
    bed.run(["gateway"]);
    bed.run(["notify"]).exit(0).err(&[]);
    assert_eq!(heard(&bed), "10-first restarted default \n");
}

#[test]
fn an_event_during_a_run_is_not_lost() {
    let bed = bed();
    let tell = "echo \"$OAUTH_SYNC_EVENT $OAUTH_SYNC_MERGED\" >> heard";
    hook(&bed, "10-slow", &format!("sleep 0.5; {tell}"));
    let watch = bed.watch();
    watch.holds(crate::bed::ENV, "A");
    for (round, name) in ["B", "C", "D"].into_iter().enumerate() {
        bed.replace(SOURCE, crate::BLANK);
        let times = |word: &str| watch.said().matches(word).count();
        watch.until("it is said", || times("emptied the login") == round + 1);
        bed.replace(SOURCE, bed.login_text(name, 9));
        watch.until("it is over", || times("valid login found") == round + 1);
    }
    // Each is told by itself, or by a newer one of its kind that says for how many it stands; one that
    // is just being told may count there too.
    let told = |kind: &str| -> usize {
        let text = heard(&bed);
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        lines
            .filter(|(name, _)| *name == kind)
            .map(|(_, merged)| 1 + merged.parse::<usize>().unwrap())
            .sum()
    };
    let is_told = eventually(|| told("blanked") >= 3 && told("recovered") >= 3);
    assert!(is_told, "not all of it was told:\n{}", heard(&bed));
    assert!(
        heard(&bed).lines().next_back().unwrap().starts_with("recovered"),
        "the newest is the last"
    );
    watch.end();
}

#[test]
fn a_hook_that_runs_when_the_machine_goes_down_comes_to_its_end() {
    let bed = bed();
    let go = bed.at("go");
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    hook(&bed, "10-slow", &format!(": >{0}.begun; read -r _ <{0}; {TELL}", go.display()));
    blanked(&bed);
    let mut child = bed.command(&[], &["notify"]).stderr(Stdio::null()).spawn().unwrap();
    assert!(eventually(|| bed.exists("go.begun")));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    fs::write(&go, "\n").unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
    assert!(heard(&bed).contains("blanked default"), "{}", heard(&bed));
}

/// What `status --json` says of the service by that name.
fn shown(bed: &crate::bed::Bed, id: &str) -> Vec<String> {
    let text = bed.run(["status", "--json"]).out;
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    let service = status["service"].as_array().unwrap().iter();
    let named = service.filter(|trouble| trouble["id"] == id);
    named.map(|trouble| bed.plain(trouble["text"].as_str().unwrap())).collect()
}

#[test]
fn one_that_fails_is_run_again_with_back_off_until_it_succeeds_and_is_shown_meanwhile() {
    let bed = bed();
    hook(&bed, "10-fails", "echo try >> tried; echo 'no route' >&2; test -e mended");
    hook(&bed, "20-good", TELL);
    blanked(&bed);
    bed.run(["notify"]).exit(75).says("10-fails' failed: it exited with status 1: no route");
    let failing = "the hook 'BED/etc/hooks.d/10-fails' failed for 'blanked' of link 'default': it exited with status 1: no route, tried";
    let shown_once = [format!("{failing} once, again at WHEN")];
    assert_eq!(shown(&bed, "hook-failing"), shown_once);
    for command in ["status", "check", "doctor"] {
        let out = bed.plain(&bed.run([command]).out);
        assert!(out.contains(&shown_once[0]), "{command}: {out}");
        assert!(out.contains("oauth-sync notify --now"), "{command}: {out}");
    }
    bed.run(["notify"]).exit(75).err(&[]);
    assert_eq!(bed.read("tried"), "try\n", "its time has not come");
    age(&bed, &waiting(&bed), 1);
    bed.run(["notify"]).exit(75).says("10-fails' failed");
    assert_eq!(shown(&bed, "hook-failing"), [format!("{failing} 2 times, again at WHEN")]);
    bed.write("mended", "");
    age(&bed, &waiting(&bed), 1);
    // Another process keeps the time, as after a restart of the service.
    let watch = bed.watch();
    watch.until("it has succeeded", || {
        std::fs::read_dir(bed.at("lib/notify")).unwrap().count() == 0
    });
    watch.end();
    assert_eq!(bed.read("tried"), "try\ntry\ntry\n");
    assert_eq!(bed.plain(&heard(&bed)), "20-good blanked default WHEN\n", "it succeeded at once");
    assert_eq!(shown(&bed, "hook-failing"), [""; 0]);
}

#[test]
fn one_that_fails_is_run_again_at_once_where_somebody_asks_for_it() {
    let bed = bed();
    hook(&bed, "10-fails", "echo try >> tried; test -e mended");
    blanked(&bed);
    bed.run(["notify"]).exit(75);
    bed.run(["notify", "--now"]).exit(75);
    bed.write("mended", "");
    bed.run(["notify", "--now"]).exit(0).err(&[]);
    assert_eq!(bed.read("tried"), "try\ntry\ntry\n");
}

#[test]
fn a_newer_event_takes_the_place_of_one_whose_hook_failed() {
    let bed = bed();
    hook(&bed, "10-first", &format!("{TELL}; test $OAUTH_SYNC_EVENT = recovered"));
    blanked(&bed);
    bed.run(["notify"]).exit(75);
    let watch = bed.watch_as(&[], &["--delegate"]);
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("valid login found");
    watch.end();
    bed.run(["notify"]).exit(0).err(&[]);
    let told = ["10-first blanked default WHEN", "10-first recovered default WHEN"];
    assert_eq!(bed.plain(&heard(&bed)).lines().collect::<Vec<_>>(), told);
    assert_eq!(fs::read_dir(bed.at("lib/notify")).unwrap().count(), 0);
    assert_eq!(shown(&bed, "hook-failing"), [""; 0]);
}

#[test]
fn one_that_is_taken_away_is_owed_nothing_and_one_that_is_refused_waits() {
    let bed = bed();
    hook(&bed, "10-fails", "exit 1");
    hook(&bed, "20-fails", "exit 1");
    blanked(&bed);
    bed.run(["notify"]).exit(75);
    fs::remove_file(bed.at("etc/hooks.d/10-fails")).unwrap();
    fs::set_permissions(bed.at("etc/hooks.d/20-fails"), fs::Permissions::from_mode(0o775)).unwrap();
    bed.run(["notify", "--now"]).exit(75);
    let shown = shown(&bed, "hook-failing");
    let [refused] = &shown[..] else { panic!("{shown:?}") };
    assert!(refused.contains("20-fails") && refused.contains("others than root"), "{refused}");
}

#[test]
fn one_that_was_cut_short_is_run_once_more_and_no_further() {
    let bed = bed();
    let pipes = [bed.at("begun"), bed.at("go")];
    assert!(Command::new("mkfifo").args(pipes).status().unwrap().success());
    hook(&bed, "10-kills", "echo try >> tried; echo >begun; read -r _ <go");
    hook(&bed, "20-good", TELL);
    blanked(&bed);
    for round in 1..=2 {
        let mut child =
            bed.command(&[], &["notify", "--now"]).stderr(Stdio::null()).spawn().unwrap();
        fs::read_to_string(bed.at("begun")).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        fs::write(bed.at("go"), "\n").unwrap();
        assert_eq!(bed.read("tried").lines().count(), round);
    }
    bed.run(["notify", "--now"]).exit(0).says("the hook '10-kills' was cut short twice");
    assert_eq!(bed.read("tried").lines().count(), 2);
    assert_eq!(bed.plain(&heard(&bed)), "20-good blanked default WHEN\n");
}

#[test]
fn the_example_for_a_dead_man_switch_tells_of_renewals_and_shows_no_address() {
    let bed = bed();
    bed.write("bin/curl", format!("#!/bin/sh\necho \"$*\" >> '{}'\n", bed.at("heard").display()));
    fs::set_permissions(bed.at("bin/curl"), fs::Permissions::from_mode(0o755)).unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/hook-alive");
    for event in ["blanked", "renewed", "recovered", "test"] {
        let mut command = Command::new("/bin/sh");
        command.arg(example);
        command.env("PATH", format!("{}:/usr/bin:/bin", bed.at("bin").display()));
        command.env("OAUTH_SYNC_EVENT", event).env("OAUTH_SYNC_ALIVE", bed.at("alive.curl"));
        assert!(command.status().unwrap().success(), "{event}");
    }
    let calls = heard(&bed);
    assert_eq!(calls.lines().count(), 2, "{calls}");
    let config = format!("--config {}", bed.at("alive.curl").display());
    assert!(calls.lines().all(|call| call.ends_with(&config) && !call.contains("http")), "{calls}");
}
