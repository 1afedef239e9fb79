//! The gateway is recreated once for each rotation, and nothing else is.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::bed::{Bed, PLAIN};
use crate::token;

#[test]
fn a_rotation_recreates_the_gateway_and_leaves_the_other_services_alone() {
    let bed = Bed::up();
    let before = bed.ids();
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("sk-ant"), "{ran:?}");
    bed.uses(&token("new"));
    let after = bed.ids();
    assert_ne!(before["openclaw-gateway"], after["openclaw-gateway"]);
    assert_eq!((&before["second"], &before["third"]), (&after["second"], &after["third"]));
    let again = bed.run(&["sync"]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    bed.rotate(&token("new"));
    assert_eq!(bed.run(&["sync"]).code, Some(0));
    assert_eq!(bed.ids(), after, "the same token again");
}

fn ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    u64::try_from(since.as_millis()).expect("it fits")
}

/// Syncs, and asks the gateway all the while; when the last question that had no answer was put and
/// when the first answer after it came.
fn watched_sync(bed: &Bed) -> (u64, u64) {
    let (done, mut looks) = (AtomicBool::new(false), Vec::new());
    std::thread::scope(|scope| {
        let probe = scope.spawn(|| {
            let mut looks = Vec::new();
            while !done.load(Ordering::Relaxed) || looks.last().is_none_or(|(_, _, ok)| !ok) {
                let asked = SystemTime::now();
                let answered = bed.get("/healthz").is_some();
                looks.push((ms(asked), ms(SystemTime::now()), answered));
                std::thread::sleep(Duration::from_millis(20));
            }
            looks
        });
        let ran = bed.run(&["sync"]);
        done.store(true, Ordering::Relaxed);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        looks = probe.join().expect("the probe panics nowhere");
    });
    let at = looks.iter().rposition(|(_, _, ok)| !ok).expect("it was seen to be gone");
    (looks[at].0, looks[at + 1].1)
}

#[test]
fn the_gap_is_measured_as_a_probe_sees_it() {
    let bed = Bed::up();
    let mut over = Vec::new();
    for try_ in 0..5 {
        let old = bed.gateway();
        bed.rotate(&token(&format!("new{try_}")));
        let begun = ms(SystemTime::now());
        let (gone, back) = watched_sync(&bed);
        let ended = ms(SystemTime::now());
        let died = bed.died(&old, begun / 1000, ended / 1000 + 1);
        let history = bed.ledger()["history"].clone();
        let told = history[try_]["gap_ms"].as_u64().expect("it was measured");
        // From the engine's own event to an answer that came after the last question without one.
        let seen = gone.saturating_sub(died)..=ended - died;
        assert!(seen.contains(&told), "{told} ms are told, {seen:?} ms were seen");
        // How soon it notices is the program's own; how soon it gets to look, the machine's.
        over.push(told.saturating_sub(back - died));
        if over.last() < Some(&1000) {
            return;
        }
    }
    panic!("it noticed the answer so many ms after the probe: {over:?}");
}

/// Rotates ten times, as fast as ten in 5 s; says whether the machine kept up with that.
fn burst(bed: &Bed, round: u32) -> bool {
    let mut gateway = None;
    let (begun, mut before, mut widest) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    for count in 0..10 {
        let due = Duration::from_millis(400) * count;
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let start = begun.elapsed();
        bed.rotate(&token(&format!("burst{round}x{count}")));
        assert_eq!(bed.run(&["sync", "--delegate"]).code, Some(0));
        // From before the one request was left until after the next one was.
        widest = widest.max(begun.elapsed().saturating_sub(before));
        before = start;
        gateway.get_or_insert_with(|| bed.program(&["gateway"]).spawn().expect("it starts"));
    }
    let taken = begun.elapsed();
    let end = gateway.expect("it was started").wait().expect("it ends");
    assert_eq!(end.code(), Some(0));
    bed.uses(&token(&format!("burst{round}x9")));
    println!("ten rotations in {taken:?}, {widest:?} apart at most");
    // A pause of 1.5 s ends a burst.
    taken < Duration::from_secs(5) && widest < Duration::from_millis(1200)
}

#[test]
fn a_burst_of_ten_rotations_is_one_recreate() {
    let bed = Bed::up();
    let recreates = || bed.ledger()["history"].as_array().map_or(0, Vec::len);
    for round in 0..10 {
        let (before, known) = (bed.gateway(), recreates());
        let kept_up = burst(&bed, round);
        assert_ne!(bed.gateway(), before);
        if kept_up {
            assert_eq!(recreates(), known + 1, "{}", bed.ledger());
            return;
        }
    }
    panic!("this machine makes no ten rotations in 5 s");
}

