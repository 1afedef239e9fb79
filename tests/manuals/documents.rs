//! README, `CONTRIBUTING.md` and `docs/`: the commands they show are commands, the keys are keys, and links and files
//! of the sources are there.

use std::path::Path;

use crate::{root, text_of};

pub(crate) fn documents() -> Vec<String> {
    let folder = std::fs::read_dir(root().join("docs")).expect("docs is there");
    let names = folder.map(|entry| entry.expect("it can be read").file_name());
    let names = names.map(|name| format!("docs/{}", name.to_string_lossy()));
    let mut all: Vec<String> = names.filter(|name| name.rsplit('.').next() == Some("md")).collect();
    all.extend(["README.md", "CONTRIBUTING.md"].map(str::to_owned));
    all.sort();
    all
}

/// The lines of fenced blocks, and what stands in code spans elsewhere.
fn code(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut is_fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            code.push(line.to_owned());
        } else {
            code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    code
}

/// A command line's words; quotes hold them together, and what a shell adds ends it.
pub(crate) fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or(line);
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '|' | ';' | '>' | '#' if !is_quoted => break,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is always one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_that_is_shown_is_one() {
    let mut count = 0;
    for name in documents() {
        for line in code(&text_of(&name)) {
            let words = words(line.trim().trim_start_matches("sudo "));
            if words.first().map(String::as_str) != Some("oauth-sync") || words.len() < 2 {
                continue;
            }
            // Placeholders are fine, and so is a command that is only named.
            let parsed = oauth_sync::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.expect_err("just seen"));
            count += 1;
        }
    }
    assert!(count > 20, "only {count} commands were found");
}

#[test]
fn every_key_that_is_shown_is_one() {
    let keys: Vec<&str> = oauth_sync::configuration_keys().map(|(key, ..)| key).collect();
    for name in documents() {
        for line in code(&text_of(&name)) {
            let Some((key, _)) = line.trim().split_once("=\"") else { continue };
            if key.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                assert!(keys.contains(&key), "{name}: {line}");
            }
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for name in documents() {
        let text = text_of(&name);
        let folder = root().join(&name);
        let folder = folder.parent().unwrap_or(Path::new("/"));
        for aim in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !aim.contains("://") {
                assert!(folder.join(aim).exists(), "{name} leads to {aim}, which is not there");
            }
        }
    }
}

#[test]
fn every_document_is_reached_from_the_readme() {
    let readme = text_of("README.md");
    for name in documents().iter().filter(|name| *name != "README.md") {
        assert!(readme.contains(name), "README.md does not lead to {name}");
    }
}

/// The folders whose files a document of the sources names by their whole path.
const SOURCES: [&str; 6] = ["src/", "tests/", "units/", "man/", "docs/", "debian/"];

#[test]
fn every_file_of_the_sources_that_is_named_is_there() {
    let mut count = 0;
    for name in ["CONTRIBUTING.md", "docs/architecture.md"] {
        for path in code(&text_of(name)) {
            if SOURCES.iter().any(|folder| path.starts_with(folder)) {
                assert!(root().join(&path).exists(), "{name} names {path}, which is not there");
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} files were found");
}
