//! Sends an event to a webhook.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::app::notify::event::Event;
use crate::domain::config::settings::Webhook;
use crate::domain::incident::Severity;
use crate::domain::time::Timestamp;
use crate::domain::webhook::{self, Notice};
use crate::os::{self, clock};

/// How long a webhook may take, all in all.
const LIMIT: Duration = Duration::from_secs(10);

/// Why an event was not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    /// In words fit for a message.
    pub(super) why: String,
    /// How long the server wants to be left alone, where it said so.
    pub(super) wish: Option<Duration>,
}

/// Sends the event, which waits since a moment; the status of the answer that took it.
pub(super) fn send(to: &Webhook, event: &Event, since: Timestamp) -> Result<u16, Refusal> {
    let address = to.address.expose();
    let letter = with_notice(event, since, |notice| webhook::letter(to.format, address, notice));
    let answer = os::net::webhook::send(&letter, LIMIT);
    let (head, body) = answer.map_err(|why| Refusal { why, wish: None })?;
    match head.status {
        200..300 => Ok(head.status),
        status => {
            let why = format!("it answered with status {status}");
            let header = head.retry_after.as_deref();
            Err(Refusal { why, wish: webhook::wish(header, &body, clock::now()) })
        }
    }
}

/// Webhooks with what they are called, which tells nothing of their addresses.
pub(super) fn named(webhooks: &[Webhook]) -> impl Iterator<Item = (String, &Webhook)> {
    webhooks.iter().enumerate().map(|(at, webhook)| match webhooks.len() {
        1 => ("webhook".to_owned(), webhook),
        _ => (format!("webhook {}", at + 1), webhook),
    })
}

/// What tells a webhook apart from others, in records of ours.
pub(super) fn key(webhook: &Webhook) -> String {
    let mut hasher = DefaultHasher::new();
    webhook.address.expose().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Makes something of what an event says to people and programs.
pub(super) fn with_notice<T>(
    event: &Event,
    since: Timestamp,
    make: impl FnOnce(&Notice<'_>) -> T,
) -> T {
    let severity = Severity::from_name(&event.severity);
    let message = match event.merged {
        0 => event.message.clone(),
        count => {
            format!(
                "{} (this happened {count} more times since the last notification)",
                event.message
            )
        }
    };
    make(&Notice {
        id: &format!("{}-{}", event.kind(), since.0),
        event: &event.name,
        link: &event.link,
        host: &os::net::webhook::host(),
        severity,
        message: &message,
        expires_at: event.expires_at.as_deref(),
    })
}
