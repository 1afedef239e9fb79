//! Which credential may be passed on: never one that we have seen superseded.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::secret::Fingerprint;
use crate::domain::time::Timestamp;

/// How far ahead an expiry may lie to be believed when it holds another credential back.
///
/// Access tokens live 8 hours; a clock that was wrong for an hour must not block a link for a year.
const PLAUSIBLE: Duration = Duration::from_secs(36 * 3600);

/// How many superseded access tokens are remembered: a week of renewals.
const REMEMBERED: usize = 20;

/// How many `.env` files are remembered of a link.
const ENV_FILES: usize = 8;

/// What is remembered of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Tells it apart from others.
    pub(crate) fingerprint: Fingerprint,
    /// When it ends.
    pub(crate) expiry: Timestamp,
}

/// A `.env` file that a token was written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvFile {
    /// Its path, as it was asked for.
    pub(crate) path: String,
    /// The key.
    pub(crate) key: String,
    /// The token.
    pub(crate) token: Fingerprint,
}

impl EnvFile {
    /// Returns whether it is the same key of the same file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.path, &self.key) == (&other.path, &other.key)
    }
}

/// What a link remembers of the credentials that its source has held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The last one that was passed on.
    pub(crate) accepted: Option<Mark>,
    /// Those before it, the newest last.
    pub(crate) superseded: Vec<Fingerprint>,
    /// The last one that a gateway had to be told of.
    pub(crate) handed_over: Option<Fingerprint>,
    /// A digest of the files that others can read, as they were reported last; none if there were none.
    pub(crate) told_readable: Option<String>,
    /// The `.env` files that hold a token of ours, or held one.
    pub(crate) env_files: Vec<EnvFile>,
    /// The user id of the owner of each of the link's directories, by its path, as a person or the first sync
    /// found it.
    pub(crate) owners: BTreeMap<String, u32>,
}

/// Whether a living credential may be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may.
    Pass,
    /// It was replaced by a later one: somebody put an old file back.
    Superseded,
    /// It ends before the one passed on last, so it may be an older one never seen before; it waits
    /// until that one has ended or is refused.
    Wait(Timestamp),
}

impl Memory {
    /// Judges a living credential; `force` passes one that would have to wait, and so does the end of
    /// the login that it would wait for: `refused` is the access token whose login the server refused
    /// to renew last.
    pub(crate) fn judge(
        &self,
        candidate: Mark,
        now: Timestamp,
        force: bool,
        refused: Option<Fingerprint>,
    ) -> Verdict {
        match self.accepted {
            Some(accepted) if accepted.fingerprint == candidate.fingerprint => Verdict::Pass,
            _ if self.superseded.contains(&candidate.fingerprint) => Verdict::Superseded,
            Some(accepted)
                if !force
                    && refused != Some(accepted.fingerprint)
                    && holds_back(accepted, candidate, now) =>
            {
                Verdict::Wait(accepted.expiry)
            }
            _ => Verdict::Pass,
        }
    }

    /// Remembers a credential as the one passed on; says whether that is news.
    pub(crate) fn accept(&mut self, mark: Mark) -> bool {
        let before = self.accepted.replace(mark);
        if before == Some(mark) {
            return false;
        }
        if let Some(before) = before.filter(|before| before.fingerprint != mark.fingerprint) {
            self.superseded.push(before.fingerprint);
            let excess = self.superseded.len().saturating_sub(REMEMBERED);
            self.superseded.drain(..excess);
        }
        self.superseded.retain(|seen| *seen != mark.fingerprint);
        true
    }

    /// Remembers a `.env` file that a token is written to; returns whether the file is new.
    pub(crate) fn remember_env(&mut self, file: EnvFile) -> bool {
        let known = self.env_files.iter_mut().find(|known| known.is_same(&file));
        let is_new = known.is_none();
        match known {
            Some(known) => known.token = file.token,
            None => self.env_files.push(file),
        }
        let excess = self.env_files.len().saturating_sub(ENV_FILES);
        self.env_files.drain(..excess);
        is_new
    }

