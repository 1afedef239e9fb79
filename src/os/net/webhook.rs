//! Posts a letter to a webhook, whose address is a secret and shows nowhere.

use std::time::Duration;

use ureq::http::header::RETRY_AFTER;

use crate::domain::secret::Secret;
use crate::domain::webhook::Letter;
use crate::os::net::http::{self, Post};

/// The name of this host, for people who have several.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What a webhook answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// `Retry-After`, as it stands there.
    pub(crate) retry_after: Option<String>,
    /// Its text, which is shown to nobody.
    pub(crate) body: Vec<u8>,
}

/// Posts a letter within `limit`.
///
/// # Errors
/// In words fit for a message, if there was no answer.
pub(crate) fn post(address: &Secret, letter: &Letter, limit: Duration) -> Result<Answer, String> {
    let url = address.expose();
    let body = letter.body.as_bytes();
    let agent = http::agent(Post { url, kind: "", body, user_agent: None, limit })?;
    let mut request = agent.post(url);
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    // One on the own network may well speak plain HTTP; no token is in any letter.
    let answer = request.config().https_only(false).build().send(body);
    let answer = answer.map_err(|error| http::words(&error))?;
    let retry_after = answer.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, mut body) = (answer.status().as_u16(), Vec::new());
    // One that ends early was answered all the same.
    http::carry(answer.into_body(), &mut body)?;
    Ok(Answer { status, retry_after, body })
}
