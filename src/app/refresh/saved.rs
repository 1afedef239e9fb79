//! Answers of the token endpoint on their way into the source, safe from every crash.
//!
//! `sources/KEY.answer` (0600) is made and flushed before a request leaves: a line that says what
//! the request is about, then room that the answer is written into as it arrives. What a crash
//! leaves there tells how far it came:
//!
//! - no whole first line: no request has left; it is removed;
//! - room that is blank: there was no answer; nothing is lost that could be kept, it is removed;
//! - an answer without tokens: nothing was spent; it is removed;
//! - a pair, even one whose end was cut off: the refresh token in the source is spent, and the pair
//!   goes into the source if that still holds it, or was blanked for it; it waits while no login can
//!   be seen there, and is forgotten only for one with another refresh token;
//! - a refresh token without a usable access token: it becomes `KEY.kept`, and the next request is
//!   made with it in place of the spent one.

use serde::{Deserialize, Serialize};

use crate::app::memory::STATE_LIMIT;
use crate::app::record;
use crate::app::refresh::Work;
use crate::app::refresh::place::{Reading, Rewrite};
use crate::app::refresh::state::State;
use crate::domain::claude_file;
use crate::domain::credential::Content;
use crate::domain::grant::{self, Answer, Grant};
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::time::Timestamp;
use crate::os::claude_lock::{ClaudeLocks, Refused};
use crate::os::error::Error;
use crate::os::http::ANSWER_LIMIT;
use crate::os::reserve::Reserved;

/// The first line of a saved answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// When it was asked for: lifetimes count from then.
    pub(crate) asked: Timestamp,
    /// The refresh token in the source that the answer takes the place of.
    pub(crate) replaces: Fingerprint,
}

/// What became of a saved answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// There is none, or none that is still good for anything.
    Nothing,
    /// Its pair is in the source.
    Applied,
    /// It has to wait until there is a login in the source again.
    Waiting,
    /// Its refresh token alone is good; why.
    Kept(&'static str),
}

/// Reserves the room for an answer; there must be none that waits.
pub(crate) fn reserve(work: &Work<'_>, head: Head) -> Result<Reserved, Error> {
    let mut line = serde_json::to_vec(&head).unwrap_or_default();
    line.push(b'\n');
    Reserved::make(work.sources, &name(work, "answer"), &line, ANSWER_LIMIT)
}

/// Reads the answer that waits.
pub(crate) fn waiting(work: &Work<'_>) -> Result<Option<(Head, Vec<u8>)>, Error> {
    read(work, "answer")
}

/// Says whether there is a pair that is not in the source yet: then the refresh token there is spent
/// and must not be sent again.
pub(crate) fn holds_pair(work: &Work<'_>) -> Result<bool, Error> {
    let waiting = waiting(work)?;
    let answer = waiting.and_then(|(head, body)| grant::tokens(&body, head.asked));
    Ok(matches!(answer, Some(Answer::Granted(_))))
}

/// Forgets the answer that waits.
pub(crate) fn forget(work: &Work<'_>) -> Result<(), Error> {
    work.sources.remove(&name(work, "answer")).map(|_| ())
}

/// The refresh token that took the place of `replaced` without having reached the source.
pub(crate) fn successor(
    work: &Work<'_>,
    replaced: Option<Fingerprint>,
) -> Result<Option<Secret>, Error> {
    let Some((head, body)) = read(work, "kept")? else { return Ok(None) };
    if Some(head.replaces) != replaced {
        return Ok(None);
    }
    Ok(match grant::tokens(&body, head.asked) {
        Some(Answer::Kept(token, _)) => Some(token),
        _ => None,
    })
}

/// Forgets a kept refresh token that the server refuses.
pub(crate) fn forget_successor(work: &Work<'_>) -> Result<(), Error> {
    work.sources.remove(&name(work, "kept")).map(|_| ())
}

