//! What must survive a crash of ours about the Claude CLI: `claude/ID.json` in the state folder.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::claude_cli::RUNS_AN_HOUR;
use crate::domain::credential::Credential;
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fingerprint::Fingerprinter;
use crate::os::folder::Folder;
use crate::os::stage::{self, Durability};

const FOLDER: &str = "claude";
const LIMIT: u64 = 1 << 20;
const HOUR: Duration = Duration::from_secs(3600);

/// The notes on one source.
#[derive(Debug)]
pub(crate) struct Notes {
    folder: Option<Folder>,
    name: String,
    text: Text,
    fingerprinter: Fingerprinter,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Text {
    source: String,
    nudge: Option<Nudge>,
    /// When the CLI was started, in ms, the newest last.
    runs: Vec<i64>,
}

/// An expiry in the file that is not the true one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nudge {
    token: String,
    expiry: i64,
    nudged: i64,
    /// The true expiry as it was written.
    truth: Value,
}

impl Nudge {
    /// Remembers that the token of this fingerprint ends at `expiry`, whatever the file says.
    pub(crate) fn new(
        token: Fingerprint,
        expiry: Timestamp,
        nudged: Timestamp,
        truth: Value,
    ) -> Self {
        Self { token: token.to_hex(), expiry: expiry.0, nudged: nudged.0, truth }
    }

    /// Says whether a login with this token and expiry is the nudged one.
    pub(crate) fn is_for(&self, token: Fingerprint, expiry: Timestamp) -> bool {
        self.token == token.to_hex() && self.nudged == expiry.0
    }

    /// The true expiry as the file had it.
    pub(crate) fn truth(&self) -> &Value {
        &self.truth
    }
}

impl Notes {
    /// Opens the notes on the source at `source`, to be written.
    pub(crate) fn open(
        state: &Folder,
        fingerprinter: &Fingerprinter,
        source: &Path,
    ) -> Result<Self, Error> {
        Self::read(Some(state.make(FOLDER)?), fingerprinter, source)
    }

    /// Reads the notes on the source at `source` and makes nothing.
    pub(crate) fn look(
        state: &Folder,
        fingerprinter: &Fingerprinter,
        source: &Path,
    ) -> Result<Self, Error> {
        match state.enter(Path::new(FOLDER)) {
            Ok(folder) => Self::read(Some(folder), fingerprinter, source),
            Err(error) if error.is_absent() => Self::read(None, fingerprinter, source),
            Err(error) => Err(error),
        }
    }

    fn read(
        folder: Option<Folder>,
        fingerprinter: &Fingerprinter,
        source: &Path,
    ) -> Result<Self, Error> {
        let source = source.to_string_lossy().into_owned();
        // A path can be longer than a name may be.
        let name = format!("{}.json", fingerprinter.of(&Secret::new(source.as_str())).to_hex());
        let seen = folder.as_ref().map(|folder| folder.read(&name, LIMIT)).transpose()?.flatten();
        let text = seen.and_then(|seen| serde_json::from_slice::<Text>(&seen.bytes).ok());
        let fresh = || Text { source: source.clone(), ..Text::default() };
        let text = text.filter(|text| text.source == source).unwrap_or_else(fresh);
        Ok(Self { folder, name, text, fingerprinter: fingerprinter.clone() })
    }

    /// The access token's fingerprint.
    pub(crate) fn fingerprint(&self, credential: &Credential) -> Fingerprint {
        self.fingerprinter.of(&credential.access_token)
    }

    /// Gives a credential read from the file its true expiry.
    pub(crate) fn with_truth(&self, credential: Credential) -> Credential {
        match &self.text.nudge {
            Some(nudge) if nudge.is_for(self.fingerprint(&credential), credential.expiry) => {
                Credential { expiry: Timestamp(nudge.expiry), ..credential }
            }
            _ => credential,
        }
    }

    /// The earlier expiry that may stand in the file.
    pub(crate) fn nudge(&self) -> Option<&Nudge> {
        self.text.nudge.as_ref()
    }

    /// Remembers an earlier expiry before it is written to the file.
    pub(crate) fn remember(&mut self, nudge: Nudge) -> Result<(), Error> {
        self.text.nudge = Some(nudge);
        self.save()
    }

    /// Forgets it once the file does not say it any more.
    pub(crate) fn forget(&mut self) -> Result<(), Error> {
        self.text.nudge = None;
        self.save()
    }

    /// When the CLI may be called again, if that is not now.
    pub(crate) fn next_run(&self, now: Timestamp) -> Option<Timestamp> {
        let runs = &self.text.runs;
        // One from the time to come is of a clock that was wrong: it must not stop us for ever.
        let recent = |run: &&i64| **run > now.before(HOUR).0 && **run <= now.0;
        let first = runs.iter().rev().filter(recent).nth(RUNS_AN_HOUR - 1);
        first.map(|first| Timestamp(*first).after(HOUR))
    }

    /// Counts a call of the CLI, before it is made.
    pub(crate) fn count_run(&mut self, now: Timestamp) -> Result<(), Error> {
        self.text.runs.push(now.0);
        let excess = self.text.runs.len().saturating_sub(RUNS_AN_HOUR);
        self.text.runs.drain(..excess);
        self.save()
    }

    fn save(&self) -> Result<(), Error> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let bytes = serde_json::to_vec(&self.text).unwrap_or_default();
        stage::replace(folder, &self.name, &bytes, Durability::Flushed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn notes(place: &tempfile::TempDir) -> Notes {
        let state = Folder::reach(place.path()).unwrap();
        let fingerprinter = Fingerprinter::load(&state).unwrap();
        Notes::open(&state, &fingerprinter, Path::new("/home/claw/.credentials.json")).unwrap()
    }

    fn credential(token: &str, expiry: i64) -> Credential {
        let access_token = Secret::new(token);
        Credential { access_token, refresh_token: None, expiry: Timestamp(expiry), login_end: None }
    }

    #[test]
    fn the_true_expiry_survives_and_counts_only_for_the_nudged_login() {
        let place = tempfile::tempdir().unwrap();
        let mut first = notes(&place);
        let token = first.fingerprint(&credential("access-A", 0));
        let nudge = Nudge::new(token, Timestamp(900), Timestamp(240), json!(900));
        first.remember(nudge).unwrap();
        let mut second = notes(&place);
        assert_eq!(second.with_truth(credential("access-A", 240)).expiry, Timestamp(900));
        assert_eq!(second.with_truth(credential("access-A", 241)).expiry, Timestamp(241));
        assert_eq!(second.with_truth(credential("access-B", 240)).expiry, Timestamp(240));
        second.forget().unwrap();
        assert!(notes(&place).nudge().is_none());
    }

    #[test]
    fn three_calls_an_hour_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let minute = |minute: i64| Timestamp(1_800_000_000_000 + minute * 60_000);
        for (now, next) in [
            (0, None),
            (10, None),
            (20, None),
            (30, Some(minute(60))),
            (59, Some(minute(60))),
            (60, None),
            (61, Some(minute(70))),
            (-600, None),
        ] {
            let mut notes = notes(&place);
            assert_eq!(notes.next_run(minute(now)), next, "minute {now}");
            if next.is_none() {
                notes.count_run(minute(now)).unwrap();
            }
        }
    }
}
