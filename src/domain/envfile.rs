//! The lines of a `.env` file, and the edit that changes one value and no other byte.
//!
//! A file is bytes: only our own line has to be ASCII. One that is not UTF-8 is read byte by byte, as if it were
//! Latin-1, in which every byte is a character and comes back as the same byte.
//!
//! The dialect is docker compose's (compose-go, `dotenv/parser.go`). OpenClaw reads the `.env` of its
//! state folder with node's `dotenv`: what is written here means the same to both, and a text on
//! which they could disagree about where a line ends is left alone.

mod scan;

use std::borrow::Cow;
use std::fmt;

use crate::domain::secret::Secret;
use scan::{Assignment, BLANK, scan};

/// A mark that some Windows editors put before the first key.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Why a text is left alone; names lines, never what stands on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key is no name of a variable.
    Key,
    /// The value is empty, is not ASCII, or has quotes, backslashes or control characters in it.
    Value,
    /// A quote opens on this line (from 1), and what follows could be its value or lines of their own.
    OpenQuote(usize),
    /// Something other than a comment follows the closing quote of our own key on this line.
    Tail(usize),
    /// A carriage return inside this line: a line end to some readers, part of a value to others.
    CarriageReturn(usize),
    /// There are NUL bytes in it, as in UTF-16: no reader finds a line in it.
    Nul,
    /// The new text, read again, differs in more than our key: a fault of this module.
    Unproven,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key is not a variable name"),
            Self::Value => f.write_str("the value cannot stand on one line without escapes"),
            Self::OpenQuote(line) => write!(f, "line {line}: a quote is opened and not closed"),
            Self::Tail(line) => write!(f, "line {line}: text follows the closing quote"),
            Self::CarriageReturn(line) => {
                write!(f, "line {line}: a carriage return stands inside the line")
            }
            Self::Nul => f.write_str("it has NUL bytes in it, as UTF-16 has: save it as UTF-8"),
            Self::Unproven => f.write_str("the edit would have changed more than its key"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Sets the effective assignment of `key` in a file to `value`; `None` if it is so already.
///
/// The last assignment is the effective one. Its indent, `export`, blanks, quotes and comment stay, and
/// every other byte of the text; a key that stands nowhere is appended as a line of its own.
pub(crate) fn set(bytes: &[u8], key: &str, value: &Secret) -> Result<Option<Vec<u8>>, Refusal> {
    if bytes.contains(&0) {
        return Err(Refusal::Nul);
    }
    let (mark, body) = split_mark(bytes);
    let Some(new) = set_in(&text(body), key, value)? else { return Ok(None) };
    Ok(Some([mark, &encoded(new, body)?].concat()))
}

/// Takes out every assignment of `key` whose value `is_ours`, each with its line; `None` if there is none.
pub(crate) fn remove(
    bytes: &[u8],
    key: &str,
    is_ours: impl Fn(&Secret) -> bool,
) -> Result<Option<Vec<u8>>, Refusal> {
    let (mark, body) = split_mark(bytes);
    let Some(new) = remove_in(&text(body), key, is_ours)? else { return Ok(None) };
    Ok(Some([mark, &encoded(new, body)?].concat()))
}

/// Gives the effective value of `key` in a file, without its quotes.
///
/// Variables are not interpolated. After a quote that does not close, lines are taken one by one.
pub(crate) fn get(bytes: &[u8], key: &str) -> Option<Secret> {
    value_in(&text(split_mark(bytes).1), key)
}

/// Says whether `key` is assigned anywhere in a file, be it to nothing.
pub(crate) fn has(bytes: &[u8], key: &str) -> bool {
    scan(&text(split_mark(bytes).1), key).last.is_some()
}

/// Gives the effective value of `key` as compose reads a file with `format: raw`: all that follows `=`.
pub(crate) fn raw<'a>(bytes: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let lines = split_mark(bytes).1.split(|byte| *byte == b'\n');
    let mut values = lines.filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        line.strip_prefix(key.as_bytes())?.strip_prefix(b"=")
    });
    values.next_back()
}

fn split_mark(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(if bytes.starts_with(BOM) { BOM.len() } else { 0 })
}

/// The file's text: what UTF-8 says it is, else a character for each byte.
fn text(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(body.iter().copied().map(char::from).collect()),
    }
}

/// The bytes of a text that was made from the one of `body`.
fn encoded(new: String, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if std::str::from_utf8(body).is_ok() {
        return Ok(new.into_bytes());
    }
    new.chars().map(u8::try_from).collect::<Result<_, _>>().map_err(|_| Refusal::Value)
}

