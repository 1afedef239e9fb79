//! Runs every hint as printed, in a host where each program only writes down how it was called.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::table::{Row, Words, rows};
use super::{shells, user};
use crate::domain::shell::Hint;
use crate::domain::visible::is_plain;

/// Names that somebody may give to what is theirs; each would have `touch` called by a careless shell.
const HOSTILE: [&str; 7] = [
    "plain",
    "a b;touch x;&touch x|touch x>y<z",
    NESTED,
    "100%s%n%% \\n $HOME !! #x",
    "-rf;touch x",
    "*?[a]{b,c}",
    "~root",
];

/// The one that is also run for other users, whose shells take it apart once more.
const NESTED: &str = "it's \"x\" $(touch x) `touch x`";

/// Names that no terminal takes as they are.
const UNPRINTABLE: [&[u8]; 4] = [b"a\ntouch x", b"a\x1b[2Jb", b"a\xffb", b"a\x7fb"];

/// What every program of the scratch host is: it writes its words down, and the ones that start others do.
const PROGRAM: &str = r#"#!/bin/dash
printf '%s\0' "${0##*/}" "$@" '<end>' >>"$RECORD"
for last; do :; done
case "${0##*/} $*" in
install\ -d*) exec /usr/bin/install "$@" ;;
runuser\ --pty\ -u\ *) shift 4; exec "$@" ;;
runuser\ *) exec sh -c "$last" ;;
env\ *) while case $1 in -i|*=*) true ;; *) false ;; esac; do shift; done; exec "$@" ;;
setpriv\ *) while case $1 in --*) true ;; *) false ;; esac; do shift; done; exec "$@" ;;
esac
"#;

/// The programs; a call of any other one fails.
const PROGRAMS: &str = "apt bash chattr chmod chown claude cp curl docker env findmnt grep install journalctl loginctl \
    ls mount mv namei node npm oauth-sync openclaw podman podman-compose rm rmdir runuser sed setpriv ssh sudo \
    sysctl systemctl timedatectl touch umount usermod vi";

struct ScratchHost {
    root: TempDir,
}

