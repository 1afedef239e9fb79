//! The method `api`: asks the token endpoint itself, under the CLI's locks.
//!
//! The order is what matters. The locks, a fresh look at the file, proof that both the source's
//! folder and our own can be written, the room for the answer: all of that comes before the request,
//! since from then on the refresh token in the file may be spent. The answer is on its way to the
//! disk before anything looks at it.

use std::time::Duration;

use crate::app::refresh::Work;
use crate::app::refresh::origin::Origin;
use crate::app::refresh::pending_grant::{self, Head, Saved};
use crate::app::refresh::state::State;
use crate::app::refresh::stuck::Stuck;
use crate::domain::credential::Content;
use crate::domain::grant::{self, Answer};
use crate::domain::messages;
use crate::domain::outcome::Outcome;
use crate::domain::schedule;
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::skew::Skew;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::atomic_write;
use crate::os::journal::detail;
use crate::os::lock::claude_lock::{ClaudeLocks, Refused};
use crate::os::net::http::{self, Head as AnswerHead, Post};

/// How long a request may take; the CLI itself waits as long.
const POST_LIMIT: Duration = Duration::from_secs(30);

/// How much larger than before the new text may be, in bytes.
const GROWTH: usize = 16 * 1024;

/// What is sent, and what it takes the place of.
struct Basis {
    refresh_token: Secret,
    replaces: Fingerprint,
    is_successor: bool,
    size: usize,
}

/// Renews the source once.
pub(crate) fn renew(work: &Work<'_>, state: &mut State) -> Outcome {
    match attempt(work, state) {
        Ok(outcome) => outcome,
        Err(Refused::Held(lock)) => {
            Outcome::deferred(format!("a Claude CLI is at work: it holds '{lock}'"))
        }
        Err(Refused::System(error)) => unable(&error),
    }
}

fn attempt(work: &Work<'_>, state: &mut State) -> Result<Outcome, Refused> {
    if let Some(moment) = schedule::posts_allowed_at(&state.posts, clock::now()) {
        let cause = "the token endpoint was asked 12 times within an hour".to_owned();
        return Ok(Outcome::Deferred { cause, retry_after: Some(moment.left(clock::now())) });
    }
    let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
    for orphan in &locks.orphans {
        log::warn!("{}: cleared away a lock: {orphan}", work.settings.name);
    }
    let Some(basis) = basis(work, state)? else {
        // Somebody else was faster; the file shows what it came to.
        return Ok(Outcome::Renewed);
    };
    atomic_write::reserve(&work.place.folder, &work.place.name, basis.size)?;
    let outcome = ask(work, state, &mut locks, &basis);
    // Whatever came of the request is not undone by what is left lying about.
    if let Err(error) = atomic_write::sweep(&work.place.folder, &work.place.name) {
        detail!("{error}: the next run clears it away");
    }
    outcome
}

/// Looks at the source under the locks; `None` if it is no longer what was decided on.
fn basis(work: &Work<'_>, state: &State) -> Result<Option<Basis>, Error> {
    let Some(text) = work.place.read()? else { return Ok(None) };
    let in_file = text.login().and_then(|login| login.refresh_token.clone());
    let replaces = match (&in_file, &text.content) {
        (Some(token), _) => Some(work.ground.fingerprinter.of(token)),
        (None, Content::Blanked) => state.refresh,
        _ => None,
    };
    let Some(replaces) = replaces.filter(|replaces| Some(*replaces) == state.refresh) else {
        return Ok(None);
    };
    let successor = pending_grant::successor(work, state, Some(replaces))?;
    let is_successor = successor.is_some();
    let size = text.bytes().len() + GROWTH;
    let basis = successor.or(in_file);
    Ok(basis.map(|refresh_token| Basis { refresh_token, replaces, is_successor, size }))
}

/// Sends the request and carries its answer home.
fn ask(
    work: &Work<'_>,
    state: &mut State,
    locks: &mut ClaudeLocks,
    basis: &Basis,
) -> Result<Outcome, Refused> {
    let body = grant::request(&work.settings.client_id, &basis.refresh_token);
    let post = Post {
        url: &work.settings.token_url,
        kind: "application/json",
        body: body.as_bytes(),
        user_agent: work.settings.user_agent.as_deref(),
        limit: POST_LIMIT,
    };
    let asked = clock::now();
    state.note_post(asked);
    state.save(work.sources, work.place)?;
    let origin = Some(Origin::of(work.place));
    let head = Head { asked, replaces: basis.replaces, origin };
    let mut room = pending_grant::reserve(work, &head)?;
    if let Some(outcome) = work.told_to_end() {
        pending_grant::forget(work)?;
        return Ok(outcome);
    }
    let answered = http::post(post, &mut room);
    if let Err(error) = room.flush_to_disk() {
        log::warn!("{}: the answer may not survive a loss of power: {error}", work.settings.name);
    }
    drop(room);
    settle(work, state, locks, basis, answered).or_else(|refused| {
        let stuck = unsaved(work, &refused);
        Ok(held_back(state, stuck))
    })
}

