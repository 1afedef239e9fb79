//! When a sign-in is done: never by how the CLI ended, only by what is on the disk then.

use std::time::Duration;

use crate::domain::credential::Credential;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// A login whose access token seems to live longer was dated by a clock that was wrong.
const PLAUSIBLE: Duration = Duration::from_secs(36 * 3600);

/// Finds the new, later, living credential that proves a sign-in, or says what is missing.
pub(crate) fn proof<'a>(
    before: Option<&Credential>,
    after: &'a Source,
    now: Timestamp,
) -> Result<&'a Credential, String> {
    let credential = match after {
        Source::Living(credential) | Source::Static(credential) => credential,
        Source::Expired(credential) => {
            return Err(format!("the login there expired at {}", credential.expiry));
        }
        Source::Blanked => return Err("the login there is still the emptied one".to_owned()),
        Source::Absent => return Err("there is still no login".to_owned()),
        Source::Unreadable(why, _) => return Err(why.clone()),
        other => return Err(format!("the login there is {}", other.name())),
    };
    let Some(before) = before else { return Ok(credential) };
    if before.access_token == credential.access_token {
        return Err("the login there is still the one from before".to_owned());
    }
    // A setup-token lives for a year, and a wrong clock's token for ever: neither has to be outlived.
    let counts = before.refresh_token.is_some() && before.expiry <= now.after(PLAUSIBLE);
    if counts && credential.expiry <= before.expiry {
        return Err(format!("the login there ends at {}, no later than before", credential.expiry));
    }
    Ok(credential)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::parse;

    const NOW: Timestamp = Timestamp(1_900_000_000_000);

    fn source(token: &str, hours: i64) -> Source {
        let expiry = NOW.0 + hours * 3_600_000;
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{token}","refreshToken":"r","expiresAt":{expiry}}}}}"#
        );
        Source::of(parse(text.as_bytes()), NOW)
    }

    #[test]
    fn only_a_new_later_living_login_counts() {
        let old = source("a", 2);
        let before = old.credential();
        assert!(proof(before, &source("b", 8), NOW).is_ok());
        assert!(proof(None, &source("b", 8), NOW).is_ok());
        for (after, why) in [
            (source("a", 2), "still the one from before"),
            (source("a", 9), "still the one from before"),
            (source("b", 2), "no later than before"),
            (source("b", -1), "expired at"),
            (Source::Blanked, "emptied"),
            (Source::Absent, "still no login"),
            (Source::HalfWritten, "incomplete"),
        ] {
            let said = proof(before, &after, NOW).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn what_a_wrong_clock_dated_need_not_be_outlived() {
        let far = source("a", 24 * 300);
        assert!(proof(far.credential(), &source("b", 8), NOW).is_ok());
    }
}
