//! What a person may have to act on: the program's messages, the journal's catalog, and DIAGNOSTICS
//! of `oauth-sync(1)` say the same.

use std::path::Path;
use std::process::Command;

use crate::page::{items, section};
use crate::{root, text_of};

const CATALOG: &str = "units/oauth-sync.catalog";

/// Messages that nobody has to act on, by their beginnings: they pass by themselves, tell of a wrong call, or of our
/// own folders, which the message names with the system's reason.
const PASSING: [&str; 31] = [
    "--alias must be a model",
    "{error}",
    "{error}: a changed configuration is read only on SIGHUP",
    "{error}: a login that an earlier run saved waits",
    "{error}: check takes this watcher for stopped",
    "{error}: messages wait for the next event",
    "{error}: the history has a gap",
    "{error}: the next try could come too soon",
    "{error}: what is queued waits",
    "{link}: OpenClaw leaves the profile alone for a while after a 401",
    "{link}: {error}: hooks were not notified",
    "{link}: {error}: hooks were not notified of the renewal",
    "{why}: '{}' still has an earlier expiry",
    "{}: cleared away a lock: {orphan}",
    "{}: the test was not taken: {why}",
    "{}: the answer may not survive a loss of power: {error}",
    "{}: {error}: an older login could be taken for a new one",
    "{}: {error}: could not queue the notification",
    "{}: {error}: it is not known how the last renewals went",
    "{link}: {count} messages like the next one were not logged",
    "{link}: {error}: the gateway update was not queued",
    "{name}: it changes again and again: {count} changes were not logged",
    "{}: {error}: the gateway may be updated twice",
    "{}: {line}",
    "{}: {error}",
    "'{}' is no request of ours, removing it",
    "cannot end the Claude CLI in container",
    "cannot set a timer: {error}",
    "cannot watch anything: {error}",
    "no pause was begun: {refusal}",
    "the event '{name}' cannot be read and is left out",
];

/// An entry of the catalog.
struct Entry {
    name: String,
    id: String,
    subject: String,
    text: String,
}

fn catalog() -> Vec<Entry> {
    let text = text_of(CATALOG);
    let entries = text.split("\n# ").skip(2);
    let entry = |entry: &str| {
        let (name, rest) = entry.split_once("\n-- ").expect("a name stands above each entry");
        let (id, rest) = rest.split_once('\n').expect("an identifier is a line");
        let (head, text) = rest.split_once("\n\n").expect("a text follows the head");
        let subject = head.lines().find_map(|line| line.strip_prefix("Subject: "));
        assert!(head.contains("\nDocumentation: man:oauth-sync(1)"), "{name}: {head}");
        let subject = subject.expect("each entry has a subject").to_owned();
        Entry { name: name.to_owned(), id: id.to_owned(), subject, text: text.to_owned() }
    };
    entries.map(entry).collect()
}

#[test]
fn the_catalog_explains_every_message_and_no_other() {
    let mut explained: Vec<(String, String)> =
        catalog().into_iter().map(|entry| (entry.name, entry.id)).collect();
    let mut known: Vec<(String, String)> =
        oauth_sync::messages().map(|(name, id)| (name.to_owned(), id.to_owned())).collect();
    explained.sort();
    known.sort();
    assert_eq!(explained, known);
    assert!(catalog().iter().all(|entry| entry.text.trim().len() > 30), "an explanation is short");
}

#[test]
fn the_manual_describes_every_message_of_the_catalog_and_no_other() {
    let subjects: Vec<String> = catalog().into_iter().map(|entry| entry.subject).collect();
    assert_eq!(described()[..subjects.len()], subjects);
}

/// The messages of DIAGNOSTICS: those of the catalog, then those of commands that a person types.
fn described() -> Vec<String> {
    let items = items(&section("man/oauth-sync.1", "DIAGNOSTICS"));
    items.iter().map(|item| item.head.trim_matches('"').to_owned()).collect()
}

