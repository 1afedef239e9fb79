//! Answers of the token endpoint on their way into the source, safe from every crash.
//!
//! `sources/KEY.answer` (0600) is made and flushed before a request leaves: a line that says what
//! the request is about and whose login it is for, then room that the answer is written into as it
//! arrives. What a crash leaves there tells how far it came:
//!
//! - no whole first line: no request has left; it is removed;
//! - room that is blank: there was no answer; nothing is lost that could be kept, it is removed;
//! - an answer without tokens: nothing was spent; it is removed;
//! - a pair, even one whose end was cut off: the refresh token in the source is spent, and the pair
//!   goes into the source if that still holds it, or was blanked for it, and is the same login's;
//! - a refresh token without a usable access token: it becomes `KEY.kept`, and the next request is
//!   made with it in place of the spent one;
//! - tokens in a form that cannot be read: it becomes `KEY.unread`, for people.
//!
//! A saved token goes only when it is proved to be in the source, or when a later sign-in stands
//! there; whatever else keeps it from the source is told to people meanwhile.

use serde::{Deserialize, Serialize};

use crate::app::refresh::credentials_file::{Reading, Rewrite};
use crate::app::refresh::origin::{Agreement, Origin};
use crate::app::refresh::state::State;
use crate::app::refresh::stuck::Stuck;
use crate::app::refresh::{Work, history};
use crate::app::source;
use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::claude_file;
use crate::domain::credential::{Content, Credential};
use crate::domain::grant::{self, Answer, Grant};
use crate::domain::hints::ours;
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::fs::preallocated::Reserved;
use crate::os::lock::claude_lock::{ClaudeLocks, Refused};
use crate::os::net::http::ANSWER_LIMIT;

/// The files that hold tokens, each after the key of its source.
pub(crate) const SUFFIXES: [&str; 3] = [".answer", ".kept", ".unread"];

/// The first line of a saved answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// When it was asked for: lifetimes count from then.
    pub(crate) asked: Timestamp,
    /// The refresh token in the source that the answer takes the place of.
    pub(crate) replaces: Fingerprint,
    /// Whose login it is for; 1.0.0 did not note it.
    #[serde(default)]
    pub(crate) origin: Option<Origin>,
}

/// What became of a saved answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// There is none, or none that is still good for anything.
    Nothing,
    /// Its pair is in the source.
    Applied,
    /// It stays where it is, and what stands in the source must not be sent; why.
    Waiting(Stuck),
    /// It stays where it is, and is in nobody's way; why.
    Told(Stuck),
    /// Its refresh token alone is good; why.
    Kept(&'static str),
}

/// What a source says about a saved pair.
enum Verdict {
    /// It holds what the pair takes the place of: the pair goes in.
    Due,
    /// It holds the pair.
    Holds,
    /// It holds a login that was made later.
    Superseded,
    /// Neither.
    Waits(Stuck),
}

/// Reserves the room for an answer; there must be none that waits.
pub(crate) fn reserve(work: &Work<'_>, head: &Head) -> Result<Reserved, Error> {
    let mut line = serde_json::to_vec(head).unwrap_or_default();
    line.push(b'\n');
    Reserved::make(work.sources, &name(work, "answer"), &line, ANSWER_LIMIT)
}

/// Reads the answer that waits.
pub(crate) fn waiting(work: &Work<'_>) -> Result<Option<(Head, Vec<u8>)>, Error> {
    read(work.sources, &name(work, "answer"))
}

/// Says whose login a saved answer is for.
pub(crate) fn origin(sources: &Folder, file: &str) -> Result<Option<Origin>, Error> {
    Ok(read(sources, file)?.and_then(|(head, _)| head.origin))
}

/// Says whether there is a pair that is not in the source yet: then the refresh token there is spent
/// and must not be sent again.
pub(crate) fn holds_pair(work: &Work<'_>) -> Result<bool, Error> {
    let waiting = waiting(work)?;
    let answer = waiting.and_then(|(head, body)| grant::tokens(&body, head.asked));
    Ok(matches!(answer, Some(Answer::Granted(_))))
}

