//! The earlier expiry that makes the Claude CLI renew, and the true one in its stead.
//!
//! The CLI renews in its last minutes only. To have it renew earlier, its file says for a moment that
//! the access token ends in 240 s. The true expiry stands in our state before that is written, all of
//! ours read it from there meanwhile, and it goes back into the file if nothing came of it, also
//! after a crash of ours.

use serde_json::{Value, json};

use crate::app::claude_notes::{Notes, Nudge};
use crate::app::login_file::LoginFile;
use crate::domain::claude_cli::NUDGE;
use crate::domain::credential::{self, Content, Credential};
use crate::domain::splice::{Dialect, Splice};
use crate::domain::time::Timestamp;
use crate::os::claude_lock::{ClaudeLocks, Refused};
use crate::os::clock;
use crate::os::error::Error;
use crate::os::folder::Seen;
use crate::os::lock::Lock;

const EXPIRY: [&str; 2] = ["claudeAiOauth", "expiresAt"];

/// What became of an attempt to change the expiry in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It says now what it should.
    Done,
    /// There was nothing to change.
    Unneeded,
    /// Somebody else, who holds this lock, is at the file.
    Busy(String),
    /// The file holds another login by now.
    Moved,
}

/// Makes the file say that its access token ends in 240 s, unless it ends sooner by itself.
///
/// `_held` is the source's lock in the run folder: nobody of ours may put the expiry back meanwhile.
pub(crate) fn set(
    file: &LoginFile,
    notes: &mut Notes,
    wanted: &Credential,
    _held: &Lock,
) -> Result<Turn, Error> {
    if wanted.expiry <= clock::now().after(NUDGE) {
        return Ok(Turn::Unneeded);
    }
    let mut locks = match ClaudeLocks::take(&file.folder) {
        Ok(locks) => locks,
        Err(refused) => return busy(refused),
    };
    let _storage = match locks.storage() {
        Ok(lock) => lock,
        Err(refused) => return busy(refused),
    };
    let Some((seen, now_there)) = login(file)? else { return Ok(Turn::Moved) };
    if now_there != *wanted {
        return Ok(Turn::Moved);
    }
    let mut splice = splice(file, &seen)?;
    let Some(truth) = splice.get(&EXPIRY) else { return Ok(Turn::Moved) };
    let nudged = clock::now().after(NUDGE);
    splice.set(&EXPIRY, &json!(nudged.0)).map_err(|fault| odd(file, &fault.to_string()))?;
    notes.remember(Nudge::new(notes.fingerprint(wanted), wanted.expiry, nudged, truth))?;
    match splice.finish() {
        Some(text) => file.replace(&text, &seen).map(|()| Turn::Done),
        None => Ok(Turn::Unneeded),
    }
}

/// Puts the true expiry back where a run of ours, or a crash, left the earlier one.
///
/// Called after each call of the CLI, at the start of each run, and by the watcher as it starts;
/// always under the source's lock, so never in the middle of another run.
pub(crate) fn put_back(file: &LoginFile, notes: &mut Notes, _held: &Lock) -> Result<Turn, Error> {
    let Some(nudge) = notes.nudge().cloned() else { return Ok(Turn::Unneeded) };
    if !stands(file, notes, &nudge)? {
        notes.forget()?;
        return Ok(Turn::Moved);
    }
    let mut locks = match ClaudeLocks::take(&file.folder) {
        Ok(locks) => locks,
        Err(refused) => return busy(refused),
    };
    let _storage = match locks.storage() {
        Ok(lock) => lock,
        Err(refused) => return busy(refused),
    };
    if !stands(file, notes, &nudge)? {
        notes.forget()?;
        return Ok(Turn::Moved);
    }
    let Some((seen, _)) = login(file)? else { return Ok(Turn::Moved) };
    write(file, &seen, nudge.truth())?;
    notes.forget()?;
    Ok(Turn::Done)
}

/// Says whether the file still holds the nudged token with the nudged expiry.
fn stands(file: &LoginFile, notes: &Notes, nudge: &Nudge) -> Result<bool, Error> {
    Ok(login(file)?.is_some_and(|(_, there)| nudge.is_for(notes.fingerprint(&there), there.expiry)))
}

fn login(file: &LoginFile) -> Result<Option<(Seen, Credential)>, Error> {
    let Some(seen) = file.read()? else { return Ok(None) };
    match credential::parse(&seen.bytes) {
        Content::Login(credential) => Ok(Some((seen, credential))),
        _ => Ok(None),
    }
}

fn write(file: &LoginFile, seen: &Seen, expiry: &Value) -> Result<(), Error> {
    let mut splice = splice(file, seen)?;
    splice.set(&EXPIRY, expiry).map_err(|fault| odd(file, &fault.to_string()))?;
    splice.finish().map_or(Ok(()), |text| file.replace(&text, seen))
}

fn splice(file: &LoginFile, seen: &Seen) -> Result<Splice, Error> {
    let text = std::str::from_utf8(&seen.bytes).map_err(|_| odd(file, "it is not UTF-8 text"))?;
    Splice::new(text, Dialect::Json).map_err(|fault| odd(file, &fault.to_string()))
}

fn odd(file: &LoginFile, what: &str) -> Error {
    Error::odd("change", &file.path, what)
}

fn busy(refused: Refused) -> Result<Turn, Error> {
    match refused {
        Refused::Held(lock) => Ok(Turn::Busy(lock)),
        Refused::System(error) => Err(error),
    }
}
