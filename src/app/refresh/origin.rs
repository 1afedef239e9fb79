//! Whose login it was that something was remembered of: the account, the path, the device and the
//! inode of its folder.
//!
//! An inode number is given out again once its folder is gone, a path once its owner is: what was
//! saved for one login must never come to another one's owner.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::pending_grant;
use crate::app::refresh::state::{self, State};
use crate::os::error::Error;
use crate::os::fingerprint;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::user::account;

/// Where a login was, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The path of the file.
    pub(crate) path: String,
    /// The user id of its folder's owner.
    pub(crate) owner: u32,
    /// The folder's device.
    pub(crate) device: u64,
    /// Its inode.
    pub(crate) inode: u64,
}

/// How far a login's origin and a place agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// In all four.
    Whole,
    /// In all but the device, whose number may change with a reboot.
    Renumbered,
    /// The same account, but another path or another folder.
    Moved,
    /// It is another account's.
    Foreign,
}

impl Origin {
    /// The origin of what is remembered of a place from now on.
    pub(crate) fn of(place: &Place) -> Self {
        let path = place.path.to_string_lossy().into_owned();
        Self { path, owner: place.owner, device: place.device, inode: place.inode }
    }

    /// How far it agrees with a place.
    pub(crate) fn compare(&self, place: &Place) -> Agreement {
        let same_path = *self.path == *place.path.to_string_lossy();
        let same_inode = self.inode == place.inode;
        let same_folder = same_inode && self.device == place.device;
        match (self.owner == place.owner, same_path) {
            (false, _) => Agreement::Foreign,
            (_, true) if same_folder => Agreement::Whole,
            (_, true) if same_inode => Agreement::Renumbered,
            (_, false) if same_folder && leads_to(&self.path, place) => Agreement::Whole,
            _ => Agreement::Moved,
        }
    }

    /// Where that was, in words.
    pub(crate) fn words(&self) -> String {
        format!("'{}' of {}", self.path, account::name(self.owner))
    }
}

/// Says whether another path leads to the same file: a bind mount, a link, another link of ours.
pub(crate) fn leads_to(path: &str, place: &Place) -> bool {
    Place::reach(Path::new(path), 0).is_ok_and(|other| other.key == place.key)
}

/// Makes what is remembered under a place's key the place's own: sets another account's aside, and
/// carries over what stands under an earlier key of the same path and account.
pub(crate) fn claim(sources: &Folder, place: &Place) -> Result<(), Error> {
    if known(sources, &place.key)? {
        let state = State::of_key(sources, &place.key)?;
        let origin = origin_of(sources, &place.key, state.as_ref())?;
        let foreign = match (&origin, &state) {
            (Some(origin), _) => origin.compare(place) == Agreement::Foreign,
            // 1.0.0 did not note whose it was.
            (None, Some(state)) => {
                *state.path != *place.path.to_string_lossy() && !leads_to(&state.path, place)
            }
            (None, None) => false,
        };
        if !foreign {
            return Ok(());
        }
        let path = origin.map_or_else(|| state.unwrap_or_default().path, |origin| origin.words());
        let aside = format!("{}-{}", place.key, fingerprint::of_name(&path));
        state::move_all(sources, &place.key, &aside)?;
        detail!("what was remembered of a login at {path} is set aside as '{aside}'");
    }
    adopt(sources, place)
}

/// Carries what is remembered of a path and an account over to the key that it has by now: device
/// numbers change with a reboot on some file systems, and a folder may have been made anew.
fn adopt(sources: &Folder, place: &Place) -> Result<(), Error> {
    for name in sources.names()? {
        let Some(key) = name.to_str().and_then(|name| name.strip_suffix(".json")) else { continue };
        // What cannot be read is another source's trouble.
        let Ok(Some(state)) = State::of_key(sources, key) else { continue };
        let same_owner = state.owner.is_none_or(|owner| owner == place.owner);
        if same_owner && *state.path == *place.path.to_string_lossy() {
            return state::move_all(sources, key, &place.key);
        }
    }
    Ok(())
}

/// A saved login that stands aside: it was another account's, whose folder or path the place has now.
#[derive(Debug)]
pub(crate) struct Stray {
    /// Whose it was, in words.
    pub(crate) whose: String,
    /// Its file's name.
    pub(crate) file: String,
}

/// The first saved login that stands aside for a place.
pub(crate) fn stray(sources: &Folder, place: &Place) -> Result<Option<Stray>, Error> {
    for name in sources.names()? {
        let Some(file) = name.to_str() else { continue };
        let Some(key) = pending_grant::SUFFIXES.iter().find_map(|suffix| file.strip_suffix(suffix))
        else {
            continue;
        };
        if key == place.key {
            continue;
        }
        let state = State::of_key(sources, key).ok().flatten();
        let origin = pending_grant::origin(sources, file).ok().flatten();
        let path = origin.as_ref().map(|origin| &origin.path);
        let path = path.or(state.as_ref().map(|state| &state.path)).cloned().unwrap_or_default();
        let same_folder = key.strip_prefix(&*place.key).is_some_and(|rest| rest.starts_with('-'));
        if same_folder || *path == *place.path.to_string_lossy() {
            let whose = origin.map_or_else(|| format!("'{path}'"), |origin| origin.words());
            return Ok(Some(Stray { whose, file: file.to_owned() }));
        }
    }
    Ok(None)
}

fn known(sources: &Folder, key: &str) -> Result<bool, Error> {
    for suffix in state::SUFFIXES {
        if sources.stat(&format!("{key}{suffix}"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whose it is that stands under a key, if that was noted: a saved answer knows best.
fn origin_of(sources: &Folder, key: &str, state: Option<&State>) -> Result<Option<Origin>, Error> {
    for suffix in pending_grant::SUFFIXES {
        if let Some(origin) = pending_grant::origin(sources, &format!("{key}{suffix}"))? {
            return Ok(Some(origin));
        }
    }
    Ok(state.and_then(State::origin))
}
