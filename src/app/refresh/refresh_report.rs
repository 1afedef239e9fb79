//! What a refresh found and did, source by source.

use std::path::PathBuf;
use std::time::Duration;

use log::Level;

use crate::app::report::Line;
use crate::domain::acceptance::Mark;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours;
use crate::domain::pause::Activity;
use crate::domain::shell::Hint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// What became of one source.
#[derive(Debug)]
pub(crate) struct Renewal {
    /// The links that share it, by name.
    pub(crate) links: Vec<String>,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its state after all.
    pub(crate) source: Source,
    /// How it ended.
    pub(crate) conclusion: Conclusion,
    /// The command that helps where a person has to sign in.
    pub(crate) sign_in: Hint,
    /// What there is to say besides.
    pub(crate) remarks: Vec<Line>,
}

/// How a refresh of one source ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// There was nothing to do.
    Nothing,
    /// It is renewed at that moment, and nothing was done.
    NotDue(Timestamp),
    /// Nothing renews it here; why.
    Off(String),
    /// The file shows a new, living access token: the sinks are out of date and must be synced.
    Renewed {
        /// `cli`, `api`, `saved` for an answer of an earlier run, `another` for somebody else.
        method: &'static str,
        /// The new access token.
        mark: Mark,
    },
    /// It is tried again.
    Deferred {
        /// Why.
        cause: String,
        /// When.
        until: Timestamp,
        /// Whether that is news: something was tried.
        is_news: bool,
    },
    /// A person must sign in; why.
    NeedsPerson(String),
    /// No method can be used here; why, and the command that fixes it.
    Failed(String, Option<Hint>),
    /// The process that saw to it did not end in time, since its files did not answer; what there is to say.
    Silent(String),
    /// What would be done, in a dry run.
    Planned(String),
    /// Another process saw to it, said what there was to say, and had this exit status.
    Elsewhere(i32),
}

/// Why a link's login is not renewed here.
pub(super) fn off_reason(settings: &Settings, now: Timestamp) -> String {
    if let Some(pause) = settings.paused(Activity::Renew, now) {
        return pause.in_words();
    }
    match &settings.renewed_by {
        Some(host) => format!("{host} renews it (RENEWED_BY)"),
        None => "REFRESH is off".to_owned(),
    }
}

impl Conclusion {
    /// What is to be said of a source that is not renewed here: whoever insists is told that it failed.
    pub(super) fn off(settings: &Settings, is_forced: bool, now: Timestamp) -> Self {
        let why = off_reason(settings, now);
        if is_forced {
            let hint = settings.paused(Activity::Renew, now).map(|_| ours::resume(&settings.name));
            return Self::Failed(format!("{why}, whatever is asked for by hand"), hint);
        }
        Self::Off(why)
    }

    /// What is to be said of a source that is not to be renewed.
    pub(super) fn idle(source: &Source, now: Timestamp) -> Self {
        if let Source::Unreadable(message, hint) = source {
            return Self::Failed(message.clone(), hint.clone());
        }
        if source.needs_person() {
            let cause = match source {
                Source::Blanked => "Claude CLI emptied it, since the server refused to renew it",
                Source::Foreign(why) => why,
                Source::Undated => "it has no readable 'expiresAt'",
                Source::Absent => "there is no Claude login",
                _ => "it is an expired setup-token",
            };
            return Self::NeedsPerson(cause.to_owned());
        }
        if *source == Source::HalfWritten {
            let cause = "it is empty or cut off".to_owned();
            let until = now.after(Duration::from_secs(30));
            return Self::Deferred { cause, until, is_news: true };
        }
        Self::Nothing
    }
}

impl Renewal {
    /// Says whether the sinks are out of date and must be synced.
    pub(crate) fn is_renewed(&self) -> bool {
        matches!(self.conclusion, Conclusion::Renewed { .. })
    }

    /// Says whether nothing was done, and nothing has to be.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.conclusion, Conclusion::NotDue(_) | Conclusion::Off(_))
    }

    /// Everything there is to say, in order; nothing where there was nothing to do.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let path = self.path.display();
        let (level, text) = match &self.conclusion {
            Conclusion::Nothing | Conclusion::Elsewhere(_) => return self.remarks.clone(),
            Conclusion::Renewed { method, mark } => {
                let (fingerprint, expiry) = (mark.fingerprint, mark.expiry);
                let how = match *method {
                    "saved" => "was renewed by an answer that an earlier run had saved".to_owned(),
                    "another" => "was renewed by another program".to_owned(),
                    method => format!("was renewed by method '{method}'"),
                };
                let text = format!("'{path}' {how}: token {fingerprint} ends at {expiry}");
                (Level::Info, text)
            }
            Conclusion::Deferred { cause, until, is_news } => {
                let level = if *is_news { Level::Warn } else { Level::Debug };
                (
                    level,
                    format!("'{path}' is not renewed yet: {cause}; it is tried again at {until}"),
                )
            }
            Conclusion::NeedsPerson(cause) => {
                (Level::Error, format!("'{path}' requires sign-in: {cause}"))
            }
            Conclusion::Failed(cause, _) | Conclusion::Silent(cause) => {
                (Level::Error, format!("'{path}' cannot be renewed: {cause}"))
            }
            Conclusion::Planned(text) => (Level::Info, text.clone()),
            Conclusion::NotDue(due) => {
                let text = format!(
                    "'{path}' is not due, nothing was done: the next renewal is due at {due}"
                );
                (Level::Info, text)
            }
            Conclusion::Off(why) => {
                (Level::Info, format!("'{path}' is not renewed here, nothing was done: {why}"))
            }
        };
        let mut line = Line::remark(level, self.state(), text);
        line.is_deed = self.is_renewed();
        line.expiry = self.source.credential().map(|credential| credential.expiry);
        line.hint = match &self.conclusion {
            Conclusion::NeedsPerson(_) => Some(self.sign_in.clone()),
            Conclusion::Failed(_, hint) => hint.clone(),
            _ => None,
        };
        self.remarks.iter().cloned().chain([line]).collect()
    }

    /// Writes everything there is to say to the log.
    pub(crate) fn log(&self) {
        let links = self.links.join(", ");
        self.lines().iter().for_each(|line| line.log(&links));
    }

    /// The word for how it ended.
    pub(crate) fn state(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Nothing
            | Conclusion::NotDue(_)
            | Conclusion::Off(_)
            | Conclusion::Elsewhere(_) => "nothing",
            Conclusion::Renewed { .. } => "renewed",
            Conclusion::Deferred { .. } => "deferred",
            Conclusion::NeedsPerson(_) => "rejected",
            Conclusion::Failed(..) | Conclusion::Silent(_) => "failed",
            Conclusion::Planned(_) => "planned",
        }
    }
}
