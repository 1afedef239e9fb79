//! What is put together from the answers, where a host for it cannot be made.

use std::path::Path;

use clap::Parser;

use super::*;
use crate::cli::args::{Arguments, Command};
use crate::domain::detection::{Cli, Control, Findings, Login};

const LOGIN: &str = "/root/.claude/.credentials.json";

/// The keys of a link to the login, where all that is proposed is taken.
fn keys(more: &[&str], cli: Cli) -> Vec<String> {
    let args = [&["oauth-sync", "setup", "--yes"], more].concat();
    let Command::Setup(options) = Arguments::try_parse_from(args).unwrap().command else {
        panic!("it is setup")
    };
    let folder = tempfile::tempdir().unwrap();
    let [config_dir, state_dir, run_dir] =
        ["etc", "lib", "run"].map(|name| folder.path().join(name));
    let tree = Tree::new(Some(folder.path()));
    let (path, control) = (PathBuf::from(LOGIN), Control::of(&[0]));
    let login = Login { path, control, state: "valid", cli, warnings: Vec::new() };
    let detection = Detection {
        findings: Findings { logins: vec![login], ..Findings::default() },
        candidates: Vec::new(),
        rivals: Vec::new(),
        tree: tree.clone(),
        containers: vec![("claude".to_owned(), "podman"), ("other".to_owned(), "podman")],
        silent: Vec::new(),
        accounts: Vec::new(),
    };
    let mut guide = Guide {
        places: &Places { config_dir, state_dir, run_dir },
        options: &options,
        ask: Asker { yes: true },
        name: DEFAULT.to_owned(),
        tree,
        detection,
        choice: Choice { login: Some(PathBuf::from(LOGIN)), ..Choice::default() },
        exit: Exit::Done,
    };
    assert_eq!(manner::cli(&mut guide).unwrap(), Turn::Next);
    let answers = link::answers(&guide, Path::new("/c"), Path::new(LOGIN));
    let said = answers.into_iter().filter(|(_, value)| !value.is_empty());
    said.skip(2).map(|(key, value)| format!("{key}={value}")).collect()
}

#[test]
fn the_engine_is_taken_along_with_the_container() {
    let found = || Cli::Container { name: "claude".to_owned(), engine: "podman" };
    let expected = ["CLAUDE_CLI=container", "CLAUDE_CONTAINER=claude", "CONTAINER_ENGINE=podman"];
    assert_eq!(keys(&[], found()), expected);
    let named = keys(&["--container", "other"], found());
    assert_eq!(named[1..], ["CLAUDE_CONTAINER=other", "CONTAINER_ENGINE=podman"]);
    let of_docker = Cli::Container { name: "box".to_owned(), engine: "docker" };
    assert_eq!(keys(&[], of_docker), ["CLAUDE_CLI=container", "CLAUDE_CONTAINER=box"]);
    assert_eq!(keys(&[], Cli::Host("/usr/bin/claude".into())), [""; 0]);
}
