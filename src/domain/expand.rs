//! Variables and the home in values that name a directory, as shells and compose write them.

use std::path::Path;

/// How deep defaults may lie in each other.
const DEPTH: usize = 8;

/// Puts in what `~`, `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}` and
/// `${NAME+other}` stand for; `None` where something stands for nothing that is known.
pub(crate) fn expand(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let rest = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match rest {
        Some(rest) => Some(known("HOME")? + &variables(rest, known, DEPTH)?),
        None => variables(text, known, DEPTH),
    }
}

/// What is known where nothing but a home is.
pub(crate) fn home_is(home: &Path) -> impl Fn(&str) -> Option<String> {
    let home = home.to_string_lossy().into_owned();
    move |name| (name == "HOME").then(|| home.clone())
}

/// Puts in what `%h` and `%%` of a unit stand for (systemd.unit(5)); other specifiers stay.
pub(crate) fn specifiers(text: &str, home: &Path) -> String {
    let home = home.to_string_lossy();
    let parts = text.split("%%").map(|part| part.replace("%h", &home));
    parts.collect::<Vec<_>>().join("%")
}

fn variables(text: &str, known: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
    let Some((before, rest)) = text.split_once('$') else { return Some(text.to_owned()) };
    let depth = depth.checked_sub(1)?;
    let (value, rest) = if let Some(rest) = rest.strip_prefix('$') {
        ("$".to_owned(), rest)
    } else if let Some(rest) = rest.strip_prefix('{') {
        let (inside, rest) = braced(rest)?;
        (one(inside, known, depth)?, rest)
    } else {
        let (name, rest) = name(rest);
        (known(name)?, rest)
    };
    Some(format!("{before}{value}{}", variables(rest, known, depth)?))
}

/// What stands before the brace that closes, and what follows it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// The name of a variable at the front of a text, and what follows it.
pub(crate) fn name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn one(inside: &str, known: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
    let (name, rest) = name(inside);
    let (set, empty_counts) = (known(name), !rest.starts_with(':'));
    let set = set.filter(|value| empty_counts || !value.is_empty());
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    // A default begins with what the home is written as, too.
    let other = |text: &str| match text.strip_prefix("~/") {
        Some(below) => Some(format!("{}/{}", known("HOME")?, variables(below, known, depth)?)),
        None => variables(text, known, depth),
    };
    match (rest.chars().next(), set) {
        (None | Some('?'), set) => set,
        (Some('-'), Some(set)) => Some(set),
        (Some('-'), None) | (Some('+'), Some(_)) => other(&rest[1..]),
        (Some('+'), None) => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_in_the_home_of_a_unit() {
        for (text, value) in [
            ("%h/.openclaw", "/home/x/.openclaw"),
            ("a%h:%h", "a/home/x:/home/x"),
            ("100%%h %i", "100%h %i"),
            ("%", "%"),
        ] {
            assert_eq!(specifiers(text, Path::new("/home/x")), value);
        }
    }

    #[test]
    fn resolves_what_compose_does() {
        let known = |name: &str| match name {
            "HOME" => Some("/home/claw".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, value) in [
            ("/plain", Some("/plain")),
            ("~/.openclaw", Some("/home/claw/.openclaw")),
            ("~other/x", Some("~other/x")),
            ("$HOME/x", Some("/home/claw/x")),
            ("${HOME}/x$$y", Some("/home/claw/x$y")),
            ("${OPENCLAW_CONFIG_DIR:-${HOME}/.openclaw}", Some("/home/claw/.openclaw")),
            ("${OPENCLAW_CONFIG_DIR:-~/.openclaw}", Some("/home/claw/.openclaw")),
            ("${EMPTY:-a}${EMPTY-b}", Some("a")),
            ("${HOME:+set}${NO+x}", Some("set")),
            ("${NO}", None),
            ("${NO:?must be}", None),
            ("${HOME", None),
        ] {
            assert_eq!(expand(text, &known).as_deref(), value, "{text}");
        }
        assert_eq!(expand(&"${A:-".repeat(99), &known), None);
    }
}
