//! What is due is queued, once, at its time; and nothing that is queued is lost.

use crate::bed::{Bed, ENV, SOURCE};
use crate::{bed, queued};

/// A link whose login may be renewed.
fn renewing() -> Bed {
    let bed = bed();
    bed.conf("REFRESH", "api").conf("TOKEN_URL", "https://127.0.0.1:9/none");
    bed
}

#[test]
fn a_login_within_its_margin_is_queued_for_the_refresh_service() {
    let bed = renewing();
    bed.login_for("A", 8);
    let watch = bed.watch_as(&[], &["--delegate"]);
    watch.holds(ENV, "A");
    assert!(queued(&bed, "refresh.d").is_empty(), "it is fresh");
    for round in 0..10 {
        bed.replace(SOURCE, bed.login_text(&format!("B{round}"), 1));
    }
    watch.until("it is queued", || queued(&bed, "refresh.d").len() == 1);
    watch.end();
}

#[test]
fn the_moment_itself_wakes_the_watcher() {
    let bed = renewing();
    let watch = bed.watch_as(&[], &["--delegate"]);
    let end = crate::bed::epoch_ms() + 90 * 60_000 + 1500;
    let text = bed.login_text("B", 8).replace(&bed.hence(8).to_string(), &end.to_string());
    bed.replace(SOURCE, text);
    watch.holds(ENV, "B");
    assert!(queued(&bed, "refresh.d").is_empty(), "1.5 s too early");
    watch.until("it is queued", || queued(&bed, "refresh.d").len() == 1);
    assert!(crate::bed::epoch_ms() >= end - 90 * 60_000);
    watch.end();
}

#[test]
fn refresh_off_queues_nothing() {
    let bed = bed();
    bed.login_for("A", 1);
    let watch = bed.watch_as(&[], &["--delegate"]);
    watch.holds(ENV, "A");
    watch.end();
    assert!(queued(&bed, "refresh.d").is_empty());
}

#[test]
fn ten_requests_and_a_run_that_fails_lose_nothing() {
    let bed = renewing();
    bed.login_for("A", 1);
    let watch = bed.watch();
    watch
        .holds(ENV, "A")
        .says("is not renewed yet: cannot reach the token endpoint at 127.0.0.1:9");
    watch.until("the request was answered", || queued(&bed, "refresh.d").is_empty());
    for request in 0..10 {
        bed.write(&format!("run/refresh.d/{request}"), "");
    }
    watch.until("all are answered", || queued(&bed, "refresh.d").is_empty());
    // A configuration that cannot be read makes the run fail; the watcher goes on with what it knows.
    bed.write("etc/broken.conf", "NO_SUCH_KEY=1\n").write("run/refresh.d/again", "");
    watch.says("unknown key 'NO_SUCH_KEY'");
    watch.until("that is answered too", || queued(&bed, "refresh.d").is_empty());
    let json = bed.run(["--link", "default", "status", "--json"]);
    assert_eq!(json.status.code(), Some(2), "{}", json.err);
    std::fs::remove_file(bed.at("etc/broken.conf")).unwrap();
    let json = bed.run(["status", "--json"]).exit(0).json();
    let renewals = json["links"][0]["renewals"].as_array().unwrap().clone();
    assert_eq!(renewals[0]["outcome"], "deferred");
    assert!(json["links"][0]["next_renewal"].is_string());
    watch.end();
    crate::no_token_is_kept(&bed);
}
