//! Patterns of paths, as glob(7) has them: systemd takes them in the names of environment files.

use std::path::{Component, Path, PathBuf};

/// How many paths the parts of a pattern that are read so far may stand for.
const LIMIT: usize = 64;

/// The paths that a pattern stands for, sorted; a path without a pattern is itself, be it there or not. Of more than
/// 64 the others are left out.
///
/// `names` lists a directory.
pub(crate) fn expand(pattern: &Path, names: impl Fn(&Path) -> Vec<String>) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if matches!(part, Component::Normal(_)) && text.contains(['*', '?', '[']) {
            let below = |path: &PathBuf| {
                let mut fitting = names(path);
                fitting.retain(|name| is_match(&text, name));
                fitting.sort();
                fitting.into_iter().map(|name| path.join(name)).collect::<Vec<_>>()
            };
            found = found.iter().flat_map(below).take(LIMIT).collect();
        } else {
            for path in &mut found {
                path.push(part);
            }
        }
    }
    found
}

/// Says whether a name fits a pattern; a dot in front is no character that a pattern stands for.
pub(crate) fn is_match(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and up to where it has taken the name.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some(_) => {
                if let Some(next) = one(&pattern, at, name[from]) {
                    (at, from) = (next, from + 1);
                    continue;
                }
            }
            None => {}
        }
        let Some((of, taken)) = star else { return false };
        star = Some((of, taken + 1));
        (at, from) = (of + 1, taken + 1);
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Takes one character by what stands in the pattern; gives what follows that if it fits.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern[at] {
        '?' => Some(at + 1),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == c).then_some(at + 2),
        '[' => match set(pattern, at + 1, c) {
            Some((fits, next)) => fits.then_some(next),
            // One that is not closed is a bracket.
            None => (c == '[').then_some(at + 1),
        },
        other => (other == c).then_some(at + 1),
    }
}

/// Reads what stands in brackets; says whether the character is one of these, and what follows.
fn set(pattern: &[char], at: usize, c: char) -> Option<(bool, usize)> {
    let is_inverted = matches!(pattern.get(at), Some('!' | '^'));
    let start = at + usize::from(is_inverted);
    let (mut next, mut fits) = (start, false);
    loop {
        match (*pattern.get(next)?, pattern.get(next + 1), pattern.get(next + 2)) {
            (']', ..) if next > start => return Some((fits != is_inverted, next + 1)),
            (low, Some('-'), Some(high)) if *high != ']' => {
                fits |= (low..=*high).contains(&c);
                next += 3;
            }
            (own, ..) => {
                fits |= own == c;
                next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_fit_as_the_shell_has_it() {
        for (pattern, name, fits) in [
            ("*.env", "a.env", true),
            ("*.env", ".env", false),
            (".*", ".env", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "a", true),
            ("?", "", false),
            ("[0-9]*.env", "10-x.env", true),
            ("[!0-9]*", "1", false),
            ("[^0-9]*", "a", true),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[a", "[a", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("", "", true),
            ("**", "", true),
        ] {
            assert_eq!(is_match(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_are_taken_in_every_part_of_a_path() {
        let names = |path: &Path| {
            let of = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            match path.to_str() {
                Some("/e") => of(&["b", "a", "x.env"]),
                Some("/e/a" | "/e/b") => of(&["2.env", "1.env", "n"]),
                _ => Vec::new(),
            }
        };
        let found = expand(Path::new("/e/?/*.env"), names);
        let all = ["/e/a/1.env", "/e/a/2.env", "/e/b/1.env", "/e/b/2.env"];
        assert_eq!(found, all.map(PathBuf::from));
        assert_eq!(expand(Path::new("/e/none.env"), names), [PathBuf::from("/e/none.env")]);
        assert_eq!(expand(Path::new("/no/*"), names), Vec::<PathBuf>::new());
        let many = |_: &Path| (100..200).map(|name: u32| name.to_string()).collect();
        assert_eq!(expand(Path::new("/*/*/*/*"), many).len(), LIMIT);
    }

    proptest! {
        #[test]
        fn every_name_fits_itself_and_a_star(name in "[a-z.\\[\\]*?!-]{0,12}", other in "\\PC{0,12}") {
            let quoted: String = name.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(is_match(&quoted, &name) || name.starts_with('.'));
            prop_assert_eq!(is_match("*", &name), !name.starts_with('.'));
            is_match(&other, &name);
        }
    }
}
