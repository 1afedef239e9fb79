//! One value each: text in, a bounded value or what it must be out.
//!
//! The refusals read on after the key's name, "must be …", and never repeat the value.

use std::path::{Component, PathBuf};
use std::time::Duration;

use crate::domain::config::keys::did_you_mean;
use crate::domain::config::settings::{Method, Sinks};
use crate::domain::config::words::{self, Fault};
use crate::domain::pause::Pause;
use crate::domain::quiet_hours::QuietHours;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::domain::time::{parse_duration, time_of_day};
use crate::domain::visible::is_control;

/// A value, or what it must be.
pub(super) type Checked<T> = Result<T, String>;

fn must<T>(be: impl AsRef<str>) -> Checked<T> {
    Err(format!("must {}", be.as_ref()))
}

/// Picks one of a few words, once or more.
pub(super) fn choices<T: Copy>(text: &str, words: &[(&str, T)]) -> Checked<Vec<T>> {
    match text.split_whitespace().map(|word| choice(word, words)).collect() {
        Ok(none) if Vec::is_empty(&none) => choice(text, words).map(|one| vec![one]),
        other => other,
    }
}

/// Picks one of a few words.
pub(super) fn choice<T: Copy>(text: &str, words: &[(&str, T)]) -> Checked<T> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    must(format!("be {}{}", either(&names), meant(text, &names)))
}

/// Says `a, b or c`.
fn either(words: &[&str]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => words.concat(),
    }
}

fn meant(typed: &str, words: &[&str]) -> String {
    let word = did_you_mean(typed, words.iter().copied());
    word.map(|word| format!(", did you mean '{word}'?")).unwrap_or_default()
}

/// Reads an absolute path and takes out what means nothing in it (`//`, `/./`, `/` at the end).
pub(super) fn path(text: &str) -> Checked<PathBuf> {
    if text.starts_with('~') {
        return must("be an absolute path; '~' is not expanded");
    }
    if !text.starts_with('/') {
        return must("be an absolute path");
    }
    if text.chars().any(is_control) {
        return must("have no control characters");
    }
    let path = PathBuf::from(text);
    if path.components().any(|part| part == Component::ParentDir) {
        return must("not have '..' in it");
    }
    if path.file_name().is_none() {
        must("name more than '/'")
    } else {
        Ok(path.components().collect())
    }
}

/// Reads absolute paths with colons between them.
pub(super) fn paths(text: &str) -> Checked<Vec<PathBuf>> {
    text.split(':').filter(|part| !part.is_empty()).map(path).collect()
}

/// Reads what rests, and until when.
pub(super) fn pause(text: &str) -> Checked<Pause> {
    let Some(pause) = Pause::parse(text) else {
        return must(
            "be 'until TIME' or 'forever', or that after renew or sync, as in 'renew until 2026-11-30T18:00:00Z'",
        );
    };
    Ok(pause)
}

/// Reads a margin of 1 minute to 24 hours.
pub(super) fn margin(text: &str) -> Checked<Duration> {
    let day = Duration::from_secs(86_400);
    match parse_duration(text) {
        Some(margin) if (Duration::from_secs(60)..=day).contains(&margin) => Ok(margin),
        Some(_) => must("be between 1m and 24h"),
        None => must("be a duration such as 90m or 1h30m"),
    }
}

/// Reads a size of 64 KiB to 64 MiB, in bytes, `K` or `M`.
pub(super) fn size(text: &str) -> Checked<u64> {
    let (number, unit) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let size = number.parse().ok().filter(|_| digits).and_then(|size: u64| size.checked_mul(unit));
    match size {
        Some(size) if (64 << 10..=64 << 20).contains(&size) => Ok(size),
        Some(_) => must("be between 64K and 64M"),
        None => must("be a size such as 8M or 512K"),
    }
}

/// Reads a number of agents.
pub(super) fn agents(text: &str) -> Checked<usize> {
    match text.parse() {
        Ok(number @ 1..=100_000) => Ok(number),
        _ => must("be a number between 1 and 100000"),
    }
}

/// Reads methods of renewal; `off` alone is none.
pub(super) fn methods(text: &str) -> Checked<Vec<Method>> {
    let words = [("cli", Method::Cli), ("api", Method::Api)];
    list(text, "off", &words)
}

/// Reads kinds of sinks; `auto` and `none` stand alone.
pub(super) fn sinks(text: &str) -> Checked<Sinks> {
    if text.trim() == "auto" {
        return Ok(Sinks::Auto);
    }
    list(text, "none", &SinkKind::ALL.map(|kind| (kind.name(), kind))).map(Sinks::Listed)
}

