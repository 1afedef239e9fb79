//! `cargo build --release --locked` makes the shipped program: nothing else reaches the compiler or the linker
//! but what the caller asks for and what makes packages reproducible.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::{files_of, root, text_of};

/// Words by which a build is bent: arguments and scripts of the linker, the compiler's inner options, build scripts.
const WORDS: [&str; 12] = [
    "link-arg",
    "linker",
    "rustc-link",
    "custom-build",
    "build.rs",
    "build.ld",
    "llvm-args",
    "symbol-mangling",
    "-Wl,",
    "-Zbuild-std",
    "RUSTC_BOOTSTRAP",
    "relocation-model",
];

/// The one line that may hand arguments to the linker: those of the caller.
const HANDED_ON: &str = "override RUSTFLAGS := $(value RUSTFLAGS) $(filter-out $(value RUSTFLAGS),$(patsubst %,-Clink-arg=%,$(value LDFLAGS)))";

/// Answers as cargo, and keeps what it is called with.
const CARGO: &str = "#!/bin/sh
[ \"$1\" != --version ] || { echo 'cargo 1.999.0'; exit; }
{ echo \"cargo $*\"; env | grep -E '^[A-Z_]*FLAGS=' | grep -vE '^(MAKE|M|GNUMAKE)FLAGS=' | LC_ALL=C sort; } >\"$CALLED\"
";

/// Answers as rustc that has the library of any target, and as the C compiler.
const ANY: &str = "#!/bin/sh\necho /\n";

/// Runs `make GOAL` with a cargo that only keeps its call; gives its arguments, then its flags, a line each.
fn called(goal: &str, environment: &[(&str, &str)], assignments: &[&str]) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let call = scratch.path().join("called");
    for (name, text) in [("cargo", CARGO), ("rustc", ANY), ("aarch64-linux-gnu-gcc", ANY)] {
        let program = scratch.path().join(name);
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", scratch.path().display(), std::env::var("PATH").unwrap());
    let status = Command::new("make")
        .args(["--silent", goal])
        .args(assignments)
        .current_dir(root())
        .env_clear()
        .envs(environment.iter().copied())
        .envs([("PATH", path.as_ref()), ("CALLED", call.as_os_str()), ("HOME", OsStr::new("/h"))])
        .status()
        .expect("make runs");
    assert!(status.success(), "make {goal}: {status}");
    let text = std::fs::read_to_string(call).expect("cargo was called");
    text.lines().map(ToOwned::to_owned).collect()
}

/// What makes a package reproducible.
fn mapped() -> String {
    let root = root().display();
    format!("--remap-path-prefix=/h/.cargo=/cargo --remap-path-prefix={root}=/src")
}

#[test]
fn build_adds_no_flag() {
    assert_eq!(called("build", &[], &[]), ["cargo build --release --locked"]);
}

#[test]
fn packages_add_only_the_mapping_of_paths() {
    let expected =
        ["cargo build --release --locked".to_owned(), format!("RUSTFLAGS= {}", mapped())];
    assert_eq!(called("package-build", &[], &[]), expected);
}

#[test]
fn packages_for_another_target_add_its_name() {
    let target = "aarch64-unknown-linux-musl";
    let expected = [
        format!("cargo build --release --locked --target {target}"),
        format!("RUSTFLAGS= {}", mapped()),
    ];
    assert_eq!(called("package-build", &[], &[&format!("TARGET={target}")]), expected);
}

#[test]
fn flags_of_the_caller_are_kept() {
    let given = [
        ("CFLAGS", "-O2 -fstack-protector-strong"),
        ("LDFLAGS", "-Wl,-z,relro -Wl,-z,now"),
        ("RUSTFLAGS", "-Cforce-frame-pointers=yes --cfg some"),
    ];
    let as_words: Vec<String> =
        given.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let as_words: Vec<&str> = as_words.iter().map(String::as_str).collect();
    let rust = "RUSTFLAGS=-Cforce-frame-pointers=yes --cfg some -Clink-arg=-Wl,-z,relro -Clink-arg=-Wl,-z,now";
    for (goal, added) in [("build", String::new()), ("package-build", format!(" {}", mapped()))] {
        for call in [called(goal, &given, &[]), called(goal, &[], &as_words)] {
            let expected = [
                "cargo build --release --locked".to_owned(),
                "CFLAGS=-O2 -fstack-protector-strong".to_owned(),
                "LDFLAGS=-Wl,-z,relro -Wl,-z,now".to_owned(),
                format!("{rust}{added}"),
            ];
            assert_eq!(call, expected, "make {goal}");
        }
    }
}

#[test]
fn a_make_within_make_hands_linker_flags_on_once() {
    let given = [("LDFLAGS", "-Wl,-z,relro"), ("RUSTFLAGS", "-Clink-arg=-Wl,-z,relro")];
    let call = called("build", &given, &[]);
    assert_eq!(call.last().map(|line| line.trim_end()), Some("RUSTFLAGS=-Clink-arg=-Wl,-z,relro"));
}

/// Files that tell how to build: everything but the program, its tests' Rust and the documents.
fn recipes() -> Vec<String> {
    let mut files: Vec<String> = [".ci", "bench", "debian", "rpm", "tests"]
        .into_iter()
        .flat_map(files_of)
        .filter(|file| Path::new(file).extension() != Some(OsStr::new("rs")))
        .collect();
    files.extend(["Cargo.toml", "Makefile", "packages.mk"].map(ToOwned::to_owned));
    files
}

#[test]
fn no_recipe_bends_the_build() {
    for file in recipes() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for line in text.lines().filter(|line| *line != HANDED_ON) {
            let word = WORDS.iter().find(|word| line.contains(*word));
            assert_eq!(word, None, "{file}: {line}");
        }
    }
    assert!(text_of("Makefile").lines().any(|line| line == HANDED_ON));
}

#[test]
fn cargo_has_no_build_script_and_no_configuration() {
    let manifest = text_of("Cargo.toml");
    let keys = ["build =", "links =", "rustflags", "cargo-features", "[target."];
    for line in manifest.lines() {
        assert!(!keys.iter().any(|key| line.trim_start().starts_with(key)), "Cargo.toml: {line}");
    }
    for file in ["build.rs", ".cargo", "rust-toolchain", "rust-toolchain.toml"] {
        assert!(!root().join(file).exists(), "{file}");
    }
    let is_script = |file: &Path| {
        file.extension()
            .is_some_and(|end| ["ld", "lds", "x"].contains(&end.to_str().unwrap_or_default()))
    };
    let top = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let below = ["src", "debian", "rpm", "tests", "bench"].into_iter().flat_map(files_of);
    let scripts: Vec<_> = top.chain(below.map(Into::into)).filter(|file| is_script(file)).collect();
    assert!(scripts.is_empty(), "scripts of a linker: {scripts:?}");
}
