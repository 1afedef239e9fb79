//! Posts a letter to a webhook, whose address is a secret and shows nowhere.

use std::time::Duration;

use crate::domain::secret::Secret;
use crate::domain::webhook::Letter;
use crate::os::net::http::{self, Post};

/// The name of this host, for people who have several.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Posts a letter within `limit`; the status of the answer, whose text is left unread.
///
/// # Errors
/// In words fit for a message, if there was no answer.
pub(crate) fn post(address: &Secret, letter: &Letter, limit: Duration) -> Result<u16, String> {
    let url = address.expose();
    let body = letter.body.as_bytes();
    let agent = http::agent(Post { url, kind: "", body, user_agent: None, limit })?;
    let mut request = agent.post(url);
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    // One on the own network may well speak plain HTTP; no token is in any letter.
    let answer = request.config().https_only(false).build().send(body);
    answer.map(|answer| answer.status().as_u16()).map_err(|error| http::words(&error))
}