/// Reads a list of words, separated by blanks, each at most once; `nothing` alone is the empty list.
fn list<T: Copy + PartialEq>(text: &str, nothing: &str, words: &[(&str, T)]) -> Checked<Vec<T>> {
    let mut values = Vec::new();
    if text.trim() == nothing {
        return Ok(values);
    }
    for typed in text.split_whitespace() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let Some((_, value)) = words.iter().find(|(word, _)| *word == typed) else {
            let all = [&names[..], &[nothing]].concat();
            let known = names.join(", ");
            return must(format!("be {nothing}, or a list of {known}{}", meant(typed, &all)));
        };
        if values.contains(value) {
            return must(format!("name {typed} only once"));
        }
        values.push(*value);
    }
    if values.is_empty() { must(format!("not be blank; write {nothing}")) } else { Ok(values) }
}

/// Reads a command into words.
pub(super) fn command(text: &str) -> Checked<Vec<String>> {
    words::split(text).or_else(|fault| match fault {
        Fault::OpenQuote => must("close each quote"),
        Fault::Shell(operator) => {
            must(format!("do without '{operator}', as no shell reads it: put it into a script"))
        }
        Fault::NoProgram => must("begin with a program"),
    })
}

/// Reads as whom a command runs: true for root.
pub(super) fn command_user(text: &str) -> Checked<bool> {
    match text {
        "root" => Ok(true),
        "owner" => Ok(false),
        _ => must("be root, or owner for that of OPENCLAW_STATE_DIR"),
    }
}

/// Reads `23:00-07:00`.
pub(super) fn quiet_hours(text: &str) -> Checked<QuietHours> {
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, to)| Some((time_of_day(from)?, time_of_day(to)?)));
    match ends {
        Some((from, to)) if from == to => must("begin and end at different times"),
        Some((from, to)) => Ok(QuietHours { from, to }),
        None => must("be two times of the day such as 23:00-07:00"),
    }
}

/// Reads a version such as `2026.8.1` or `2026.2.25-beta.1`; none for `auto`.
pub(super) fn version(text: &str) -> Checked<Option<String>> {
    if text == "auto" {
        return Ok(None);
    }
    let bare = text.strip_prefix('v').unwrap_or(text);
    let (numbers, suffix) = bare.split_once(['-', '+']).unwrap_or((bare, "x"));
    let number =
        |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let sound = numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && !suffix.is_empty()
        && suffix.chars().all(tag);
    if sound { Ok(Some(bare.to_owned())) } else { must("be auto, or a version such as 2026.8.1") }
}

/// Reads the name or the address of a host.
pub(super) fn host(text: &str) -> Checked<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
        return Err("must be the name or the address of a host".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads the name of a container or of a compose service.
pub(super) fn container(text: &str) -> Checked<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    // A leading dash would be an option of the engine's.
    let sound = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if sound && text.chars().all(inner) {
        return Ok(text.to_owned());
    }
    must("be a name of letters, digits, '_', '.' and '-', not beginning with '.' or '-'")
}

/// Reads the name of a variable.
pub(super) fn variable(text: &str) -> Checked<String> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.chars().all(name) && !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    must("be the name of a variable: letters, digits and '_'")
}

/// Reads the address of a container engine.
pub(super) fn socket(text: &str) -> Checked<String> {
    let known = ["unix:///", "tcp://", "ssh://", "http://", "https://"];
    let rest = known.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or_default();
    if !rest.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    must("be an address such as unix:///run/user/1000/docker.sock")
}

/// Reads the token endpoint: `https://` alone, as a refresh token travels there.
pub(super) fn token_url(text: &str) -> Checked<String> {
    match text.strip_prefix("https://").filter(|rest| has_host(rest)) {
        Some(_) if text.contains(['@', '#']) => must("have neither '@' nor '#' in it"),
        Some(_) => Ok(text.to_owned()),
        None => must("be an https:// address"),
    }
}

/// Reads the addresses of webhooks, each of which is a secret as a whole.
pub(super) fn webhooks(text: &str) -> Checked<Vec<Secret>> {
    let mut words = text.split_whitespace();
    let first = webhook(words.next().unwrap_or_default())?;
    std::iter::once(Ok(first)).chain(words.map(webhook)).collect()
}

fn webhook(text: &str) -> Checked<Secret> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest.filter(|rest| has_host(rest)) {
        Some(_) => Ok(Secret::new(text)),
        None => must("be an http:// or https:// address"),
    }
}

fn has_host(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    !host.is_empty()
        && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\'))
}

/// Reads text that goes into a header or a request as it is.
pub(super) fn header(text: &str) -> Checked<String> {
    let sound = text.chars().all(|c| c.is_ascii_graphic() || c == ' ') && text.trim() == text;
    if sound { Ok(text.to_owned()) } else { must("be printable ASCII") }
}
