//! Answers on stdout, talk on stderr.

use std::io::{IsTerminal, Write};

use serde_json::json;

use crate::app::error::Error;
use crate::app::refresh::Renewal;
use crate::app::report::{Report, SinkReport};
use crate::app::status::{Ahead, Status};
use crate::cli::ahead;
use crate::cli::exit::Exit;
use crate::domain::gateway::Ledger;
use crate::domain::messages;
use crate::domain::time::{Timestamp, in_words};
use crate::os::journal::printable;

/// The version of the JSON that `status --json` writes; it grows with every change that can break a reader.
const STATUS_SCHEMA: u32 = 1;

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
            let hint = hint_line(problem.hint.as_deref());
            log::error!(MESSAGE_ID = messages::id("configuration"); "{problem}{hint}");
        }
        return;
    }
    log::error!("{error}{}", hint_line(error.hint().as_deref()));
}

fn hint_line(hint: Option<&str>) -> String {
    hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default()
}

/// Shows what a sync would do.
pub(crate) fn plan(reports: &[Report]) {
    let mut text = String::new();
    for report in reports {
        let (link, path) = (&report.link, report.source_path.display().to_string());
        text.extend([format!("{link}: {}\n", report.source.message(&path))]);
        for sink in &report.sinks {
            let deed = if sink.written { "would be written".to_owned() } else { state_of(sink) };
            text.extend([format!("{link}: {}{}: {deed}\n", sink.kind, place_of(sink))]);
        }
        for remark in &report.remarks {
            text.extend([format!("{link}: {}\n", remark.text)]);
        }
    }
    answer(&text);
}

/// Shows what a refresh would do.
pub(crate) fn renewals(renewals: &[Renewal]) {
    let line = |renewal: &Renewal| {
        let links = renewal.links.join(", ");
        let said = renewal.lines().into_iter().map(|line| format!("{links}: {}\n", line.text));
        said.collect::<String>()
    };
    answer(&renewals.iter().map(line).collect::<String>());
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
    let links = status.links.iter().zip(&status.ahead);
    if as_json {
        let links: Vec<_> = links.map(|(link, ahead)| link_json(link, ahead, status.now)).collect();
        let root = json!({"schema": STATUS_SCHEMA, "time": status.now.to_string(), "links": links});
        answer(&format!("{root:#}\n"));
    } else {
        let text = links.map(|(link, ahead)| link_text(link, ahead, status.now));
        answer(&text.collect::<String>());
    }
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
            "message": report.source.message(&report.source_path.display().to_string()),
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

fn link_text(report: &Report, ahead: &Ahead, now: Timestamp) -> String {
    let path = report.source_path.display();
    let mut text = format!("{}\n  source  {}  '{path}'\n", report.link, report.source.name());
    let expiry = report.source.credential().map(|credential| credential.expiry);
    match ahead.prospect.expiry.or(expiry) {
        Some(expiry) if expiry > now => {
            let left = in_words(expiry.left(now));
            text.extend([format!("          access token ends at {expiry}, in {left}\n")]);
        }
        _ => text.extend([format!("          {}\n", report.source.message(&path.to_string()))]),
    }
    text += &ahead::text(report, ahead, now);
    for sink in &report.sinks {
        text.extend([format!("  sink    {}{}: {}\n", sink.kind, place_of(sink), state_of(sink))]);
    }
    text += &gateway_text(&report.gateway);
    for remark in &report.remarks {
        text.extend([format!("          {}\n", remark.text)]);
    }
    text
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

fn gateway_text(ledger: &Ledger) -> String {
    let mut text = String::new();
    if let Some(pending) = &ledger.pending {
        let why = pending.waits.as_deref().unwrap_or("it is under work");
        let next = pending.next_try.map(|moment| format!(", next try at {moment}"));
        text.extend([format!("  gateway waits: {why}{}\n", next.unwrap_or_default())]);
    }
    if let Some(act) = ledger.history.last().filter(|act| act.outcome == "done") {
        let gap = act.gap_ms.map(|gap| format!(", gone for {gap} ms")).unwrap_or_default();
        text.extend([format!("  gateway {} at {}{gap}\n", act.deed, act.time)]);
    }
    text
}

/// Writes the answer; a reader that is gone is no failure.
pub(crate) fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    let safe = if out.is_terminal() { printable(text) } else { text.to_owned() };
    let _ = out.write_all(safe.as_bytes()).and_then(|()| out.flush());
}
