//! Posts an event to a link's webhook.

use std::time::Duration;

use crate::app::notify::event::Event;
use crate::domain::config::settings::NotifyFormat;
use crate::domain::incident::Severity;
use crate::domain::secret::Secret;
use crate::domain::webhook::{self, Notice};
use crate::os;

/// How long a webhook may take, all in all.
const LIMIT: Duration = Duration::from_secs(10);

/// Posts the event.
///
/// # Errors
/// In words fit for a message, if it was not taken.
pub(super) fn post(address: &Secret, format: NotifyFormat, event: &Event) -> Result<(), String> {
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
    let notice = Notice {
        event: &event.name,
        link: &event.link,
        host: &os::net::webhook::host(),
        severity,
        message: &message,
        expires_at: event.expires_at.as_deref(),
    };
    let letter = webhook::letter(format, address.expose(), &notice);
    match os::net::webhook::post(address, &letter, LIMIT)? {
        200..300 => Ok(()),
        status => Err(format!("it answered with status {status}")),
    }
}
