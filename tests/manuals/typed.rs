//! Every command that README and `docs/` have people type is run by a test, or said why not: see the tables.

use crate::documents::documents;
use crate::text_of;

const PEOPLE: &str = "tests/systems/people.sh";
const PACKAGES: &str = "tests/systems/packages.sh";
const BUILT: &str = "tests/systems/packages-lib.sh";
const RPM: &str = "tests/systems/packages-rpm.sh";

/// Whole documents whose blocks a booted machine runs as they stand, by what that test calls them.
const RUN_AS_THEY_STAND: [(&str, &[&str]); 4] = [
    (
        "docs/without-packages.md",
        &[
            "block without-packages 1",
            "block without-packages 2",
            "docs/without-packages.md",
            "block without-packages 4",
            "block without-packages 5",
        ],
    ),
    (
        "docs/monitoring.md",
        &["block monitoring 1", "block monitoring 2", "block monitoring 3", "block monitoring 4"],
    ),
    ("docs/moving-over.md", &["step 2", "step 3", "step 4"]),
    ("docs/many-hosts.md", &["block many-hosts 1", "block many-hosts 3"]),
];

/// The other commands by their beginnings, each with the test that runs it and what stands there.
const RUN_ELSEWHERE: [(&str, &str, &str); 18] = [
    ("make check", "Makefile", "tests/check lint unit"),
    ("make deb", "tests/check", "make deb rpm"),
    ("make rpm", "tests/check", "make deb rpm"),
    ("apt install ./target/debian", BUILT, "apt-get install -y"),
    ("dnf install ./target/rpm", RPM, "dnf"),
    ("apt remove openclaw-oauth-sync", PACKAGES, "remove"),
    ("dnf remove openclaw-oauth-sync", RPM, "dnf"),
    ("systemctl enable --now oauth-sync.service", PEOPLE, "block without-packages 1"),
    ("journalctl -u 'oauth-sync*'", PEOPLE, "block troubleshooting 1"),
    ("openclaw config set secrets.providers", "tests/real/sinks.rs", "secrets"),
    ("debconf-set-selections", "tests/packaging/debconf.sh", "debconf-set-selections"),
    ("DEBIAN_FRONTEND=noninteractive apt-get", BUILT, "DEBIAN_FRONTEND=noninteractive"),
    ("install -m 755 docs/examples/etcd/follow", "tests/people/etcd.rs", "\"follow\""),
    (
        "install -m 644 docs/examples/etcd/follow.service",
        "tests/packaging/assets.rs",
        "docs/examples",
    ),
    ("systemctl enable --now oauth-sync-follow", "tests/people/etcd.rs", "\"follow\""),
    ("install -m 600 docs/examples/etcd/follower.conf", "tests/people/etcd.rs", "follower.conf"),
    ("systemctl edit oauth-sync.service", PEOPLE, "systemctl edit oauth-sync"),
    ("systemctl try-restart oauth-sync.service", PEOPLE, "block troubleshooting 11"),
];

/// What no test types as it stands, and what stands for it.
const NOT_TYPED: [(&str, &str); 4] = [
    ("make demo", "it checks all that it claims by itself, in a release build"),
    ("docker compose up -d --force-recreate", "tests/docker runs what the program makes of it"),
    ("docker compose config", "it only shows what compose makes of its files"),
    (
        "openclaw doctor --fix",
        "it is OpenClaw's; tests/people runs the doctor's line with a stand-in",
    ),
];

/// The lines of a document's blocks of commands, without what a here-document feeds them.
fn lines(document: &str) -> Vec<String> {
    let (mut lines, mut in_block, mut is_fed) = (Vec::new(), false, false);
    for line in text_of(document).lines().map(str::trim) {
        match line {
            "```sh" => in_block = true,
            line if line.starts_with("```") => in_block = false,
            "EOF" => is_fed = false,
            line if in_block && !is_fed => {
                is_fed = line.contains("<<");
                let is_key = line.split('=').next().is_some_and(|key| {
                    line.contains("=\"") && key.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                });
                if !line.is_empty() && !line.starts_with('#') && !is_key {
                    lines.push(line.trim_start_matches("sudo ").to_owned());
                }
            }
            _ => {}
        }
    }
    lines
}

#[test]
fn every_command_to_type_is_run_by_a_test() {
    let mut others = Vec::new();
    for document in documents() {
        let partly = document == "docs/many-hosts.md";
        if RUN_AS_THEY_STAND.iter().any(|(run, _)| *run == document) && !partly {
            continue;
        }
        // A command of our own is held against the command line itself, see documents.rs.
        others.extend(lines(&document).into_iter().filter(|line| !line.starts_with("oauth-sync ")));
    }
    let etcd = |line: &str| line.contains("etcd/push") || line.contains("oauth-sync-push");
    let in_place =
        |line: &str| etcd(line) || line.contains("hooks.d/etcd") || line.contains("/dev/stdin");
    for line in others.iter().filter(|line| !in_place(line)) {
        let starts = RUN_ELSEWHERE.iter().map(|(start, ..)| start);
        let mut starts = starts.chain(NOT_TYPED.iter().map(|(start, _)| start));
        let known = starts.any(|start| line.starts_with(start));
        assert!(known, "no test runs '{line}'");
    }
    for (start, ..) in RUN_ELSEWHERE {
        assert!(others.iter().any(|line| line.starts_with(start)), "no document has '{start}'");
    }
}

#[test]
fn the_tests_do_what_is_said_of_them() {
    let people = text_of(PEOPLE);
    for (document, calls) in RUN_AS_THEY_STAND {
        let blocks = text_of(document).matches("```sh").count();
        assert!(document.contains("many-hosts") || calls.len() == blocks, "{document}: {blocks}");
        for call in calls {
            assert!(people.contains(call), "{PEOPLE} does not '{call}'");
        }
    }
    for (start, file, part) in RUN_ELSEWHERE {
        assert!(text_of(file).contains(part), "{file} does not run '{start}'");
    }
}
