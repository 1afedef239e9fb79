//! New texts of Claude's `.credentials.json`: what changes is ours to say, every other byte stays.

use std::ops::Range;

use serde_json::{Value, json};

use crate::domain::credential::LOGIN;
use crate::domain::grant::Grant;
use crate::domain::raw_json::{self, Fault, check};
use crate::domain::splice::Malformed;
use crate::domain::time::Timestamp;

/// What a text is that is JSON, but no credentials file.
const FOREIGN: Malformed = Malformed { line: 1, column: 1 };

/// Puts a new pair into the text.
///
/// Keys that we do not know, `mcpOAuth` and the way numbers are written stay as they are; the CLI
/// itself drops unknown keys of the login (seen in 2.1.197).
pub(crate) fn with_grant(text: &[u8], grant: &Grant) -> Result<Vec<u8>, Malformed> {
    let mut file = File::of(text)?;
    file.set("accessToken", &json!(grant.access_token.expose()))?;
    if let Some(token) = &grant.refresh_token {
        file.set("refreshToken", &json!(token.expose()))?;
    }
    file.set("expiresAt", &json!(grant.expiry.0))?;
    if let Some(end) = grant.login_end {
        file.set("refreshTokenExpiresAt", &json!(end.0))?;
    }
    if let Some(scopes) = grant.scopes.as_ref().filter(|scopes| !file.holds(scopes)) {
        file.set("scopes", &json!(scopes))?;
    }
    // 2.1.330 marks a login that the server ended; this one lives.
    file.remove("loginEnded");
    file.checked()
}

/// Sets when the access token is said to end, and nothing else.
pub(crate) fn with_expiry(text: &[u8], expiry: Timestamp) -> Result<Vec<u8>, Malformed> {
    let mut file = File::of(text)?;
    file.set("expiresAt", &json!(expiry.0))?;
    file.checked()
}

/// A text on its way to another one.
struct File {
    text: Vec<u8>,
}

impl File {
    fn of(text: &[u8]) -> Result<Self, Malformed> {
        check(text).map_err(place)?;
        Ok(Self { text: text.to_owned() })
    }

    /// Where the login stands; none where there is none, or nothing in its place.
    fn login(&self) -> Option<Range<usize>> {
        let found = raw_json::member(&self.text, &raw_json::root(&self.text), LOGIN)?;
        Some(found.value).filter(|range| &self.text[range.clone()] != b"null")
    }

    fn value(&self, key: &str) -> Option<Value> {
        let found = raw_json::member(&self.text, &self.login()?, key)?;
        raw_json::value(&self.text, &found.value)
    }

    /// Sets a member of the login; one that is worth the same keeps its form.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Malformed> {
        if self.value(key).is_some_and(|old| same(&old, value)) {
            return Ok(());
        }
        let (object, name, value) = match self.login() {
            Some(login) => (login, key, value.clone()),
            None => (raw_json::root(&self.text), LOGIN, json!({ key: value })),
        };
        if self.text.get(object.start) != Some(&b'{') {
            return Err(FOREIGN);
        }
        self.text = raw_json::with(&self.text, &object, name, &value);
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        let shorter = self.login().and_then(|login| raw_json::without(&self.text, &login, key));
        self.text = shorter.unwrap_or_else(|| std::mem::take(&mut self.text));
    }

    /// Says whether the same scopes stand there already, in whatever order.
    fn holds(&self, scopes: &[String]) -> bool {
        let Some(Value::Array(old)) = self.value("scopes") else { return false };
        let known = |scope: &String| old.iter().any(|value| value.as_str() == Some(scope));
        old.len() == scopes.len() && scopes.iter().all(known)
    }

    /// A text that is no JSON any more is a fault of ours and is not written.
    fn checked(self) -> Result<Vec<u8>, Malformed> {
        check(&self.text).map_err(place)?;
        Ok(self.text)
    }
}

fn place(fault: Fault) -> Malformed {
    match fault {
        Fault::Malformed(place) => place,
        Fault::Cut => FOREIGN,
    }
}

