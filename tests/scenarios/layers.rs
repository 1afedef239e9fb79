//! The layers: `cli → app → os → domain`, never upwards; and within `app` never round in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 4] = ["domain", "os", "app", "cli"];

/// What `domain` may import from outside; `proptest` in its tests.
const DOMAIN_CRATES: [&str; 7] =
    ["std", "serde", "serde_json", "dotenv_parser", "jsonc_parser", "yaml_rust2", "proptest"];

/// Which other modules each module names, and in which file.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

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

/// What the modules of `app/` import of each other; a module's folder is part of it.
fn imports_within_app() -> Imports {
    let app = src().join("app");
    let mut imports = Imports::new();
    for file in sources(&app) {
        let below = file.strip_prefix(&app).unwrap();
        let own = Path::new(below.iter().next().unwrap()).file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(!hides_a_name(&text, below), "{}: spell each import out", file.display());
        let others = imports.entry(own.to_owned()).or_default();
        for path in named(&text, "crate::app::") {
            let other = path.split("::").nth(2).unwrap();
            if other != own {
                others.entry(other.to_owned()).or_insert(below.display().to_string());
            }
        }
    }
    imports
}

/// Says whether a file names modules of `app/` other than by `crate::app::NAME`.
fn hides_a_name(text: &str, below: &Path) -> bool {
    let in_app = below.components().count() == 1 || below.ends_with("mod.rs");
    // The tests in a file ask for what is in the same file.
    let upwards = text.replace("    use super::*;", "").contains("super::");
    ["crate::app;", "crate::app as ", "crate::app::{", "crate::app::*", "super::super::"]
        .iter()
        .any(|hidden| text.contains(hidden))
        || in_app && upwards
}

/// The shortest way of imports that leads from a module back to it, as a person would read it.
fn way_back(imports: &Imports, start: &str) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([(start, String::new())]);
    while let Some((at, way)) = ways.pop_front() {
        for (next, file) in &imports[at] {
            let way = format!("{way}{file} imports {next}; ");
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push_back((next, way));
            }
        }
    }
    None
}

#[test]
fn the_modules_of_app_do_not_import_each_other_in_a_circle() {
    let imports = imports_within_app();
    let all = imports.values().flatten();
    for (other, file) in all.clone() {
        assert!(imports.contains_key(other), "{file}: crate::app::{other} is no module");
    }
    assert!(all.count() > 50, "hardly any imports were seen: {imports:?}");
    let circles = imports.keys().filter_map(|module| way_back(&imports, module));
    assert_eq!(circles.min_by_key(String::len), None);
}

#[test]
fn a_circle_of_imports_would_be_found() {
    let import = |from: &str, to: &[&str]| {
        let to = to.iter().map(|to| ((*to).to_owned(), format!("{from}.rs")));
        (from.to_owned(), to.collect())
    };
    let mut imports = Imports::from([import("a", &["b", "d"]), import("b", &["c", "d"])]);
    imports.extend([import("c", &["d"]), import("d", &[])]);
    assert_eq!(way_back(&imports, "a"), None);
    imports.extend([import("c", &["a"])]);
    let circle = "a.rs imports b; b.rs imports c; c.rs imports a; ";
    assert_eq!(way_back(&imports, "a").as_deref(), Some(circle));
    assert_eq!(way_back(&imports, "d"), None);
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
