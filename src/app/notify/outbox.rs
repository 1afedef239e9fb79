//! An event on its way to hooks and people, and what is left to do for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::notify::event::Event;
use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::retry::Retry;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// How long nothing of a kind is told a link's people after something of it was.
pub(super) const PACE: Duration = Duration::from_secs(10 * 60);

/// A run that has not come to an event by then was killed.
const LONGEST_RUN: Duration = Duration::from_secs(15 * 60);

/// An event and what became of it so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    /// What to tell.
    pub(super) event: Event,
    /// Since when it waits.
    pub(super) since: Timestamp,
    /// Whether it is known which hooks are to be run.
    #[serde(rename = "hooks_done")]
    pub(super) hooks_listed: bool,
    /// The hooks that have not succeeded yet, by their names.
    #[serde(default)]
    pub(super) hooks: BTreeMap<String, Owed>,
    /// Whether no webhook needs anything more.
    #[serde(default)]
    pub(super) is_posted: bool,
    /// The keys of the webhooks that took it.
    #[serde(default)]
    pub(super) told: BTreeSet<String>,
    /// How the others were tried, by their keys.
    #[serde(default)]
    pub(super) webhooks: BTreeMap<String, Posting>,
}

/// The tries at a webhook that has not taken an event yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Posting {
    /// What the webhook is called.
    pub(super) name: String,
    /// How it was tried.
    #[serde(flatten)]
    pub(super) retry: Retry,
    /// Whether it waits only since one of its kind was told a moment ago.
    is_paced: bool,
}

impl Posting {
    /// Returns whether its next try is in the future.
    pub(super) fn is_put_off(&self, now: Timestamp) -> bool {
        self.retry.waits(self.wait(), now)
    }

    fn wait(&self) -> Duration {
        if self.is_paced { PACE } else { self.retry.wait() }
    }

    /// Has it wait for its turn, which comes at `moment`.
    pub(super) fn wait_until(&mut self, moment: Timestamp) {
        (self.retry.next, self.is_paced) = (Some(moment), true);
    }

    /// Puts its next try off after an answer, which may have said for how long; until when.
    pub(super) fn put_off(
        &mut self,
        why: &str,
        wish: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        self.is_paced = false;
        self.retry.put_off_for(why, wish, now)
    }
}

/// A hook that has not succeeded yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Owed {
    /// How it was tried.
    #[serde(flatten)]
    pub(super) retry: Retry,
    /// When the run began that has not ended.
    begun: Option<Timestamp>,
    /// Whether a run of it was cut short before.
    was_cut_short: bool,
}

impl Owed {
    /// Records that it is started.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.begun = Some(now);
    }

    /// Records that its run failed; the moment of the next one.
    pub(super) fn fail(&mut self, why: &str, now: Timestamp) -> Timestamp {
        self.begun = None;
        self.retry.put_off(why, now)
    }

    /// Returns whether its last run was cut short, and whether that is the first time: one that takes this
    /// process down with it must not do so for ever.
    pub(super) fn cut_short(&mut self) -> Option<bool> {
        self.begun.take()?;
        Some(!std::mem::replace(&mut self.was_cut_short, true))
    }

    fn due(&self, since: Timestamp, now: Timestamp) -> Timestamp {
        match self.begun {
            Some(begun) => begun.after(LONGEST_RUN),
            None => due(&self.retry, self.retry.wait(), since, now),
        }
    }
}

impl Item {
    /// An event of which nobody has been notified.
    pub(super) fn new(event: Event) -> Self {
        let (hooks, told, webhooks) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let (since, hooks_listed, is_posted) = (clock::now(), false, false);
        Self { event, since, hooks_listed, hooks, is_posted, told, webhooks }
    }

    /// Takes the place of an earlier one of its kind.
    pub(super) fn replace(&mut self, earlier: &Self) {
        self.stand_for(earlier);
        self.webhooks = earlier.webhooks.clone();
    }

    /// Counts an earlier one among those of which nobody was notified, unless people were.
    pub(super) fn stand_for(&mut self, earlier: &Self) {
        let is_told = earlier.is_posted || !earlier.told.is_empty();
        if !(earlier.event.for_people && is_told) {
            self.event.merge(&earlier.event);
        }
        // The server wants to be left alone, whatever happens to the link.
        let wishes = earlier.webhooks.iter().filter(|(_, one)| one.retry.wish.is_some());
        self.webhooks.extend(wishes.map(|(key, one)| (key.clone(), one.clone())));
    }

    /// Returns whether this is the other end of the same incident, and failed or waits for its turn: the
    /// newer one is all that people and hooks still have to hear.
    pub(super) fn is_overtaken_by(&self, newer: &Event) -> bool {
        let event = &self.event;
        let is_same = event.link == newer.link && event.about == newer.about;
        let waits = self.hooks_listed || !self.webhooks.is_empty();
        waits && newer.for_people && is_same && event.name != newer.name
    }

    /// Loads one; `None` if it cannot be read.
    pub(super) fn load(folder: &Folder, name: &str) -> Option<Self> {
        let seen = folder.read(name, STATE_LIMIT).ok()??;
        record::read(&seen.bytes)
    }

    /// Saves it.
    pub(super) fn save(&self, folder: &Folder, name: &str) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        atomic_write::replace(folder, name, &bytes, Durability::Flushed)
    }

    /// Returns whether nothing is left to do for it.
    pub(super) fn is_done(&self) -> bool {
        self.hooks_listed && self.hooks.is_empty() && self.is_posted
    }

    /// The webhooks that want to be left alone, and until when.
    pub(super) fn wishes(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let wishing = self.webhooks.iter().filter(|(_, one)| one.retry.wish.is_some());
        let wishing = wishing.filter(|(_, one)| one.is_put_off(now));
        wishing.filter_map(|(key, one)| Some((key.clone(), one.retry.next?))).collect()
    }

    /// When something of it is to be tried.
    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        let hooks = self.hooks.values().map(|owed| owed.due(self.since, now)).min();
        if self.is_posted {
            return hooks.unwrap_or(now);
        }
        let tried = self.webhooks.values().map(|one| due(&one.retry, one.wait(), self.since, now));
        let webhooks = tried.min().unwrap_or(self.since.after(LONGEST_RUN));
        hooks.map_or(webhooks, |hooks| hooks.min(webhooks))
    }
}

/// When something is to be tried; what was never put off belongs to a run that may still be at it.
fn due(retry: &Retry, wait: Duration, since: Timestamp, now: Timestamp) -> Timestamp {
    match retry.next {
        Some(next) if retry.waits(wait, now) => next,
        Some(_) => now,
        None => since.after(LONGEST_RUN),
    }
}
