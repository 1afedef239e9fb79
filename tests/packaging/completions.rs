//! The committed completions are those of the program, and the shells offer by them what there is.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::completion::{FILES, script};
use crate::{files_of, text_of};

#[test]
fn completions_are_the_programs_own() {
    for (shell, file) in FILES {
        let is_same = text_of(file) == script(shell);
        assert!(is_same, "{file} is out of date: run `make completions`");
    }
}

#[test]
fn there_are_no_others() {
    assert_eq!(files_of("completions"), FILES.map(|(_, file)| file.to_owned()));
}

/// What a person types before Tab, what is offered then, and what is not.
const CASES: [(&str, &[&str], &[&str]); 8] = [
    ("oauth-sync ", &["status", "set", "check"], &["examine", "examine", "withdraw"]),
    ("oauth-sync st", &["status"], &["set"]),
    (
        "oauth-sync detect --",
        &["--write", "--all", "--json"],
        &["--lacks-consent", "--check-answers"],
    ),
    ("oauth-sync sync --d", &["--dry-run", "--delegate"], &["--force", "--watched"]),
    ("oauth-sync --config-dir FOLDER --link ", &["default", "work"], &["notes", "hooks.d"]),
    ("oauth-sync --config-dir FOLDER status --link w", &["work"], &["default"]),
    ("oauth-sync set REFRESH_", &["REFRESH_MARGIN"], &["REFRESH_MARGINS", "SINKS"]),
    ("oauth-sync --link work set OPENCLAW_S", &["OPENCLAW_STATE_DIR"], &["SINKS"]),
];

/// A configuration folder with two links, and files that are none.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["default.conf", "work.conf", "notes"] {
        std::fs::write(folder.path().join(file), "").unwrap();
    }
    std::fs::create_dir(folder.path().join("hooks.d")).unwrap();
    folder
}

fn judge(offered: impl Fn(&str) -> Vec<String>) {
    let folder = folder();
    for (typed, expected, others) in CASES {
        let line = typed.replace("FOLDER", folder.path().to_str().unwrap());
        let offered = offered(&line);
        let has = |word: &&str| offered.iter().any(|other| other == *word);
        assert!(expected.iter().all(&has), "'{typed}': {offered:?}");
        assert!(!others.iter().any(has), "'{typed}': {offered:?}");
    }
}

fn completions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions")
}

fn lines(mut command: Command) -> Vec<String> {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, said) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?}: {said}");
    // What fish says of a word stands behind a tab.
    out.lines().map(|line| line.split('\t').next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn bash_offers_what_there_is() {
    judge(|line| {
        let script = r#"
            . "$1"
            read -ra COMP_WORDS <<<"$2"
            [[ $2 != *' ' ]] || COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            COMP_LINE=$2 COMP_POINT=${#2}
            complete -p oauth-sync | grep -q -- '-F _oauth__sync '
            _oauth__sync oauth-sync "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let mut bash = Command::new("bash");
        let file = completions().join("oauth-sync.bash");
        bash.args(["--norc", "-ec", script, "bash"]).arg(file).arg(line);
        lines(bash)
    });
}

/// An interactive zsh on a pseudo-terminal of zsh's own; what its completion adds is written down. It is
/// typed to while its line editor runs, which says when: what comes earlier or later may be lost.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty -b shell zsh -f -i
send() { zpty -w shell "$1"; }
waits() { local text; zpty -r -m shell text "*$1*" || exit 1; }
send "PROMPT= RPROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste"
send "compadd() {
    local -a found
    if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd \"\$@\"; return; fi
    builtin compadd -O found \"\$@\"
    (( \$#found )) && print -rl -- \$found >>$3
    builtin compadd \"\$@\"
}"
send "zstyle ':completion:*' menu no; LISTMAX=-1"
send "complete-and-say() { zle complete-word; print DON''E >/dev/tty }; zle -N complete-and-say"
send "bindkey '^I' complete-and-say"
send "zle-line-init() { print READ''Y >/dev/tty }; zle -N zle-line-init"
waits READY
zpty -w -n shell "$2"$'\t'
waits DONE
[[ ! -e $3 ]] || cat $3
"#;

/// What needs a program that not every host has.
mod with_tools {
    use super::{Command, ZSH, completions, judge, lines};

    #[test]
    fn fish_offers_what_there_is() {
        judge(|line| {
            let home = tempfile::tempdir().unwrap();
            let mut fish = Command::new("fish");
            let file = completions().join("oauth-sync.fish");
            fish.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]);
            fish.arg(file).arg(line).env("HOME", home.path());
            lines(fish)
        });
    }

    #[test]
    fn zsh_offers_what_there_is() {
        judge(|line| {
            let home = tempfile::tempdir().unwrap();
            let mut zsh = Command::new("zsh");
            zsh.args(["-fc", ZSH, "zsh"])
                .arg(completions())
                .arg(line)
                .arg(home.path().join("found"));
            zsh.env("HOME", home.path()).env("TERM", "dumb");
            lines(zsh)
        });
    }
}