/// Compares numbers by what they are worth rather than by how they are written.
fn same(old: &Value, new: &Value) -> bool {
    old == new || old.as_f64().is_some_and(|old| Some(old) == new.as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn with_grant(text: &str, grant: &Grant) -> Result<String, Malformed> {
        super::with_grant(text.as_bytes(), grant).map(|new| String::from_utf8(new).unwrap())
    }

    fn with_expiry(text: &str, expiry: Timestamp) -> Result<String, Malformed> {
        super::with_expiry(text.as_bytes(), expiry).map(|new| String::from_utf8(new).unwrap())
    }

    const OLD: &str = r#"{"claudeAiOauth":{"accessToken":"access-A","refreshToken":"refresh-A","expiresAt":1.8e12,"scopes":["b","a"],"odd":1e3,"subscriptionType":null},"mcpOAuth":{"x|1":{"t":"\u0041"}},"organizationUuid":"o"}"#;

    fn grant() -> Grant {
        Grant {
            access_token: Secret::new("access-B"),
            refresh_token: Some(Secret::new("refresh-B")),
            expiry: Timestamp(1_900_000_000_000),
            login_end: None,
            scopes: Some(vec!["a".to_owned(), "b".to_owned()]),
        }
    }

    #[test]
    fn only_the_pair_and_its_expiry_change() {
        let wanted = OLD
            .replace("access-A", "access-B")
            .replace("refresh-A", "refresh-B")
            .replace("1.8e12", "1900000000000");
        assert_eq!(with_grant(OLD, &grant()), Ok(wanted.clone()));
        let kept = with_grant(OLD, &Grant { refresh_token: None, ..grant() });
        assert_eq!(kept, Ok(wanted.replace("refresh-B", "refresh-A")));
    }

    #[test]
    fn a_blanked_login_is_filled_again() {
        let blanked = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0,"scopes":[],"loginEnded":"time_limit"}}"#;
        let wanted = r#"{"claudeAiOauth":{"accessToken":"access-B","refreshToken":"refresh-B","expiresAt":1900000000000,"scopes":["a","b"]}}"#;
        assert_eq!(with_grant(blanked, &grant()), Ok(wanted.to_owned()));
    }

    #[test]
    fn the_expiry_can_be_set_alone_and_put_back() {
        let nudged = with_expiry(OLD, Timestamp(5)).unwrap();
        assert_eq!(nudged, OLD.replace("1.8e12", "5"));
        let back = with_expiry(&nudged, Timestamp(1_800_000_000_000)).unwrap();
        assert_eq!(back, OLD.replace("1.8e12", "1800000000000"));
        assert!(with_expiry("{", Timestamp(5)).is_err());
    }

    #[test]
    fn what_is_no_text_stays_beside_it() {
        let odd = b"{\"mcpOAuth\":{\"\xfc\":\"\\ud800\"},\"claudeAiOauth\":{\"accessToken\":\"a\",\"n\":1e999,\"x\":\"\xff\",\"expiresAt\":1}}";
        let new = super::with_expiry(odd, Timestamp(7)).unwrap();
        let wanted = String::from_utf8_lossy(odd).replace("\"expiresAt\":1", "\"expiresAt\":7");
        assert_eq!(String::from_utf8_lossy(&new), wanted);
        assert_eq!(new.len(), odd.len());
    }

    #[test]
    fn a_login_that_is_not_there_is_made_and_what_is_none_is_left() {
        for (old, new) in [
            (r#"{"a":1}"#, r#"{"a":1,"claudeAiOauth":{"expiresAt":7}}"#),
            (r#"{"claudeAiOauth":null}"#, r#"{"claudeAiOauth":{"expiresAt":7}}"#),
            (r#"{"claudeAiOauth":{}}"#, r#"{"claudeAiOauth":{"expiresAt":7}}"#),
        ] {
            assert_eq!(with_expiry(old, Timestamp(7)).as_deref(), Ok(new));
        }
        for text in [r#"{"claudeAiOauth":[]}"#, "[]", "\"x\"", "\u{feff}{}"] {
            assert!(with_expiry(text, Timestamp(7)).is_err(), "{text}");
        }
    }
}
