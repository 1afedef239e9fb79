//! Puts a link's report into the form that is judged.

use log::Level;

use crate::app::report::{Report, SinkReport, SinkState};
use crate::domain::config::settings::Settings;
use crate::domain::credential::Credential;
use crate::domain::health::{self, Condition, Health, Sink, View};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// Judges a link by its settings and by what a sync would find now.
pub(crate) fn of(settings: &Settings, report: &Report, now: Timestamp) -> Health {
    let sinks: Vec<Sink> = report.sinks.iter().map(sink).collect();
    let errors = report.remarks.iter().filter(|remark| remark.level == Level::Error);
    health::judge(&View {
        source: &report.source,
        login_end: login_end(&report.source),
        passed: report.wanted.map(|mark| mark.expiry),
        margin: (!settings.refresh.is_empty()).then_some(settings.refresh_margin),
        sinks: &sinks,
        troubles: errors.map(|remark| remark.text.clone()).collect(),
        worries: Vec::new(),
        now,
    })
}

/// When the login ends, where the file tells; a setup-token is its own end.
pub(crate) fn login_end(source: &Source) -> Option<Timestamp> {
    let of = |credential: &Credential| match credential.refresh_token {
        Some(_) => credential.login_end,
        None => Some(credential.expiry),
    };
    source.credential().and_then(of)
}

fn sink(report: &SinkReport) -> Sink {
    let condition = match &report.state {
        SinkState::InStep | SinkState::Unused(_) | SinkState::Unsettled(_) => Condition::InStep,
        SinkState::Stale(None) | SinkState::Busy(_) => Condition::Pending,
        SinkState::Absent(_) => Condition::Absent,
        SinkState::Stale(Some(why))
        | SinkState::Hidden(why)
        | SinkState::Refused(why)
        | SinkState::Failed(why, _) => Condition::Stuck(why.clone()),
    };
    Sink { name: report.kind.name(), condition, expiry: report.expiry }
}
