//! Every command that README and `docs/` have people type is run by a test, or said why not: see the tables.

use crate::bed::{Bed, CONF, STATE};
use crate::documents::{documents, words};
use crate::text_of;

const PEOPLE: &str = "tests/systems/people.sh";
const PACKAGES: &str = "tests/systems/packages.sh";
const BUILT: &str = "tests/systems/packages-lib.sh";
const ANSWERS: &str = "tests/systems/packages-answers.sh";
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
    ("docs/many-hosts.md", &["block many-hosts 1", "block many-hosts 3", "block many-hosts 4"]),
];

/// The other commands by their beginnings, each with the test that runs it and the words that do.
const RUN_ELSEWHERE: [(&str, &str, &str); 20] = [
    ("make check", ".ci/run", "make check || :\n"),
    ("make check-all", ".ci/run", "make check-all || :\n"),
    ("make demo", "tests/demo", "make --dry-run --no-print-directory demo)"),
    ("make deb", "tests/check", "  step make deb rpm\n"),
    ("make rpm", "tests/check", "  step make deb rpm\n"),
    (
        "apt install ./target/debian",
        BUILT,
        "    install_deb \"$1\" /root/openclaw-oauth-sync.deb\n",
    ),
    ("dnf install ./target/rpm", RPM, "    dnf install /root/openclaw-oauth-sync.rpm\n"),
    ("apt remove openclaw-oauth-sync", PACKAGES, " apt-get remove -y openclaw-oauth-sync\n"),
    ("dnf remove openclaw-oauth-sync", RPM, "    dnf remove openclaw-oauth-sync\n"),
    (
        "systemctl enable --now oauth-sync.service oauth-sync-refresh.timer",
        RPM,
        "    bed exec \"$m\" systemctl enable --now oauth-sync.service oauth-sync-refresh.timer\n",
    ),
    ("journalctl -u 'oauth-sync*'", PEOPLE, "    block troubleshooting 1\n"),
    (
        "openclaw config set secrets.providers",
        "tests/real/sinks.rs",
        "text_of_block(\"docs/field-mapping.md\")",
    ),
    (
        "debconf-set-selections",
        ANSWERS,
        "    bed sh \"$m\" 'debconf-set-selections' <<SELECTIONS\n",
    ),
    (
        "DEBIAN_FRONTEND=noninteractive apt-get install -y ./openclaw-oauth-sync.deb",
        BUILT,
        "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \"$@\"\n",
    ),
    (
        "systemctl edit oauth-sync.service",
        PEOPLE,
        "\"$(grep -o 'systemctl edit oauth-sync.*' \"$root/docs/troubleshooting.md\")\"",
    ),
    ("systemctl try-restart oauth-sync.service", PEOPLE, "    block troubleshooting 11\n"),
    ("oauth-sync login", "tests/people/as_root/login.rs", "&[\"LANG=C.UTF-8\"], &[\"login\"])"),
    (
        "oauth-sync setup --yes",
        "tests/people/as_root/setup.rs",
        "let args = [\"setup\", \"--yes\", \"--no-install\", \"--no-models\", \"--no-services\", \"--root\"];",
    ),
    (
        "oauth-sync setup --claude",
        "tests/people/as_root/setup.rs",
        "unasked(&host, &[\"--claude\", LOGIN, \"--openclaw\", CLAW]);",
    ),
    ("oauth-sync detect --switch-off-original", PEOPLE, "    step 3\n"),
];

/// What no test types as it stands, and what stands for it.
const NOT_TYPED: [(&str, &str); 3] = [
    ("docker compose up -d --force-recreate", "tests/docker runs what the program makes of it"),
    ("docker compose config", "it only shows what compose makes of its files"),
    (
        "openclaw doctor --fix",
        "it is OpenClaw's; tests/people runs the doctor's line with a stand-in",
    ),
];

/// The lines of a document's blocks of commands, without what a here-document feeds them.
fn lines(document: &str) -> Vec<String> {
    commands(&text_of(document))
}

