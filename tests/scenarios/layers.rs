//! The layers: `cli → app → os → domain`, never upwards, never sideways between use-cases.

use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 4] = ["domain", "os", "app", "cli"];

/// The files of `app/` that are use-cases: commands call them, and nothing but these compositions
/// may import one from another. All other files of `app/` are their parts, free to build on each other.
const USE_CASES: [&str; 3] = ["sync", "watch", "status"];

/// Use-cases that are made of another one: `watch` and `status` are `sync` on events and without
/// writes, `rounds` is what the timer's run does besides renewing, and `work` on a gateway begins
/// with a look at what a sync has left.
const COMPOSITIONS: [(&str, &str); 4] =
    [("watch", "sync"), ("status", "sync"), ("rounds", "sync"), ("work", "sync")];

/// What a part may know of a use-case: the type of what it was asked for, not its code.
const SHARED_TYPES: [(&str, &str); 1] = [("sinks", "crate::app::sync::Wanted")];

/// What `domain` may import from outside; `proptest` in its tests.
const DOMAIN_CRATES: [&str; 6] =
    ["std", "serde", "serde_json", "dotenv_parser", "jsonc_parser", "proptest"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every path that a line names below `prefix`, as `crate::app::sync` out of a `use` or in passing.
fn named<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(move |line| {
        line.match_indices(prefix).map(move |(at, _)| {
            let rest = &line[at..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            &rest[..end.unwrap_or(rest.len())]
        })
    })
}

#[test]
fn nothing_imports_upwards() {
    let mut seen = 0;
    for (height, layer) in LAYERS.iter().enumerate() {
        for file in sources(&src().join(layer)) {
            let text = fs::read_to_string(&file).unwrap();
            for path in named(&text, "crate::") {
                let first = path.split("::").nth(1).unwrap();
                let above = LAYERS.iter().position(|other| *other == first);
                let above = above.unwrap_or_else(|| panic!("{}: {path}", file.display()));
                assert!(above <= height, "{}: {path} is above {layer}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were seen");
}

#[test]
fn use_cases_do_not_import_each_other() {
    for file in sources(&src().join("app")) {
        let own = file.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        // `use crate::app::{a, b}` would hide names from this test.
        assert!(!text.contains("crate::app::{"), "{}: spell each import out", file.display());
        for path in named(&text, "crate::app::") {
            let other = path.split("::").nth(2).unwrap();
            let shared = SHARED_TYPES.contains(&(own, path));
            let composed = COMPOSITIONS.contains(&(own, other));
            let free = !USE_CASES.contains(&other) || other == own;
            assert!(free || composed || shared, "{}: {path}", file.display());
        }
    }
}

#[test]
fn domain_imports_nothing_of_the_world() {
    for file in sources(&src().join("domain")) {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().map(str::trim_start) {
            let Some(path) =
                line.strip_prefix("use ").or_else(|| line.strip_prefix("pub(crate) use "))
            else {
                continue;
            };
            let first = path.split([':', ';', ' ']).next().unwrap();
            let inner = ["crate", "super", "self"].contains(&first)
                // A type that is in scope already, for its variants.
                || first.starts_with(char::is_uppercase)
                || file.with_extension("").join(format!("{first}.rs")).exists()
                || file.with_file_name(format!("{first}.rs")).exists();
            assert!(inner || DOMAIN_CRATES.contains(&first), "{}: {line}", file.display());
        }
        for world in [
            "std::fs",
            "std::env",
            "std::process",
            "std::net",
            "SystemTime",
            "Instant::now",
            "rustix::",
        ] {
            assert!(named(&text, world).next().is_none(), "{}: {world}", file.display());
        }
    }
}