/// Says whether there is anything of a source that could not be put into it.
pub(crate) fn holds_any(work: &Work<'_>) -> Result<bool, Error> {
    for suffix in SUFFIXES {
        if work.sources.stat(&format!("{}{suffix}", work.place.key))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Forgets the answer that waits.
pub(crate) fn forget(work: &Work<'_>) -> Result<(), Error> {
    work.sources.remove(&name(work, "answer")).map(|_| ())
}

/// The refresh token that took the place of `replaced` without having reached the source.
pub(crate) fn successor(
    work: &Work<'_>,
    state: &State,
    replaced: Option<Fingerprint>,
) -> Result<Option<Secret>, Error> {
    let Some((head, body)) = read(work.sources, &name(work, "kept"))? else { return Ok(None) };
    let stands = work.place.read()?.is_some_and(|old| stands(work, &head, &old));
    if Some(head.replaces) != replaced || belongs(work, state, &head, stands).is_err() {
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
        return Ok(rest(work, state)?);
    };
    match grant::tokens(&body, head.asked) {
        Some(Answer::Granted(grant)) => {
            let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
            apply(work, state, &mut locks, &head, grant)
        }
        Some(Answer::Kept(_, why)) => keep(work, why),
        _ if grant::mentions_token(&body) => Ok(Saved::Told(put_away(work)?)),
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

/// Keeps an answer whose tokens cannot be read; the next request may still find the old ones good.
pub(crate) fn put_away(work: &Work<'_>) -> Result<Stuck, Error> {
    work.sources.rename(&name(work, "answer"), &name(work, "unread"))?;
    Ok(unread(work))
}

/// Puts a pair into the source and forgets the answer that it came from once it is proved to be there.
pub(crate) fn apply(
    work: &Work<'_>,
    state: &State,
    locks: &mut ClaudeLocks,
    head: &Head,
    mut grant: Grant,
) -> Result<Saved, Refused> {
    if grant.refresh_token.is_none() {
        // Asked for with a kept refresh token, which then stays good.
        grant.refresh_token = successor(work, state, Some(head.replaces))?;
    }
    let known = known_before(work, head);
    let mut verdict = Verdict::Waits(absent(work));
    let written = work.place.rewrite(locks, |old| {
        verdict = judge(work, state, (head, &grant), &known, old);
        let Verdict::Due = verdict else { return None };
        let merged = merged(old.bytes(), &grant);
        if merged.is_none() {
            let cause = "cannot be edited: its text is not what it seems to be";
            verdict = Verdict::Waits(waits(work, cause, Some(source::sign_in(work.settings))));
        }
        merged
    })?;
    if written == Rewrite::Absent {
        return Ok(Saved::Waiting(absent(work)));
    }
    if written == Rewrite::Done {
        let proved = work.place.read()?.is_some_and(|now| holds(work, head, &grant, &now));
        if !proved {
            let cause = "does not show it, though it was written".to_owned();
            return Ok(Saved::Waiting(Stuck::for_now(told(work, &cause))));
        }
        verdict = Verdict::Holds;
    }
    let saved = match verdict {
        Verdict::Waits(stuck) => return Ok(Saved::Waiting(stuck)),
        Verdict::Due | Verdict::Holds => Saved::Applied,
        Verdict::Superseded => Saved::Nothing,
    };
    forget(work)?;
    for kind in ["kept", "unread"] {
        work.sources.remove(&name(work, kind))?;
    }
    Ok(saved)
}

/// The text with the pair in it, if our own reader finds that very pair there.
fn merged(old: &[u8], grant: &Grant) -> Option<Vec<u8>> {
    let text = claude_file::with_grant(old, grant).ok()?;
    match crate::domain::credential::parse(&text) {
        Content::Login(login) if is_pair(&login, grant) => Some(text),
        _ => None,
    }
}

fn is_pair(login: &Credential, grant: &Grant) -> bool {
    let refresh = grant.refresh_token.as_ref();
    login.access_token == grant.access_token
        && (refresh.is_none() || login.refresh_token.as_ref() == refresh)
}

/// Says what the source has to do with a saved pair.
fn judge(
    work: &Work<'_>,
    state: &State,
    (head, grant): (&Head, &Grant),
    known: &[Fingerprint],
    old: &Reading,
) -> Verdict {
    let by_hand = || Some(source::sign_in(work.settings));
    let due = |stands| match belongs(work, state, head, stands) {
        Ok(()) => Verdict::Due,
        Err(stuck) => Verdict::Waits(stuck),
    };
    match &old.content {
        _ if holds(work, head, grant, old) => Verdict::Holds,
        Content::Login(_) if stands(work, head, old) => due(true),
        Content::Login(login) if is_later(work, (head.asked, grant.expiry), known, login) => {
            Verdict::Superseded
        }
        Content::Login(_) => Verdict::Waits(waits(work, "holds an older login", by_hand())),
        Content::Blanked if state.refresh.is_none_or(|refresh| refresh == head.replaces) => {
            due(false)
        }
        Content::Blanked => Verdict::Waits(waits(work, "was emptied of another login", by_hand())),
        Content::HalfWritten => Verdict::Waits(Stuck::for_now(told(work, "is empty or cut off"))),
        Content::Static(_) => Verdict::Waits(waits(work, "holds a setup-token", None)),
        Content::Undated => Verdict::Waits(waits(work, "has no readable 'expiresAt'", by_hand())),
        Content::Foreign(why) => {
            Verdict::Waits(waits(work, &format!("cannot be read: {why}"), by_hand()))
        }
    }
}

/// Says whether a saved answer is for the very login that the place has: its account, path, device
/// and inode have to agree. Where they do not, a person may say so of a file that holds the very
/// token that the answer takes the place of.
fn belongs(work: &Work<'_>, state: &State, head: &Head, stands: bool) -> Result<(), Stuck> {
    let origin = head.origin.clone().or_else(|| state.origin());
    let force = ours::refresh_forced_as_root(&work.settings.name);
    let sign_in = source::sign_in(work.settings);
    let stuck = |why: String, hint| Err(Stuck::for_people(told(work, &why), Some(hint)));
    let Some(origin) = origin else {
        // What 1.0.0 saved is unmistakable only where the file proves it.
        let why = "is empty, and it was not noted whose login that is".to_owned();
        return if stands { Ok(()) } else { stuck(why, sign_in) };
    };
    let was = format!("is not where the login was that it belongs to: {}", origin.words());
    match origin.compare(work.place) {
        Agreement::Whole => Ok(()),
        Agreement::Renumbered if stands => Ok(()),
        Agreement::Renumbered | Agreement::Moved if stands && work.is_wanted => Ok(()),
        Agreement::Renumbered | Agreement::Moved if stands => stuck(was, force),
        _ => stuck(was, sign_in),
    }
}

/// Says whether the source still holds the refresh token that an answer takes the place of.
fn stands(work: &Work<'_>, head: &Head, old: &Reading) -> bool {
    let refresh = old.login().and_then(|login| login.refresh_token.as_ref());
    refresh.map(|token| work.ground.fingerprinter.of(token)) == Some(head.replaces)
}

/// Says whether the source holds the pair, or its refresh token with a later access token.
fn holds(work: &Work<'_>, head: &Head, grant: &Grant, old: &Reading) -> bool {
    let Some(login) = old.login() else { return false };
    let refresh = grant.refresh_token.as_ref().filter(|refresh| {
        work.ground.fingerprinter.of(refresh) != head.replaces
            && login.refresh_token.as_ref() == Some(refresh)
    });
    is_pair(login, grant) || refresh.is_some() && login.expiry > grant.expiry
}

/// Says whether a login was made later than what was asked for then: its access token outlives the
/// pair's, or was never seen before and still lived at that time. A backup that was put back is not.
fn is_later(
    work: &Work<'_>,
    (asked, pair): (Timestamp, Timestamp),
    known: &[Fingerprint],
    login: &Credential,
) -> bool {
    let fingerprint = work.ground.fingerprinter.of(&login.access_token);
    login.expiry > pair || login.expiry > asked && !known.contains(&fingerprint)
}

/// The access tokens that were seen before an answer was asked for.
fn known_before(work: &Work<'_>, head: &Head) -> Vec<Fingerprint> {
    let entries = history::load(work.sources, &work.place.key).unwrap_or_default();
    let earlier = entries.iter().filter(|entry| entry.time <= head.asked);
    let seen = earlier.flat_map(|entry| [entry.from, entry.to]).flatten();
    let passed = work.ground.remember(work.settings).unwrap_or_default().superseded;
    seen.chain(passed).collect()
}

/// Looks at what is kept without being a pair: it goes with a later sign-in, and is told until then.
fn rest(work: &Work<'_>, state: &State) -> Result<Saved, Error> {
    let mut saved = Saved::Nothing;
    for kind in ["unread", "kept"] {
        let Some((head, _)) = read(work.sources, &name(work, kind))? else { continue };
        let old = work.place.read()?;
        let stands = old.as_ref().is_some_and(|old| stands(work, &head, old));
        let login = old.as_ref().and_then(Reading::login).filter(|_| !stands);
        let moments = (head.asked, Timestamp(i64::MAX));
        if login.is_some_and(|login| is_later(work, moments, &known_before(work, &head), login)) {
            work.sources.remove(&name(work, kind))?;
        } else if kind == "unread" {
            saved = Saved::Told(unread(work));
        } else if let Err(stuck) = belongs(work, state, &head, stands) {
            saved = Saved::Waiting(stuck);
        }
    }
    Ok(saved)
}

fn unread(work: &Work<'_>) -> Stuck {
    let path = work.place.path.display();
    let kept = work.sources.path.join(name(work, "unread"));
    let cause = format!(
        "the token endpoint's answer for '{path}' cannot be read: it is kept in '{}' until the next sign-in",
        kept.display()
    );
    Stuck::for_people(cause, Some(source::sign_in(work.settings)))
}

fn absent(work: &Work<'_>) -> Stuck {
    Stuck::for_now(told(work, "is not there"))
}

fn waits(work: &Work<'_>, why: &str, hint: Option<Hint>) -> Stuck {
    Stuck::for_people(told(work, why), hint)
}

/// Says why a new login is not in its file, and where it is.
pub(super) fn told(work: &Work<'_>, why: &str) -> String {
    let (source, kept) = (work.place.path.display(), work.sources.path.display());
    format!("'{source}' {why}; the new login is kept in '{kept}' until it can be written")
}

fn read(sources: &Folder, file: &str) -> Result<Option<(Head, Vec<u8>)>, Error> {
    let Some(seen) = sources.read(file, STATE_LIMIT)? else { return Ok(None) };
    Ok(parse(&seen.bytes))
}

/// Reads a saved answer; `None` if its first line is not whole.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Head, Vec<u8>)> {
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
        let head = Head { asked: Timestamp(5), replaces: Fingerprint(7), origin: None };
        let mut bytes = serde_json::to_vec(&head).unwrap();
        assert_eq!(parse(&bytes), None);
        bytes.push(b'\n');
        assert_eq!(parse(&bytes), Some((head.clone(), Vec::new())));
        bytes.extend_from_slice(b"   ");
        assert_eq!(parse(&bytes), Some((head.clone(), Vec::new())));
        bytes.extend_from_slice(b"{\"a\":1}   ");
        assert_eq!(parse(&bytes), Some((head, b"   {\"a\":1}".to_vec())));
    }
}
