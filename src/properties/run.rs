//! Makes inputs up, out of the texts that are kept for each property, and keeps what fails.
//!
//! `PROPERTY_INPUTS` says how many each property gets.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

use super::{ALL, check};
use crate::os::{environment, fingerprint};

/// How many inputs a property gets where nobody says it.
const INPUTS: u32 = 200;

/// What a change may put in: what means something to one parser or another.
const FRAGMENTS: [&[u8]; 44] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b"\\",
    b",",
    b":",
    b"=",
    b"#",
    b" ",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b"\0",
    b"-",
    b"%",
    b"@",
    b"null",
    b"true",
    b"0",
    b"-1",
    b"1e999",
    b"0x1F",
    b".5",
    b"9223372036854775808",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x98\x80",
    b"/*",
    b"*/",
    b"//",
    b"\"a\":1,",
    b"{\"a\":{\"t\":",
    b"export ",
    b"sk-ant-oat01-x",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// One change of a text.
#[derive(Clone, Copy, Debug)]
struct Change {
    kind: u8,
    at: u16,
    length: u8,
    choice: u16,
}

impl Change {
    fn make(self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = usize::from(self.at) % (bytes.len() + 1);
        let end = (at + usize::from(self.length)).min(bytes.len());
        let choice = usize::from(self.choice);
        match self.kind {
            0 | 1 => drop(bytes.splice(at..at, FRAGMENTS[choice % FRAGMENTS.len()].to_vec())),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = choice % (bytes.len() + 1);
                drop(bytes.splice(to..to, copy));
            }
            4 => {
                let fragment = FRAGMENTS[choice % FRAGMENTS.len()];
                drop(bytes.splice(at..end, fragment.to_vec()));
            }
            5 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = choice.to_le_bytes()[0]),
            6 => bytes.truncate(at),
            _ => {
                let other = &seeds[choice % seeds.len()];
                let from = at.min(other.len());
                let to = (from + usize::from(self.length)).min(other.len());
                drop(bytes.splice(at..at, other[from..to].to_vec()));
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    (0..8_u8, any::<u16>(), 0..64_u8, any::<u16>()).prop_map(|(kind, at, length, choice)| Change {
        kind,
        at,
        length,
        choice,
    })
}

fn kept(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/properties").join(name)
}

#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(kept(name)).expect("each property has texts to begin with");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

fn inputs() -> u32 {
    let asked = environment::get("PROPERTY_INPUTS").and_then(|text| text.into_string().ok());
    asked.map_or(INPUTS, |text| text.parse().expect("PROPERTY_INPUTS is a number"))
}

/// What the inputs are drawn by; `PROPERTY_SEED=random` draws others each time.
fn seed() -> Option<u64> {
    let asked = environment::get("PROPERTY_SEED").and_then(|text| text.into_string().ok());
    match asked.as_deref() {
        Some("random") => None,
        asked => Some(asked.map_or(1, |text| text.parse().expect("PROPERTY_SEED is a number"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test keeps what failed")]
fn holds(name: &str) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "each property has texts to begin with");
    for seed in &seeds {
        check(name, seed);
    }
    let input = (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..7)).prop_map({
        let seeds = seeds.clone();
        move |(seed, changes): (prop::sample::Index, Vec<Change>)| {
            let mut bytes = seed.get(&seeds).clone();
            for change in changes {
                change.make(&mut bytes, &seeds);
            }
            bytes
        }
    });
    // The same inputs in every run of the checks; a maintainer's nightly run draws others.
    let rng_seed = seed().map_or(RngSeed::Random, RngSeed::Fixed);
    let config =
        Config { cases: inputs(), failure_persistence: None, rng_seed, ..Config::default() };
    let outcome = TestRunner::new(config).run(&input, |bytes| {
        check(name, &bytes);
        Ok(())
    });
    if let Err(TestError::Fail(why, bytes)) = outcome {
        let digest = fingerprint::of_name(&String::from_utf8_lossy(&bytes));
        let path = kept(name).join(format!("failed-{digest}"));
        fs::write(&path, &bytes).expect("what failed is kept");
        panic!("{name}: {why}: kept as {}: {}", path.display(), bytes.escape_ascii());
    }
}

macro_rules! properties {
    ($($test:ident $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(#[test] fn $test() { holds($name); })*
    };
}

properties! {
    auth_profiles "auth-profiles",
    auth_state "auth-state",
    claude_settings "claude-settings",
    configuration "configuration",
    containers "containers",
    credentials "credentials",
    debconf_answers "debconf-answers",
    env_file "env-file",
    gateway_answers "gateway-answers",
    group "group",
    json_edits "json-edits",
    json5_edits "json5-edits",
    models "models",
    mountinfo "mountinfo",
    notice "notice",
    oauth_json "oauth-json",
    openclaw_json "openclaw-json",
    output "output",
    over_records "over-records",
    package_json "package-json",
    passwd "passwd",
    proxies "proxies",
    saved_answers "saved-answers",
    shell_words "shell-words",
    state_files "state-files",
    times "times",
    token_answers "token-answers",
    unit_files "unit-files",
}

#[test]
fn every_property_is_tested_and_has_a_fuzz_target() {
    let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, TESTED);
    let manifest = include_str!("../../fuzz/Cargo.toml");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
    }
}
