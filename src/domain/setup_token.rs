//! A setup-token as a person hands it in: what `claude setup-token` printed, however a terminal broke it.

use std::time::Duration;

use serde_json::json;

use crate::domain::credential::LOGIN;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// How long one lives. Nothing in it tells, so its end is an estimate, counted from when it is handed in.
pub(crate) const LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The shortest and the longest that is believed, in bytes; those of 2026 have 108.
const LENGTHS: std::ops::RangeInclusive<usize> = 80..=512;

/// What every token of Anthropic's begins with.
const MARK: &str = "sk-ant-";

/// Takes the token from what was handed in, or says why it is none; the reason repeats nothing of it.
pub(crate) fn parse(text: &str) -> Result<Secret, &'static str> {
    // A terminal breaks the long line, and what is copied from there has the break in it.
    let token: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if token.is_empty() {
        return Err("nothing was handed in");
    }
    if token.matches(MARK).count() > 1 {
        return Err("it is more than one token");
    }
    if token.starts_with("sk-ant-ort") {
        return Err("it is a refresh token, which belongs to Claude CLI alone");
    }
    if token.starts_with("sk-ant-api") {
        return Err("it is an API key");
    }
    let Some(rest) = token.strip_prefix("sk-ant-oat01-") else {
        return Err("it does not begin with sk-ant-oat01-");
    };
    if !rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err("it has a character in it that no token has");
    }
    if !LENGTHS.contains(&token.len()) {
        return Err("it is too short or too long: a part is missing, or something was added");
    }
    Ok(Secret::new(token))
}

/// The text of the credentials file that holds it: the CLI's own form, without a refresh token.
pub(crate) fn file(token: &Secret, expiry: Timestamp) -> String {
    let login = json!({
        "accessToken": token.expose(),
        "expiresAt": expiry.0,
        "scopes": ["user:inference"],
    });
    format!("{}\n", json!({ LOGIN: login }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{self, Content};

    fn token() -> String {
        format!("sk-ant-oat01-{}", "aB3_-".repeat(19))
    }

    #[test]
    fn a_token_that_was_broken_into_lines_is_joined() {
        let whole = token();
        let (head, tail) = whole.split_at(80);
        for form in [
            whole.clone(),
            format!("  {whole}\r\n"),
            format!("{head}\n{tail}\n"),
            format!("{head}\r\n  {tail}\n\n"),
        ] {
            assert_eq!(parse(&form), Ok(Secret::new(whole.clone())), "{}", form.len());
        }
    }

    #[test]
    fn what_is_no_setup_token_is_refused_and_not_repeated() {
        let whole = token();
        for (form, why) in [
            (String::new(), "nothing"),
            (" \n".to_owned(), "nothing"),
            (whole[..79].to_owned(), "too short"),
            (format!("{whole}{}", "x".repeat(512)), "too long"),
            (format!("{whole}\n{whole}"), "more than one"),
            (whole.replace("oat01", "ort01"), "refresh token"),
            (whole.replace("oat01", "api03"), "API key"),
            (whole.replace("sk-ant", "sk-bee"), "does not begin"),
            (whole.replace("aB3", "a\"3"), "character"),
        ] {
            let said = parse(&form).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn its_file_is_read_as_a_setup_token_of_a_year() {
        let expiry = Timestamp(1_900_000_000_000).after(LIFE);
        let text = file(&Secret::new(token()), expiry);
        let Content::Static(credential) = credential::parse(text.as_bytes()) else {
            panic!("it is another content")
        };
        assert_eq!((credential.expiry, credential.refresh_token), (expiry, None));
        assert_eq!(credential.access_token, Secret::new(token()));
    }
}