/// All text of the program, as the compiler sees it: without the tests, and with broken lines joined.
fn program() -> String {
    let mut folders = vec![root().join("src")];
    let mut program = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are there").flatten() {
            let path = entry.path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("rs") if path.file_name() != Some("tests.rs".as_ref()) => {
                    program += &of_program(&path);
                }
                _ => {}
            }
        }
    }
    program
}

fn of_program(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source is text");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The parts of a pattern that stand for themselves; a word in capitals stands for something else.
fn fixed(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in pattern.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let stands_for_more = bare.len() > 2
            && !["CLI"].contains(&bare)
            && bare.chars().all(|c| c.is_ascii_uppercase() || c == ':');
        let last = parts.last_mut().expect("there is always one");
        match stands_for_more {
            true => parts.push(String::new()),
            false if last.is_empty() => last.push_str(word),
            false => *last = format!("{last} {word}"),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn every_message_of_the_manual_is_one_of_the_program() {
    let program = program();
    for message in described() {
        for part in fixed(&message) {
            assert!(program.contains(&part), "'{message}': nothing says '{part}'");
        }
    }
}

/// The texts of the program's warnings and errors, and whether they have an identifier.
fn warnings(program: &str) -> Vec<(bool, String)> {
    let mut warnings = Vec::new();
    for call in ["log::warn!(", "log::error!("] {
        for rest in program.split(call).skip(1) {
            let (fields, rest) = if rest.trim_start().starts_with('"') {
                ("", rest)
            } else {
                rest.split_once(';').expect("a message follows the fields")
            };
            let text = rest.split('"').nth(1).expect("a message is a text");
            warnings.push((fields.contains("MESSAGE_ID"), text.to_owned()));
        }
    }
    warnings
}

/// A beginning of few words would fit too much.
fn begins(text: &str, known: &str) -> bool {
    text == known || (known.len() > 12 && text.starts_with(known))
}

#[test]
fn every_warning_either_has_an_explanation_or_passes_by_itself() {
    let warnings = warnings(&program());
    assert!(warnings.len() > 40, "only {} were found", warnings.len());
    let mut unexplained = Vec::new();
    let described = described();
    for (has_id, text) in &warnings {
        let passes = PASSING.iter().any(|known| begins(text, known));
        let is_described = described.iter().any(|message| {
            text.contains(
                fixed(message).first().map_or("nothing", |part| part.trim_end_matches(':')),
            )
        });
        let explained = *has_id || is_described;
        if !(explained || passes) {
            unexplained.push(text);
        }
    }
    assert!(unexplained.is_empty(), "nobody explains {unexplained:#?}");
    for start in PASSING {
        assert!(warnings.iter().any(|(_, text)| begins(text, start)), "nothing says '{start}'");
    }
}

/// Below the message, where nothing that others wrote can be taken for one: `os::journal`.
#[test]
fn a_hint_is_a_field_of_its_message() {
    assert_eq!(program().matches("\\nhint").count(), 1, "only the journal begins that line");
}

#[test]
fn every_name_that_the_program_uses_is_in_the_table() {
    let program = program();
    let names = program.split("messages::id(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let known: Vec<&str> = oauth_sync::messages().map(|(name, _)| name).collect();
    for name in names {
        assert!(known.contains(&name), "'{name}' is no message");
    }
}

/// journalctl's own compiler and reader of catalogs, on a tree of its own.
#[test]
fn journalctl_takes_the_catalog() {
    let scratch = tempfile::tempdir().expect("a folder of its own");
    let folder = scratch.path().join("usr/lib/systemd/catalog");
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::create_dir_all(scratch.path().join("var/lib/systemd/catalog")).expect("so can this");
    std::fs::copy(root().join(CATALOG), folder.join("oauth-sync.catalog")).expect("it is there");
    let journalctl = |args: &[&str]| {
        let mut command = Command::new("journalctl");
        let ran = command.arg(format!("--root={}", scratch.path().display())).args(args).output();
        let ran = ran.expect("journalctl runs");
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    journalctl(&["--update-catalog"]);
    for (name, id) in oauth_sync::messages() {
        let dumped = journalctl(&["--dump-catalog", id]);
        assert!(dumped.contains("Subject: "), "{name}: {dumped}");
    }
}
