//! A link's incidents on disk: `incidents/NAME.json` in the state directory.

use serde::{Deserialize, Serialize};

use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::incident::{Kind, Open};
use crate::domain::login::{ANOTHER_LOGIN, Known, ToldEnd};
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// What is kept of a link's login and its incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// When a sign-in was seen last; the login's first sight where none was.
    pub(crate) signed_in: Option<Timestamp>,
    /// The end that the login's file told last.
    pub(crate) login_end: Option<Timestamp>,
    /// The end that the CLI told last.
    pub(crate) told: Option<ToldEnd>,
    /// Whether nobody was signed in at the last look.
    pub(crate) signed_out: bool,
    /// Since when there has been no login.
    pub(crate) away: Option<Timestamp>,
    /// Since when what stands there has told nothing.
    pub(crate) unclear: Option<Timestamp>,
    /// What has been told and is not over.
    pub(crate) open: Vec<Open>,
}

impl State {
    /// Takes note of what stands in the source: a login that was not there before is a sign-in.
    pub(crate) fn observe(&mut self, source: &Source, now: Timestamp) {
        let tells_nothing =
            matches!(source, Source::HalfWritten | Source::Unreadable(..) | Source::Undated);
        self.unclear = if tells_nothing { self.unclear.or(Some(now)) } else { None };
        match source {
            _ if tells_nothing => {}
            Source::Absent | Source::Blanked | Source::Foreign(_) => {
                self.away = self.away.or(Some(now));
                // One without a login is also what the CLI passes through while it renews.
                self.signed_out |= !matches!(source, Source::Foreign(_));
            }
            _ => {
                self.away = None;
                let told = source.credential().and_then(|credential| credential.login_end);
                let is_later = told
                    .zip(self.login_end)
                    .is_some_and(|(told, known)| told > known.after(ANOTHER_LOGIN));
                if std::mem::take(&mut self.signed_out) || self.signed_in.is_none() || is_later {
                    self.sign_in(now);
                }
                self.login_end = told.or(self.login_end);
            }
        }
    }

    /// Takes note of what the CLI told of the login's end: a later end is that of a new sign-in.
    pub(crate) fn hear(&mut self, told: Option<ToldEnd>, now: Timestamp) {
        let is_heard = |told: &ToldEnd| self.told.is_some_and(|known| known.asked >= told.asked);
        // It was asked about the login before the sign-in.
        let is_old = |told: &ToldEnd| self.signed_in.is_some_and(|moment| told.asked < moment);
        let Some(told) = told.filter(|told| !is_heard(told) && !is_old(told)) else { return };
        let known = self.told.map(|known| known.at).or(self.login_end);
        if known.is_some_and(|known| told.at > known.after(ANOTHER_LOGIN)) {
            self.sign_in(now);
        }
        self.told = Some(told);
    }

    /// Takes note of a sign-in: the login's time begins anew.
    pub(crate) fn sign_in(&mut self, moment: Timestamp) {
        (self.signed_in, self.login_end, self.told) = (Some(moment), None, None);
        self.signed_out = false;
    }

    /// What is known of the login besides what its file tells.
    pub(crate) fn known(&self) -> Known {
        let told = self.told.map(|told| told.at);
        Known { signed_in: self.signed_in, end: self.login_end, told }
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    /// Another source starts anew.
    source: String,
    signed_in: Option<i64>,
    #[serde(default)]
    login_end: Option<i64>,
    #[serde(default)]
    told: Option<ToldEnd>,
    #[serde(default)]
    signed_out: bool,
    away: Option<i64>,
    unclear: Option<i64>,
    open: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    kind: String,
    since: i64,
    said: i64,
    message: String,
    token: Option<String>,
    login_end: Option<i64>,
}

/// Loads what is kept of the link `name`; nothing where there is no usable file.
pub(crate) fn load(folder: &Folder, name: &str, source: &str) -> Result<State, Error> {
    let seen = folder.read(&file_name(name), STATE_LIMIT)?;
    let file = seen.and_then(|seen| record::read::<File>(&seen.bytes));
    let Some(file) = file.filter(|file| file.source == source) else {
        return Ok(State::default());
    };
    Ok(State {
        signed_in: file.signed_in.map(Timestamp),
        login_end: file.login_end.map(Timestamp),
        told: file.told,
        signed_out: file.signed_out,
        away: file.away.map(Timestamp),
        unclear: file.unclear.map(Timestamp),
        open: file.open.iter().filter_map(Entry::read).collect(),
    })
}

/// Saves what is kept of the link `name`.
pub(super) fn save(folder: &Folder, name: &str, source: &str, state: &State) -> Result<(), Error> {
    let file = File {
        source: source.to_owned(),
        signed_in: state.signed_in.map(|moment| moment.0),
        login_end: state.login_end.map(|moment| moment.0),
        told: state.told,
        signed_out: state.signed_out,
        away: state.away.map(|moment| moment.0),
        unclear: state.unclear.map(|moment| moment.0),
        open: state.open.iter().map(Entry::of).collect(),
    };
    let bytes = serde_json::to_vec(&file).unwrap_or_default();
    atomic_write::replace(folder, &file_name(name), &bytes, Durability::Flushed)
}

fn file_name(link: &str) -> String {
    format!("{link}.json")
}

impl Entry {
    fn of(open: &Open) -> Self {
        Self {
            kind: open.kind.name().to_owned(),
            since: open.since.0,
            said: open.said.0,
            message: open.message.clone(),
            token: open.token.map(Fingerprint::to_hex),
            login_end: open.login_end.map(|moment| moment.0),
        }
    }

    fn read(&self) -> Option<Open> {
        Some(Open {
            kind: Kind::from_name(&self.kind)?,
            since: Timestamp(self.since),
            said: Timestamp(self.said),
            message: self.message.clone(),
            token: self.token.as_deref().and_then(Fingerprint::from_hex),
            login_end: self.login_end.map(Timestamp),
        })
    }
}
