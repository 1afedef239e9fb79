//! The paths that the words of a command may lead to.

use std::path::{Path, PathBuf};

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
}
