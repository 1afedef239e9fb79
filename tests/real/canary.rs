//! The search for tokens: in what is said, in the arguments and the environment of every program
//! that is started, and in every file that is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::{Answer, MESSAGES, TOKEN};
use crate::oauth_sync::OauthSync;

/// What every token of the endpoint begins with.
const SIGN: &str = "sk-ant-";

/// Runs a command of ours under strace, which shows each program that is started in full; what it
/// said, and the arguments and environments.
fn traced(sync: &OauthSync, words: &[&str]) -> (Output, String) {
    let log = sync.at("trace");
    let ours = sync.command(words);
    let mut command = Command::new("/usr/bin/strace");
    command.args(["-f", "-qq", "-v", "-s", "1000000", "-e", "trace=execve", "-e", "signal=none"]);
    command.arg("-o").arg(&log).arg(ours.get_program()).args(ours.get_args()).env_clear();
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.stdin(Stdio::null()).output().expect("strace is there");
    (output, fs::read_to_string(log).expect("strace writes it"))
}

/// The files below a folder that hold a token.
fn holders(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                let holds = bytes.windows(SIGN.len()).any(|piece| piece == SIGN.as_bytes());
                found.extend(holds.then(|| entry.path()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn tokens_stand_in_the_login_and_in_the_sinks_and_nowhere_else() {
    for (version, methods, answer, words) in [
        ("2.1.330", "cli", Answer::usual(), "renewed by method 'cli'"),
        ("2.1.197", "api cli", Answer::usual(), "renewed by method 'api'"),
        ("2.1.197", "api cli", Answer::status(500), "HTTP 500"),
        ("2.1.330", "cli api", Answer::oauth_error("invalid_grant"), "emptied the login"),
    ] {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli").with_oauth_json().with(methods);
        assert!(sync.command(&["sync"]).status().unwrap().success());
        let hook = sync.at("etc/hooks.d/tell");
        fs::create_dir(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\nenv >>'{}'\n", sync.at("heard").display())).unwrap();
        fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
        endpoint.always(MESSAGES, Answer::status(400));
        endpoint.always(TOKEN, answer);
        // A host with nobody on it: the doctor of a test looks at no real home.
        let bare = sync.at("host");
        fs::create_dir(&bare).unwrap();
        let bare = bare.to_str().unwrap().to_owned();
        let mut searched = String::new();
        let mut execs = String::new();
        for arguments in [
            &["refresh", "-vv", "--force"][..],
            &["refresh", "-vv", "--force"],
            &["notify", "-vv"],
            &["status", "--json"],
            &["doctor", "-vv", "--root", &bare],
            &["check"],
            &["metrics"],
        ] {
            let (output, log) = traced(&sync, arguments);
            searched += &String::from_utf8_lossy(&output.stdout);
            searched += &String::from_utf8_lossy(&output.stderr);
            execs += &log;
        }
        assert!(searched.contains(words), "{version}: {searched}");
        assert!(!searched.contains(SIGN), "{version}: a token was said");
        // The search has seen what it is about: the programs and what they are given.
        let called = execs.contains(&claude.program().display().to_string());
        assert_eq!(called, words != "renewed by method 'api'", "{version}: the CLI was called");
        assert_eq!(called, execs.contains("DISABLE_AUTOUPDATER=1"), "{version}");
        // An outage that has just begun is nothing to tell.
        let told = words != "HTTP 500";
        assert_eq!(told, execs.contains("OAUTH_SYNC_MESSAGE="), "{version}: the hook was run");
        assert_eq!(told, sync.at("heard").exists(), "{version}");
        assert!(!execs.contains(SIGN), "{version}: a token was given to a program");
        assert_eq!(holders(&sync.at("")), [sync.at("openclaw/credentials/oauth.json")]);
        let in_home = holders(sync.home());
        assert!(in_home.iter().all(|path| *path == claude.source()), "{version}: {in_home:?}");
    }
}
