//! Posts an event to a link's webhook.

use std::time::Duration;

use crate::app::notify::event::Event;
use crate::domain::config::settings::NotifyFormat;
use crate::domain::incident::Severity;
use crate::domain::secret::Secret;
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

/// Posts the event; the status of the answer that took it.
pub(super) fn post(address: &Secret, format: NotifyFormat, event: &Event) -> Result<u16, Refusal> {
    let letter = with_notice(event, |notice| webhook::letter(format, address.expose(), notice));
    let destination = Secret::new(webhook::destination(address.expose()));
    let answer = os::net::webhook::post(&destination, &letter, LIMIT);
    let answer = answer.map_err(|why| Refusal { why, wish: None })?;
    match answer.status {
        200..300 => Ok(answer.status),
        status => {
            let why = format!("it answered with status {status}");
            let header = answer.retry_after.as_deref();
            Err(Refusal { why, wish: webhook::wish(header, &answer.body, clock::now()) })
        }
    }
}

/// Makes something of what an event says to people and programs.
pub(super) fn with_notice<T>(event: &Event, make: impl FnOnce(&Notice<'_>) -> T) -> T {
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
        event: &event.name,
        link: &event.link,
        host: &os::net::webhook::host(),
        severity,
        message: &message,
        expires_at: event.expires_at.as_deref(),
    })
}
