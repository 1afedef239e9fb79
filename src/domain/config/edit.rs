//! Sets or removes one key of a configuration text; every other byte stays.

use std::fmt;

use crate::domain::config::fragment::{Given, assignment, looks_like_a_token};
use crate::domain::config::keys::find;

/// Why a key is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such key.
    UnknownKey,
    /// The value has control characters, or both kinds of quotes, in it.
    Value,
    /// The value looks like a token.
    Token,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKey => "there is no such key",
            Self::Value => "the value cannot be written on one line between quotes",
            Self::Token => "the value looks like a token, and values never hold a token",
        })
    }
}

impl std::error::Error for Refusal {}

/// Sets `key` to `value`: in its own line, else below a commented `# KEY=`, else at the end.
///
/// A line that says `value` already stays as it is, however it is written. An empty value removes the key.
pub(crate) fn set_key(text: &str, key: &str, value: &str) -> Result<String, Refusal> {
    if value.is_empty() {
        return remove_key(text, key);
    }
    find(key).ok_or(Refusal::UnknownKey)?;
    let written = format!("{key}={}", quoted(value)?);
    let (mark, body) = text.split_at(byte_order_mark(text));
    let mut lines: Vec<String> = body.split_inclusive('\n').map(ToOwned::to_owned).collect();
    let is_ours = |line: &String| assignment(line).is_some_and(|found| found.key == key);
    let is_comment = |line: &String| {
        let body = line.trim_start_matches([' ', '\t']).strip_prefix('#');
        let body = body.map(|body| body.trim_start_matches(['#', ' ', '\t']));
        body.and_then(assignment).is_some_and(|found| found.key == key)
    };
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    if let Some(at) = lines.iter().rposition(is_ours) {
        lines[at] = with_value(&lines[at], value, &written[key.len() + 1..]);
        // The file may say a key once only.
        let mut number = 0..at;
        lines.retain(|line| number.next().is_none() || !is_ours(line));
        let new = mark.to_owned() + &lines.concat();
        return if has_new_mark(text, &new) { set_key(&new, key, value) } else { Ok(new) };
    }
    let at = lines.iter().position(is_comment).map_or(lines.len(), |at| at + 1);
    let open = at > 0 && !lines[at - 1].ends_with('\n');
    lines.insert(at, format!("{}{written}{newline}", if open { newline } else { "" }));
    Ok(mark.to_owned() + &lines.concat())
}

/// Reads what a text says for `key`, if it says something.
pub(crate) fn value_of(text: &str, key: &str) -> Option<String> {
    let said = text[byte_order_mark(text)..].lines().rev().find_map(|line| {
        assignment(line).filter(|found| found.key == key).map(|found| found.read(line.trim_end()))
    });
    match said {
        Some(Ok(Given::Text(value))) => Some(value),
        _ => None,
    }
}

/// Sets `key` to an answer that came through debconf, which keeps single blanks only: a line whose
/// value differs in nothing but its runs of blanks stays as it is.
pub(crate) fn answer_key(text: &str, key: &str, value: &str) -> Result<String, Refusal> {
    match value_of(text, key) {
        Some(old) if old.split_whitespace().eq(value.split_whitespace()) => {
            find(key).map(|_| text.to_owned()).ok_or(Refusal::UnknownKey)
        }
        _ => set_key(text, key, value),
    }
}

/// Removes every line that assigns `key`; comments stay. What is no key can be removed where it stands.
pub(crate) fn remove_key(text: &str, key: &str) -> Result<String, Refusal> {
    let stays = |line: &&str| assignment(line).is_none_or(|found| found.key != key);
    let (mark, body) = text.split_at(byte_order_mark(text));
    let new = mark.to_owned() + &body.split_inclusive('\n').filter(stays).collect::<String>();
    if has_new_mark(text, &new) {
        return remove_key(&new, key).or(Ok(new));
    }
    let is_known = new != text || find(key).is_some();
    is_known.then_some(new).ok_or(Refusal::UnknownKey)
}

/// Says whether a byte order mark stands first only since what was before it is removed: its line may
/// assign the key now.
fn has_new_mark(old: &str, new: &str) -> bool {
    byte_order_mark(old) == 0 && byte_order_mark(new) > 0
}

/// Measures the mark that some editors put before the first line.
fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Puts quotes around a value; dotenv-parser knows no escapes.
fn quoted(value: &str) -> Result<String, Refusal> {
    if looks_like_a_token(value) {
        return Err(Refusal::Token);
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::Value);
    }
    match (value.contains('"'), value.contains('\'')) {
        (false, _) => Ok(format!("\"{value}\"")),
        (true, false) => Ok(format!("'{value}'")),
        (true, true) => Err(Refusal::Value),
    }
}

