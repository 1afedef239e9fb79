use std::time::Duration;

use serde_json::json;

use super::container::Container;
use super::ledger::{FIRST_RETRY, LAST_RETRY};
use super::paste::{self, ReadBack};
use super::*;
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn request(fingerprint: u64, sinks: &[SinkKind]) -> Request {
    Request {
        link: "default".to_owned(),
        sinks: sinks.to_vec(),
        fingerprint: Some(Fingerprint(fingerprint)),
        old_expiry: Some(NOW.after(Duration::from_secs(3600))),
        time: NOW,
    }
}

fn waiting() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.take(&request(1, &[SinkKind::Env]));
    ledger
}

#[test]
fn a_new_token_is_tried_at_once_whatever_kept_the_old_one_waiting() {
    let mut ledger = waiting();
    ledger.settle(&Ending::deferred("the daemon sleeps"), NOW);
    let pending = ledger.pending.clone().unwrap();
    assert!(!pending.is_due(NOW) && pending.is_due(NOW.after(FIRST_RETRY)));
    ledger.take(&request(1, &[SinkKind::Env]));
    assert!(!ledger.pending.as_ref().unwrap().is_due(NOW), "the same again changes nothing");
    ledger.take(&request(2, &[SinkKind::Env]));
    let pending = ledger.pending.unwrap();
    assert!(pending.is_due(NOW) && pending.attempts == 0);
}

#[test]
fn the_token_that_it_was_told_of_outlives_the_work() {
    assert_eq!(Ledger::default().told(), None);
    let mut ledger = waiting();
    let first = ledger.told();
    assert!(first.is_some());
    ledger.settle(&Ending::Done(Deed::Recreated, None), NOW);
    assert_eq!(ledger.told(), first);
    ledger.take(&request(2, &[SinkKind::Env]));
    assert_ne!(ledger.told(), first);
}

#[test]
fn tries_become_rarer_and_a_long_wait_is_one_entry() {
    let mut ledger = waiting();
    let mut last = Duration::ZERO;
    for _ in 0..40 {
        ledger.settle(&Ending::deferred("the daemon sleeps"), NOW);
        let next = ledger.pending.as_ref().and_then(|pending| pending.next_try).unwrap();
        assert!(next.left(NOW) >= last && next.left(NOW) <= LAST_RETRY);
        last = next.left(NOW);
    }
    assert_eq!((last, ledger.history.len()), (LAST_RETRY, 1));
    ledger.settle(&Ending::Done(Deed::Recreated, Some(900)), NOW);
    assert_eq!((ledger.pending, ledger.history.len()), (None, 2));
}

#[test]
fn nothing_puts_it_off_beyond_ten_minutes_before_the_old_token_ends() {
    let mut pending = waiting().pending.unwrap();
    let bound = NOW.after(Duration::from_secs(3000));
    assert_eq!(pending.bound(NOW), Some(bound));
    assert_eq!(pending.bound(bound), None);
    // Not even what was in the way: an attempt falls on that moment.
    let mut ledger = waiting();
    let shortly = bound.before(Duration::from_secs(5));
    ledger.settle(&Ending::deferred("nobody says whether it is idle"), shortly);
    assert_eq!(ledger.pending.and_then(|pending| pending.next_try), Some(bound));
    pending.old_expiry = None;
    assert_eq!(pending.bound(NOW), None, "an end that nobody knows may be near");
}

#[test]
fn the_first_old_token_counts_in_a_burst() {
    let mut newer = request(2, &[SinkKind::PasteToken]);
    newer.old_expiry = Some(NOW.after(Duration::from_secs(8 * 3600)));
    newer.join(&request(1, &[SinkKind::Env]));
    assert_eq!(newer.old_expiry, request(1, &[]).old_expiry);
    assert_eq!(newer.sinks, [SinkKind::PasteToken, SinkKind::Env]);
}

#[test]
fn a_ledger_survives_the_disk_and_an_older_form_of_it() {
    let mut ledger = waiting();
    ledger.settle(&Ending::PutOff("it is quiet hours".to_owned(), NOW), NOW);
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    assert_eq!(serde_json::from_str::<Ledger>("{}").unwrap(), Ledger::default());
}

#[test]
fn tokens_are_masked_to_the_last_letter() {
    let known = [Secret::new("hunter2hunter2"), Secret::new("ab")];
    let said = "401 for sk-ant-oat01-a_b-c.d, then \"sk-ant-x\" and hunter2hunter2 ab";
    assert_eq!(masking::mask(said, &known), "401 for ***, then \"***\" and *** ab");
    assert_eq!(masking::tail("a\n\n b \nc\n", 2), "b | c");
}

