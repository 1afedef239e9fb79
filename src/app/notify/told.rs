//! When people were last told something of each kind, so that nobody is told without end.

use crate::app::notify::event::Event;
use crate::app::notify::outbox::PACE;
use crate::domain::time::Timestamp;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;

/// The longest time stamp, in bytes.
const LIMIT: u64 = 32;

/// A directory with one small file for each kind that a webhook was told a moment ago.
#[derive(Debug)]
pub(super) struct Told {
    folder: Folder,
}

impl Told {
    /// Uses `folder`, and clears away what nobody asks for any more.
    pub(super) fn in_folder(folder: Folder) -> Self {
        let told = Self { folder };
        let now = crate::os::clock::now();
        let names = told.folder.names().unwrap_or_default();
        for name in names.iter().filter_map(|name| name.to_str()) {
            if told.end(name, now).is_none() {
                let _ = told.folder.remove(name);
            }
        }
        told
    }

    /// Until when the next event of this kind has to wait for a webhook.
    pub(super) fn until(&self, event: &Event, key: &str, now: Timestamp) -> Option<Timestamp> {
        self.end(&name(event, key), now)
    }

    /// Remembers that people were told of it by a webhook.
    pub(super) fn remember(&self, event: &Event, key: &str, now: Timestamp) {
        let (name, text) = (name(event, key), now.0.to_string());
        if let Err(error) =
            atomic_write::replace(&self.folder, &name, text.as_bytes(), Durability::Lazy)
        {
            detail!("{error}: the next message of this kind may follow at once");
        }
    }

    fn end(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let seen = self.folder.read(name, LIMIT).ok()??;
        let told = Timestamp(std::str::from_utf8(&seen.bytes).ok()?.trim().parse().ok()?);
        // A clock that was set back keeps nothing back.
        (told <= now && now < told.after(PACE)).then(|| told.after(PACE))
    }
}

fn name(event: &Event, key: &str) -> String {
    format!("{}-{key}", event.kind())
}
