//! What people hear: the flag file, hooks, the webhook, reminders, recovery; and nobody a token.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

#[expect(dead_code, reason = "the scenarios use the rest")]
#[path = "../scenarios/bed.rs"]
mod bed;
mod flag;
mod hooks;
mod listener;
mod schedule;
mod webhook;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bed::{Bed, SOURCE};

/// The CLI's own way to say that the server has refused.
const BLANK: &str = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;

const FLAG: &str = "home/.openclaw/REAUTH_NEEDED";

const HOUR: i64 = bed::HOUR;

/// A link whose login is passed on, and never renewed by this program.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").conf("REFRESH", "off").login("A");
    bed
}

/// Puts a program into `hooks.d` that appends what it is told to `heard`.
fn hook(bed: &Bed, name: &str, script: &str) {
    let path = format!("etc/hooks.d/{name}");
    bed.write(&path, format!("#!/bin/sh\ncd '{}'\n{script}\n", bed.at(".").display()));
    fs::set_permissions(bed.at(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Moves every instant of a state file into the past, as if the clock had gone on.
fn age(bed: &Bed, path: &str, hours: i64) {
    let mut value = serde_json::from_str(&bed.read(path)).unwrap();
    shift(&mut value, hours * HOUR);
    bed.write(path, value.to_string());
}

fn shift(value: &mut serde_json::Value, ms: i64) {
    match value {
        serde_json::Value::Number(number) => {
            if let Some(moment) = number.as_i64().filter(|number| *number > 1_000_000_000_000) {
                *value = (moment - ms).into();
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| shift(item, ms)),
        serde_json::Value::Object(items) => {
            items.iter_mut().for_each(|(_, item)| shift(item, ms));
        }
        _ => {}
    }
}

/// Where the one message that waits is kept.
fn waiting(bed: &Bed) -> String {
    let mut names = fs::read_dir(bed.at("lib/notify")).unwrap().map(Result::unwrap);
    let name = names.next().unwrap().file_name().into_string().unwrap();
    assert!(names.next().is_none());
    format!("lib/notify/{name}")
}

/// What the hooks have heard so far.
fn heard(bed: &Bed) -> String {
    fs::read_to_string(bed.at("heard")).unwrap_or_default()
}

/// Fails if a token stands in anything that we keep for ourselves.
#[track_caller]
fn no_token_is_kept(bed: &Bed) {
    let mut folders = vec![bed.at("lib"), bed.at("run"), bed.at("etc")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let text = fs::read(entry.path()).unwrap();
                let text = String::from_utf8_lossy(&text);
                assert!(!bed::leaks(&text), "{}: {text}", entry.path().display());
            }
        }
    }
    assert!(!bed::leaks(&heard(bed)));
    if bed.exists(FLAG) {
        assert!(!bed::leaks(&bed.read(FLAG)));
    }
}

/// The requests in a queue.
fn queued(bed: &Bed, queue: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(bed.at("run").join(queue)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Passes the login on, then has the CLI empty it, with `watch` as systemd runs it.
fn blanked(bed: &Bed) {
    let watch = bed.watch_as(&[], &["--delegate"]);
    watch.heard("READY=1").holds(bed::ENV, "A");
    bed.replace(SOURCE, BLANK);
    watch.says("emptied the login");
    watch.until("it is left for hooks", || !queued(bed, "notify.d").is_empty());
    watch.end();
}
