//! A gateway's ledger on disk: `gateway/NAME.json` in the state directory, and the lock on it.
//!
//! Syncs and commands read it at any time; only the one that sees to the gateway writes it.

use std::path::Path;

use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::gateway::Ledger;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::lock::advisory::Lock;

/// The folder's name in the state directory.
pub(crate) const FOLDER: &str = "gateway";

/// Loads a link's ledger; an empty one where there is no usable file.
pub(crate) fn load(state_dir: &Path, link: &str) -> Ledger {
    let folder = Folder::reach(&state_dir.join(FOLDER)).ok();
    let seen = folder.and_then(|folder| folder.read(&file_name(link), STATE_LIMIT).ok().flatten());
    seen.and_then(|seen| record::read(&seen.bytes)).unwrap_or_default()
}

/// Saves a link's ledger; flushed, since what is pending stands nowhere else.
pub(crate) fn save(state_dir: &Path, link: &str, ledger: &Ledger) -> Result<(), Error> {
    let folder = Folder::reach(state_dir)?.make(FOLDER)?;
    let bytes = serde_json::to_vec(ledger).unwrap_or_default();
    atomic_write::replace(&folder, &file_name(link), &bytes, Durability::Flushed)
}

/// Takes the lock that whoever sees to a link's gateway holds; `None` where another process does.
pub(crate) fn try_lock(run_dir: &Path, link: &str) -> Result<Option<Lock>, Error> {
    Lock::try_take(run_dir, &lock_name(link))
}

/// Takes the same lock, and waits for it where another process is updating the gateway.
pub(crate) fn lock(run_dir: &Path, link: &str) -> Result<Lock, Error> {
    Lock::wait(run_dir, &lock_name(link))
}

/// Says whether nobody sees to this link's gateway now.
pub(crate) fn is_idle(run_dir: &Path, link: &str) -> bool {
    try_lock(run_dir, link).is_ok_and(|lock| lock.is_some())
}

/// The links that have a ledger.
pub(crate) fn links(state_dir: &Path) -> Vec<String> {
    let names = Folder::reach(&state_dir.join(FOLDER)).and_then(|folder| folder.names());
    let names = names.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok());
    names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect()
}

/// The name of a link's ledger.
pub(crate) fn file_name(link: &str) -> String {
    format!("{link}.json")
}

fn lock_name(link: &str) -> String {
    format!("gateway-{link}")
}
