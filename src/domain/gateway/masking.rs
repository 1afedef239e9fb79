//! Takes tokens out of what other programs say before it is shown.

use crate::domain::secret::Secret;

/// What every token of Anthropic's begins with.
const PREFIX: &str = "sk-ant-";

/// What stands where a token stood.
const MASK: &str = "***";

/// Shorter values could be words of their own.
const SHORTEST: usize = 8;

/// Replaces the known secrets, and whatever looks like a token, to the last letter.
pub(crate) fn mask(text: &str, known: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| secret.expose().len() >= SHORTEST) {
        text = text.replace(secret.expose(), MASK);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(PREFIX) {
        let (before, token) = rest.split_at(at);
        let part_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = token.find(|c: char| !part_of_token(c)).unwrap_or(token.len());
        masked += before;
        masked += MASK;
        rest = &token[end..];
    }
    masked + rest
}

/// The last `count` lines that say something, joined for one message.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}
