//! Answers on stdout, talk on stderr.

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use crate::app::error::Error;
use crate::app::refresh::Renewal;
use crate::app::report::{Report, SinkReport};
use crate::app::status::last_run::{Part, Run};
use crate::app::status::{Ahead, Status};
use crate::cli::ahead;
use crate::cli::exit::Exit;
use crate::domain::gateway::Ledger;
use crate::domain::health::published::ServiceEntry;
use crate::domain::hints::ours;
use crate::domain::messages;
use crate::domain::time::{Timestamp, in_words};
use crate::domain::units::Trouble;
use crate::domain::visible::{visible, visible_json};
use crate::os::journal::below;

/// The version of the JSON that `status --json` writes; it grows with every change that can break a reader.
const STATUS_SCHEMA: u32 = 2;

/// Shows what clap has to say: help and version on stdout, a wrong call on stderr.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    // A reader that is gone wants nothing more.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// Shows why a command could not be carried out.
pub(crate) fn failure(error: &Error) {
    if let Error::Configuration(problems) = error {
        for problem in problems {
            let hint = below(problem.hint.as_ref());
            log::error!(MESSAGE_ID = messages::id("configuration"), hint; "{problem}");
        }
        return;
    }
    log::error!(hint = below(error.hint().as_ref()); "{error}");
}

/// Says that one of several links has to be named.
pub(crate) fn several(names: &[&str]) {
    let hint = ours::one_of(names);
    log::error!(hint = hint.to_string(); "there are several links");
}

/// Shows what a sync would do.
pub(crate) fn plan(reports: &[Report]) {
    let mut lines = Vec::new();
    for report in reports {
        let link = &report.link;
        lines.push(format!("{link}: {}", report.source_message()));
        for sink in &report.sinks {
            let deed = if sink.written { "would be written".to_owned() } else { state_of(sink) };
            lines.push(format!("{link}: {}{}: {deed}", sink.kind, place_of(sink)));
        }
        lines.extend(report.remarks.iter().map(|remark| format!("{link}: {}", remark.text)));
    }
    answer(lines);
}

/// Shows what a refresh would do.
pub(crate) fn renewals(renewals: &[Renewal]) {
    let said = renewals.iter().flat_map(|renewal| {
        let links = renewal.links.join(", ");
        renewal.lines().into_iter().map(move |line| format!("{links}: {}", line.text))
    });
    answer(said);
}

fn state_of(sink: &SinkReport) -> String {
    match sink.state.why() {
        Some(why) => format!("{}: {why}", sink.state.name()),
        None => sink.state.name().to_owned(),
    }
}

fn place_of(sink: &SinkReport) -> String {
    sink.path.as_ref().map(|path| format!(" '{}'", path.display())).unwrap_or_default()
}

/// Shows every link's state.
pub(crate) fn status(status: &Status, as_json: bool) {
    let links = status.links.iter();
    if as_json {
        let links: Vec<_> =
            links.map(|link| link_json(&link.report, &link.ahead, status.now)).collect();
        let service = status.service.iter().map(|trouble| service_json(&trouble.entry()));
        let service: Vec<_> = service.collect();
        let time = status.now.to_string();
        let runs: serde_json::Map<_, _> = status.runs.iter().map(run_json).collect();
        let root = json!({
            "schema": STATUS_SCHEMA,
            "time": time,
            "links": links,
            "service": service,
            "runs": runs,
        });
        answer_json(&root);
    } else {
        let links = links.flat_map(|link| link_lines(&link.report, &link.ahead, status.now));
        answer(links.chain(service_lines(&status.service)));
    }
}

/// The last run of a part.
fn run_json((part, run): &(Part, Run)) -> (String, serde_json::Value) {
    let ended = run.ended.map(|ended| ended.to_string());
    let run = json!({"begun": run.begun.to_string(), "ended": ended, "exit": run.exit});
    (part.name().to_owned(), run)
}

/// A fault of the service itself, for a program.
pub(super) fn service_json(entry: &ServiceEntry) -> serde_json::Value {
    json!({
        "id": entry.id,
        "status": entry.level.name(),
        "text": entry.text,
        "command": entry.command,
    })
}

fn service_lines(service: &[Trouble]) -> Vec<String> {
    let head = (!service.is_empty()).then(|| "service".to_owned());
    let lines = service.iter().flat_map(|trouble| {
        [
            format!("  {}  {}", trouble.level.name(), trouble.text),
            format!("          run: {}", trouble.command),
        ]
    });
    head.into_iter().chain(lines).collect()
}

