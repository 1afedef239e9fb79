//! What a sync found and did, link by link.

pub(crate) mod gateway_request;
mod line;
pub(crate) mod log_dedup;

use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::app::report::gateway_request::Parting;
use crate::domain::acceptance::Mark;
use crate::domain::gateway::Ledger;
use crate::domain::incident::Kind;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::fs::dir::{Refused, Seen};

pub(crate) use line::{Line, RECOVERED};

/// Whether the files of a link lie where they may not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Files {
    /// They do not.
    #[default]
    Here,
    /// They do, and answered a process of its own.
    Answered(Refused),
    /// They do, and did not answer.
    Silent(Refused),
}

/// What became of one link.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The link's name.
    pub(crate) link: String,
    /// Where its source is.
    pub(crate) source_path: PathBuf,
    /// The state of its source.
    pub(crate) source: Source,
    /// The host that renews its login, if that is another one.
    pub(crate) renewed_by: Option<String>,
    /// The command that helps where a person has to sign in, or that host has to act.
    pub(crate) sign_in: Hint,
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
    /// Whether its files lie where they may not answer.
    pub(crate) files: Files,
    /// What its gateway is still to be asked.
    #[serde(skip)]
    pub(crate) parting: Option<Parting>,
}

/// What became of one sink.
#[derive(Debug, Serialize, Deserialize)]
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
    #[serde(skip)]
    pub(crate) replaced: Vec<Rc<Seen>>,
}

/// The state of a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SinkState {
    /// It holds the token that it should.
    InStep,
    /// It holds another one; why it was not updated, where that is known.
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
    /// The system refused; its message and the command that fixes it.
    Failed(String, Option<Hint>),
}

impl SinkState {
    /// The word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::InStep | Self::Unsettled(_) => "up to date",
            Self::Stale(_) | Self::Busy(_) => "stale",
            Self::Absent(_) => "missing",
            Self::Refused(_) => "refused",
            Self::Unused(_) => "unused",
            Self::Hidden(_) => "shadowed",
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

impl Report {
    /// One message about its source.
    pub(crate) fn source_message(&self) -> String {
        let path = self.source_path.display().to_string();
        match &self.renewed_by {
            Some(host) => self.source.message_of_follower(&path, host),
            None => self.source.message(&path),
        }
    }

    /// Says whether only a person can help, by signing in here.
    pub(crate) fn needs_person(&self) -> bool {
        self.renewed_by.is_none() && self.source.needs_person()
    }

    /// Says whether the source is in the middle of being written.
    pub(crate) fn half_written(&self) -> bool {
        !self.locked && matches!(self.source, Source::HalfWritten)
    }

    /// Says whether somebody held a lock that will be free in a moment.
    pub(crate) fn busy(&self) -> bool {
        self.locked || self.sinks.iter().any(|sink| matches!(sink.state, SinkState::Busy(_)))
    }

    /// Says whether a sink could not be written; it is tried again, less and less often.
    pub(crate) fn has_failed(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.state, SinkState::Failed(..)))
    }

    /// Lets the gateway know, and lets go of what was replaced.
    pub(crate) fn let_go(&mut self) {
        self.parting = None;
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
}
