//! New texts of Claude's `.credentials.json`: what changes is ours to say, every other byte stays.

use serde_json::{Value, json};

use crate::domain::grant::Grant;
use crate::domain::splice::{Dialect, Malformed, Splice};
use crate::domain::time::Timestamp;

const LOGIN: &str = "claudeAiOauth";

/// Puts a new pair into the text.
///
/// Keys that we do not know, `mcpOAuth` and the way numbers are written stay as they are; the CLI
/// itself drops unknown keys of the login (seen in 2.1.197).
pub(crate) fn with_grant(text: &str, grant: &Grant) -> Result<String, Malformed> {
    let mut splice = Splice::new(text, Dialect::Json)?;
    splice.set(&[LOGIN, "accessToken"], &json!(grant.access_token.expose()))?;
    if let Some(token) = &grant.refresh_token {
        splice.set(&[LOGIN, "refreshToken"], &json!(token.expose()))?;
    }
    splice.set(&[LOGIN, "expiresAt"], &json!(grant.expiry.0))?;
    if let Some(end) = grant.login_end {
        splice.set(&[LOGIN, "refreshTokenExpiresAt"], &json!(end.0))?;
    }
    if let Some(scopes) = grant.scopes.as_ref().filter(|scopes| !holds(&splice, scopes)) {
        splice.set(&[LOGIN, "scopes"], &json!(scopes))?;
    }
    // 2.1.330 marks a login that the server ended; this one lives.
    splice.remove(&[LOGIN, "loginEnded"])?;
    Ok(splice.finish().unwrap_or_else(|| text.to_owned()))
}

/// Sets when the access token is said to end, and nothing else.
pub(crate) fn with_expiry(text: &str, expiry: Timestamp) -> Result<String, Malformed> {
    let mut splice = Splice::new(text, Dialect::Json)?;
    splice.set(&[LOGIN, "expiresAt"], &json!(expiry.0))?;
    Ok(splice.finish().unwrap_or_else(|| text.to_owned()))
}

/// Says whether the same scopes stand there already, in whatever order.
fn holds(splice: &Splice, scopes: &[String]) -> bool {
    let Some(Value::Array(old)) = splice.get(&[LOGIN, "scopes"]) else { return false };
    let known = |scope: &String| old.iter().any(|value| value.as_str() == Some(scope));
    old.len() == scopes.len() && scopes.iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

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
}
