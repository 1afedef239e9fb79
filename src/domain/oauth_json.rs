//! `credentials/oauth.json`, and the same JSON under another name for a file `SecretRef`.
//!
//! OpenClaw's form, as read in the program of 2026.1.30 to 2026.4.15:
//! `{"anthropic": {"access": "..", "refresh": "..", "expires": MS}}`.

use serde_json::{Value, json};

use crate::domain::credential::Credential;
use crate::domain::secret::Secret;
use crate::domain::sink::Held;
use crate::domain::splice::{self, Dialect, Malformed, Splice};
use crate::domain::time::Timestamp;

const ENTRY: &str = "anthropic";

/// Puts the credential into the `anthropic` entry, or into a new text where there is none yet;
/// `None` if it stands there already.
///
/// Other providers, and keys of the entry that are not ours, stay byte for byte.
pub(crate) fn edit(
    text: Option<&str>,
    credential: &Credential,
) -> Result<Option<String>, Malformed> {
    let text = text.filter(|text| !is_blank(text)).unwrap_or("{}\n");
    let mut splice = Splice::new(text, Dialect::Json)?;
    splice.set(&[ENTRY, "access"], &json!(credential.access_token.expose()))?;
    match &credential.refresh_token {
        Some(token) => splice.set(&[ENTRY, "refresh"], &json!(token.expose()))?,
        // A refresh token of an older login must not stand beside this access token.
        None => splice.remove(&[ENTRY, "refresh"])?,
    }
    splice.set(&[ENTRY, "expires"], &json!(credential.expiry.0))?;
    Ok(splice.finish())
}

/// Says what the `anthropic` entry holds; `None` also where the text cannot be read.
pub(crate) fn held(text: &str) -> Option<Held> {
    let root = splice::read(text, Dialect::Json).ok()?;
    let entry = root.get(ENTRY)?;
    let token = entry.get("access")?.as_str().filter(|token| !token.trim().is_empty())?;
    Some(Held { token: Secret::new(token), expiry: entry.get("expires").and_then(instant) })
}

/// Says whether the `anthropic` entry is all that the text holds, with a token of ours.
pub(crate) fn only(text: &str, is_ours: &dyn Fn(&Secret) -> bool) -> bool {
    let entries = splice::read(text, Dialect::Json).ok();
    let alone = entries.and_then(|root| root.as_object().map(|root| root.len() == 1));
    alone == Some(true) && held(text).is_some_and(|held| is_ours(&held.token))
}

/// Says whether a text holds nothing at all, as after `touch`.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

/// Reads an instant as OpenClaw does: a number of ms.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let number = value.as_number()?;
    if let Some(ms) = number.as_i64() {
        return Some(Timestamp(ms));
    }
    let ms = number.as_f64().filter(|ms| ms.is_finite() && ms.abs() < 9e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded to 53 bits in the line above")]
    Some(Timestamp(ms as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(refresh: Option<&str>) -> Credential {
        Credential {
            access_token: Secret::new("access-B"),
            refresh_token: refresh.map(Secret::new),
            expiry: Timestamp(4_102_444_800_000),
            login_end: None,
        }
    }

    const NEW: &str = "{\n  \"anthropic\": {\n    \"access\": \"access-B\",\n    \"refresh\": \"refresh-B\",\n    \"expires\": 4102444800000\n  }\n}\n";

    #[test]
    fn a_new_text_is_as_openclaw_would_write_it() {
        for nothing in [None, Some(""), Some(" \n")] {
            assert_eq!(edit(nothing, &credential(Some("refresh-B"))), Ok(Some(NEW.to_owned())));
        }
        assert_eq!(edit(Some(NEW), &credential(Some("refresh-B"))), Ok(None));
    }

    #[test]
    fn other_providers_and_unknown_keys_stay() {
        let before = r#"{"openai-codex":{"access":"\u0041","expires":1e3},"anthropic":{"access":"access-A","refresh":"refresh-A","expires":1,"email":"a@b"}}"#;
        let after = r#"{"openai-codex":{"access":"\u0041","expires":1e3},"anthropic":{"access":"access-B","refresh":"refresh-B","expires":4102444800000,"email":"a@b"}}"#;
        assert_eq!(edit(Some(before), &credential(Some("refresh-B"))), Ok(Some(after.to_owned())));
    }

    #[test]
    fn without_a_refresh_token_the_old_one_goes() {
        let after = NEW.replace("    \"refresh\": \"refresh-B\",\n", "");
        assert_eq!(edit(Some(NEW), &credential(None)), Ok(Some(after.clone())));
        assert_eq!(edit(Some(&after), &credential(None)), Ok(None));
    }

    #[test]
    fn what_is_held_is_read_back() {
        let held = held(NEW).expect("the entry is there");
        assert_eq!(held.token, Secret::new("access-B"));
        assert_eq!(held.expiry, Some(Timestamp(4_102_444_800_000)));
        for none in ["", "{}", "[]", r#"{"anthropic":{"access":" "}}"#, "{\"anthropic\":"] {
            assert_eq!(super::held(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        assert_eq!(edit(Some("[]"), &credential(None)), Err(Malformed { line: 1, column: 1 }));
        assert!(edit(Some("{\"anthropic\": \"x\"}"), &credential(None)).is_err());
    }
}