/// Puts `written` in the place of the value of a line that assigns something.
fn with_value(line: &str, value: &str, written: &str) -> String {
    let Some(found) = assignment(line) else { return line.to_owned() };
    if found.read(line.trim_end()) == Ok(Given::Text(value.to_owned())) {
        return line.to_owned();
    }
    let span = found.span(line).unwrap_or_else(|(rest, _)| rest);
    let (before, after) = (&line[..span.start], &line[span.end..]);
    // A comment right behind the `=` of `KEY=#…` would run into the value.
    let gap = if after.starts_with('#') { " " } else { "" };
    format!("{before}{written}{gap}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::domain::config::fragment::parse;

    #[test]
    fn sets_the_key_where_it_belongs() {
        for (old, new) in [
            ("", "SINKS=\"env\"\n"),
            ("# c", "# c\nSINKS=\"env\"\n"),
            ("A=1\r\n", "A=1\r\nSINKS=\"env\"\r\n"),
            ("  export SINKS = auto # c\r\nX", "  export SINKS = \"env\" # c\r\nX"),
            ("SINKS=#c\n", "SINKS=\"env\" #c\n"),
            ("# c\nSINKS=\nX\nSINKS='a'", "# c\nX\nSINKS=\"env\""),
            ("SINKS=\"au\nX\n", "SINKS=\"env\"\nX\n"),
            (
                "#  SINKS=\"auto\"  # c\n# SINKS=x\nX\n",
                "#  SINKS=\"auto\"  # c\nSINKS=\"env\"\n# SINKS=x\nX\n",
            ),
            ("# SINKS=", "# SINKS=\nSINKS=\"env\"\n"),
        ] {
            assert_eq!(set_key(old, "SINKS", "env").as_deref(), Ok(new), "{old:?}");
            assert_eq!(set_key(new, "SINKS", "env").as_deref(), Ok(new), "{new:?}");
        }
    }

    #[test]
    fn a_line_that_says_so_already_is_not_reformatted() {
        let text = " export SINKS =  env   # mine\nGATEWAY='none'";
        assert_eq!(set_key(text, "SINKS", "env").as_deref(), Ok(text));
        assert_eq!(set_key(text, "GATEWAY", "none").as_deref(), Ok(text));
    }

    #[test]
    fn an_answer_with_other_blanks_is_no_other_answer() {
        let text = "COMPOSE_DIR = '/srv/a  b'  # mine\n";
        assert_eq!(answer_key(text, "COMPOSE_DIR", "/srv/a b").as_deref(), Ok(text));
        let changed = "COMPOSE_DIR = \"/srv/ab\"  # mine\n";
        assert_eq!(answer_key(text, "COMPOSE_DIR", "/srv/ab").as_deref(), Ok(changed));
        assert_eq!(answer_key("SINK=env\n", "SINK", "env"), Err(Refusal::UnknownKey));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (key, value, refusal) in [
            ("SINK", "env", Refusal::UnknownKey),
            ("SINKS", "a\nb", Refusal::Value),
            ("SINKS", "a\"b'c", Refusal::Value),
            ("SINKS", "sk-ant-oat01-x", Refusal::Token),
        ] {
            assert_eq!(set_key("", key, value), Err(refusal), "{key}");
        }
        let command = "say \"x\"";
        let text = set_key("", "GATEWAY_COMMAND", command).unwrap();
        assert_eq!(text, "GATEWAY_COMMAND='say \"x\"'\n");
    }

    #[test]
    fn removes_a_key_and_nothing_else() {
        let text = "# SINKS=\nSINKS=a\nX=1\n export SINKS='b";
        assert_eq!(remove_key(text, "SINKS").as_deref(), Ok("# SINKS=\nX=1\n"));
        assert_eq!(set_key(text, "SINKS", "").as_deref(), Ok("# SINKS=\nX=1\n"));
    }

    #[test]
    fn a_mark_that_comes_to_the_front_hides_no_line() {
        let text = "SINKS=\n\u{feff}SINKS=\nSINKS=";
        let set = set_key(text, "SINKS", "env");
        assert_eq!(set.as_deref(), Ok("\u{feff}SINKS=\"env\""));
        assert_eq!(remove_key(text, "SINKS").as_deref(), Ok("\u{feff}"));
        let other = "SINKS=\n\u{feff}X=1\n";
        assert_eq!(remove_key(other, "SINKS").as_deref(), Ok("\u{feff}X=1\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_set_is_read_again(
            text in "(SINKS=|ENV_KEY=|[a\"' \t#\r\n=\u{feff}]){0,20}", value in "[a-z/ #=$'\\\\é]{1,12}",
        ) {
            let new = set_key(&text, "SINKS", &value).unwrap();
            prop_assert_eq!(&set_key(&new, "SINKS", &value).unwrap(), &new);
            let others = |text: &str| remove_key(text, "SINKS").unwrap().trim_end().to_owned();
            prop_assert_eq!(others(&new), others(&text));
            if remove_key(&text, "SINKS").as_ref() == Ok(&text) {
                let fragment = parse(&new);
                let entry = fragment.entry("SINKS").unwrap();
                prop_assert_eq!(&entry.given, &Given::Text(value));
            }
        }
    }
}
