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

/// How long nothing of a kind is told a link's people after something of it was.
pub(super) const PACE: Duration = Duration::from_secs(10 * 60);

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
    /// Whether it waits only since one of its kind was told a moment ago.
    pub(super) is_paced: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct File {
    event: Event,
    since: i64,
    hooks_done: bool,
    tries: u32,
    next: Option<i64>,
    #[serde(default)]
    is_paced: bool,
}

impl From<File> for Item {
    fn from(file: File) -> Self {
        let (since, next) = (Timestamp(file.since), file.next.map(Timestamp));
        let (hooks_done, tries, is_paced) = (file.hooks_done, file.tries, file.is_paced);
        Self { event: file.event, since, hooks_done, tries, next, is_paced }
    }
}

impl From<Item> for File {
    fn from(item: Item) -> Self {
        let (since, next) = (item.since.0, item.next.map(|next| next.0));
        let (hooks_done, tries, is_paced) = (item.hooks_done, item.tries, item.is_paced);
        Self { event: item.event, since, hooks_done, tries, next, is_paced }
    }
}

impl Item {
    /// An event that nobody has heard of.
    pub(super) fn new(event: Event) -> Self {
        let (since, hooks_done, tries, next) = (clock::now(), false, 0, None);
        Self { event, since, hooks_done, tries, next, is_paced: false }
    }

    /// Takes the place of one of its kind that the webhook was not told yet.
    pub(super) fn merge(&mut self, earlier: &Self) {
        self.event.merge(&earlier.event);
        (self.tries, self.next, self.is_paced) = (earlier.tries, earlier.next, earlier.is_paced);
    }

    /// Says whether this is the other end of the same incident, which waits for nothing but its turn: the
    /// newer one is all that people still have to hear.
    pub(super) fn is_overtaken_by(&self, newer: &Event) -> bool {
        let event = &self.event;
        let is_same = event.link == newer.link && event.about == newer.about;
        self.is_paced && newer.for_people && is_same && event.name != newer.name
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
        let wait = if self.is_paced { PACE } else { webhook::wait(self.tries) };
        let latest = now.after(wait);
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

    /// Waits for its turn, which comes at `moment`.
    pub(super) fn wait_until(&mut self, moment: Timestamp) {
        (self.next, self.is_paced) = (Some(moment), true);
    }

    /// Puts the next try off; until when.
    pub(super) fn put_off(&mut self, now: Timestamp) -> Timestamp {
        self.tries += 1;
        let next = now.after(webhook::wait(self.tries));
        (self.next, self.is_paced) = (Some(next), false);
        next
    }

    /// Says whether its time is over.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.since.after(LONGEST)
    }
}
