//! What real shells make of the commands that people are shown: see `domain::shell`.
#![expect(clippy::disallowed_methods, reason = "a test asks real shells")]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;

use crate::domain::shell::{Hint, User};
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
        let hint = words.iter().fold(Hint::new("x"), |hint, word| hint.glue("", word));
        let expected: Vec<OsString> =
            std::iter::once("x").chain(words.iter().map(String::as_str)).map(Into::into).collect();
        for shell in shells() {
            prop_assert_eq!(split(shell, &hint.to_string()), expected.clone());
            // And once more through the shell that another program runs.
            let nested = Hint::new("true").and(hint.clone()).run_by(&user(Some("a")));
            let nested = split(shell, &nested.to_string());
            let inner = nested.last().unwrap().to_str().unwrap();
            prop_assert_eq!(split(shell, inner.strip_prefix("true && ").unwrap()), expected.clone());
        }
    }

    #[test]
    fn what_no_terminal_takes_as_it_is_makes_no_command(word in proptest::collection::vec(any::<u8>(), 0..8)) {
        let word = OsString::from_vec(word);
        let said = Hint::new("rm -f --").arg(&word).to_string();
        let is_told = is_plain(&word) && !word.as_bytes().starts_with(b"-");
        prop_assert_eq!(said.starts_with("rm "), is_told, "{}", said);
        prop_assert!(is_plain(OsStr::new(&said)));
    }
}

fn user(name: Option<&str>) -> User {
    let home = PathBuf::from("/home/it's");
    User { uid: 1421, gid: 1422, name: name.map(str::to_owned), home }
}

#[test]
fn a_command_names_its_user() {
    let simple = || Hint::new("rm -f --").path("/a b");
    let double = || simple().and(Hint::new("touch").path("-x"));
    for (hint, said) in [
        (simple().run_by(&user(Some("a"))), "sudo -H -u a -- rm -f -- '/a b'"),
        (
            simple().run_by(&user(None)),
            "setpriv --reuid=1421 --regid=1422 --clear-groups env HOME=\"/home/it's\" rm -f -- '/a b'",
        ),
        (simple().run_at_login_of(&user(Some("a"))), "sudo -iu a rm -f -- '/a b'"),
        (
            double().run_by(&user(Some("a"))),
            "sudo -H -u a -- sh -c \"rm -f -- '/a b' && touch ./-x\"",
        ),
        (
            Hint::new("x").arg("$HOME").run_at_login_of(&user(Some("a"))),
            "runuser -l a -c \"x '\"'$HOME'\"'\"",
        ),
        (simple().run_by(&User { uid: 0, ..user(None) }), "rm -f -- '/a b'"),
        (
            simple().arg("a\nb").run_by(&user(Some("a"))),
            "no command is shown: 'a\\nb' has control characters in it",
        ),
        (Hint::new("x").arg("-rf"), "no command is shown: '-rf' begins with '-'"),
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
    let command = Hint::new("rm").path("./f").within(&real.join("own")).to_string();
    assert!(run("sh", "mkdir aside others && touch aside/f others/f && ln -s others own"));
    for shell in shells() {
        assert!(!run(shell, &command) && run("sh", "test -e others/f"), "{command}");
    }
    assert!(run("sh", "rm own && mv aside own"));
    assert!(run("sh", &command) && run("sh", "! test -e own/f"), "{command}");
}
