//! The paths that the words of a command may lead to.

use std::path::{Path, PathBuf};

use crate::os::error::Error;

/// What ends a path in an assignment, a list, an address or a shell's script.
const BETWEEN: [char; 18] =
    [' ', '\t', '\n', '"', '\'', '`', '=', ',', ':', ';', '&', '|', '<', '>', '(', ')', '{', '}'];

/// Lists every path that a word names to a program that runs in `/`: the whole word, and its parts, for
/// a word may be an option with its value or a script. Generous: a part that is no path is not there.
pub(super) fn in_word(word: &str) -> impl Iterator<Item = PathBuf> {
    let parts = word.split(BETWEEN).flat_map(|part| [part, after_option(part)]);
    let named = std::iter::once(word).chain(parts).filter(|part| part.contains('/'));
    named.map(|part| Path::new("/").join(part))
}

/// The path right after the letter of an option (`-f/x`, `@/x`), or after its name.
fn after_option(part: &str) -> &str {
    let is_option = part.starts_with(['-', '@', '+']);
    part.find('/').filter(|_| is_option).map_or("", |at| &part[at..])
}

/// What a shell makes another path of.
const EXPANDED: [char; 7] = ['*', '?', '[', '$', '~', '`', '\\'];

/// What parts the words of a shell's script.
const APART: [char; 15] =
    [' ', '\t', '\n', '=', ',', ':', ';', '&', '|', '<', '>', '(', ')', '!', '#'];

/// Words after which a program works in the directory that the next one names.
const ENTERING: [&str; 6] = ["cd", "chdir", "pushd", "-C", "--chdir", "--directory"];

/// What runs a program for each file that is found, wherever it lies.
const FOUND: [&str; 4] = ["-exec", "-execdir", "-ok", "-okdir"];

/// Refuses the words of a command where they lead to files by no path that can be judged: by what a
/// shell expands, or relative to a directory that the command enters.
pub(super) fn plain(words: &[String]) -> Result<(), Error> {
    let refused = |word: &str, why| {
        Err(Error::odd("use", Path::new(word), format!("root does not use it: {why}")))
    };
    for word in words.iter().filter(|word| word.contains('/')) {
        let is_joined = |piece: &str| {
            let inner = piece.trim_matches(['"', '\'']);
            inner.contains('/') && inner.contains(['"', '\'', '{'])
        };
        if word.contains(EXPANDED) || word.split(APART).any(is_joined) {
            return refused(word, "a shell may make another path of it");
        }
    }
    let pieces = || words.iter().flat_map(|word| word.split(BETWEEN)).filter(|one| !one.is_empty());
    if let Some(found) = pieces().find(|piece| FOUND.contains(piece)) {
        return refused(found, "what it runs cannot be told");
    }
    let mut is_moving = pieces().any(is_script);
    let mut last = "";
    for piece in pieces() {
        let entered = piece.strip_prefix("-C").filter(|rest| !rest.is_empty());
        let entered = entered.or_else(|| ENTERING.contains(&last).then_some(piece));
        if let Some(entered) = entered {
            is_moving = true;
            if !entered.starts_with('/') {
                return refused(entered, "the directory that the command enters is not absolute");
            }
        }
        last = piece;
    }
    let relative = |piece: &&str| piece.contains('/') && !piece.starts_with(['/', '-', '@', '+']);
    match pieces().find(relative).filter(|_| is_moving) {
        Some(path) => refused(path, "it is relative to a directory that the command may enter"),
        None => Ok(()),
    }
}

/// Says whether a word makes the next one a script (`sh -c`, `bash -ec`).
fn is_script(word: &str) -> bool {
    let letters = word.strip_prefix('-').and_then(|letters| letters.strip_suffix('c'));
    letters.is_some_and(|letters| letters.chars().all(|c| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str, path: &str) -> bool {
        in_word(word).any(|found| found == Path::new(path))
    }

    #[test]
    fn every_way_to_name_a_path_is_known() {
        for word in [
            "/a/b",
            "a/b",
            "-f/a/b",
            "--file=/a/b",
            "--file=a/b",
            "@/a/b",
            "X=/c:/a/b",
            "exec /a/b --x",
            "cd /; exec a/b",
            "x>/a/b",
            "$(/a/b)",
            "`/a/b`",
            "'/a/b'",
            "file:///a/b",
        ] {
            assert!(found(word, "/a/b"), "{word}");
        }
        assert!(found("/a b/c", "/a b/c"), "the whole word counts");
        assert_eq!(in_word("restart").count(), 0);
    }

    #[test]
    fn what_leads_elsewhere_than_it_says_is_refused() {
        let is_plain = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            plain(&words).is_ok()
        };
        for script in [
            "/x/hom?/r",
            "/x/h*/r",
            "/x/[h]ome/r",
            "h=/x/ho; ${h}me/r",
            "~root/../x/r",
            "/x/`echo home`/r",
            "/x/ho\\me/r",
            "/x/ho\"\"me/r",
            "/x/'home'/r",
            "/x/{home,}/r",
            "cd /x; cd home; a/r",
            "cd /x && exec home/r",
            "cd home; sh r",
            "cd /x/../; sh home/r",
        ] {
            assert!(!is_plain(&["sh", "-c", script]), "{script}");
        }
        for words in [
            &["env", "-C", "/x", "home/r"][..],
            &["env", "-C/x", "home/r"],
            &["env", "--chdir=home", "r"],
            &["make", "-Chome"],
            &["make", "--directory", "home"],
            &["find", "/x", "-name", "r", "-exec", "{}", ";"],
        ] {
            assert!(!is_plain(words), "{words:?}");
        }
        for words in [
            &["/usr/bin/systemctl", "restart", "x.service"][..],
            &["docker", "compose", "-f", "/opt/oc/compose.yml", "up", "-d"],
            &["docker", "restart", "ghcr.io/openclaw/openclaw"],
            &["sh", "-c", "cd /opt/oc && docker compose up -d >/dev/null 2>&1"],
            &["sh", "-c", "X=\"/opt/a\" exec '/opt/b'"],
            &["curl", "-fsS", "https://localhost:1/reload"],
            &["sh", "opt/run"],
        ] {
            assert!(is_plain(words), "{words:?}");
        }
    }
}
