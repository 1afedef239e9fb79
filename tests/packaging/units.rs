//! What the units say of being started, stopped and limited.

use crate::{files_of, text_of};

/// The units as files, each with its text.
fn units() -> Vec<(String, String)> {
    let kinds = [".service", ".path", ".timer"];
    let files = files_of("units").into_iter();
    let units = files.filter(|file| kinds.iter().any(|kind| file.ends_with(kind)));
    units.map(|file| (file.clone(), text_of(&file))).collect()
}

fn is_service(file: &str) -> bool {
    file.strip_suffix(".service").is_some()
}

/// The value of a setting; empty where there is none.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_default()
}

fn number(text: &str, key: &str) -> u64 {
    value(text, key).parse().unwrap_or_else(|_| panic!("{key}={}", value(text, key)))
}

#[test]
fn a_service_that_cannot_start_has_failed_within_its_limit() {
    for (file, text) in units().iter().filter(|(file, _)| is_service(file)) {
        assert_eq!(value(text, "StartLimitIntervalSec"), "10min", "{file}");
        let paused = number(text, "StartLimitBurst")
            * value(text, "RestartSec").parse::<u64>().unwrap_or_default();
        assert!(paused < 600, "{file} pauses for {paused} s between its starts");
    }
}

/// Otherwise a user who causes many runs would use up the starts of everybody.
#[test]
fn a_oneshot_counts_only_the_starts_of_a_program_that_cannot_run() {
    for (file, text) in units().iter().filter(|(_, text)| text.contains("\nType=oneshot")) {
        let before: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("ExecStartPre=")).collect();
        assert_eq!(
            before,
            [
                "/bin/sh -c 'exec /usr/bin/oauth-sync --version >/dev/null'",
                "+-/bin/systemctl reset-failed %n"
            ],
            "{file}"
        );
    }
}

#[test]
fn what_starts_the_oneshots_stops_and_starts_with_the_watcher() {
    let watcher = text_of("units/oauth-sync.service");
    for (file, text) in units().iter().filter(|(file, _)| !is_service(file)) {
        assert_eq!(value(text, "PartOf"), "oauth-sync.service", "{file}");
        let name = file.replace("units/", "");
        let comes_back = value(&watcher, "Wants").contains(&name)
            || value(text, "WantedBy").contains("oauth-sync.service");
        assert!(comes_back, "{file} stays stopped");
        assert_eq!(value(text, "StartLimitIntervalSec"), "0", "{file}");
    }
}

#[test]
fn a_unit_that_starts_another_stem_says_why() {
    for (file, text) in units().iter().filter(|(file, _)| !is_service(file)) {
        let (before, _) = text.split_once("\nUnit=").expect("it names its service");
        assert!(before.contains("# Not of the same stem: "), "{file}");
    }
}
