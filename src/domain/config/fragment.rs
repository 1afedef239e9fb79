//! What the lines of a configuration file say, before anybody asks whether it makes sense.
//!
//! Each line is scanned here and then given to dotenv-parser alone: it refuses a whole text for one bad
//! line, and its error, which quotes the line, is never shown.

use std::ops::Range;

use crate::domain::config::keys::{KEYS, did_you_mean, find};
use crate::domain::hints::ours;
use crate::domain::shell::Hint;

/// What is wrong, and where; never shows a value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do about it, where that can be said.
    pub(crate) hint: Option<Hint>,
    /// Whether nothing is wrong but that half of the link is not said yet.
    pub(super) is_gap: bool,
}

impl Fault {
    /// Makes a fault that needs no hint.
    pub(super) fn new(line: usize, cause: impl Into<String>) -> Self {
        Self { line, cause: cause.into(), hint: None, is_gap: false }
    }

    /// Makes a fault of what is not said: the login, or where its token goes.
    pub(super) fn gap(line: usize, cause: impl Into<String>) -> Self {
        Self { is_gap: true, ..Self::new(line, cause) }
    }

    /// Adds what to do about it.
    pub(super) fn hint(self, hint: impl Into<Hint>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What stands behind a key's `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    /// `KEY=`, which is as good as no line at all.
    Nothing,
    /// Something that could not be read; its fault has been said.
    Unreadable,
}

/// A line that assigns one of the known keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) line: usize,
    pub(super) given: Given,
}

/// A file's lines: the entries, and what is wrong with the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<Fault>,
}

impl Fragment {
    /// Says whether the file sets nothing, and has nothing wrong with it either.
    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.entries.iter().all(|entry| entry.given == Given::Nothing)
    }

    /// Finds the line of a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads a configuration text, all of it, whatever is wrong with some lines.
pub(super) fn parse(text: &str) -> Fragment {
    let mut fragment = Fragment::default();
    for (at, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line = line.trim_start_matches([' ', '\t']).trim_end_matches([' ', '\t', '\r']);
        if !line.is_empty() && !line.starts_with('#') {
            read_line(line, at + 1, &mut fragment);
        }
    }
    fragment
}

fn read_line(text: &str, line: usize, fragment: &mut Fragment) {
    let assigned = assignment(text);
    let known = assigned.as_ref().and_then(|found| find(found.key));
    // First of all, so that no other message can show a part of it.
    if looks_like_a_token(text) {
        let fault = Fault::new(line, "this looks like a token, and values never hold a token");
        fragment.faults.push(fault.hint("take it out; it is read from CLAUDE_CREDENTIALS"));
    } else if assigned.is_none() {
        fragment.faults.push(Fault::new(line, "this line is not of the form KEY=\"value\""));
    } else if let (Some(found), None) = (&assigned, known) {
        fragment.faults.push(Fault::new(line, unknown(found.key)));
    }
    let (Some(found), Some(known)) = (assigned, known) else { return };
    if let Some(first) = fragment.entry(known.name) {
        let cause = format!("{} stands on line {} already", known.name, first.line);
        fragment.faults.push(Fault::new(line, cause));
        return;
    }
    let given = if looks_like_a_token(text) { Ok(Given::Unreadable) } else { found.read(text) };
    let given = given.unwrap_or_else(|why| {
        let fault = Fault::new(line, format!("{}: {why}", known.name));
        fragment.faults.push(fault.hint(ours::write(known.name)));
        Given::Unreadable
    });
    fragment.entries.push(Entry { key: known.name, line, given });
}

/// Says whether a token of Anthropic's stands in a text.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    text.to_ascii_lowercase().contains("sk-ant-")
}

/// Says that there is no such key, and which one may be meant.
pub(crate) fn unknown(key: &str) -> String {
    // What stands before a `=` by accident can be long, and a secret.
    if key.len() > 40 {
        return "unknown key".to_owned();
    }
    match did_you_mean(key, KEYS.iter().map(|key| key.name)) {
        Some(meant) => format!("unknown key '{key}', did you mean '{meant}'?"),
        None => format!("unknown key '{key}'"),
    }
}

/// A line taken apart into a key and the rest behind its `=`.
pub(super) struct Assignment<'a> {
    pub(super) key: &'a str,
    /// Where the text behind the `=` begins.
    from: usize,
}

/// Takes `  export KEY =` off a line.
pub(super) fn assignment(line: &str) -> Option<Assignment<'_>> {
    let body = line.trim_start_matches([' ', '\t']);
    let body = match body.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        _ => body,
    };
    let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (key, rest) = body.split_at(end);
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    let named = !key.is_empty() && !key.starts_with(|c: char| c.is_ascii_digit());
    named.then(|| Assignment { key, from: line.len() - rest.len() })
}

