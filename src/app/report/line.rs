//! What there is to say about a report: the words, how much they matter, and what helps.
//!
//! What was said before is here once more; `said` keeps it from being said twice.

use log::Level;

use serde::{Deserialize, Serialize};

use crate::app::report::{Report, SinkReport, SinkState};
use crate::domain::acceptance::Mark;
use crate::domain::auth_profiles::OWN_PROFILE;
use crate::domain::hints::openclaw;
use crate::domain::incident::Kind;
use crate::domain::messages;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::journal::{below, detail};

/// The state of an incident that is over.
pub(crate) const RECOVERED: &str = "recovered";

/// One thing to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    /// How much it matters.
    pub(crate) level: Level,
    /// What happened and what follows.
    pub(crate) text: String,
    /// The exact command that helps.
    pub(crate) hint: Option<Hint>,
    /// Which sink it is about.
    pub(crate) sink: Option<SinkKind>,
    /// The state of the source or sink, for the journal; a process that only shows lines has no use for it.
    #[serde(skip)]
    pub(crate) state: &'static str,
    /// The expiry that it speaks of.
    pub(crate) expiry: Option<Timestamp>,
    /// Whether something was done, which is said each time, or just is so, which is said once.
    pub(crate) is_deed: bool,
}

impl Line {
    /// A remark on a link as a whole.
    pub(crate) fn remark(level: Level, state: &'static str, text: String) -> Self {
        Self { level, text, hint: None, sink: None, state, expiry: None, is_deed: false }
    }

    /// Writes it to the log with the journal's fields.
    pub(crate) fn log(&self, link: &str) {
        let sink = self.sink.map(SinkKind::name).unwrap_or_default();
        let expiry = self.expiry.map(|expiry| expiry.to_string()).unwrap_or_default();
        let (text, hint) = (format!("{link}: {}", self.text), below(self.hint.as_ref()));
        if self.level >= Level::Debug {
            return detail!("{text}");
        }
        let (level, state, expiry) = (self.level, self.state, expiry.as_str());
        match messages::id(self.message()) {
            "" => log::log!(level, hint, link, sink, state, expiry; "{text}"),
            id => log::log!(level, MESSAGE_ID = id, hint, link, sink, state, expiry; "{text}"),
        }
    }

    /// The name of the message in the journal's catalog.
    fn message(&self) -> &'static str {
        match self.sink {
            _ if self.level > Level::Warn && self.state != RECOVERED => "",
            Some(_) => messages::of_sink(self.state),
            None => messages::of_state(self.state),
        }
    }
}

impl Report {
    /// Everything there is to say, in order.
    pub(crate) fn lines(&self) -> Vec<Line> {
        if self.locked {
            let text = "a sync is already in progress".to_owned();
            return vec![Line::remark(Level::Debug, "locked", text)];
        }
        let source = self.source_line();
        let harm_told = self.told.contains(&Kind::HarmfulFile);
        let remarks = self.remarks.iter().filter(|line| !harm_told || line.state != "harmful");
        source.into_iter().chain(remarks.cloned()).chain(self.sink_lines()).collect()
    }

    fn source_line(&self) -> Option<Line> {
        let level = match &self.source {
            _ if self.told.iter().any(|kind| kind.needs_sign_in()) => return None,
            Source::Living(_) => return None,
            Source::Static(_) => Level::Info,
            Source::Blanked | Source::Foreign(_) | Source::Undated | Source::Unreadable(..) => {
                Level::Error
            }
            _ => Level::Warn,
        };
        let text = self.source_message();
        let is_old = matches!(self.source, Source::Superseded(_));
        let needs_person = is_old
            || self.source.needs_person()
            || self.renewed_by.is_some() && level <= Level::Warn;
        let hint = self.source.hint().or_else(|| needs_person.then(|| self.sign_in.clone()));
        let expiry = self.source.credential().map(|credential| credential.expiry);
        let state = self.source.name();
        Some(Line { level, text, hint, sink: None, state, expiry, is_deed: false })
    }

    fn sink_lines(&self) -> impl Iterator<Item = Line> {
        let order = self.gateway.paste.as_ref().map(|paste| paste.order.as_slice());
        let order = order.unwrap_or_default();
        self.sinks.iter().filter_map(move |sink| sink.line(self.wanted, order))
    }
}

impl SinkReport {
    fn line(&self, wanted: Option<Mark>, order: &[String]) -> Option<Line> {
        let place = self.path.as_ref().map(|path| format!(" '{}'", path.display()));
        let place = place.unwrap_or_default();
        let (level, text) = match &self.state {
            SinkState::InStep if self.written => {
                let mark = wanted?;
                let (fingerprint, expiry) = (mark.fingerprint, mark.expiry);
                let text = format!(
                    "{}{place} holds the new token {fingerprint}, which ends at {expiry}",
                    self.kind
                );
                (Level::Info, text)
            }
            SinkState::Unused(why) if self.written => {
                let text = format!("{}{place} holds the new token and is unused: {why}", self.kind);
                (Level::Info, text)
            }
            SinkState::Hidden(why) => (Level::Warn, format!("{} is shadowed: {why}", self.kind)),
            SinkState::InStep
            | SinkState::Unused(_)
            | SinkState::Absent(_)
            | SinkState::Stale(None) => return None,
            SinkState::Busy(why) => (Level::Debug, format!("{}{place} waits: {why}", self.kind)),
            SinkState::Stale(Some(why)) if self.written => {
                (Level::Warn, format!("{}{place} holds the new token, but {why}", self.kind))
            }
            SinkState::Stale(Some(why)) => {
                (Level::Warn, format!("{}{place} stays as it is: {why}", self.kind))
            }
            SinkState::Refused(why) => {
                (Level::Warn, format!("{}{place} is not written: {why}", self.kind))
            }
            SinkState::Unsettled(message) => {
                let text = format!(
                    "{message}: {} holds the new token, but could lose it when the power fails",
                    self.kind
                );
                (Level::Error, text)
            }
            SinkState::Failed(message, _) => {
                (Level::Error, format!("{message}, so {} keeps its old token", self.kind))
            }
        };
        let hint = match &self.state {
            SinkState::Failed(_, hint) => hint.clone(),
            SinkState::Hidden(_) => Some(openclaw::put_first(OWN_PROFILE, order)),
            _ => None,
        };
        let (state, is_deed) = (self.state.name(), self.written);
        Some(Line {
            level,
            text,
            hint,
            sink: Some(self.kind),
            state,
            expiry: wanted.map(|mark| mark.expiry),
            is_deed,
        })
    }
}
