//! The earlier expiry that makes the Claude CLI renew, and the true one in its stead.
//!
//! The CLI renews in its last minutes only. To have it renew earlier, its file says for a moment that
//! the access token ends in 240 s. The true expiry stands in our state before that is written, all of
//! ours read it from there meanwhile, and it goes back into the file if nothing came of it, also
//! after a crash of ours.

use crate::app::refresh::Work;
use crate::app::refresh::place::{Reading, Rewrite};
use crate::app::refresh::state::State;
use crate::domain::claude_cli::NUDGE;
use crate::domain::claude_file::with_expiry;
use crate::domain::credential::Credential;
use crate::domain::schedule::Nudge;
use crate::domain::time::Timestamp;
use crate::os::claude_lock::{ClaudeLocks, Refused};
use crate::os::clock;
use crate::os::error::Error;

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
        stands.then(|| with_expiry(&text.text, nudged).ok()).flatten()
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
    let text = work.place.read()?;
    let stands = text.as_ref().is_some_and(|text| truth(work, &nudge, text).is_some());
    let done = stands && {
        let mut locks = ClaudeLocks::take(&work.place.folder, work.ground.lock_tag())?;
        let done = work.place.rewrite(&mut locks, |text| {
            truth(work, &nudge, text).and_then(|truth| with_expiry(&text.text, truth).ok())
        })?;
        done == Rewrite::Done
    };
    state.nudge = None;
    state.save(work.sources, work.place)?;
    Ok(done)
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
