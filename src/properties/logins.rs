//! Logins: Claude's file, the token endpoint's answers, moments in all their forms.

use serde_json::Value;

use crate::domain::claude_file::{with_expiry, with_grant};
use crate::domain::credential::{self, Content};
use crate::domain::grant::{self, Answer, Grant};
use crate::domain::secret::Secret;
use crate::domain::time::{Timestamp, in_words, parse_duration};

/// A login takes a pair and an expiry; nothing beside it changes, and the expiry can be put back.
pub(super) fn credentials(bytes: &[u8]) {
    let content = credential::parse(bytes);
    let grant = Grant {
        access_token: Secret::new("sk-ant-oat01-new"),
        refresh_token: Some(Secret::new("sk-ant-ort01-new")),
        expiry: Timestamp(4_102_444_800_000),
        login_end: None,
        scopes: None,
    };
    if let Ok(new) = with_grant(bytes, &grant)
        && matches!(content, Content::Login(_) | Content::Blanked)
    {
        let Content::Login(login) = credential::parse(&new) else {
            panic!("the pair is not found again")
        };
        assert!(login.access_token == grant.access_token && login.expiry == grant.expiry);
        assert!(login.refresh_token == grant.refresh_token);
        keeps_others(bytes, &new);
        assert_eq!(with_grant(&new, &grant).as_ref(), Ok(&new), "a second time changes nothing");
    }
    // Before 1973 a number of ms is taken for one of seconds.
    if let Content::Login(login) = &content
        && login.expiry.0 > 100_000_000_000
        && let Ok(nudged) = with_expiry(bytes, Timestamp(1_800_000_000_000))
    {
        keeps_others(bytes, &nudged);
        let back = with_expiry(&nudged, login.expiry).expect("what was edited once can be again");
        assert_eq!(credential::parse(&back), content);
    }
}

/// Everything beside the login stays as it was.
fn keeps_others(old: &[u8], new: &[u8]) {
    if let Some(before) = others(old) {
        assert_eq!(Some(before), others(new));
    }
}

/// Everything beside the login; `None` where odd bytes or escapes keep `serde_json` from reading it.
fn others(bytes: &[u8]) -> Option<Value> {
    let mut root: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(root) = root.as_object_mut() {
        root.remove("claudeAiOauth");
    }
    Some(root)
}

/// Tokens that are found are plain, an answer that was cut off gives none that was cut, and what gives
/// tokens is never taken for an answer without.
pub(super) fn token_answers(bytes: &[u8]) {
    let asked = Timestamp(1_800_000_000_000);
    for status in [200, 400] {
        let _ = grant::read(status, bytes, asked, None);
    }
    let whole = grant::tokens(bytes, asked);
    for token in tokens(whole.as_ref()) {
        assert!(!token.is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(grant::mentions_token(bytes));
    }
    if let Some(Answer::Granted(grant)) = &whole {
        assert!(grant.expiry > asked);
    }
    if serde_json::from_slice::<Value>(bytes).is_err() {
        return;
    }
    let cut = grant::tokens(&bytes[..bytes.len() / 2], asked);
    for token in tokens(cut.as_ref()) {
        let quoted = format!("\"{}\"", token.expose().replace('\\', "\\\\").replace('"', "\\\""));
        let is_escaped = bytes.contains(&b'\\');
        let there = String::from_utf8_lossy(bytes).contains(&quoted);
        assert!(is_escaped || there, "a token was cut");
    }
}

fn tokens(answer: Option<&Answer>) -> Vec<&Secret> {
    match answer {
        Some(Answer::Granted(grant)) => {
            std::iter::once(&grant.access_token).chain(&grant.refresh_token).collect()
        }
        Some(Answer::Kept(token, _)) => vec![token],
        _ => Vec::new(),
    }
}

/// A moment is read again as it was written.
pub(super) fn times(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let now = Timestamp(1_800_000_000_000);
    for moment in [Timestamp::parse(text), Timestamp::parse_http(text)].into_iter().flatten() {
        let written = Timestamp::parse(&moment.to_string()).expect("it is read again");
        assert_eq!(written.0 / 1000, moment.0 / 1000, "{moment}");
        let _ = in_words(moment.left(now));
    }
    let _ = grant::retry_after(text, now);
    if let Some(span) = parse_duration(text) {
        let _ = in_words(span);
    }
}
