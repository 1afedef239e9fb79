//! An event on its way to people, and what is left to do for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::event::Event;
use crate::app::memory::STATE_LIMIT;
use crate::app::record;
use crate::domain::time::Timestamp;
use crate::domain::webhook;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::stage::{self, Durability};

/// How long a webhook is tried; an incident that is not over is said again daily anyway.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A run that has not come to an event by then was killed.
const LONGEST_RUN: Duration = Duration::from_secs(15 * 60);

/// An event and what became of it so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "File", into = "File")]
pub(super) struct Item {
    /// What to tell.
    pub(super) event: Event,
    /// Since when it waits.
    pub(super) since: Timestamp,
    /// Whether the hooks have had it.
    pub(super) hooks_done: bool,
    /// How often the webhook was tried.
    pub(super) tries: u32,
    /// When it is tried again.
    pub(super) next: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize)]
struct File {
    event: Event,
    since: i64,
    hooks_done: bool,
    tries: u32,
    next: Option<i64>,
}

impl From<File> for Item {
    fn from(file: File) -> Self {
        let (since, next) = (Timestamp(file.since), file.next.map(Timestamp));
        Self { event: file.event, since, hooks_done: file.hooks_done, tries: file.tries, next }
    }
}

impl From<Item> for File {
    fn from(item: Item) -> Self {
        let (since, next) = (item.since.0, item.next.map(|next| next.0));
        Self { event: item.event, since, hooks_done: item.hooks_done, tries: item.tries, next }
    }
}

impl Item {
    /// An event that nobody has heard of.
    pub(super) fn new(event: Event) -> Self {
        Self { event, since: clock::now(), hooks_done: false, tries: 0, next: None }
    }

    /// Loads one; `None` if it cannot be read.
    pub(super) fn load(folder: &Folder, name: &str) -> Option<Self> {
        let seen = folder.read(name, STATE_LIMIT).ok()??;
        record::read(&seen.bytes)
    }

    /// Saves it.
    pub(super) fn save(&self, folder: &Folder, name: &str) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        stage::replace(folder, name, &bytes, Durability::Flushed)
    }

    /// Says whether its next try is still to come; a clock that was set back puts nothing off for long.
    pub(super) fn is_put_off(&self, now: Timestamp) -> bool {
        let latest = now.after(webhook::wait(self.tries));
        self.next.is_some_and(|next| next > now && next <= latest)
    }

    /// When it is to be tried; one that was never put off belongs to a run that may still be at it.
    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        match self.next {
            Some(next) if self.is_put_off(now) => next,
            Some(_) => now,
            None => self.since.after(LONGEST_RUN),
        }
    }

    /// Puts the next try off; until when.
    pub(super) fn put_off(&mut self, now: Timestamp) -> Timestamp {
        self.tries += 1;
        let next = now.after(webhook::wait(self.tries));
        self.next = Some(next);
        next
    }

    /// Says whether its time is over.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.since.after(LONGEST)
    }
}
