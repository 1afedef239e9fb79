//! What a sync found and did, link by link.

use std::path::PathBuf;
use std::rc::Rc;

use log::Level;

use crate::domain::acceptance::Mark;
use crate::domain::gateway::Ledger;
use crate::domain::gateway::paste;
use crate::domain::incident::Kind;
use crate::domain::messages;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::folder::Seen;
use crate::os::journal::detail;

/// The state of an incident that is over.
pub(crate) const RECOVERED: &str = "recovered";

/// What became of one link.
#[derive(Debug)]
pub(crate) struct Report {
    /// The link's name.
    pub(crate) link: String,
    /// Where its source is.
    pub(crate) source_path: PathBuf,
    /// The state of its source.
    pub(crate) source: Source,
    /// The command that helps where a person has to sign in.
    pub(crate) sign_in: String,
    /// The token that the sinks should hold.
    pub(crate) wanted: Option<Mark>,
    /// Each sink, in the order of its kind.
    pub(crate) sinks: Vec<SinkReport>,
    /// The incidents that tell people already.
    pub(crate) told: Vec<Kind>,
    /// Whether another of our processes works on this link right now.
    pub(crate) locked: bool,
    /// What is to be said besides: OpenClaw's version, a file that was moved aside.
    pub(crate) remarks: Vec<Line>,
    /// What is known of its gateway.
    pub(crate) gateway: Ledger,
}

/// What became of one sink.
#[derive(Debug)]
pub(crate) struct SinkReport {
    /// Which sink.
    pub(crate) kind: SinkKind,
    /// Its file, if it is one.
    pub(crate) path: Option<PathBuf>,
    /// Its state after the sync.
    pub(crate) state: SinkState,
    /// When it says that its token ends.
    pub(crate) expiry: Option<Timestamp>,
    /// Whether this sync wrote it, or would have in a dry run.
    pub(crate) written: bool,
    /// Whether its file did not exist before.
    pub(crate) is_new: bool,
    /// What was replaced, still open: to free it costs a disk that discards at once as much as the
    /// new file did, and nobody has to wait for that.
    pub(crate) replaced: Vec<Rc<Seen>>,
}

/// The state of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SinkState {
    /// It holds the token that it should.
    InStep,
    /// It holds another one; why it was not brought in step, where that is known.
    Stale(Option<String>),
    /// There is no such file, or no place in it, and none is to be made; why.
    Absent(String),
    /// Writing it would do harm, or nothing; why, and what to do instead.
    Refused(String),
    /// It holds the token, but OpenClaw uses another place before it; which.
    Unused(String),
    /// It is stored, but OpenClaw uses another profile first; which.
    Hidden(String),
    /// Somebody else holds it for a moment; it is tried again at once.
    Busy(String),
    /// It holds the token, but could lose it when the power fails; why.
    Unsettled(String),
    /// The system refused; its message and the command that mends it.
    Failed(String, Option<String>),
}

impl SinkState {
    /// The word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::InStep | Self::Unsettled(_) => "in step",
            Self::Stale(_) | Self::Busy(_) => "stale",
            Self::Absent(_) => "absent",
            Self::Refused(_) => "refused",
            Self::Unused(_) => "unused",
            Self::Hidden(_) => "hidden",
            Self::Failed(..) => "failed",
        }
    }

    /// Why it is so.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::InStep => None,
            Self::Stale(why) => why.as_deref(),
            Self::Absent(why)
            | Self::Refused(why)
            | Self::Busy(why)
            | Self::Unsettled(why)
            | Self::Unused(why)
            | Self::Hidden(why)
            | Self::Failed(why, _) => Some(why),
        }
    }
}

/// One thing to say.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// How much it matters.
    pub(crate) level: Level,
    /// What happened and what follows.
    pub(crate) text: String,
    /// The exact command that helps.
    pub(crate) hint: Option<String>,
    /// Which sink it is about.
    pub(crate) sink: Option<SinkKind>,
    /// The state of the source or sink, for the journal.
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
        let text = match &self.hint {
            Some(hint) => format!("{link}: {}\nhint: {hint}", self.text),
            None => format!("{link}: {}", self.text),
        };
        if self.level >= Level::Debug {
            return detail!("{text}");
        }
        let (level, state, expiry) = (self.level, self.state, expiry.as_str());
        match messages::id(self.message()) {
            "" => log::log!(level, link, sink, state, expiry; "{text}"),
            id => log::log!(level, MESSAGE_ID = id, link, sink, state, expiry; "{text}"),
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
    /// Says whether the source is in the middle of being written.
    pub(crate) fn half_written(&self) -> bool {
        !self.locked && matches!(self.source, Source::HalfWritten)
    }

    /// Says whether somebody held a lock that will be free in a moment.
    pub(crate) fn busy(&self) -> bool {
        self.locked || self.sinks.iter().any(|sink| matches!(sink.state, SinkState::Busy(_)))
    }

    /// Lets go of what was replaced.
    pub(crate) fn let_go(&mut self) {
        self.sinks.iter_mut().for_each(|sink| sink.replaced.clear());
    }

    /// When the state of the source turns without anybody's doing.
    pub(crate) fn turns_at(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Living(credential) | Source::Static(credential) => Some(credential.expiry),
            Source::Waiting(credential, until) => Some((*until).min(credential.expiry)),
            _ => None,
        }
    }

    /// Everything there is to say, in order.
    pub(crate) fn lines(&self) -> Vec<Line> {
        if self.locked {
            let text = "another process is bringing it in step right now".to_owned();
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
        let text = self.source.message(&self.source_path.display().to_string());
        let is_old = matches!(self.source, Source::Superseded(_));
        let needs_person = is_old || self.source.needs_person();
        let hint = self.source.hint().or_else(|| needs_person.then(|| self.sign_in.clone()));
        let expiry = self.source.credential().map(|credential| credential.expiry);
        let state = self.source.name();
        Some(Line { level, text, hint, sink: None, state, expiry, is_deed: false })
    }

    fn sink_lines(&self) -> impl Iterator<Item = Line> {
        self.sinks.iter().filter_map(|sink| sink.line(self.wanted))
    }
}

impl SinkReport {
    fn line(&self, wanted: Option<Mark>) -> Option<Line> {
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
            SinkState::Hidden(why) => (Level::Warn, format!("{} is hidden: {why}", self.kind)),
            SinkState::InStep
            | SinkState::Unused(_)
            | SinkState::Absent(_)
            | SinkState::Stale(None) => return None,
            SinkState::Busy(why) => (Level::Debug, format!("{}{place} waits: {why}", self.kind)),
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
            SinkState::Hidden(_) => Some(paste::order_command()),
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
