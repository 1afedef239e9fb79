//! What is remembered of a source: `sources/KEY.json` in the state directory.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::origin::Origin;
use crate::app::refresh::stuck::Stuck;
use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::login::ToldEnd;
use crate::domain::schedule::{self, Nudge, Terms};
use crate::domain::secret::Fingerprint;
use crate::domain::skew::Skew;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fingerprint::Fingerprinter;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// The files of a source, each after its key.
pub(crate) const SUFFIXES: [&str; 5] = [".json", ".history.json", ".answer", ".kept", ".unread"];

/// What is remembered of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The source's path, by which this is found again where the key has changed.
    pub(crate) path: String,
    /// The user id of its folder's owner; 1.0.0 did not note it.
    pub(crate) owner: Option<u32>,
    /// The folder's device.
    pub(crate) device: Option<u64>,
    /// The folder's inode.
    pub(crate) inode: Option<u64>,
    /// How often in a row it could not be renewed.
    pub(crate) failures: u32,
    /// Since when.
    pub(crate) failing_since: Option<Timestamp>,
    /// Why, the last time.
    pub(crate) cause: Option<String>,
    /// Until when the next try is put off.
    pub(crate) put_off: Option<Timestamp>,
    /// When requests were sent to the token endpoint, in the last hour.
    pub(crate) posts: Vec<Timestamp>,
    /// When the CLI was run, in the last hour.
    pub(crate) cli_runs: Vec<Timestamp>,
    /// How long the access tokens live, in ms, since a renewal showed it.
    pub(crate) lifetime: Option<u64>,
    /// The refresh token that was last seen in the file.
    pub(crate) refresh: Option<Fingerprint>,
    /// The access token that was last seen in the file.
    pub(crate) access: Option<Fingerprint>,
    /// The refresh token that the server refuses.
    pub(crate) rejected: Option<Fingerprint>,
    /// When the server said last that the account is on hold.
    pub(crate) on_hold: Option<Timestamp>,
    /// The access token beside the refresh token that the server refused last, whatever came since.
    pub(crate) refused: Option<Fingerprint>,
    /// The true expiry, while the file says an earlier one for the CLI's sake.
    pub(crate) nudge: Option<Nudge>,
    /// What is kept here because it could not be put into the source.
    pub(crate) stuck: Option<Stuck>,
    /// When the login itself ends, as the CLI told it last.
    pub(crate) told_end: Option<ToldEnd>,
    /// How far this host's clock was off by the token endpoint's last answer.
    pub(crate) skew: Option<Skew>,
}

impl State {
    /// Loads it; a source never seen before has an empty one.
    pub(crate) fn load(sources: &Folder, place: &Place) -> Result<Self, Error> {
        let path = place.path.to_string_lossy();
        let found = Self::of_key(sources, &place.key)?;
        // An inode's number is given out again: what another account left is set aside by the next turn.
        let found = found.filter(|found| found.owner.is_none_or(|owner| owner == place.owner));
        Ok(found.unwrap_or_else(|| Self { path: path.into_owned(), ..Self::default() }))
    }

    /// Loads what stands under a key; `None` if there is nothing that could be used.
    pub(crate) fn of_key(sources: &Folder, key: &str) -> Result<Option<Self>, Error> {
        let seen = sources.read(&format!("{key}.json"), STATE_LIMIT)?;
        Ok(seen.and_then(|seen| record::read::<Self>(&seen.bytes)))
    }

    /// Whose it is, if that was noted.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let (owner, device, inode) = (self.owner?, self.device?, self.inode?);
        Some(Origin { path: self.path.clone(), owner, device, inode })
    }

    /// Notes whose it is from now on.
    pub(crate) fn set_origin(&mut self, origin: Origin) {
        self.path = origin.path;
        (self.owner, self.device) = (Some(origin.owner), Some(origin.device));
        self.inode = Some(origin.inode);
    }

    /// Notes what could not be put into the source, or that nothing is left of that kind.
    pub(crate) fn note_stuck(&mut self, stuck: Option<Stuck>, now: Timestamp) {
        let since = self.stuck.take().and_then(|stuck| stuck.since).unwrap_or(now);
        self.stuck = stuck.map(|stuck| Stuck { since: Some(since), ..stuck });
    }

    /// Saves it for good: how many requests were sent must survive even a loss of power.
    pub(crate) fn save(&self, sources: &Folder, place: &Place) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        atomic_write::replace(sources, &format!("{}.json", place.key), &bytes, Durability::Flushed)
    }

    /// When the access token in the file really ends.
    pub(crate) fn true_expiry(
        &self,
        source: &Source,
        fingerprinter: &Fingerprinter,
    ) -> Option<Timestamp> {
        let credential = source.credential()?;
        let fingerprint = fingerprinter.of(&credential.access_token);
        let nudged = self.nudge.and_then(|nudge| nudge.true_expiry(credential, fingerprint));
        Some(nudged.unwrap_or(credential.expiry))
    }

    /// What the schedule has to know besides the file.
    pub(crate) fn terms(
        &self,
        margin: Duration,
        source: &Source,
        fingerprinter: &Fingerprinter,
    ) -> Terms {
        Terms {
            margin,
            lifetime: self.lifetime.map(Duration::from_millis),
            expiry: self.true_expiry(source, fingerprinter),
        }
    }

    /// Notes a request that is about to be sent.
    pub(crate) fn note_post(&mut self, now: Timestamp) {
        self.posts.retain(|post| schedule::is_recent(*post, now));
        self.posts.push(now);
    }

    /// Notes that it could not be renewed, and until when the next try is put off.
    pub(crate) fn fail(&mut self, cause: &str, now: Timestamp, wait: Duration) -> Timestamp {
        let until = now.after(wait);
        self.failing_since.get_or_insert(now);
        self.cause = Some(cause.to_owned());
        self.put_off = Some(until);
        until
    }

    /// Forgets all failures.
    pub(crate) fn succeed(&mut self) {
        (self.failures, self.failing_since, self.cause) = (0, None, None);
        (self.put_off, self.rejected, self.on_hold) = (None, None, None);
    }
}

/// Gives all that stands under a key another one.
pub(crate) fn move_all(sources: &Folder, from: &str, to: &str) -> Result<(), Error> {
    // The state comes last: as long as it stands, the rest is found again after a crash.
    for suffix in SUFFIXES.iter().rev() {
        let name = format!("{from}{suffix}");
        if sources.stat(&name)?.is_some() {
            sources.rename(&name, &format!("{to}{suffix}"))?;
        }
    }
    Ok(())
}