    /// The first directory that another user owns than before: its path, the user before, the user now.
    pub(crate) fn owner_changed<'a>(
        &self,
        owners: &'a [(String, u32)],
    ) -> Option<(&'a str, u32, u32)> {
        owners.iter().find_map(|(path, now)| {
            let before = *self.owners.get(path)?;
            (before != *now).then_some((path.as_str(), before, *now))
        })
    }

    /// Remembers whose the directories are, with `force` also of those that are another user's than before;
    /// says whether that is news.
    pub(crate) fn accept_owners(&mut self, owners: Vec<(String, u32)>, force: bool) -> bool {
        let mut is_news = false;
        for (path, owner) in owners {
            let known = self.owners.get(&path);
            if known.is_none() || force && known != Some(&owner) {
                self.owners.insert(path, owner);
                is_news = true;
            }
        }
        is_news
    }

    /// Says whether a token is one that this link has passed on, now or earlier.
    pub(crate) fn knows(&self, fingerprint: Fingerprint) -> bool {
        self.superseded.contains(&fingerprint)
            || self.accepted.is_some_and(|accepted| accepted.fingerprint == fingerprint)
    }
}

fn holds_back(accepted: Mark, candidate: Mark, now: Timestamp) -> bool {
    accepted.expiry > now
        && accepted.expiry <= now.after(PLAUSIBLE)
        && candidate.expiry < accepted.expiry
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn mark(id: u64, hours: i64) -> Mark {
        Mark { fingerprint: Fingerprint(id), expiry: Timestamp(NOW.0 + hours * HOUR) }
    }

    #[test]
    fn a_superseded_credential_never_comes_back() {
        let mut memory = Memory::default();
        assert!(memory.accept(mark(1, 1)));
        assert!(memory.accept(mark(2, 8)));
        assert!(!memory.accept(mark(2, 8)));
        assert_eq!(memory.judge(mark(1, 1), NOW, true, None), Verdict::Superseded);
        assert_eq!(memory.judge(mark(1, 99), NOW, false, None), Verdict::Superseded);
        assert_eq!(memory.judge(mark(2, 8), NOW, false, None), Verdict::Pass);
    }

    #[test]
    fn an_unknown_one_that_ends_earlier_waits_unless_forced() {
        let mut memory = Memory::default();
        memory.accept(mark(1, 8));
        let earlier = mark(2, 7);
        assert_eq!(memory.judge(earlier, NOW, false, None), Verdict::Wait(mark(1, 8).expiry));
        assert_eq!(memory.judge(earlier, NOW, true, None), Verdict::Pass);
        let refused = |id| memory.judge(earlier, NOW, false, Some(Fingerprint(id)));
        assert_eq!(refused(1), Verdict::Pass, "what it would wait for is of no use any more");
        assert_eq!(refused(3), Verdict::Wait(mark(1, 8).expiry));
        let later = Timestamp(NOW.0 + 8 * HOUR);
        assert_eq!(memory.judge(mark(2, 10), later, false, None), Verdict::Pass);
    }

    #[test]
    fn an_expiry_from_a_wrong_clock_holds_nothing_back() {
        let mut memory = Memory::default();
        memory.accept(mark(1, 24 * 365));
        assert_eq!(memory.judge(mark(2, 8), NOW, false, None), Verdict::Pass);
        let mut memory = Memory::default();
        memory.accept(mark(1, -1));
        assert_eq!(memory.judge(mark(2, -2), NOW, false, None), Verdict::Pass);
    }

    #[test]
    fn a_directory_of_another_user_is_noticed_until_it_is_accepted() {
        let mut memory = Memory::default();
        let owned = |uid: u32| vec![("/a".to_owned(), 7), ("/b".to_owned(), uid)];
        assert_eq!(memory.owner_changed(&owned(7)), None, "the first are taken as they are");
        assert!(memory.accept_owners(owned(7), false) && !memory.accept_owners(owned(7), true));
        // One that is away for a while is not forgotten.
        assert!(!memory.accept_owners(Vec::new(), true));
        assert_eq!(memory.owner_changed(&owned(8)), Some(("/b", 7, 8)));
        assert!(!memory.accept_owners(owned(8), false));
        assert_eq!(memory.owner_changed(&owned(8)), Some(("/b", 7, 8)));
        assert!(memory.accept_owners(owned(8), true));
        assert_eq!(memory.owner_changed(&owned(8)), None);
    }

    #[test]
    fn only_the_last_twenty_are_remembered() {
        let mut memory = Memory::default();
        for id in 0..=30 {
            memory.accept(mark(id, 8));
        }
        assert_eq!(memory.superseded.len(), REMEMBERED);
        assert!(memory.knows(Fingerprint(30)) && memory.knows(Fingerprint(10)));
        assert!(!memory.knows(Fingerprint(9)));
    }
}
