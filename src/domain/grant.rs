//! The refresh grant: what is asked of the token endpoint, and what its answer says.
//!
//! RFC 6749 sections 5 and 6, as Claude's endpoint speaks it: JSON both ways.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::outcome::Outcome;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The longest lifetime that is believed; the longest one seen is a setup-token's year.
const LIFETIME_LIMIT: Duration = Duration::from_secs(400 * 86_400);

/// The longest token that is believed, in bytes; those of 2026 have 108.
const TOKEN_LIMIT: usize = 16 * 1024;

/// What no answer without a token has in it.
const TOKEN_MARKS: [&str; 4] =
    ["sk-ant-", "\"access_token\"", "\"refresh_token\"", "access_token="];

/// The codes that a message may repeat (RFC 6749 section 5.2, and Anthropic's own); any other text
/// of a server could quote what was sent.
const CODES: [&str; 15] = [
    "invalid_grant",
    "invalid_request",
    "invalid_client",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "rate_limit_error",
    "overloaded_error",
    "api_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
];

/// A new pair of tokens, as the endpoint gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The new access token.
    pub(crate) access_token: Secret,
    /// The new refresh token; where there is none the old one stays good.
    pub(crate) refresh_token: Option<Secret>,
    /// When the access token ends, counted from before it was asked for.
    pub(crate) expiry: Timestamp,
    /// When the login ends, where the endpoint says it.
    pub(crate) login_end: Option<Timestamp>,
    /// What the access token is good for, where the endpoint says it.
    pub(crate) scopes: Option<Vec<String>>,
}

/// What an answer is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A new pair.
    Granted(Grant),
    /// No access token that could be used, but a refresh token that took the old one's place.
    Kept(Secret, &'static str),
    /// No token at all.
    Nothing(Outcome),
}

