//! The line model of a `.env` text: where the assignments of one key stand.

use std::ops::Range;

use crate::domain::envfile::Refusal;

/// What may stand around a key and a value.
pub(super) const BLANK: [char; 4] = [' ', '\t', '\u{b}', '\u{c}'];

const LINE_END: [char; 2] = ['\r', '\n'];

/// An assignment of the key that is looked for.
pub(super) struct Assignment {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// Where the value stands, with its quotes.
    pub(super) span: Range<usize>,
    /// The quote around it.
    pub(super) quote: Option<char>,
    /// Text that is no comment follows the closing quote.
    pub(super) tail: bool,
}

/// What a text says of one key.
pub(super) struct Scan {
    /// The last assignment, which is the effective one.
    pub(super) last: Option<Assignment>,
    /// Why the text must not be edited.
    pub(super) fault: Option<Refusal>,
}

/// Looks through `text` for the assignments of `key`.
pub(super) fn scan(text: &str, key: &str) -> Scan {
    let mut scan = Scan { last: None, fault: lone_carriage_return(text, key) };
    let (mut at, mut line) = (0, 1);
    let mut is_doubtful = scan.fault.is_some();
    while at < text.len() {
        let mut end = line_end(text, at);
        if let Some((name, offset)) = head(&text[at..end]) {
            // Behind the first doubt nothing spans lines: no line may be swallowed by it.
            let limit = if is_doubtful { end } else { text.len() };
            let found = value(&text[..limit], at + offset, line).unwrap_or_else(|| {
                is_doubtful = true;
                // What is in doubt matters only if our key stands in it.
                let stretch = at..doubt_end(text, at + offset);
                let fault = text[stretch].contains(key).then_some(Refusal::OpenQuote(line));
                scan.fault = scan.fault.or(fault);
                bare(text, at + offset, line)
            });
            end = line_end(text, found.span.end.max(at));
            if name == key {
                scan.last = Some(found);
            }
        }
        line += text[at..end].matches('\n').count();
        at = end;
    }
    scan
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |length| from + length + 1)
}

/// Where the lines end that could be the value of an opened quote: nowhere behind the start where no reader takes
/// them for it, since the quote never closes.
fn doubt_end(text: &str, from: usize) -> usize {
    let rest = text[from..].trim_start_matches(BLANK);
    let start = text.len() - rest.len();
    let quote = rest.chars().next().unwrap_or_default();
    closing(rest, quote).map_or(from, |end| line_end(text, start + end))
}

/// Finds a line of our key's with a carriage return inside.
fn lone_carriage_return(text: &str, key: &str) -> Option<Refusal> {
    let mentions = |at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
        text[start..line_end(text, at)].contains(key)
    };
    let ends_a_line = |at: usize| text[at..].trim_start_matches('\r').starts_with('\n');
    let (at, _) = text.match_indices('\r').find(|&(at, _)| {
        let starts_a_run = at == 0 || text.as_bytes()[at - 1] != b'\r';
        starts_a_run && !ends_a_line(at) && mentions(at)
    })?;
    Some(Refusal::CarriageReturn(1 + text[..at].matches('\n').count()))
}

/// Takes `  export KEY = ` off a line: the key, and where the text of its value begins.
fn head(line: &str) -> Option<(&str, usize)> {
    let body = line.trim_start_matches(BLANK);
    let body = match body.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANK) => rest.trim_start_matches(BLANK),
        _ => body,
    };
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']');
    let (key, rest) = body.split_at(body.find(|c| !name(c))?);
    let rest = rest.trim_start_matches(BLANK);
    let rest = rest.strip_prefix('=').or_else(|| rest.strip_prefix(": "))?;
    (!key.is_empty()).then_some((key, line.len() - rest.len()))
}

/// Measures the value whose text begins at `from`; `None` where readers disagree on its end.
fn value(text: &str, from: usize, line: usize) -> Option<Assignment> {
    let rest = text[from..].trim_start_matches(BLANK);
    let start = text.len() - rest.len();
    let this_line = &rest[..line_end(rest, 0)];
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let stop = start + closing(rest, quote)?;
            let after = text[stop..line_end(text, stop)].trim_matches(BLANK);
            let tail = !after.trim_end_matches(LINE_END).is_empty() && !after.starts_with('#');
            let spans_lines = text[start..stop].contains('\n');
            let found = Assignment { line, span: start..stop, quote: Some(quote), tail };
            (!(spans_lines && tail)).then_some(found)
        }
        // Quotes of node's `dotenv`, and there only: on one line they are as good as a bare value.
        Some('`') if this_line.matches('`').count() == 1 => None,
        _ => Some(bare(text, from, line)),
    }
}

/// Finds where the quoted value ends that begins a text; a backslash takes the quote's meaning away.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Measures an unquoted value: up to the comment, which begins after a blank, or the line's end.
fn bare(text: &str, from: usize, line: usize) -> Assignment {
    let content = text[from..line_end(text, from)].trim_end_matches(LINE_END);
    let comment = content
        .match_indices('#')
        .find(|(at, _)| *at == 0 || content[..*at].ends_with(BLANK))
        .map_or(content.len(), |(at, _)| at);
    let words = content[..comment].trim_end_matches(BLANK);
    let lead = words.len() - words.trim_start_matches(BLANK).len();
    let span = from + lead..from + words.len();
    Assignment { line, span, quote: None, tail: false }
}