fn remove_in(
    text: &str,
    key: &str,
    is_ours: impl Fn(&Secret) -> bool,
) -> Result<Option<String>, Refusal> {
    let (mut new, mut end, mut fault) = (text.to_owned(), text.len(), None);
    while let Some(found) = scan(&new[..end], key).last {
        let start = new[..found.span.start].rfind('\n').map_or(0, |before| before + 1);
        let rest = &new[found.span.end..];
        let stop = rest.find('\n').map_or(new.len(), |length| found.span.end + length + 1);
        if is_ours(&value_of(&new, &found)) {
            fault = fault.or(found.tail.then_some(Refusal::Tail(found.line)));
            new.replace_range(start..stop, "");
        }
        end = start;
    }
    if new == text {
        return Ok(None);
    }
    let is_left = value_in(&new, key).is_some_and(|value| is_ours(&value));
    match fault.or(scan(text, key).fault) {
        Some(fault) => Err(fault),
        None if is_left || !others_agree(text, &new, key) => Err(Refusal::Unproven),
        None => Ok(Some(new)),
    }
}

fn set_in(text: &str, key: &str, value: &Secret) -> Result<Option<String>, Refusal> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.chars().all(name) {
        return Err(Refusal::Key);
    }
    let unfit = |c: char| !c.is_ascii() || c.is_control() || matches!(c, '\'' | '"' | '\\');
    if value.is_empty() || value.expose().contains(unfit) {
        return Err(Refusal::Value);
    }
    let scan = scan(text, key);
    if let Some(fault) = scan.fault {
        return Err(fault);
    }
    let new = match &scan.last {
        Some(old) if old.tail => return Err(Refusal::Tail(old.line)),
        Some(old) => replace(text, old, value.expose()),
        None => append(text, &format!("{key}={}", render(value.expose(), None))),
    };
    if new == text {
        return Ok(None);
    }
    let swapped = scan.last.is_some_and(|old| swaps_words(text, &new, &old, value.expose()));
    let agreed = swapped || others_agree(text, &new, key);
    let is_proven = agreed && value_in(&new, key).as_ref() == Some(value);
    if is_proven { Ok(Some(new)) } else { Err(Refusal::Unproven) }
}

fn value_in(text: &str, key: &str) -> Option<Secret> {
    Some(value_of(text, &scan(text, key).last?))
}

fn value_of(text: &str, found: &Assignment) -> Secret {
    let raw = &text[found.span.clone()];
    let Some(quote) = found.quote else {
        return Secret::new(raw);
    };
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw[1..raw.len() - 1].chars();
    while let Some(c) = rest.next() {
        match (c, rest.as_str().chars().next()) {
            ('\\', Some(next)) if next == quote || (quote == '"' && matches!(next, '\\' | '$')) => {
                value.push(next);
                rest.next();
            }
            ('\\', Some('n')) if quote == '"' => {
                value.push('\n');
                rest.next();
            }
            _ => value.push(c),
        }
    }
    Secret::new(value)
}

fn render(value: &str, quote: Option<char>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    match quote {
        // Between double quotes, and bare, a `$` would be interpolated.
        Some('"') if value.chars().all(plain) => format!("\"{value}\""),
        None if value.chars().all(plain) => value.to_owned(),
        _ => format!("'{value}'"),
    }
}

fn replace(text: &str, old: &Assignment, value: &str) -> String {
    let (before, after) = (&text[..old.span.start], &text[old.span.end..]);
    let value = render(value, old.quote);
    let blanks = after.len() - after.trim_start_matches(BLANK).len();
    let (gap, comment) = after.split_at(blanks);
    // Compose takes `#` for part of a bare value unless a space stands before it.
    let space = old.quote.is_none() && comment.starts_with('#') && !gap.ends_with(' ');
    format!("{before}{value}{gap}{}{comment}", if space { " " } else { "" })
}

fn append(text: &str, line: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let ended = text.is_empty() || text.ends_with('\n');
    format!("{text}{}{line}{newline}", if ended { "" } else { newline })
}

/// Says whether the edit did no more than to put one word in the place of another, as each rotation does: no
/// reader of the rest can tell.
fn swaps_words(old: &str, new: &str, assignment: &Assignment, after: &str) -> bool {
    let is_word = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        !text.is_empty() && text.chars().all(fits)
    };
    let raw = &old[assignment.span.clone()];
    let before = assignment.quote.map_or(raw, |_| &raw[1..raw.len() - 1]);
    is_word(before) && is_word(after) && old.len() + after.len() == new.len() + before.len()
}

/// Asks a second reader whether it finds anything but our key changed.
///
/// dotenv-parser refuses a whole text for one `KEY=`, and its error quotes the line: it is asked only
/// whether two texts that it can read agree. It takes `exportA=1` for an assignment of `A`.
fn others_agree(old: &str, new: &str, key: &str) -> bool {
    let others = |text| {
        let mut map = dotenv_parser::parse_dotenv(text).ok()?;
        map.remove(key);
        map.remove(key.strip_prefix("export").unwrap_or(key));
        Some(map)
    };
    match (others(old), others(new)) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
