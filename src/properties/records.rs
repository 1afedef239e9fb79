//! Our own records, which anybody may have damaged: what is read is written and read again as it was.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::notify::event::Event;
use crate::app::refresh::history::Entry;
use crate::app::refresh::pending_grant;
use crate::app::refresh::state::State;
use crate::app::state::record;
use crate::domain::config::settings::NotifyFormat;
use crate::domain::gateway::{Ledger, Request};
use crate::domain::incident::Severity;
use crate::domain::webhook::{self, Notice};
use crate::os::fs::in_place;

/// State, history, ledgers, requests and events.
pub(super) fn state_files(bytes: &[u8]) {
    again::<State>(bytes);
    again::<Vec<Entry>>(bytes);
    again::<Ledger>(bytes);
    again::<Request>(bytes);
    again::<Event>(bytes);
}

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Some(read) = record::read::<T>(bytes) else { return };
    let written = serde_json::to_vec(&read).expect("it is written");
    let same = record::read::<T>(&written).expect("it is read again");
    assert_eq!(serde_json::to_vec(&same).ok(), Some(written));
}

/// The answers of the token endpoint that wait.
pub(super) fn saved_answers(bytes: &[u8]) {
    let Some((head, body)) = pending_grant::parse(bytes) else { return };
    let mut text = serde_json::to_vec(&head).expect("it is written");
    text.push(b'\n');
    text.extend_from_slice(&body);
    text.resize(text.len() + 9, b' ');
    assert_eq!(pending_grant::parse(&text), Some((head, body)));
}

/// The record of a file that is written over in place.
pub(super) fn over(bytes: &[u8]) {
    in_place::check_record(bytes);
}

/// What a webhook is told: one JSON text, whatever the message is.
pub(super) fn notice(bytes: &[u8]) {
    let message = String::from_utf8_lossy(bytes);
    let address = "https://hooks.example.com/services/A/B/C";
    let notice = Notice {
        id: "0-0",
        event: "blanked",
        link: "default",
        host: "claw1",
        severity: Severity::Error,
        message: &message,
        expires_at: None,
    };
    for format in [
        NotifyFormat::Slack,
        NotifyFormat::Discord,
        NotifyFormat::Telegram,
        NotifyFormat::Gotify,
        NotifyFormat::Matrix,
        NotifyFormat::Json,
    ] {
        let letter = webhook::letter(format, address, &notice);
        assert!(serde_json::from_slice::<Value>(letter.body.as_bytes()).is_ok(), "{letter:?}");
    }
    let ntfy = webhook::letter(NotifyFormat::Ntfy, address, &notice);
    for (name, value) in &ntfy.headers {
        assert!(!value.contains(['\r', '\n']), "{name}: {value}");
    }
}