/// As Docker 20.10 prints it, shortened.
#[test]
fn a_container_is_read_as_inspect_prints_it() {
    let inspected = json!([{
        "Id": "6f67", "Image": "sha256:eb23",
        "State": { "Running": true, "Restarting": false, "ExitCode": 0,
                   "StartedAt": "2026-11-22T17:49:10.663885778Z" },
        "Config": { "Image": "openclaw:local", "Env": ["A=b=c", "EMPTY=", "PATH=/bin"],
            "Labels": {
                "com.docker.compose.project": "named",
                "com.docker.compose.service": "openclaw-gateway",
                "com.docker.compose.project.working_dir": "/srv/claw",
                "com.docker.compose.project.config_files": "/srv/claw/a.yml,/srv/claw/b.yml",
                "org.opencontainers.image.version": "2026.2.25" } },
        "NetworkSettings": { "Ports": { "18789/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "18790" }] } },
    }]);
    let read = Container::read_all(inspected.to_string().as_bytes());
    let one = &read[0];
    assert!(one.running && one.started.is_some());
    assert_eq!(one.project.files, ["/srv/claw/a.yml", "/srv/claw/b.yml"]);
    assert_eq!(one.project.env_files, Vec::<String>::new());
    assert_eq!(one.variable("A").map(Secret::expose), Some("b=c"));
    assert_eq!(one.published, Some(("127.0.0.1".to_owned(), 18790)));
    assert!(Container::read_all(b"no JSON").is_empty());
}

/// As OpenClaw 2026.9.6 prints it, shortened.
#[test]
fn openclaws_own_word_about_the_profile_is_read() {
    let status = |shown: &str, first: &str| {
        let provider = json!({
            "provider": "anthropic",
            "profiles": { "labels": [format!("anthropic:oauth-sync=token:sk-ant-o...{shown}")] },
        });
        let effective = json!([{ "profileId": first }]);
        let order = json!([{ "provider": "anthropic", "effectiveProfiles": effective }]);
        json!({ "auth": { "providers": [provider], "unusableProfiles": [],
            "oauth": { "providers": order } } })
        .to_string()
    };
    let token = Secret::new("sk-ant-oat01-abcdefgh");
    let order = vec!["anthropic:oauth-sync".to_owned()];
    let in_step = ReadBack { holds: true, order, ..ReadBack::default() };
    assert_eq!(
        paste::read_back(&status("abcdefgh", "anthropic:oauth-sync"), &token),
        Some(in_step)
    );
    let hidden = paste::read_back(&status("abcdefgh", "anthropic:other"), &token).unwrap();
    assert_eq!(hidden.hidden_by.as_deref(), Some("anthropic:other"));
    assert!(!paste::read_back(&status("another!", "anthropic:oauth-sync"), &token).unwrap().holds);
    assert_eq!(paste::read_back("Warning: nothing", &token), None);
}

#[test]
fn whether_the_environment_counts_is_asked_of_openclaw() {
    let status = |provider: &str, kind: &str| {
        let effective = json!({ "kind": kind });
        let providers = json!([{ "provider": provider, "effective": effective }]);
        format!("a warning\n{}", json!({ "auth": { "providers": providers } }))
    };
    assert_eq!(paste::uses_environment(&status("anthropic", "env")), Some(true));
    assert_eq!(paste::uses_environment(&status("anthropic", "profiles")), Some(false));
    for unsaid in [status("openai", "env"), "{}".to_owned(), "no".to_owned()] {
        assert_eq!(paste::uses_environment(&unsaid), None, "{unsaid}");
    }
}

#[test]
fn only_a_reload_without_warnings_counts() {
    assert_eq!(paste::reloaded("{\"ok\":true,\"warningCount\":0}"), Ok(()));
    for bad in ["{\"ok\":true,\"warningCount\":1}", "{\"ok\":true}", "", "{\"ok\":false}"] {
        assert!(paste::reloaded(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_reload_that_was_refused_is_told_from_one_that_failed() {
    let refused = "gateway closed (1008): pairing required: device is asking for more scopes than";
    assert!(paste::lacks_scope(refused));
    assert!(!paste::lacks_scope("it answered with 1 warnings and keeps the old token"));
}

#[test]
fn the_token_is_no_argument_and_its_life_is_counted_from_now() {
    let words = paste::arguments(NOW.after(Duration::from_secs(90)), NOW, Some("main"));
    assert!(words.ends_with(&["--expires-in", "90s"].map(str::to_owned)), "{words:?}");
    assert_eq!(words[2..5], ["--agent", "main", "paste-token"], "{words:?}");
}
