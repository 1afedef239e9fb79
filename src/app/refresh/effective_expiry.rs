//! What our state knows of a source besides what stands there: the true expiry in place of the one
//! that is there for the CLI's sake, and what the server has refused.

use crate::app::context::Ground;
use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::sources;
use crate::app::refresh::state::State;
use crate::domain::config::settings::Settings;
use crate::domain::credential::{Content, Credential};
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// Gives a source that was just read its true expiry: sinks and people are told no other.
pub(crate) fn with_true_expiry(
    ground: &Ground,
    settings: &Settings,
    source: Source,
    now: Timestamp,
) -> Source {
    match credential(ground, settings, &source) {
        Some(credential) => Source::of(Content::Login(credential), now),
        None => source,
    }
}

/// The access token whose login the server refused to renew last.
pub(crate) fn refused(ground: &Ground, settings: &Settings) -> Option<Fingerprint> {
    state(ground, settings)?.refused
}

/// The credential with its true expiry; `None` if the file says the truth, as far as is known.
fn credential(ground: &Ground, settings: &Settings, source: &Source) -> Option<Credential> {
    let credential = source.credential()?;
    let state = state(ground, settings)?;
    let fingerprint = ground.fingerprinter.of(&credential.access_token);
    let expiry = state.nudge?.true_expiry(credential, fingerprint)?;
    Some(Credential { expiry, ..credential.clone() })
}

fn state(ground: &Ground, settings: &Settings) -> Option<State> {
    let sources = sources(ground, false).ok()??;
    let place = Place::reach(&settings.claude_credentials, settings.max_credentials_size).ok()?;
    State::load(&sources, &place).ok()
}