impl Assignment<'_> {
    /// Finds the value with its quotes; all up to the line's end where that cannot be told.
    pub(super) fn span(&self, line: &str) -> Result<Range<usize>, (Range<usize>, &'static str)> {
        let end = line.trim_end().len().max(self.from);
        let text = &line[self.from..end];
        let value = text.trim_start_matches([' ', '\t']);
        let start = end - value.len();
        let length = match value.chars().next() {
            None | Some('#') => return Ok(self.from..self.from),
            Some(quote @ ('"' | '\'')) => match value[1..].find(quote) {
                Some(closing) => closing + 2,
                None => return Err((start..end, "the quote is not closed")),
            },
            _ => value.find([' ', '\t', '#']).unwrap_or(value.len()),
        };
        let rest = &value[length..];
        let comment = rest.trim_start_matches([' ', '\t']);
        if value.starts_with(['"', '\'']) && !(comment.is_empty() || comment.starts_with('#')) {
            return Err((start..end, "text follows the closing quote"));
        }
        if rest.starts_with('#') && !value.starts_with(['"', '\'']) {
            return Err((start..end, "a value with a '#' needs quotes"));
        }
        if !(comment.is_empty() || comment.starts_with('#')) {
            return Err((start..end, "a value with blanks needs quotes"));
        }
        Ok(start..start + length)
    }

    /// Reads the value, as dotenv-parser does too.
    pub(super) fn read(&self, line: &str) -> Result<Given, &'static str> {
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err("a control character stands in this line");
        }
        let span = self.span(line).map_err(|(_, why)| why)?;
        if matches!(&line[span], "" | "\"\"" | "''") {
            return Ok(Given::Nothing);
        }
        let map = dotenv_parser::parse_dotenv(line).map_err(|_| "this line cannot be read")?;
        map.get(self.key).cloned().map(Given::Text).ok_or("this line cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Result<Given, String> {
        let mut fragment = parse(line);
        match fragment.faults.pop() {
            Some(fault) => Err(fault.cause),
            None => Ok(fragment.entries.remove(0).given),
        }
    }

    #[test]
    fn reads_a_value_in_every_form() {
        for (line, value) in [
            ("SINKS=env", "env"),
            ("\u{feff}  export SINKS = \"env secret-file\"  # two\r", "env secret-file"),
            ("SINKS='a \"b\" # c'", "a \"b\" # c"),
            ("SINKS=\"'\"", "'"),
        ] {
            assert_eq!(given(line), Ok(Given::Text(value.into())), "{line}");
        }
        for line in ["SINKS=", "SINKS = # none", "SINKS=\"\"", "SINKS=''  "] {
            assert_eq!(given(line), Ok(Given::Nothing), "{line}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_line_and_shows_no_value() {
        for (line, cause) in [
            ("SINKS=\"env", "SINKS: the quote is not closed"),
            ("SINKS='env' x", "SINKS: text follows the closing quote"),
            ("SINKS=a b", "SINKS: a value with blanks needs quotes"),
            ("SINKS=a#b", "SINKS: a value with a '#' needs quotes"),
            ("SINKS=\"a\u{1b}b\"", "SINKS: a control character stands in this line"),
            ("exportSINKS=a", "unknown key 'exportSINKS'"),
            ("sinks=a", "unknown key 'sinks', did you mean 'SINKS'?"),
            ("hello", "this line is not of the form KEY=\"value\""),
            ("A-B=1", "this line is not of the form KEY=\"value\""),
        ] {
            assert_eq!(given(line), Err(cause.into()), "{line}");
        }
        for line in ["sk-ant-oat01-x", "SK-ANT-X=1", "SINKS=\"sk-ant-oat01-x", "FOO=sk-ant-x"] {
            let cause = given(line).unwrap_err();
            assert!(cause.starts_with("this looks like a token"), "{cause}");
        }
    }

    #[test]
    fn a_bad_line_costs_only_itself() {
        let fragment = parse("# c\nSINKS='x\nGATEWAY=none\nGATEWAY=auto\nENV_KEY=A\n");
        let faults: Vec<_> =
            fragment.faults.iter().map(|fault| (fault.line, &*fault.cause)).collect();
        let twice = "GATEWAY stands on line 3 already";
        assert_eq!(faults, [(2, "SINKS: the quote is not closed"), (4, twice)]);
        assert_eq!(fragment.entry("SINKS").map(|entry| &entry.given), Some(&Given::Unreadable));
        assert_eq!(fragment.entry("ENV_KEY").map(|entry| entry.line), Some(5));
    }
}
