//! Claude's `.credentials.json`: what it says, in every form that is met in the wild.
//!
//! The forms are those of Claude CLI 1.0.44 to 2.1.330.

use std::ops::Range;

use serde_json::Value;

use serde::{Deserialize, Serialize};

use crate::domain::raw_json::{self, Fault};
use crate::domain::secret::{self, Secret};
use crate::domain::time::Timestamp;

/// The most that is read of a credentials file where nothing else is configured, in bytes.
///
/// It grows with the logins of MCP servers: 906 KB were seen in the wild, and growing.
pub(crate) const SIZE_LIMIT: u64 = 8 << 20;

/// The member of the file that holds the login.
pub(crate) const LOGIN: &str = "claudeAiOauth";

/// A login as Claude CLI keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// What OpenClaw sends as `Authorization: Bearer`.
    #[serde(with = "secret::in_memory")]
    pub(crate) access_token: Secret,
    /// What renews the login, once; a setup-token has none.
    #[serde(with = "secret::in_memory")]
    pub(crate) refresh_token: Option<Secret>,
    /// When the access token ends.
    pub(crate) expiry: Timestamp,
    /// When the login itself ends, where the server told (`refreshTokenExpiresAt`).
    pub(crate) login_end: Option<Timestamp>,
}

/// What a credentials file holds, before the clock is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Both tokens and an expiry: the CLI renews it.
    Login(Credential),
    /// An access token without a refresh token, as `claude setup-token` gives: nobody renews it.
    Static(Credential),
    /// An access token, but no expiry that could be read: nobody can tell whether it lives.
    Undated,
    /// The CLI emptied the tokens after the server refused to renew them.
    Blanked,
    /// Empty or cut off: a writer is at work, or died.
    HalfWritten,
    /// Complete, but not a credentials file; the reason.
    Foreign(&'static str),
}

/// Says what `bytes` of a credentials file hold, as the CLI reads them: whatever stands beside the login, and in it
/// beside what is asked for here, is as it may be.
pub(crate) fn parse(bytes: &[u8]) -> Content {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Content::HalfWritten;
    }
    match raw_json::check(bytes) {
        Ok(()) => {}
        Err(Fault::Cut) => return Content::HalfWritten,
        Err(Fault::Malformed(_)) if std::str::from_utf8(bytes).is_err() => {
            return Content::Foreign("it is not UTF-8 text");
        }
        Err(Fault::Malformed(_)) => return Content::Foreign("it is not JSON"),
    }
    let Some(login) = raw_json::member(bytes, &raw_json::root(bytes), LOGIN) else {
        return Content::Foreign("it has no 'claudeAiOauth': nobody is signed in");
    };
    if bytes.get(login.value.start) != Some(&b'{') {
        return Content::Foreign("its 'claudeAiOauth' is not an object");
    }
    from_login(bytes, &login.value)
}

fn from_login(bytes: &[u8], login: &Range<usize>) -> Content {
    let member = |key| raw_json::member(bytes, login, key).map(|member| member.value);
    let value = |key| member(key).and_then(|range| raw_json::value(bytes, &range));
    let token = |key| {
        let text = value(key)?;
        // In a header of HTTP blanks around a value mean nothing, so the CLI takes them.
        let text = text.as_str()?.trim_matches([' ', '\t', '\r', '\n']);
        (!text.is_empty()).then(|| Secret::new(text))
    };
    let Some(access_token) = token("accessToken") else {
        let emptied =
            member("accessToken").is_none_or(|range| matches!(&bytes[range], b"null" | b"\"\""));
        return if emptied {
            Content::Blanked
        } else {
            Content::Foreign("its 'accessToken' is not text")
        };
    };
    if access_token.expose().chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Content::Foreign("its 'accessToken' has blanks or control characters in it");
    }
    let Some(expiry) = value("expiresAt").as_ref().and_then(instant) else {
        return Content::Undated;
    };
    let refresh_token = token("refreshToken");
    let login_end = value("refreshTokenExpiresAt").as_ref().and_then(instant);
    let complete = refresh_token.is_some();
    let credential = Credential { access_token, refresh_token, expiry, login_end };
    if complete { Content::Login(credential) } else { Content::Static(credential) }
}

/// Reads an instant in ms, in s (below 10¹¹, which as ms would be 1973), or either as text, or RFC 3339.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let number = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => match Timestamp::parse(text) {
            Some(instant) => return Some(instant),
            None => text.clone(),
        },
        _ => return None,
    };
    let number =
        number.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 9e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded to 53 bits in the line above")]
    let whole = number as i64;
    Some(Timestamp(if (1..100_000_000_000).contains(&whole) { whole * 1000 } else { whole }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(expires_at: &str) -> Content {
        parse(format!(r#"{{"claudeAiOauth":{{"accessToken":"access-A","refreshToken":"refresh-A","expiresAt":{expires_at}}}}}"#).as_bytes())
    }

    #[test]
    fn reads_the_expiry_in_every_form() {
        for form in [
            "4102444800000",
            "4102444800000.0",
            "4.1024448e12",
            "4102444800",
            "\"4102444800000\"",
            "\"2100-01-01T00:00:00Z\"",
            "\"2100-01-01T00:00:00.000Z\"",
        ] {
            let Content::Login(credential) = login(form) else {
                panic!("{form}: {:?}", login(form))
            };
            assert_eq!(credential.expiry, Timestamp(4_102_444_800_000), "{form}");
        }
        for none in [
            "null",
            "true",
            "\"soon\"",
            "1e300",
            "{}",
            "9223372036854775807",
            "\"-9223372036854775808\"",
            "\"9223372036854775807-01-01T00:00:00Z\"",
            "\"2026-01-01T9223372036854775807:00:00Z\"",
            "\"2026-01-01T00:00:00+9223372036854775807:00\"",
        ] {
            assert_eq!(login(none), Content::Undated, "{none}");
        }
    }

    #[test]
    fn names_what_is_no_login() {
        let blanked = br#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0,"scopes":[]},"mcpOAuth":{}}"#;
        assert_eq!(parse(blanked), Content::Blanked);
        for cut in [&b""[..], b" \n", b"{", br#"{"claudeAiOauth":{"accessToken":"acc"#] {
            assert_eq!(parse(cut), Content::HalfWritten);
        }
        for foreign in [
            &b"hello"[..],
            b"[]",
            b"{}",
            b"{\"claudeAiOauth\":[]}",
            b"\xff\xfe{}",
            br#"{"claudeAiOauth":{"accessToken":7}}"#,
        ] {
            assert!(matches!(parse(foreign), Content::Foreign(_)), "{foreign:?}");
        }
    }

    #[test]
    fn a_setup_token_is_static() {
        let text = br#"{"claudeAiOauth":{"accessToken":"access-A","expiresAt":4102444800000}}"#;
        assert!(matches!(parse(text), Content::Static(_)));
    }

    #[test]
    fn a_token_that_could_break_a_line_is_refused() {
        let text = br#"{"claudeAiOauth":{"accessToken":"a\nB=1","refreshToken":"r","expiresAt":4102444800000}}"#;
        assert!(matches!(parse(text), Content::Foreign(_)));
    }
}
