//! What the paths answer by themselves: token rotation, Messages, the profile.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Content, End};
use super::request::Request;
use super::{Grant, MESSAGES, PROFILE, Readers, TOKEN};

/// What goes over the wire for one request.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) bodiless: bool,
    pub(super) delay: Duration,
    pub(super) held: bool,
    pub(super) drip: Option<Duration>,
    pub(super) end: End,
}

impl Reply {
    pub(super) fn head(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = headers.collect();
        let (status, length) = (self.status, self.body.len());
        format!("HTTP/1.1 {status} Stub\r\n{headers}Content-Length: {length}\r\n\r\n")
    }
}

/// The server's side of the story, behind the endpoint's lock.
pub(super) struct Service {
    pub(super) queued: HashMap<String, VecDeque<Answer>>,
    pub(super) standing: HashMap<String, Answer>,
    pub(super) readers: Readers,
    pub(super) lifetime: Duration,
    pub(super) logins: usize,
    pub(super) grants: Vec<Grant>,
    pub(super) refused: usize,
    live: HashSet<String>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            queued: HashMap::new(),
            standing: HashMap::new(),
            readers: Readers::Any,
            lifetime: Duration::from_secs(8 * 3600),
            logins: 0,
            grants: Vec::new(),
            refused: 0,
            live: HashSet::new(),
        }
    }
}

impl Service {
    /// Makes a refresh token good for one grant.
    pub(super) fn accept(&mut self, refresh_token: &str) {
        self.live.insert(refresh_token.to_owned());
    }

    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let queued = self.queued.get_mut(&request.path).and_then(VecDeque::pop_front);
        let answer = queued.or_else(|| self.standing.get(&request.path).cloned());
        let Answer { content, mut headers, delay, held, drip, end } =
            answer.unwrap_or_else(Answer::usual);
        let (status, body) = match content {
            Content::Canned(status, body) => (status, body),
            Content::Usual(changes) => {
                let (status, mut kind, body) = self.usual(request, changes);
                headers
                    .extend(kind.take().map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
                (status, body.into_bytes())
            }
        };
        Reply { status, headers, body, bodiless: false, delay, held, drip, end }
    }

    fn usual(
        &mut self,
        request: &Request,
        changes: Vec<(String, Option<Value>)>,
    ) -> (u16, Option<&'static str>, String) {
        let (status, mut body) = match (request.method.as_str(), request.path.as_str()) {
            ("POST", TOKEN) => self.token(&request.json()),
            ("POST", MESSAGES) => {
                let asked = request.json();
                match self.message(request.bearer(), &asked) {
                    (200, message) if asked["stream"] == true => {
                        return (200, Some("text/event-stream"), stream(&message));
                    }
                    told => told,
                }
            }
            ("GET", PROFILE) => (200, profile()),
            _ => (404, error("not_found_error", "no such path")),
        };
        for (key, value) in changes {
            match (value, body.as_object_mut().expect("every usual body is an object")) {
                (Some(value), body) => drop(body.insert(key, value)),
                (None, body) => drop(body.remove(&key)),
            }
        }
        (status, Some("application/json"), body.to_string())
    }

    fn token(&mut self, asked: &Value) -> (u16, Value) {
        let refused =
            |code: &str, text: &str| (400, json!({ "error": code, "error_description": text }));
        if asked["grant_type"] != "refresh_token" || !asked["client_id"].is_string() {
            self.refused += 1;
            return refused("invalid_request", "grant_type or client_id is not right");
        }
        let spent = asked["refresh_token"].as_str().unwrap_or_default();
        if !self.live.remove(spent) {
            self.refused += 1;
            return refused("invalid_grant", "Refresh token not found or invalid");
        }
        let grant = Grant {
            spent: spent.to_owned(),
            ..Grant::invented(&format!("granted-{}", self.grants.len() + 1))
        };
        self.accept(&grant.refresh_token);
        let body = json!({
            "token_type": "Bearer",
            "access_token": grant.access_token,
            "expires_in": self.lifetime.as_secs(),
            "refresh_token": grant.refresh_token,
            "scope": "user:inference user:mcp_servers user:profile user:sessions:claude_code",
            "organization": { "uuid": ORGANIZATION, "name": "Stub" },
            "account": { "uuid": ACCOUNT, "email_address": "stub@example.invalid" },
        });
        self.grants.push(grant);
        (200, body)
    }

    fn message(&self, bearer: &str, asked: &Value) -> (u16, Value) {
        let welcome = match &self.readers {
            Readers::Any => true,
            Readers::Only(token) => token == bearer,
            Readers::Newest => self.grants.last().is_some_and(|grant| grant.access_token == bearer),
        };
        if !welcome {
            let text = "OAuth token has expired. Please obtain a new token or refresh your existing token.";
            return (401, error("authentication_error", text));
        }
        let message = json!({
            "id": "msg_01stub",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "content": [{ "type": "text", "text": "ok" }],
            "stop_reason": "end_turn",
            "stop_sequence": null,
            "usage": { "input_tokens": 1, "output_tokens": 1 },
        });
        (200, message)
    }
}

const ACCOUNT: &str = "00000000-0000-4000-8000-000000000001";
const ORGANIZATION: &str = "00000000-0000-4000-8000-000000000002";

fn error(kind: &str, text: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": text } })
}

fn profile() -> Value {
    json!({
        "account": {
            "uuid": ACCOUNT,
            "full_name": "Stub",
            "display_name": "Stub",
            "email": "stub@example.invalid",
            "has_claude_max": true,
            "has_claude_pro": false,
        },
        "organization": {
            "uuid": ORGANIZATION,
            "name": "Stub",
            "organization_type": "claude_max",
            "rate_limit_tier": "default_claude_max_5x",
        },
    })
}

/// Writes a message as the events of a streamed one.
fn stream(message: &Value) -> String {
    let mut start = message.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    let events = [
        json!({ "type": "message_start", "message": start }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "ok" } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta",
            "delta": { "stop_reason": "end_turn", "stop_sequence": null },
            "usage": { "output_tokens": 1 },
        }),
        json!({ "type": "message_stop" }),
    ];
    events.iter().fold(String::new(), |text, event| {
        let name = event["type"].as_str().unwrap_or_default();
        text + &format!("event: {name}\ndata: {event}\n\n")
    })
}
