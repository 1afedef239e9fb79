//! The earlier expiry that makes the Claude CLI renew, and the true one in its stead.
//!
//! The CLI renews in its last minutes only. To have it renew earlier, its file says for a moment that
//! the access token ends in 240 s. The true expiry stands in our state before that is written, all of
//! ours read it from there meanwhile, and it goes back into the file if nothing came of it, also
//! after a crash of ours.

use crate::app::refresh::Work;
use crate::app::refresh::credentials_file::{Reading, Rewrite};
use crate::app::refresh::state::State;
use crate::domain::claude_cli::NUDGE;
use crate::domain::claude_file::with_expiry;
use crate::domain::credential::{Content, Credential};
use crate::domain::schedule::Nudge;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::lock::claude_lock::{ClaudeLocks, Refused};

/// Makes the file say that the access token of `wanted` ends in 240 s, unless it ends sooner by
/// itself; says whether the file still holds that token.
pub(super) fn set(
    work: &Work<'_>,
    state: &mut State,
    wanted: &Credential,
) -> Result<bool, Refused> {
    if wanted.expiry <= clock::now().after(NUDGE) {
        return Ok(true);
    }
    let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
    let fingerprint = work.ground.fingerprinter.of(&wanted.access_token);
    let nudged = clock::now().after(NUDGE);
    state.nudge = Some(Nudge { fingerprint, expiry: wanted.expiry, nudged });
    state.save(work.sources, work.place)?;
    let done = work.place.rewrite(&mut locks, |text| {
        let stands = text.login() == Some(wanted);
        stands.then(|| with_expiry(text.bytes(), nudged).ok()).flatten()
    });
    if !matches!(done, Ok(Rewrite::Done)) {
        drop(locks);
        // Where it was written after all, and only the flush failed, it is put back.
        put_back(work, state)?;
    }
    done.map(|done| done == Rewrite::Done)
}

/// Puts the true expiry back where a run of ours, or a crash, left the earlier one; says whether
/// there was something to put back.
///
/// Called after each call of the CLI, at the start of each run, and by the watcher as it starts;
/// always under our own lock of the source, so never in the middle of another run.
pub(super) fn put_back(work: &Work<'_>, state: &mut State) -> Result<bool, Refused> {
    let Some(nudge) = state.nudge else { return Ok(false) };
    let Some(old) = work.place.read()? else { return Ok(false) };
    let mut standing = standing(work, &nudge, &old);
    let mut done = false;
    if standing == Standing::Nudged {
        let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
        let written = work.place.rewrite(&mut locks, |text| {
            standing = self::standing(work, &nudge, text);
            let nudged = standing == Standing::Nudged;
            nudged.then(|| with_expiry(text.bytes(), nudge.expiry).ok()).flatten()
        })?;
        done = written == Rewrite::Done;
        if standing == Standing::Nudged && written == Rewrite::Declined {
            let what = "its text is not what it seems to be";
            return Err(Error::odd("edit", &work.place.path, what).into());
        }
    }
    // What tells nothing may be in the middle of being written, and come back as it was.
    if done || standing == Standing::Other {
        state.nudge = None;
        state.save(work.sources, work.place)?;
    }
    Ok(done)
}

/// What a file has to do with an earlier expiry that we wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It still says so.
    Nudged,
    /// It holds another login, or another expiry.
    Other,
    /// It cannot be told.
    Unclear,
}

fn standing(work: &Work<'_>, nudge: &Nudge, text: &Reading) -> Standing {
    match &text.content {
        Content::Login(_) if truth(work, nudge, text).is_some() => Standing::Nudged,
        Content::Login(_) | Content::Static(_) | Content::Blanked => Standing::Other,
        Content::Undated | Content::HalfWritten | Content::Foreign(_) => Standing::Unclear,
    }
}

/// The true expiry, if the file still holds the nudged token with the nudged expiry.
fn truth(work: &Work<'_>, nudge: &Nudge, text: &Reading) -> Option<Timestamp> {
    let login = text.login()?;
    nudge.true_expiry(login, work.ground.fingerprinter.of(&login.access_token))
}

/// Says in a message why the file could not be changed.
pub(super) fn refused(refused: &Refused) -> String {
    match refused {
        Refused::Held(lock) => format!("another program is at the login: it holds '{lock}'"),
        Refused::System(error) => Error::to_string(error),
    }
}