fn commands(text: &str) -> Vec<String> {
    let (mut lines, mut in_block, mut is_fed) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
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

/// The same of one block alone.
fn block(document: &str, number: usize) -> Vec<String> {
    let text = text_of(document);
    let block = text.split("```sh\n").nth(number).expect("there is such a block");
    commands(&format!("```sh\n{}\n```", block.split("```").next().unwrap_or_default()))
}

/// Commands of our own that a scratch bed takes: all but those that ask for a terminal, another
/// machine's units or a token endpoint, or that never end.
fn is_run_here(line: &str) -> bool {
    let elsewhere = ["login", "--switch-off-original", "--write", "refresh --force", "watch"];
    let words = line.split(" #").next().unwrap_or(line);
    line.starts_with("oauth-sync ")
        && !line.starts_with("oauth-sync setup ")
        && !words.contains(';')
        && !elsewhere.iter().any(|other| words.trim_end().ends_with(other))
}

/// A host with one link that is in step, and nobody else on it.
fn healthy() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    bed.write("host/etc/passwd", "").write(&format!("{STATE}/openclaw.json"), "{}\n");
    bed.run(["sync"]).exit(0);
    bed
}

#[test]
fn our_own_commands_do_on_a_healthy_host_what_they_are_typed_for() {
    let all = documents().into_iter().flat_map(|document| lines(&document));
    let mut ours: Vec<String> = all.filter(|line| is_run_here(line)).collect();
    ours.sort();
    ours.dedup();
    let (alone, several) = (healthy(), healthy());
    let work = several.read(CONF).replace("/.openclaw\"", "/.openclaw-work\"");
    several.write("etc/work.conf", work).write("home/.openclaw-work/openclaw.json", "{}\n");
    several.run(["sync"]).exit(0);
    for line in &ours {
        let bed = if line.contains("--link") { &several } else { &alone };
        let root = bed.at("host").display().to_string();
        let mut typed: Vec<String> = words(line).into_iter().skip(1).collect();
        // The host is the bed, not the one that the tests run on.
        if typed.iter().any(|word| word == "doctor" || word == "detect") {
            typed.extend(["--root".to_owned(), root.clone()]);
        }
        let args: Vec<&str> = typed.iter().map(String::as_str).collect();
        let output = bed.command(&[], &args).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (said(&output.stdout), said(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{line}: {out}{err}");
        // Who asks is told; what is done without a fault may be done in silence.
        let asks = !["sync --force"].iter().any(|deed| line.ends_with(deed));
        assert!(!asks || !out.is_empty() || !err.is_empty(), "{line} says nothing");
    }
    for command in
        ["status", "sync --dry-run", "refresh --dry-run", "check", "metrics", "doctor", "detect"]
    {
        let typed = ours.iter().any(|line| line.contains(&format!("oauth-sync {command}")));
        assert!(typed, "no document has people type '{command}'");
    }
}

#[test]
fn every_command_to_type_is_run_by_a_test() {
    let mut others = Vec::new();
    for document in documents() {
        let partly = document == "docs/many-hosts.md";
        if RUN_AS_THEY_STAND.iter().any(|(run, _)| *run == document) && !partly {
            continue;
        }
        others.extend(lines(&document));
    }
    // Of this document not all blocks are run as they stand.
    let run = RUN_AS_THEY_STAND.iter().find(|(run, _)| *run == "docs/many-hosts.md").unwrap();
    let numbers = run.1.iter().map(|call| call.rsplit(' ').next().unwrap().parse().unwrap());
    let in_blocks: Vec<String> = numbers.flat_map(|number| block(run.0, number)).collect();
    let in_place = |line: &str| is_run_here(line) || in_blocks.iter().any(|run| run == line);
    for line in others.iter().filter(|line| !in_place(line)) {
        let starts = RUN_ELSEWHERE.iter().map(|(start, ..)| start);
        let mut starts = starts.chain(NOT_TYPED.iter().map(|(start, _)| start));
        let known = starts.any(|start| line.starts_with(start));
        assert!(known, "no test runs '{line}'");
    }
    let all: Vec<String> = documents().iter().flat_map(|document| lines(document)).collect();
    for (start, ..) in RUN_ELSEWHERE {
        assert!(all.iter().any(|line| line.starts_with(start)), "no document has '{start}'");
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