/// Carries an answer that an earlier run left into the source.
pub(crate) fn pick_up(work: &Work<'_>, state: &State) -> Result<Saved, Refused> {
    let Some((head, body)) = waiting(work)? else {
        // What has no whole first line was left before the request.
        forget(work)?;
        return Ok(Saved::Nothing);
    };
    match grant::tokens(&body, head.asked) {
        Some(Answer::Granted(grant)) => {
            let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
            apply(work, state, &mut locks, head, grant)
        }
        Some(Answer::Kept(_, why)) => keep(work, why),
        _ => {
            forget(work)?;
            Ok(Saved::Nothing)
        }
    }
}

/// Keeps an answer whose refresh token alone is good.
pub(crate) fn keep(work: &Work<'_>, why: &'static str) -> Result<Saved, Refused> {
    work.sources.rename(&name(work, "answer"), &name(work, "kept"))?;
    Ok(Saved::Kept(why))
}

/// Puts a pair into the source and forgets the answer that it came from.
pub(crate) fn apply(
    work: &Work<'_>,
    state: &State,
    locks: &mut ClaudeLocks,
    head: Head,
    mut grant: Grant,
) -> Result<Saved, Refused> {
    if grant.refresh_token.is_none() {
        // Asked for with a kept refresh token, which then stays good.
        grant.refresh_token = successor(work, Some(head.replaces))?;
    }
    let mut waits = false;
    let mut there = false;
    let written = work.place.rewrite(locks, |old| {
        (waits, there) = (is_unsettled(&old.content), holds(old, &grant));
        let wanted = !there && !waits && is_for(work, state, head, old);
        wanted.then(|| claude_file::with_grant(&old.text, &grant).ok()).flatten()
    })?;
    if written == Rewrite::Absent || written == Rewrite::Declined && waits {
        return Ok(Saved::Waiting);
    }
    forget(work)?;
    forget_successor(work)?;
    Ok(if written == Rewrite::Done || there { Saved::Applied } else { Saved::Nothing })
}

/// Says whether the source still holds what the answer takes the place of, or was emptied for it.
fn is_for(work: &Work<'_>, state: &State, head: Head, old: &Reading) -> bool {
    match &old.content {
        Content::Login(login) => {
            let refresh = login.refresh_token.as_ref();
            refresh.map(|token| work.ground.fingerprinter.of(token)) == Some(head.replaces)
        }
        Content::Blanked => state.refresh.is_none_or(|refresh| refresh == head.replaces),
        _ => false,
    }
}

fn holds(old: &Reading, grant: &Grant) -> bool {
    old.login().is_some_and(|login| login.access_token == grant.access_token)
}

/// Says whether there is no login that could take the place of the pair: a writer may be at work, or
/// somebody tries something else, and what stood there before may come back.
fn is_unsettled(content: &Content) -> bool {
    matches!(
        content,
        Content::HalfWritten | Content::Foreign(_) | Content::Undated | Content::Static(_)
    )
}

fn read(work: &Work<'_>, kind: &str) -> Result<Option<(Head, Vec<u8>)>, Error> {
    let Some(seen) = work.sources.read(&name(work, kind), STATE_LIMIT)? else { return Ok(None) };
    Ok(parse(&seen.bytes))
}

fn parse(bytes: &[u8]) -> Option<(Head, Vec<u8>)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = record::read(&bytes[..end])?;
    Some((head, bytes[end + 1..].trim_ascii_end().to_vec()))
}

fn name(work: &Work<'_>, kind: &str) -> String {
    format!("{}.{kind}", work.place.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_leaves_tells_how_far_it_came() {
        let head = Head { asked: Timestamp(5), replaces: Fingerprint(7) };
        let mut bytes = serde_json::to_vec(&head).unwrap();
        assert_eq!(parse(&bytes), None);
        bytes.push(b'\n');
        assert_eq!(parse(&bytes), Some((head, Vec::new())));
        bytes.extend_from_slice(b"   ");
        assert_eq!(parse(&bytes), Some((head, Vec::new())));
        bytes.extend_from_slice(b"{\"a\":1}   ");
        assert_eq!(parse(&bytes), Some((head, b"   {\"a\":1}".to_vec())));
    }
}
