//! The layers: `cli → app → os → domain`, never upwards; and at no level round in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 4] = ["domain", "os", "app", "cli"];

/// What `domain` may import from outside; `proptest` in its tests.
const DOMAIN_CRATES: [&str; 9] = [
    "std",
    "serde",
    "serde_json",
    "dotenv_parser",
    "jsonc_parser",
    "yaml_rust2",
    "strsim",
    "jiff",
    "proptest",
];

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

/// Directories whose modules still import each other in a circle; the list only gets shorter.
const STILL_CIRCULAR: [&str; 2] = ["app/gateway", "os/fs/dir"];

/// A directory of sources and all those below it.
fn directories(top: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.filter(|path| path.is_dir()).flat_map(|path| directories(&path));
    std::iter::once(top.to_owned()).chain(below).collect()
}

/// What the modules of one directory import of each other; a module's own directory is part of it, and the
/// directory's `mod.rs` is none of them.
fn imports_within(directory: &Path) -> Imports {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let modules: BTreeSet<String> =
        entries.map(|path| name(&path)).filter(|name| name != "mod").collect();
    let place = directory.strip_prefix(src()).unwrap();
    let prefix =
        place.iter().fold("crate".to_owned(), |path, part| path + "::" + part.to_str().unwrap());
    let mut imports: Imports = modules.iter().map(|name| (name.clone(), BTreeMap::new())).collect();
    for file in sources(directory) {
        let below = file.strip_prefix(directory).unwrap();
        let own = name(Path::new(below.iter().next().unwrap()));
        let Some(others) = imports.get_mut(&own) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        // The tests in a file ask for what is in the same file.
        let text = text.split("#[cfg(test)]").next().unwrap();
        let prefixes = [format!("{prefix}::"), "super::".to_owned()];
        let is_sibling = below.iter().count() == 1;
        for prefix in prefixes.iter().filter(|prefix| is_sibling || *prefix != "super::") {
            let plain = named(text, prefix).map(|path| &path[prefix.len()..]);
            let opening = format!("{prefix}{{");
            let groups = text.split(&opening).skip(1).flat_map(|group| {
                group.split('}').next().unwrap_or_default().split(',').map(str::trim)
            });
            for other in plain.chain(groups).filter_map(|path| path.split("::").next()) {
                if other != own && modules.contains(other) {
                    others.entry(other.to_owned()).or_insert(below.display().to_string());
                }
            }
        }
    }
    imports
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
fn at_no_level_do_modules_import_each_other_in_a_circle() {
    let mut seen = 0;
    for directory in directories(&src()) {
        let imports = imports_within(&directory);
        seen += imports.values().map(BTreeMap::len).sum::<usize>();
        let circle = imports.keys().filter_map(|module| way_back(&imports, module));
        let circle = circle.min_by_key(String::len);
        let place = directory.strip_prefix(src()).unwrap().to_str().unwrap();
        let is_known = STILL_CIRCULAR.contains(&place);
        assert_eq!(circle.is_some(), is_known, "{place}: {circle:?}");
    }
    assert!(seen > 300, "hardly any imports were seen: {seen}");
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
