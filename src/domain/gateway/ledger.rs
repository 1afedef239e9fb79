//! What is remembered of one gateway, and when to try again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::gateway::UNPROVEN;
use crate::domain::gateway::ending::{Deed, Ending, Missing};
use crate::domain::gateway::request::Request;
use crate::domain::retry::doubled;
use crate::domain::secret::Fingerprint;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;

/// The first wait after an attempt that came to nothing.
pub(super) const FIRST_RETRY: Duration = Duration::from_secs(30);

/// The longest wait: what was mended by hand is found within it.
pub(super) const LAST_RETRY: Duration = Duration::from_secs(30 * 60);

/// How long before the old token ends nothing may put a recreate off any longer.
const BOUND: Duration = Duration::from_secs(10 * 60);

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many deeds are remembered.
const HISTORY: usize = 20;

/// How often a gateway that runs is recreated for one token: it may have conversations to lose.
const RECREATES: u32 = 2;

/// Everything that is remembered of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ledger {
    /// What it still needs.
    pub(crate) pending: Option<Pending>,
    /// What was done, the newest last.
    pub(crate) history: Vec<Act>,
    /// The last word of OpenClaw about the profile that we paste.
    pub(crate) paste: Option<Pasted>,
    /// What the program, or the image, says its version is.
    pub(crate) version: Option<VersionSeen>,
    /// When the version was asked for last.
    pub(crate) asked: Option<Timestamp>,
    /// The container that stands there since our last recreate.
    pub(crate) container: Option<String>,
    /// The version of this program that has begun this, or restarted the gateway since; 1.0.0 noted none.
    pub(crate) version_of_ours: Option<String>,
}

/// What a gateway still needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Which sinks changed since it was last seen to.
    pub(crate) sinks: Vec<SinkKind>,
    /// The token that they hold.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// When the token ends that the gateway still uses.
    pub(crate) old_expiry: Option<Timestamp>,
    /// Since when it waits.
    pub(crate) since: Timestamp,
    /// How many attempts came to nothing.
    pub(crate) attempts: u32,
    /// How often it was recreated for this token.
    pub(crate) recreates: u32,
    /// Not before this moment.
    pub(crate) next_try: Option<Timestamp>,
    /// Why it waits.
    pub(crate) waits: Option<String>,
    /// The command that helps.
    pub(crate) hint: Option<Hint>,
    /// What was not found, if it waits for that.
    #[serde(default)]
    pub(crate) missing: Option<Missing>,
}

/// Something that was done to, or found about, a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    /// When.
    pub(crate) time: Timestamp,
    /// What: `recreated`, `restarted`, `reloaded`, `pasted`, `nothing`.
    pub(crate) deed: String,
    /// `done`, `put off`, `deferred`, `not found` or `failed`.
    pub(crate) outcome: String,
    /// Why, where it is not done, or not proven.
    pub(crate) why: Option<String>,
    /// The token that it was about.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// How long no gateway answered, in ms.
    pub(crate) gap_ms: Option<u64>,
}

/// What OpenClaw says about our profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pasted {
    /// The token that was pasted and read back.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// When it ends.
    pub(crate) expiry: Option<Timestamp>,
    /// The profile that OpenClaw uses before ours.
    pub(crate) hidden_by: Option<String>,
    /// The profiles in the order in which OpenClaw uses them.
    pub(crate) order: Vec<String>,
    /// When OpenClaw said so.
    pub(crate) read_back: Option<Timestamp>,
    /// Why nothing can be pasted, so that `env` carries the token instead.
    pub(crate) barred: Option<String>,
    /// The token that could not be pasted.
    pub(crate) barred_for: Option<Fingerprint>,
    /// Whether it is only a consent that is missing.
    pub(crate) lacks_consent: bool,
    /// Whether it is the program that is missing.
    pub(crate) lacks_program: bool,
}

/// A version that a program or an image named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionSeen {
    /// The version.
    pub(crate) text: String,
    /// The program's path, or nothing for an image.
    pub(crate) program: Option<String>,
    /// Inode and mtime of the program, or the image's id: while it stays, so does the version.
    /// Empty for a command of several words.
    pub(crate) key: String,
    /// When it was asked for.
    pub(crate) time: Timestamp,
}

impl Pasted {
    /// Says whether this very token could not be pasted.
    pub(crate) fn is_barred_for(&self, token: Option<Fingerprint>) -> bool {
        self.barred_for.is_some() && self.barred_for == token
    }

    /// Says whether OpenClaw should be asked again: a person may have put our profile first.
    pub(crate) fn is_doubtful(&self, now: Timestamp) -> bool {
        let old = self.read_back.is_none_or(|moment| now >= moment.after(LAST_RETRY));
        self.hidden_by.is_some() && old
    }
}

impl VersionSeen {
    /// Says whether it is the same word of the same program, whenever it was asked for.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.text, &self.program, &self.key) == (&other.text, &other.program, &other.key)
    }
}