/// The body of the request.
///
/// It asks for no scope: then the new token has those of the login (RFC 6749 section 6). The CLI
/// sends a list of its own, which widens with its versions and is refused for older logins.
pub(crate) fn request(client_id: &str, refresh_token: &Secret) -> String {
    let refresh_token = refresh_token.expose();
    json!({"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client_id})
        .to_string()
}

/// Says what an answer of the endpoint is good for.
///
/// Tokens outweigh the status: a pair in an answer of any status has taken the old one's place.
pub(crate) fn read(status: u16, body: &[u8], asked: Timestamp, wish: Option<Duration>) -> Answer {
    match tokens(body, asked) {
        Some(answer) => answer,
        None => Answer::Nothing(refusal(status, body, wish)),
    }
}

/// Reads the tokens of an answer; of one that was cut off, as far as it goes.
pub(crate) fn tokens(body: &[u8], asked: Timestamp) -> Option<Answer> {
    let text = text(body);
    let (object, whole) = match object(&text) {
        Some(object) => (object, true),
        None => (complete(&text)?, false),
    };
    let access_token = object.get("access_token");
    let refresh_token = object.get("refresh_token").filter(|value| !value.is_null());
    let (access, refresh) = (access_token.and_then(token), refresh_token.and_then(token));
    let fault = match (&access, lifetime(&object, "expires_in")) {
        _ if refresh_token.is_some() && refresh.is_none() => "its refresh_token is no token",
        // The refresh token may lie in the part that is missing.
        _ if !whole && refresh.is_none() => return None,
        (None, _) => "it has no usable access_token",
        (_, None) => "it has no usable expires_in",
        (Some(access_token), Some(lifetime)) => {
            return Some(Answer::Granted(Grant {
                access_token: access_token.clone(),
                refresh_token: refresh,
                expiry: asked.after(lifetime),
                login_end: self::lifetime(&object, "refresh_token_expires_in")
                    .map(|lifetime| asked.after(lifetime)),
                scopes: scopes(&object),
            }));
        }
    };
    refresh.map(|refresh_token| Answer::Kept(refresh_token, fault))
}

/// Says whether an answer seems to hold a token, whatever its form: then something may be spent for it.
pub(crate) fn mentions_token(body: &[u8]) -> bool {
    let text = text(body);
    if let Ok(value) = serde_json::from_slice::<Value>(text.as_bytes()) {
        return holds_token(&value);
    }
    // Of every encoding that is wider than a byte the zeros are left out.
    let plain: String = text.chars().filter(|c| *c != '\0').collect();
    TOKEN_MARKS.iter().any(|mark| plain.contains(mark))
}

fn holds_token(value: &Value) -> bool {
    let is_token = |key: &str, value: &Value| {
        let named = matches!(key, "access_token" | "refresh_token");
        named && value.as_str().is_some_and(|text| !text.is_empty())
    };
    match value {
        Value::String(text) => text.starts_with(TOKEN_MARKS[0]),
        Value::Array(values) => values.iter().any(holds_token),
        Value::Object(object) => {
            object.iter().any(|(key, value)| is_token(key, value) || holds_token(value))
        }
        _ => false,
    }
}

/// The text of an answer, without a byte order mark.
fn text(body: &[u8]) -> String {
    let wide = |big: bool| {
        let units = body[2..].chunks_exact(2).map(|pair| [pair[0], pair[1]]);
        let units: Vec<u16> =
            units.map(if big { u16::from_be_bytes } else { u16::from_le_bytes }).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match body {
        [0xff, 0xfe, ..] => wide(false),
        [0xfe, 0xff, ..] => wide(true),
        // What is no text, as a character that was cut through, may stand anywhere but in a token.
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    text.trim_start_matches('\u{feff}').trim().to_owned()
}

/// Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    Some(Timestamp::parse_http(text)?.left(now))
}

/// Why a login is refused, by the texts of the server that are known (read in Claude CLI 2.1.330): any other one
/// could quote what was sent.
fn reason(description: &str) -> Option<&'static str> {
    let reason = match description {
        "Refresh token expired" => "its time limit has passed",
        "Refresh token not found or invalid" => "its refresh token was spent or revoked",
        "No organization associated with this token" | "No account associated with this token" => {
            "its account is gone"
        }
        _ => return None,
    };
    Some(reason)
}

/// Names a refusal. Only `invalid_grant` is one of the login itself: a proxy, a bot guard and an
/// outage say everything else, and none of them knows whether the login lives.
fn refusal(status: u16, body: &[u8], wish: Option<Duration>) -> Outcome {
    let object = object(&text(body));
    let code = object.as_ref().and_then(code);
    let description = object.as_ref().and_then(|object| object.get("error_description")?.as_str());
    let cause = match (status, code) {
        (400 | 401 | 403, Some("invalid_grant" | "access_denied"))
            if description == Some("account_on_hold") =>
        {
            return Outcome::OnHold;
        }
        (400 | 401, Some("invalid_grant")) => {
            let reason = description.and_then(reason);
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let cause = format!(
                "the token endpoint refuses the login: HTTP {status} invalid_grant{reason}"
            );
            return Outcome::Rejected { cause };
        }
        (200..300, _) if object.is_none() => {
            format!("the token endpoint's answer is not JSON: HTTP {status}")
        }
        (200..300, _) => "the token endpoint's answer has no tokens".to_owned(),
        (300..400, _) => {
            format!("the token endpoint redirects, which is not followed: HTTP {status}")
        }
        (_, Some(code)) => format!("the token endpoint answers HTTP {status} {code}"),
        (_, None) => format!("the token endpoint answers HTTP {status}"),
    };
    Outcome::Deferred { cause, retry_after: wish }
}

/// The error code: RFC 6749's text, or Anthropic's `{"error": {"type": ..}}`.
fn code(object: &Map<String, Value>) -> Option<&'static str> {
    let error = object.get("error")?;
    let text = error.as_str().or_else(|| error.get("type").and_then(Value::as_str))?;
    CODES.into_iter().find(|code| *code == text)
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::Object(object)) => Some(object),
        Ok(Value::Array(mut array)) if array.len() == 1 => match array.pop() {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// The members of an object that was cut off, up to the last whole one.
fn complete(text: &str) -> Option<Map<String, Value>> {
    if !text.starts_with('{') || serde_json::from_slice::<Value>(text.as_bytes()).is_ok() {
        return None;
    }
    let commas = text.rmatch_indices(',').map(|(at, _)| &text[..at]);
    commas.take(64).find_map(|head| object(&format!("{head}}}")))
}

fn token(value: &Value) -> Option<Secret> {
    let text = value.as_str()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && (1..=TOKEN_LIMIT).contains(&text.len())).then(|| Secret::new(text))
}

/// A number of seconds, as a number or as text.
fn lifetime(object: &Map<String, Value>, key: &str) -> Option<Duration> {
    let seconds = match object.get(key)? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let span = Duration::try_from_secs_f64(seconds).ok()?;
    (span >= Duration::from_secs(1) && span <= LIFETIME_LIMIT).then_some(span)
}

fn scopes(object: &Map<String, Value>) -> Option<Vec<String>> {
    let text = object.get("scope")?.as_str()?;
    let scopes: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    (!scopes.is_empty()).then_some(scopes)
}

#[cfg(test)]
#[path = "grant/tests.rs"]
mod tests;
