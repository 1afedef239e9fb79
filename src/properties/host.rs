//! What the host, its users and other programs say: configuration, tables, answers of programs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::app::setup::detect::write::parse_answers;
use crate::app::setup::detect::{containers, rivals, units};
use crate::domain::claude_cli;
use crate::domain::config::{self, edit, words};
use crate::domain::container;
use crate::domain::era;
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{masking, paste};
use crate::domain::secret::Secret;
use crate::os::fs::mounts;
use crate::os::net::proxy;
use crate::os::user::account;

/// Faults are named with a line that is there; a key that is set is read back, and no other changes.
pub(super) fn configuration(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let read = |text: &str| config::read(&[(PathBuf::from("/c/default.conf"), text.to_owned())]);
    let lines = text.lines().count().max(1);
    let config = read(text);
    for problem in config.problems.iter().chain(&config.unfinished) {
        assert!((1..=lines).contains(&problem.line), "{problem}");
        assert!(!problem.cause.contains("sk-ant-oat"), "no message holds a token");
    }
    let held = |text: &str| edit::value_of(text, "SINKS");
    if let Ok(new) = edit::set_key(text, "COMPOSE_DIR", "/srv/open claw") {
        assert_eq!(edit::value_of(&new, "COMPOSE_DIR").as_deref(), Some("/srv/open claw"));
        assert_eq!(held(text), held(&new));
        assert_eq!(edit::set_key(&new, "COMPOSE_DIR", "/srv/open claw").as_ref(), Ok(&new));
        if let Ok(gone) = edit::remove_key(&new, "COMPOSE_DIR") {
            assert_eq!(edit::value_of(&gone, "COMPOSE_DIR"), None);
            assert_eq!(held(text), held(&gone));
        }
    }
}

/// Words are what was written, without quotes around.
pub(super) fn shell_words(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let Ok(words) = words::split(text) else { return };
    assert!(words.first().is_some_and(|program| !program.is_empty()));
    let joined = words.concat();
    let blanks = |c: &char| c.is_whitespace() || matches!(c, '"' | '\'');
    let letters = |text: &str| text.chars().filter(|c| !blanks(c)).collect::<String>();
    assert_eq!(letters(text), letters(&joined));
    if !words.iter().any(|word| word.contains('\'')) {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        assert_eq!(words::split(&quoted.join(" ")).as_ref(), Ok(&words));
    }
}

/// What an engine prints about containers.
pub(super) fn engines(bytes: &[u8]) {
    for container in Container::read_all(bytes) {
        let _ = container.secrets();
        assert!(container.variable("NOBODY=SETS=THIS").is_none());
    }
    if let Some(container) = container::Container::parse(bytes) {
        let _ = container.variable("CLAUDE_CONFIG_DIR");
        if let Some(inside) = container.inside(Path::new("/srv/claude/.credentials.json")) {
            assert!(inside.path.ends_with(".credentials.json") || inside.path.is_absolute());
        }
    }
    if let Some(text) = super::text(bytes) {
        let _ = containers::read("docker", text, text);
    }
}

/// The mounts of a host.
pub(super) fn mountinfo(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let table: Vec<mounts::Mount> = text.lines().filter_map(mounts::parse).collect();
    let _ = mounts::of(&table, Path::new("/home/claw/.claude"));
}

/// The accounts of a host.
pub(super) fn passwd(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for account in account::parse(text) {
        let line = format!(
            "{}:x:{}:{}::{}:/bin/sh",
            account.name,
            account.uid,
            account.gid,
            account.home.display()
        );
        assert_eq!(account::parse(&line), [account]);
    }
}

/// The groups of a host.
pub(super) fn group(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let numbers = account::memberships(text, "claw").count();
    assert!(numbers <= text.lines().count());
}

/// Claude's `package.json`, and versions of both programs.
pub(super) fn package_json(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for version in [claude_cli::Version::of_package(text), claude_cli::Version::parse(text)] {
        let Some(version) = version else { continue };
        assert_eq!(claude_cli::Version::parse(&version.to_string()), Some(version));
        let _ = claude_cli::options(Some(version), true);
    }
    if let Some(version) = era::Version::parse(text) {
        let _ = version.era();
    }
    let _ = claude_cli::Version::of_path(Path::new(text));
}

/// Claude's `settings.json`.
pub(super) fn claude_settings(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let _ = claude_cli::names_base_url(text);
    if let Some(variable) = claude_cli::blocker(text) {
        assert!(claude_cli::EMPTIED.contains(&variable));
    }
}

/// What `openclaw` answers after a paste and a reload.
pub(super) fn gateway_answers(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let token = Secret::new("sk-ant-oat01-test-letters");
    let _ = paste::read_back(text, &token);
    let _ = paste::read_back(text, &Secret::new("\u{e9}\u{e9}\u{e9}"));
    let _ = paste::lacks_scope(text);
    if let Err(why) = paste::reloaded(text) {
        assert!(!why.contains('\n'));
    }
}

/// What other programs say, as it is shown: no token stays in it.
pub(super) fn output(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let secret = Secret::new("hunter2hunter2");
    let masked = masking::mask(&text, std::slice::from_ref(&secret));
    assert!(!masked.contains(secret.expose()) && !masked.contains("sk-ant-"), "{masked}");
    assert!(!masking::tail(&masked, 3).contains('\n'));
    if let Some(cause) = claude_cli::cause(&text) {
        assert!(!cause.is_empty());
    }
}

/// The file of a unit: only whole paths are taken from it.
pub(super) fn unit_files(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for hint in units::variables(text, 0, None) {
        assert!(hint.folder.is_absolute(), "{}", hint.folder.display());
    }
    for word in text.split_whitespace() {
        let name = word.trim_end_matches('/');
        assert!(rivals::script(word).is_none_or(|script| name.ends_with(script)));
    }
}

/// What debconf hands over.
pub(super) fn debconf_answers(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for (key, value) in parse_answers(text) {
        assert!(!key.contains(['\n', '=']) && !value.contains('\n'));
    }
}

/// A proxy's address: one that cannot be used is refused without its value.
pub(super) fn proxies(bytes: &[u8]) {
    let get = |name: &str| match name {
        "ALL_PROXY" => Some(OsString::from_vec(bytes.to_vec())).filter(|value| !value.is_empty()),
        _ => None,
    };
    match proxy::of("https://platform.example.com/v1/oauth/token", get) {
        Ok(None) => assert!(bytes.is_empty(), "nothing is sent without the proxy"),
        Ok(Some(proxy)) => assert!(!proxy.host().is_empty()),
        Err(why) => {
            assert!(why.contains("ALL_PROXY"));
            let secret =
                super::text(bytes).is_some_and(|text| text.len() > 8 && why.contains(text));
            assert!(!secret, "{why}");
        }
    }
    let exempt = |name: &str| match name {
        "HTTPS_PROXY" => Some(OsString::from("http://proxy:1")),
        "NO_PROXY" => Some(OsString::from_vec(bytes.to_vec())),
        _ => None,
    };
    assert!(proxy::of("https://platform.example.com/", exempt).is_ok());
}