fn link_json(report: &Report, ahead: &Ahead, now: Timestamp) -> serde_json::Value {
    let expiry = report.source.credential().map(|credential| credential.expiry);
    let expiry = ahead.prospect.expiry.or(expiry);
    let sinks = report.sinks.iter().map(|sink| {
        json!({
            "kind": sink.kind.name(),
            "path": sink.path,
            "state": sink.state.name(),
            "why": sink.state.why(),
            "expiry": sink.expiry.map(|expiry| expiry.to_string()),
        })
    });
    let mut value = json!({
        "name": report.link,
        "source": {
            "path": report.source_path,
            "state": report.source.name(),
            "message": report.source_message(),
            "expiry": expiry.map(|expiry| expiry.to_string()),
            "fingerprint": report.wanted.map(|mark| mark.fingerprint.to_string()),
        },
        "sinks": sinks.collect::<Vec<_>>(),
        "gateway": gateway_json(&report.gateway),
        "remarks": report.remarks.iter().map(|remark| remark.text.clone()).collect::<Vec<_>>(),
    });
    ahead::add(&mut value, report, ahead, now);
    value
}

fn link_lines(report: &Report, ahead: &Ahead, now: Timestamp) -> Vec<String> {
    let path = report.source_path.display();
    let name = report.source.name();
    let mut lines = vec![report.link.clone(), format!("  source  {name}  '{path}'")];
    let expiry = report.source.credential().map(|credential| credential.expiry);
    match ahead.prospect.expiry.or(expiry) {
        Some(expiry) if expiry > now => {
            let left = in_words(expiry.left(now));
            lines.push(format!("          access token ends at {expiry}, in {left}"));
        }
        _ => lines.push(format!("          {}", report.source_message())),
    }
    lines.extend(ahead::lines(report, ahead, now));
    for sink in &report.sinks {
        lines.push(format!("  sink    {}{}: {}", sink.kind, place_of(sink), state_of(sink)));
    }
    lines.extend(gateway_lines(&report.gateway));
    lines.extend(report.remarks.iter().map(|remark| format!("          {}", remark.text)));
    lines
}

/// What is known of a gateway: what it waits for and what was done last.
fn gateway_json(ledger: &Ledger) -> serde_json::Value {
    let time = |moment: Timestamp| moment.to_string();
    let last = ledger.history.last().map(|act| {
        json!({
            "time": time(act.time),
            "deed": act.deed,
            "outcome": act.outcome,
            "why": act.why,
            "gap_ms": act.gap_ms,
        })
    });
    let pending = ledger.pending.as_ref().map(|pending| {
        json!({
            "since": time(pending.since),
            "sinks": pending.sinks.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
            "attempts": pending.attempts,
            "next_try": pending.next_try.map(time),
            "why": pending.waits,
        })
    });
    let version = ledger.version.as_ref().map(|seen| seen.text.clone());
    json!({ "version": version, "pending": pending, "last": last })
}

fn gateway_lines(ledger: &Ledger) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(pending) = &ledger.pending {
        let why = pending.waits.as_deref().unwrap_or("it is under work");
        let next = pending.next_try.map(|moment| format!(", next try at {moment}"));
        lines.push(format!("  gateway waits: {why}{}", next.unwrap_or_default()));
    }
    if let Some(act) = ledger.history.last().filter(|act| act.outcome == "done") {
        let gap = act.gap_ms.map(|gap| format!(", gone for {gap} ms")).unwrap_or_default();
        let why = act.why.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        lines.push(format!("  gateway {} at {}{gap}{why}", act.deed, act.time));
    }
    lines
}

/// Writes the answer, line by line: what others wrote can neither end one nor steer a terminal.
pub(crate) fn answer<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) {
    let lines = lines.into_iter().map(|line| format!("{}\n", visible(line.as_ref())));
    write(&lines.collect::<String>());
}

/// Writes the answer to a program.
pub(crate) fn answer_json(value: &serde_json::Value) {
    write(&format!("{}\n", visible_json(&format!("{value:#}"))));
}

/// Writes what a process of this program's own asked for; nothing is there where another one hangs in it.
pub(crate) fn found(found: Option<&impl Serialize>) -> Exit {
    match found.and_then(|found| serde_json::to_string(found).ok()) {
        Some(text) => {
            write(&text);
            Exit::Done
        }
        None if found.is_some() => Exit::Failed,
        None => Exit::Deferred,
    }
}

/// Asks something; the line goes on with what is typed.
pub(crate) fn ask(question: &str) {
    write(&visible(question));
}

/// Writes text as it is, for what has to reach its reader byte for byte: the token.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that is gone is no failure.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
