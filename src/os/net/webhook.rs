//! Sends a letter to a webhook, whose address is a secret and shows nowhere.

use std::time::Duration;

use ureq::http::header::AUTHORIZATION;

use crate::domain::webhook::{Letter, Method};
use crate::os::net::http::{self, Head, Post};

/// The name of this host, for people who have several.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Sends a letter within `limit`; the answer, and its text, which is shown to nobody.
///
/// # Errors
/// In words fit for a message, if there was no answer.
pub(crate) fn send(letter: &Letter, limit: Duration) -> Result<(Head, Vec<u8>), String> {
    let url = letter.address.expose();
    let body = letter.body.as_bytes();
    let agent = http::agent(Post { url, kind: "", body, user_agent: None, limit })?;
    let mut request = match letter.method {
        Method::Post => agent.post(url),
        Method::Put => agent.put(url),
    };
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    if let Some(bearer) = &letter.bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {}", bearer.expose()));
    }
    // One on the own network may well speak plain HTTP; no token of Claude's is in any letter.
    let answer = request.config().https_only(false).build().send(body);
    let answer = answer.map_err(|error| http::words(&error))?;
    let mut body = Vec::new();
    // One that ends early was answered all the same.
    let head = http::receive(answer, &mut body)?;
    Ok((head, body))
}