impl ScratchHost {
    fn new() -> Self {
        let host = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(host.at("bin")).unwrap();
        for program in PROGRAMS.split_whitespace() {
            fs::write(host.at("bin").join(program), PROGRAM).unwrap();
            fs::set_permissions(host.at("bin").join(program), PermissionsExt::from_mode(0o755))
                .unwrap();
        }
        host
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    /// A directory of this name, with what the commands expect in it.
    fn words(&self, name: &str) -> Words {
        let path = self.at("files").join(name);
        fs::create_dir_all(path.join("x.wants").join(name)).unwrap();
        for file in ["compose.yaml", "-compose.yaml"] {
            fs::write(path.join(file), "").unwrap();
        }
        Words { name: name.to_owned(), path }
    }

    /// Has a shell run a command as printed, and lists the calls, in order of their words.
    fn run(&self, shell: &str, text: &str) -> Vec<Vec<OsString>> {
        let (record, sh) = (self.at("record"), self.at("bin/sh"));
        let _ = (fs::remove_file(&record), fs::remove_file(&sh));
        symlink(Path::new("/bin").join(shell), &sh).unwrap();
        let mut command = Command::new(Path::new("/bin").join(shell));
        command.args(["-c", text]).current_dir(self.root.path()).env_clear();
        // Some builtins of bash are programs of this host.
        let ran = command.env("PATH", self.at("bin")).env("RECORD", &record).output().unwrap();
        let mut bytes = fs::read(&record).unwrap_or_default();
        if ran.stderr.to_ascii_lowercase().trim_ascii_end().ends_with(b"no such process") {
            // The shells' own command, with the number of a process that cannot be.
            bytes.extend(b"kill\0<end>\0");
        } else {
            assert!(ran.status.success() && ran.stderr.is_empty(), "{shell}: {text}: {ran:?}");
        }
        let words = bytes.split(|byte| *byte == 0);
        let words: Vec<OsString> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
        let calls = words.split(|word| word == "<end>");
        calls.map(<[_]>::to_vec).filter(|call| *call != [OsString::new()]).collect()
    }

    /// The same with what was written, in order.
    fn calls(&self, shell: &str, text: &str, words: &Words) -> Vec<Vec<OsString>> {
        let mut calls = self.run(shell, text);
        for file in ["compose.override.yaml", "a.service.d/paths.conf"] {
            let path = words.path.join(file);
            if let Ok(bytes) = fs::read(&path) {
                let text = OsString::from_vec(bytes);
                calls.push(vec!["written".into(), file.into(), text]);
                fs::remove_file(path).unwrap();
            }
        }
        calls.sort();
        calls
    }
}

fn joined(call: &[OsString]) -> String {
    call.join(OsStr::new(" ")).to_string_lossy().into_owned()
}

/// The calls that are left when those are taken away that only change the user.
fn of_command(mut calls: Vec<Vec<OsString>>, text: &str, before: &[&str]) -> Vec<Vec<OsString>> {
    for start in before {
        let at = calls.iter().position(|call| joined(call).starts_with(start));
        calls.remove(at.unwrap_or_else(|| panic!("{text}: nothing calls '{start}'")));
    }
    calls
}

fn check(host: &ScratchHost, row: &Row, words: &Words) {
    let hint = (row.build)(words);
    let text = hint.to_string();
    if text.starts_with("no command is shown: ") {
        assert!(words.name.starts_with('-'), "{}: {text}", row.name);
        return;
    }
    let Some(expected) = row.calls else { return };
    let mut expected = expected(words);
    expected.sort();
    for shell in shells() {
        assert_eq!(host.calls(shell, &text, words), expected, "{}: {text}", row.name);
        if words.name == NESTED {
            check_for_users(host, shell, &hint, words, &expected);
        }
    }
}

/// The same with another user's rights.
fn check_for_users(
    host: &ScratchHost,
    shell: &str,
    hint: &Hint,
    words: &Words,
    expected: &[Vec<OsString>],
) {
    let (named, numbered) = (user(Some("al")), user(None));
    for (hint, before) in [
        (hint.clone().run_by(&named), &["runuser --pty -s /bin/sh -l al -c "][..]),
        (hint.clone().run_at_login_of(&named), &["runuser --pty -l al -c "]),
        (
            hint.clone().run_by(&numbered),
            &[
                "runuser --pty -u root -- env -i TERM=",
                "env -i ",
                "setpriv --reuid=1421 --regid=1422 --clear-groups ",
            ],
        ),
    ] {
        let text = hint.to_string();
        let calls = of_command(host.calls(shell, &text, words), &text, before);
        assert_eq!(calls, expected, "{text}");
    }
}

#[test]
fn every_hint_runs_what_it_says_and_nothing_else() {
    let host = ScratchHost::new();
    for name in HOSTILE {
        let words = host.words(name);
        for row in rows() {
            check(&host, &row, &words);
        }
    }
}

#[test]
fn no_hint_shows_a_command_with_what_a_terminal_does_not_take() {
    for bytes in UNPRINTABLE {
        let path = Path::new("/x").join(OsStr::from_bytes(bytes));
        let words = Words { name: String::from_utf8_lossy(bytes).into_owned(), path };
        let plain = Words { name: "plain".to_owned(), path: "/x/plain".into() };
        for row in rows() {
            let (text, without) = ((row.build)(&words), (row.build)(&plain));
            // A row without foreign words is the same for all.
            if text != without {
                let text = text.to_string();
                let is_refused =
                    text.starts_with("no command is shown: '") && is_plain(text.as_ref());
                // Only the path is no text; a name always is.
                let is_name = !is_plain(OsStr::from_bytes(bytes)) && is_plain(words.name.as_ref());
                assert!(is_refused || is_name, "{}: {text}", row.name);
            }
        }
    }
}

/// The functions of a source that build hints, as the table names them.
fn functions(module: &str, text: &str) -> BTreeSet<String> {
    // What is no hint by itself gives another type.
    let functions = text.split("\npub(crate) fn ").skip(1);
    let hints = functions.filter(|rest| rest.split(" {\n").next().unwrap().ends_with("-> Hint"));
    hints.map(|rest| format!("{module}::{}", rest.split(['(', '<']).next().unwrap())).collect()
}

#[test]
fn the_table_has_every_hint() {
    let modules = [
        ("engines", include_str!("../../../domain/hints/engines.rs")),
        ("files", include_str!("../../../domain/hints/files.rs")),
        ("host", include_str!("../../../domain/hints/host.rs")),
        ("openclaw", include_str!("../../../domain/hints/openclaw.rs")),
        ("ours", include_str!("../../../domain/hints/ours.rs")),
    ];
    let listed = include_str!("../../../domain/hints.rs").lines();
    let listed = listed.filter_map(|line| line.strip_prefix("pub(crate) mod ")?.strip_suffix(';'));
    assert_eq!(listed.collect::<Vec<_>>(), modules.map(|(module, _)| module));
    let built: BTreeSet<String> =
        modules.iter().flat_map(|(module, text)| functions(module, text)).collect();
    let known: BTreeSet<String> = rows().iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(built, known);
}

/// Outside `domain` the compiler sees to it: `Hint::new` is not to be had there.
#[test]
fn nothing_else_in_the_domain_builds_a_hint() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_place = path.components().any(|part| part.as_os_str() == "hints");
            let text = fs::read_to_string(&path).unwrap();
            assert!(is_place || !text.contains("Hint::new"), "{}", path.display());
        }
    }
}

/// Hints of the program's own words alone: they need no table.
#[test]
fn a_text_of_ours_stays_as_it_is() {
    assert_eq!(Hint::from("set CLAUDE_CLI").to_string(), "set CLAUDE_CLI");
}