/// Looks at the answer, which is safe by now.
fn settle(
    work: &Work<'_>,
    state: &mut State,
    locks: &mut ClaudeLocks,
    basis: &Basis,
    answered: Result<AnswerHead, String>,
) -> Result<Outcome, Refused> {
    let (answered, failure) = match answered {
        Ok(answered) => (answered, None),
        Err(why) => (AnswerHead::default(), Some(why)),
    };
    let Some((head, body)) = pending_grant::waiting(work)? else {
        return Ok(Outcome::deferred("the saved answer is gone"));
    };
    compare_clocks(work, state, head.asked, &answered);
    let wish = answered.retry_after.as_deref();
    let wish = wish.and_then(|text| grant::retry_after(text, clock::now()));
    let outcome = match grant::read(answered.status, &body, head.asked, wish) {
        Answer::Granted(grant) => {
            return Ok(match pending_grant::apply(work, state, locks, &head, grant) {
                Ok(Saved::Waiting(stuck) | Saved::Told(stuck)) => held_back(state, stuck),
                Ok(_) => Outcome::Renewed,
                Err(refused) => held_back(state, unsaved(work, &refused)),
            });
        }
        Answer::Kept(_, why) => {
            pending_grant::keep(work, why)?;
            let kept = work.sources.path.display();
            let cause = format!(
                "the token endpoint's answer is of no use: {why}; its new refresh token is kept in '{kept}' and used next"
            );
            return Ok(Outcome::deferred(cause));
        }
        Answer::Nothing(_) if grant::mentions_token(&body) => {
            let stuck = pending_grant::put_away(work)?;
            return Ok(held_back(state, stuck));
        }
        Answer::Nothing(outcome) => outcome,
    };
    pending_grant::forget(work)?;
    Ok(match (outcome, failure.or(answered.cut)) {
        (Outcome::Rejected { cause }, _) => judge(work, basis, cause)?,
        (outcome, None) => outcome,
        (_, Some(why)) => Outcome::deferred(unreachable_words(work, answered.status, &why)),
    })
}

/// Says it when this host's clock, which every expiry is measured by, is off.
fn compare_clocks(work: &Work<'_>, state: &mut State, asked: Timestamp, answered: &AnswerHead) {
    let Some(date) = answered.date.as_deref().and_then(Timestamp::parse_http) else { return };
    let before = state.skew;
    state.skew = Skew::of(date, asked, clock::now());
    if let Some(skew) = state.skew.filter(|skew| skew.is_news(before)) {
        let link = work.settings.name.as_str();
        log::warn!(
            MESSAGE_ID = messages::id("clock-skew"), link, hint = "timedatectl set-ntp true";
            "{link}: this host's clock is {skew} the token endpoint's: expiries are measured by it, so renewals come at the wrong time"
        );
    }
}

/// A new login that cannot be put where it belongs; nothing but a look at it costs a second try.
pub(super) fn unsaved(work: &Work<'_>, refused: &Refused) -> Stuck {
    let cause = pending_grant::told(work, &words(refused));
    match refused {
        Refused::Held(_) => Stuck::for_now(cause),
        Refused::System(error) => Stuck::for_people(cause, error.command().cloned()),
    }
}

/// Notes what could not be put where it belongs; how the attempt ends.
fn held_back(state: &mut State, stuck: Stuck) -> Outcome {
    let outcome = stuck.outcome();
    state.note_stuck(Some(stuck), clock::now());
    outcome
}

/// Believes a rejection only of the token that is still in the source.
fn judge(work: &Work<'_>, basis: &Basis, cause: String) -> Result<Outcome, Error> {
    if basis.is_successor {
        pending_grant::forget_successor(work)?;
        return Ok(Outcome::deferred(format!("{cause}; it was asked with a kept refresh token")));
    }
    let text = work.place.read()?;
    let in_file =
        text.as_ref().and_then(|text| text.login()).and_then(|l| l.refresh_token.as_ref());
    if in_file == Some(&basis.refresh_token) {
        return Ok(Outcome::Rejected { cause });
    }
    Ok(Outcome::deferred("another process changed the login meanwhile"))
}

fn unreachable_words(work: &Work<'_>, status: u16, why: &str) -> String {
    let host = work.settings.token_url.split('/').nth(2).unwrap_or_default();
    match status {
        0 => format!("cannot reach the token endpoint at {host}: {why}"),
        _ => format!("the token endpoint's answer was cut off: HTTP {status}: {why}"),
    }
}

fn words(refused: &Refused) -> String {
    match refused {
        Refused::Held(lock) => format!("cannot be written: another process holds '{lock}'"),
        Refused::System(error) => format!("cannot be written: {error}"),
    }
}

fn unable(error: &Error) -> Outcome {
    let cause = format!("{error}, so nothing was asked of the token endpoint");
    Outcome::Unable { cause, hint: error.command().cloned() }
}
