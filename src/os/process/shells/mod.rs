//! What real shells make of the commands that people are shown: see `domain::shell`.
#![expect(clippy::disallowed_methods, reason = "a test asks real shells")]

mod scratch_host;
mod table;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use crate::domain::hints::{files, host, ours};
use crate::domain::shell::User;
use crate::domain::visible::is_plain;

/// The words that a shell makes of a command.
fn split(shell: &str, text: &str) -> Vec<OsString> {
    let script = format!("printf '%s\\0' {text}");
    let ran = Command::new(shell).args(["-c", &script]).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{script}: {ran:?}");
    let words = ran.stdout.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let mut words: Vec<OsString> = words.collect();
    assert_eq!(words.pop(), Some(OsString::new()));
    words
}

fn shells() -> impl Iterator<Item = &'static str> {
    ["dash", "bash"].into_iter()
}

const HOSTILE: [&str; 12] = [
    "",
    "/home/a b/x",
    "/it's/\"x\"",
    "/$(touch /tmp/x)/`id`/$HOME",
    "/100%/%s%n",
    "/a;b&c|d<e>f",
    "/*?[a]{b,c}~",
    "~root",
    "a=b",
    "/\\n\\\\",
    "!!^x^y",
    "#no",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_shell_takes_the_words_as_they_are(
        words in proptest::collection::vec(prop_oneof![
            proptest::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
            "\\PC{0,12}".prop_filter("a terminal takes it", |word| is_plain(word.as_ref())),
            "[ -~]{1,12}",
        ], 1..5)
    ) {
        let words: Vec<String> = std::iter::once("x".to_owned()).chain(words).collect();
        let hint = host::command(&words);
        let expected: Vec<OsString> = words.iter().map(Into::into).collect();
        for shell in shells() {
            prop_assert_eq!(split(shell, &hint.to_string()), expected.clone());
            // And once more through the shell that another program runs.
            let nested = ours::setup().and(hint.clone()).run_by(&user(Some("a")));
            let nested = split(shell, &nested.to_string());
            let inner = nested.last().unwrap().to_str().unwrap();
            prop_assert_eq!(split(shell, inner.strip_prefix("oauth-sync setup && ").unwrap()), expected.clone());
        }
    }

    #[test]
    fn what_no_terminal_takes_as_it_is_makes_no_command(word in proptest::collection::vec(any::<u8>(), 0..8)) {
        let word = OsString::from_vec(word);
        let said = files::remove(Path::new(&word)).to_string();
        prop_assert_eq!(said.starts_with("rm "), is_plain(&word), "{}", said);
        prop_assert!(is_plain(OsStr::new(&said)));
    }
}

fn user(name: Option<&str>) -> User {
    let home = PathBuf::from("/home/it's");
    User { uid: 1421, gid: 1422, name: name.map(str::to_owned), home }
}

#[test]
fn a_command_names_its_user() {
    let simple = || files::remove_asking(Path::new("/a b"));
    let double = || simple().and(files::remove(Path::new("-x")));
    let (named, numbered) = (user(Some("a")), user(None));
    for (hint, said) in [
        (simple().run_by(&named), "runuser --pty -s /bin/sh -l a -c \"rm -i -- '/a b'\""),
        (
            double().run_by(&named),
            "runuser --pty -s /bin/sh -l a -c \"rm -i -- '/a b' && rm ./-x\"",
        ),
        (simple().run_at_login_of(&named), "runuser --pty -l a -c \"rm -i -- '/a b'\""),
        (
            ours::sync("$HOME").run_at_login_of(&named),
            "runuser --pty -l a -c \"oauth-sync sync --link '\"'$HOME'\"'\"",
        ),
        (
            simple().run_by(&numbered),
            "runuser --pty -u root -- env -i TERM=\"$TERM\" PATH=\"$PATH\" HOME=\"/home/it's\" setpriv --reuid=1421 --regid=1422 --clear-groups rm -i -- '/a b'",
        ),
        (simple().run_by(&User { uid: 0, ..user(None) }), "rm -i -- '/a b'"),
        (
            files::remove(Path::new("a\nb")).run_by(&named),
            "no command is shown: 'a\\nb' has control characters in it",
        ),
        (ours::sync("-rf"), "no command is shown: '-rf' begins with '-'"),
    ] {
        assert_eq!(hint.to_string(), said);
    }
}

#[test]
fn a_directory_that_was_moved_meanwhile_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let run = |shell: &str, script: &str| {
        let ran = Command::new(shell).args(["-c", script]).current_dir(scratch.path()).status();
        ran.unwrap().success()
    };
    let real = scratch.path().canonicalize().unwrap();
    let command = files::remove(Path::new("./f")).within(&real.join("own")).to_string();
    assert!(run("sh", "mkdir aside others && touch aside/f others/f && ln -s others own"));
    for shell in shells() {
        assert!(!run(shell, &command) && run("sh", "test -e others/f"), "{command}");
    }
    assert!(run("sh", "rm own && mv aside own"));
    assert!(run("sh", &command) && run("sh", "! test -e own/f"), "{command}");
}
