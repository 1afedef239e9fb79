//! Why sinks could not be written: kept in the run folder, where a full disk does not matter, so that
//! whoever only looks knows it too.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::app::context::Places;
use crate::app::report::{Report, SinkReport, SinkState};
use crate::app::state::record;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// A sink that could not be written.
#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    kind: SinkKind,
    path: Option<PathBuf>,
    why: String,
    hint: Option<Hint>,
}

/// Remembers what a sync could not write, and forgets what it could.
pub(crate) fn keep(places: &Places, report: Report) -> Report {
    if let Err(error) = try_keep(places, &report) {
        detail!("{}: {error}: status does not know what could not be written", report.link);
    }
    report
}

/// Adds the reasons to a report of how things stand.
pub(crate) fn recall(places: &Places, report: &mut Report) {
    let run = Folder::reach(&places.run_dir);
    let seen = run.and_then(|run| run.read(&file_name(&report.link), LIMIT));
    let failures: Vec<Failure> =
        seen.ok().flatten().and_then(|seen| record::read(&seen.bytes)).unwrap_or_default();
    for Failure { kind, path, why, hint } in failures {
        let is_it = |sink: &&mut SinkReport| {
            let is_open = sink.is_new || sink.state == SinkState::Stale(None);
            sink.kind == kind && sink.path == path && is_open
        };
        if let Some(sink) = report.sinks.iter_mut().find(is_it) {
            sink.state = SinkState::Failed(why, hint);
        }
    }
}

fn try_keep(places: &Places, report: &Report) -> Result<(), Error> {
    let failed = report.sinks.iter().filter_map(|sink| match &sink.state {
        SinkState::Failed(why, hint) => Some(Failure {
            kind: sink.kind,
            path: sink.path.clone(),
            why: why.clone(),
            hint: hint.clone(),
        }),
        _ => None,
    });
    let failed: Vec<Failure> = failed.collect();
    let (run, name) = (Folder::reach(&places.run_dir)?, file_name(&report.link));
    if failed.is_empty() {
        return run.remove(&name).map(|_| ());
    }
    let text = serde_json::to_vec(&failed).unwrap_or_default();
    atomic_write::replace(&run, &name, &text, Durability::Lazy)
}

fn file_name(link: &str) -> String {
    format!("unwritten-{link}.json")
}