impl Pending {
    /// Says whether its moment has come.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next_try.is_none_or(|moment| moment <= now)
    }

    /// Until when a recreate may be put off; `None` if it may not be.
    pub(crate) fn bound(&self, now: Timestamp) -> Option<Timestamp> {
        self.old_expiry.map(|expiry| expiry.before(BOUND)).filter(|bound| *bound > now)
    }

    /// Says whether a gateway that runs may be recreated once more for this token.
    pub(crate) fn may_recreate(&self) -> bool {
        self.recreates < RECREATES
    }
}

impl Ledger {
    /// Takes a request in; a new token starts the count of attempts anew.
    pub(crate) fn take(&mut self, request: &Request) {
        let fresh = || Pending {
            sinks: Vec::new(),
            fingerprint: request.fingerprint,
            old_expiry: request.old_expiry,
            since: request.time,
            attempts: 0,
            recreates: 0,
            next_try: None,
            waits: None,
            hint: None,
            missing: None,
        };
        if self.pending.is_none() && self.history.is_empty() {
            self.version_of_ours = Some(VERSION.to_owned());
        }
        let pending = self.pending.get_or_insert_with(fresh);
        for sink in &request.sinks {
            if !pending.sinks.contains(sink) {
                pending.sinks.push(*sink);
                // What kept the others waiting need not keep this one.
                pending.next_try = None;
            }
        }
        if pending.fingerprint != request.fingerprint {
            pending.fingerprint = request.fingerprint;
            (pending.attempts, pending.recreates, pending.next_try) = (0, 0, None);
        }
    }

    /// Says whether OpenClaw uses another profile before the one that is pasted.
    pub(crate) fn is_hidden(&self) -> bool {
        self.paste.as_ref().is_some_and(|paste| paste.hidden_by.is_some())
    }

    /// Has OpenClaw asked once more which profile it uses first, where that was not ours.
    pub(crate) fn doubt(&mut self, now: Timestamp) {
        if self.is_hidden() && self.pending.is_none() {
            let fingerprint = self.paste.as_ref().and_then(|paste| paste.fingerprint);
            let sinks = vec![SinkKind::PasteToken];
            self.take(&Request {
                link: String::new(),
                sinks,
                fingerprint,
                old_expiry: None,
                time: now,
            });
        }
    }

    /// The token that the gateway was told of last, or is being told of.
    pub(crate) fn told(&self) -> Option<Fingerprint> {
        match &self.pending {
            Some(pending) => pending.fingerprint,
            None => self.history.last()?.fingerprint,
        }
    }

    /// Why the newest of what was done is not proven, where nothing waits any more.
    pub(crate) fn unproven(&self) -> Option<&str> {
        let last = self.history.last().filter(|act| act.outcome == "done")?;
        last.why.as_deref().filter(|_| self.pending.is_none())
    }

    /// Writes down how an attempt ended.
    pub(crate) fn settle(&mut self, ending: &Ending, now: Timestamp) {
        let fingerprint = self.pending.as_ref().and_then(|pending| pending.fingerprint);
        let (deed, gap_ms) = match ending {
            Ending::Done(deed, gap) => (deed.name(), *gap),
            _ => ("nothing", None),
        };
        if matches!(ending, Ending::Done(deed, _) if *deed >= Deed::RestartedUnproven) {
            self.version_of_ours = Some(VERSION.to_owned());
        }
        let unproven = matches!(ending, Ending::Done(deed, _) if deed.is_unproven());
        let why = ending.why().or_else(|| unproven.then_some(UNPROVEN)).map(str::to_owned);
        let (outcome, deed) = (ending.name().to_owned(), deed.to_owned());
        let act = Act { time: now, deed, outcome, why, fingerprint, gap_ms };
        // A wait that goes on for a night is one entry.
        if self.history.last().is_some_and(|last| last.is_same_wait(&act)) {
            self.history.pop();
        }
        self.history.push(act);
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
        let Some(pending) = &mut self.pending else { return };
        pending.missing = match ending {
            Ending::NotFound(missing, ..) => Some(*missing),
            _ => None,
        };
        match ending {
            Ending::Done(..) => self.pending = None,
            Ending::PutOff(why, until) => {
                pending.next_try = Some(*until);
                pending.waits = Some(why.clone());
                pending.hint = None;
            }
            Ending::Deferred(why, hint)
            | Ending::NotFound(_, why, hint)
            | Ending::Failed(why, hint) => {
                pending.attempts = pending.attempts.saturating_add(1);
                let next = now.after(retry(pending.attempts));
                // From then on nothing may put it off, so there it is tried whatever was in the way.
                pending.next_try = Some(pending.bound(now).map_or(next, |bound| next.min(bound)));
                pending.waits = Some(why.clone());
                pending.hint.clone_from(hint);
            }
        }
    }
}

impl Act {
    fn is_same_wait(&self, other: &Self) -> bool {
        let waits = |act: &Self| {
            ["postponed", "put off", "deferred", "not found"].contains(&act.outcome.as_str())
        };
        waits(self) && waits(other) && self.why == other.why
    }
}

/// How long to wait after so many attempts.
pub(crate) fn retry(attempts: u32) -> Duration {
    doubled(FIRST_RETRY, attempts, LAST_RETRY)
}
