//! What the endpoint can be told to answer, whole or broken in a chosen way.

use std::time::Duration;

use serde_json::Value;

/// An answer to one request, and how it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(super) content: Content,
    pub(super) headers: Vec<(String, String)>,
    pub(super) delay: Duration,
    pub(super) held: bool,
    pub(super) drip: Option<Duration>,
    pub(super) end: End,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// What the path answers by itself, with some keys of its JSON changed.
    Usual(Vec<(String, Option<Value>)>),
    Canned(u16, Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Whole,
    /// The connection closes when this much of the body is out.
    Cut(usize),
    /// The connection is reset before a byte is out.
    Reset,
    /// Nothing is ever sent, and the connection stays open.
    Hang,
}

impl Answer {
    /// What the path answers by itself: at the token URL a real rotation.
    pub(crate) fn usual() -> Self {
        Self::from(Content::Usual(Vec::new()))
    }

    /// An empty answer of this status.
    pub(crate) fn status(status: u16) -> Self {
        Self::from(Content::Canned(status, Vec::new()))
    }

    /// An OAuth error as RFC 6749 section 5.2 writes it.
    pub(crate) fn oauth_error(code: &str) -> Self {
        Self::status(400).json(&serde_json::json!({ "error": code, "error_description": "stub" }))
    }

    /// Sends the client elsewhere, with the method kept.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::status(307).header("Location", location)
    }

    /// Resets the connection instead of an answer; nothing is granted.
    pub(crate) fn reset() -> Self {
        Self::status(200).lost()
    }

    /// Leaves the client without an answer; nothing is granted.
    pub(crate) fn hang() -> Self {
        Self { end: End::Hang, ..Self::status(200) }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives a canned answer its body.
    pub(crate) fn body(mut self, text: &str) -> Self {
        match &mut self.content {
            Content::Canned(_, body) => text.as_bytes().clone_into(body),
            Content::Usual(_) => panic!("the usual answer has a body: see `with`"),
        }
        self
    }

    /// Gives a canned answer a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(&body.to_string())
    }

    /// Changes a key of the usual answer's JSON.
    pub(crate) fn with(self, key: &str, value: impl Into<Value>) -> Self {
        self.change(key, Some(value.into()))
    }

    /// Takes a key out of the usual answer's JSON.
    pub(crate) fn without(self, key: &str) -> Self {
        self.change(key, None)
    }

    /// Waits before the first byte. What is granted is granted before the wait.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Keeps the first byte back until the endpoint is told to release it. What is granted is granted
    /// before that.
    pub(crate) fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Pauses before each byte of the body.
    pub(crate) fn drip(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    /// Closes the connection after `length` bytes of a body said to be longer.
    pub(crate) fn cut(mut self, length: usize) -> Self {
        self.end = End::Cut(length);
        self
    }

    /// Resets the connection instead of sending this answer: a usual one has
    /// granted all the same.
    pub(crate) fn lost(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    fn change(mut self, key: &str, value: Option<Value>) -> Self {
        match &mut self.content {
            Content::Usual(changes) => changes.push((key.to_owned(), value)),
            Content::Canned(..) => panic!("a canned answer is given whole: see `json`"),
        }
        self
    }
}

impl From<Content> for Answer {
    fn from(content: Content) -> Self {
        let (delay, held, drip) = (Duration::ZERO, false, None);
        Self { content, headers: Vec::new(), delay, held, drip, end: End::Whole }
    }
}
