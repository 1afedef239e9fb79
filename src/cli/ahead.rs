//! Shows what lies ahead of a link: its second clock, the next renewal, what a person has to do.

use serde_json::{Value, json};

use crate::app::refresh::forecast::Prospect;
use crate::app::refresh::history::Entry;
use crate::app::report::Report;
use crate::app::status::Ahead;
use crate::domain::incident::{Kind, Open};
use crate::domain::login::LoginEnd;
use crate::domain::time::{Timestamp, in_words};

/// The lines of a link below its access token's.
pub(super) fn lines(report: &Report, ahead: &Ahead, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let login = ahead.people.login;
    lines.extend(login.map(|login| format!("          {}", login_text(login, now))));
    lines.extend(renewal_text(&ahead.prospect, now).map(|renewal| format!("  renewal {renewal}")));
    lines.extend(history_lines(&ahead.prospect.history));
    let is_told = ahead.people.open.iter().any(|open| open.kind == Kind::CannotSave);
    if let Some(why) = ahead.prospect.renewals.cannot_save.as_ref().filter(|_| !is_told) {
        lines.push(format!("  people  {}: {why}", Kind::CannotSave.name()));
    }
    for open in &ahead.people.open {
        let (kind, since) = (open.kind.name(), open.since);
        lines.push(format!("  people  {kind}, since {since}: {}", open.message));
        if open.kind.sign_in_helps() {
            lines.push(format!("          run: {}", report.sign_in));
        }
    }
    lines
}

/// Adds the same to a link's JSON.
pub(super) fn add(value: &mut Value, report: &Report, ahead: &Ahead, now: Timestamp) {
    value["login"] = match ahead.people.login {
        Some(login) => json!({"end": login.at.to_string(), "estimate": login.is_estimate}),
        None => Value::Null,
    };
    value["next_renewal"] = json!(ahead.prospect.due.map(|due| due.max(now).to_string()));
    value["renewals"] = serde_json::to_value(&ahead.prospect.history).unwrap_or_default();
    let incidents = ahead.people.open.iter().map(|open| incident(open, report));
    value["incidents"] = incidents.collect::<Vec<_>>().into();
}

fn login_text(login: LoginEnd, now: Timestamp) -> String {
    let (at, left) = (login.at, in_words(login.at.left(now)));
    match (login.is_estimate, login.at > now) {
        (false, true) => format!("login ends at {at}, in {left}"),
        (false, false) => format!("login expired at {at}"),
        (true, true) => format!("login ends about {at}, in {left} (estimate)"),
        (true, false) => format!("login may end at any moment, since {at} (estimate)"),
    }
}

fn renewal_text(prospect: &Prospect, now: Timestamp) -> Option<String> {
    let due = prospect.due?;
    let later = due > now;
    Some(if later {
        format!("at {due}, in {}", in_words(due.left(now)))
    } else {
        "due now".to_owned()
    })
}

/// The last renewal, and what was tried in vain since.
fn history_lines(history: &[Entry]) -> impl Iterator<Item = String> {
    let renewed = history.iter().rfind(|entry| entry.outcome == "renewed");
    let failed = history.last().filter(|entry| entry.outcome != "renewed");
    let renewed = renewed.map(|entry| {
        let tenths = entry.duration.saturating_add(50) / 100;
        let (took, tenth) = (tenths / 10, tenths % 10);
        format!(
            "          renewed at {} by method '{}' in {took}.{tenth} s",
            entry.time, entry.method
        )
    });
    let failed = failed.map(|entry| {
        let cause = entry.cause.as_deref().unwrap_or(&entry.outcome);
        let times =
            if entry.count == 1 { String::new() } else { format!(", {} times", entry.count) };
        format!("          not renewed at {}{times}: {cause}", entry.time)
    });
    renewed.into_iter().chain(failed)
}

fn incident(open: &Open, report: &Report) -> Value {
    let command = open.kind.sign_in_helps().then_some(&report.sign_in);
    json!({
        "kind": open.kind.name(),
        "since": open.since.to_string(),
        "said": open.said.to_string(),
        "message": open.message,
        "command": command,
    })
}
