//! Makes what is remembered of a login the place's own, and keeps what was another account's aside.

use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::origin::{Agreement, Origin, leads_to};
use crate::app::refresh::pending_grant;
use crate::app::refresh::state::{self, State};
use crate::os::error::Error;
use crate::os::fingerprint;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;

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
