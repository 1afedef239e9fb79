//! The report of a sync, from its beginning, and where nothing came of it.

use log::Level;

use crate::app::error::Error;
use crate::app::report::{Files, Line, Report, SinkState};
use crate::app::source;
use crate::domain::acceptance::Mark;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::Ledger;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

impl Report {
    pub(super) fn of(settings: &Settings, source: Source, wanted: Option<Mark>) -> Self {
        Self {
            link: settings.name.clone(),
            source_path: settings.claude_credentials.clone(),
            renewed_by: settings.renewed_by.clone(),
            sign_in: source::renewed_by_hand(settings, &source),
            source,
            wanted,
            sinks: Vec::new(),
            told: Vec::new(),
            locked: false,
            remarks: Vec::new(),
            gateway: Ledger::default(),
            files: Files::default(),
            parting: None,
        }
    }

    /// A link that could not be looked after at all.
    pub(crate) fn failed(settings: &Settings, error: &Error, now: Timestamp) -> Self {
        let source = source::of(settings, now);
        let mut report = Self::of(settings, source, None);
        report.trouble(error);
        report
    }

    /// Remembers what kept us from looking after the link.
    pub(crate) fn trouble(&mut self, error: &Error) {
        let text = format!("{error}: this link is left as it is");
        let mut line = Line::remark(Level::Error, "failed", text);
        line.hint = error.hint();
        self.remarks.push(line);
    }

    /// Nothing is known of a link that another of our processes works on.
    pub(super) fn locked(settings: &Settings) -> Self {
        Self { locked: true, ..Self::of(settings, Source::HalfWritten, None) }
    }

    /// Turns what a dry run would do into what is so now.
    pub(crate) fn as_it_stands(&mut self) {
        for sink in self.sinks.iter_mut().filter(|sink| sink.written) {
            sink.written = false;
            sink.state = if sink.is_new {
                SinkState::Absent("there is no such file yet".to_owned())
            } else {
                SinkState::Stale(None)
            };
        }
    }
}