#[test]
fn watch_does_it_by_itself_and_a_slow_recreate_does_not_delay_a_sync() {
    let bed = Bed::new();
    bed.write(
        "compose.yml",
        &PLAIN
            .replace("ports:", "stop_grace_period: 30s\n    ports:")
            .replace("      ANTHROPIC", "      GATEWAY_STOP_SECONDS: '12'\n      ANTHROPIC"),
    );
    bed.dotenv(&token("old"));
    bed.start();
    bed.rotate(&token("old"));
    let mut watch = bed.program(&["watch"]).spawn().expect("it starts");
    let dotenv = || std::fs::read_to_string(bed.path("project/.env")).unwrap_or_default();
    bed.wait_for("the watcher is there", || bed.path("state/links/default.json").exists());
    bed.rotate(&token("new"));
    bed.wait_for("the recreate is under way", || bed.ledger()["pending"]["recreates"] == 1);
    bed.rotate(&token("newer"));
    bed.wait_for("the sink is in step", || dotenv().contains(&token("newer")));
    // The old gateway takes its 12 s to end: what was waited for would have been done by now.
    assert!(bed.ledger()["history"].as_array().is_none_or(Vec::is_empty), "{}", bed.ledger());
    bed.wait_for("the gateway uses it", || {
        bed.get("/env").is_some_and(|told| told.contains(&token("newer")))
    });
    bed.wait_for("nothing is pending", || bed.ledger()["pending"].is_null());
    watch.kill().and_then(|()| watch.wait()).expect("it was there");
}

#[test]
fn two_files_another_name_an_env_file_and_a_profile_are_taken_from_the_labels() {
    let bed = Bed::new().with_options(&[
        "-f",
        "base.yml",
        "-f",
        "more.yml",
        "--env-file",
        "tokens.env",
        "--profile",
        "extra",
    ]);
    bed.write(
        "base.yml",
        &PLAIN.replace(
            "    environment:\n      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}\n",
            "    env_file: tokens.env\n",
        ),
    );
    bed.write("more.yml", "services: {fourth: {image: 'openclaw:local', profiles: [extra]}, second: {environment: {A: '${MARK}'}}}");
    bed.write("tokens.env", &format!("MARK=1\nANTHROPIC_OAUTH_TOKEN='{}' # mine\n", token("old")));
    let file = bed.path("project/tokens.env");
    bed.configure(&format!("ENV_FILE=\"{}\"", file.display()));
    bed.start();
    let before = bed.ids();
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
    let mut after = bed.ids();
    after.insert("openclaw-gateway".to_owned(), before["openclaw-gateway"].clone());
    assert_eq!(before, after);
}

/// A service that comes from another file may have an `.env` there: a recreate would bring nothing.
#[test]
fn an_included_or_extended_service_with_an_env_of_its_own_is_not_recreated_for_nothing() {
    let service = PLAIN.replace(
        "    environment:\n      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}\n",
        "    env_file: own.env\n",
    );
    let extending = "services: {openclaw-gateway: {extends: {file: sub/compose.yml, service: openclaw-gateway}}}";
    for main in ["include: [sub/compose.yml]", extending] {
        let bed = Bed::new();
        fs::create_dir(bed.path("project/sub")).expect("it was not there");
        bed.write("compose.yml", main);
        bed.write("sub/compose.yml", &service);
        bed.write("sub/own.env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old")));
        bed.dotenv(&token("old"));
        bed.start();
        let before = bed.ids();
        bed.rotate(&token("new"));
        let ran = bed.run(&["sync"]);
        let other = bed.path("project/sub/own.env").display().to_string();
        let why = format!("which '{other}' sets, so nothing is recreated");
        assert!(ran.stderr.contains(&why), "{main}: {ran:?}");
        assert_eq!(bed.ids(), before, "{main}");
        // What the hint says makes it right.
        bed.configure(&format!("ENV_FILE=\"{other}\""));
        let ran = bed.run(&["sync"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        bed.hurry();
        bed.run(&["gateway"]);
        bed.uses(&token("new"));
    }
}

#[test]
fn a_variable_of_ours_never_beats_the_file() {
    let mut bed = Bed::up();
    bed.set("ANTHROPIC_OAUTH_TOKEN", &token("wrong"));
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
}

#[test]
fn restart_keeps_the_old_token_which_is_why_it_is_never_used() {
    let bed = Bed::up();
    let before = bed.gateway();
    bed.dotenv(&token("new"));
    bed.compose(&["restart", "-t", "0", "openclaw-gateway"]);
    bed.wait_for("it answers", || bed.get("/env").is_some());
    bed.uses(&token("old"));
    assert_eq!(bed.gateway(), before);
}

#[test]
fn project_recreates_every_service_and_measures_the_gap() {
    let bed = Bed::up();
    bed.configure("COMPOSE_RECREATE=\"project\"");
    let before = bed.ids();
    bed.rotate(&token("two"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("two"));
    let after = bed.ids();
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before.iter().all(|(service, id)| after[service] != *id));
    let ledger = bed.ledger();
    assert!(ledger["history"][0]["gap_ms"].is_u64(), "{ledger}");
}

#[test]
fn a_state_folders_env_is_proven_by_the_age_of_the_process() {
    let bed = Bed::new();
    let plain = PLAIN.replace(
        "    environment:\n      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}\n",
        "    volumes: ['STATE:/home/node/.openclaw']\n",
    );
    bed.write("compose.yml", &plain.replace("STATE", &bed.path("claw").display().to_string()));
    std::os::unix::fs::chown(bed.path("claw"), Some(1000), Some(1000))
        .expect("the tests are root's");
    bed.start();
    bed.rotate(&token("new"));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
    assert!(bed.get("/env").is_some_and(|told| told.contains(" file ")));
}
