//! What the program consists of besides this project's own code: crates, by `cargo metadata`, and what Rust
//! itself builds into each program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub(crate) mod notices;
pub(crate) mod sbom;

/// What packages are built for.
pub(crate) const TARGETS: [&str; 4] = [
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

/// What no crate of Cargo.lock brings: its name, its licence, and the file of `licenses/` with the text.
const BUILT_IN: [(&str, &str, &str); 3] = [
    ("Rust Standard Library", "(Apache-2.0 OR MIT) AND Unicode-3.0 AND Zlib", "rust-std"),
    ("LLVM runtime libraries", "Apache-2.0 WITH LLVM-exception", "llvm"),
    ("musl, in packages of `make dist`", "BSD-2-Clause AND ISC AND MIT", "musl"),
];

/// How the name of a file begins or ends that holds a licence.
const LICENCE_FILES: [&str; 5] = ["LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// One part of the program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// Empty for what comes with Rust.
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) licence: String,
    /// Names of files, and what is in them.
    pub(crate) texts: Vec<(String, String)>,
}

/// What cargo knows of the program as it is built for some targets.
pub(crate) struct Resolved {
    packages: BTreeMap<String, Value>,
    /// What each package of the program needs in it.
    needs: BTreeMap<String, BTreeSet<String>>,
    root: String,
}

impl Resolved {
    /// Asks cargo.
    pub(crate) fn of(sources: &Path, targets: &[&str]) -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(targets.iter().flat_map(|target| ["--filter-platform", target]))
            .current_dir(sources)
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
        let by_id = |list: &Value| -> BTreeMap<String, Value> {
            let list = list.as_array().expect("a list");
            list.iter().map(|entry| (text(&entry["id"]), entry.clone())).collect()
        };
        let packages = by_id(&all["packages"]);
        let root = text(&all["resolve"]["root"]);
        let needs = in_program(&root, &by_id(&all["resolve"]["nodes"]), &packages);
        Self { packages, needs, root }
    }

    /// The crates of the program but its own, in order.
    pub(crate) fn crates(&self) -> Vec<Component> {
        let others = self.needs.keys().filter(|id| **id != self.root);
        let mut crates: Vec<_> = others.map(|id| component(&self.packages[id])).collect();
        crates.sort();
        crates
    }
}

/// What is in the program: what it needs when it runs, all the way down. Macros are run by the compiler.
fn in_program(
    root: &str,
    nodes: &BTreeMap<String, Value>,
    packages: &BTreeMap<String, Value>,
) -> BTreeMap<String, BTreeSet<String>> {
    let is_macro = |id: &str| {
        let targets = packages[id]["targets"].as_array().expect("a list");
        targets.iter().any(|target| target["kind"][0] == "proc-macro")
    };
    let mut needs = BTreeMap::new();
    let mut rest = vec![root.to_owned()];
    while let Some(id) = rest.pop() {
        let all = nodes[&id]["deps"].as_array().expect("a list").iter();
        let normal = all.filter(|need| {
            need["dep_kinds"].as_array().expect("a list").iter().any(|kind| kind["kind"].is_null())
        });
        let ids = normal.map(|need| text(&need["pkg"])).filter(|need| !is_macro(need));
        let ids: BTreeSet<String> = ids.collect();
        rest.extend(ids.iter().filter(|need| !needs.contains_key(*need)).cloned());
        needs.insert(id, ids);
    }
    needs
}

fn component(package: &Value) -> Component {
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().expect("a manifest lies in a folder");
    let mut texts = Vec::new();
    collect_texts(folder, "", &mut texts);
    texts.sort();
    Component {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: licence(package),
        texts,
    }
}

/// The licence that a crate states; a slash is an older form of OR.
fn licence(package: &Value) -> String {
    package["license"].as_str().unwrap_or_default().replace('/', " OR ")
}

/// The licences in a folder and below it: some crates have code of others with its own.
fn collect_texts(folder: &Path, prefix: &str, texts: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the sources of a crate can be read") {
        let entry = entry.expect("the sources of a crate can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_texts(&entry.path(), &format!("{name}/"), texts);
        } else if holds_licence(&entry.file_name().to_string_lossy()) {
            let text = std::fs::read_to_string(entry.path()).expect("a licence is text");
            texts.push((name, tidied(&text)));
        }
    }
}

pub(crate) fn holds_licence(file: &str) -> bool {
    let upper = file.to_uppercase();
    let is_code = [".RS", ".PY", ".SH", ".C", ".H", ".TOML", ".JSON"];
    let stem = upper.split('.').next().unwrap_or_default();
    LICENCE_FILES.iter().any(|word| stem.starts_with(word) || stem.ends_with("-LICENSE"))
        && !is_code.iter().any(|end| upper.ends_with(end))
}

/// A text without what does not show: the same licence then is the same text.
fn tidied(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// All that the packages have to tell of: the crates, and what Rust adds.
pub(crate) fn all(sources: &Path) -> Vec<Component> {
    let mut all = Resolved::of(sources, &TARGETS).crates();
    all.extend(BUILT_IN.iter().map(|(name, licence, file)| {
        let file = format!("licenses/{file}");
        let text = std::fs::read_to_string(sources.join(&file)).expect("the text is there");
        Component {
            name: (*name).to_owned(),
            version: String::new(),
            licence: (*licence).to_owned(),
            texts: vec![(file, tidied(&text))],
        }
    }));
    all
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
