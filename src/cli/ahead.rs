//! Shows what lies ahead of a link: its second clock, the next renewal, what a person has to do.

use serde_json::{Value, json};

use crate::app::prospect::Prospect;
use crate::app::status::Link;
use crate::domain::incident::Open;
use crate::domain::login::LoginEnd;
use crate::domain::time::{Timestamp, in_words};

/// The lines of a link below its access token's.
pub(super) fn text(link: &Link, now: Timestamp) -> String {
    let mut text = String::new();
    if let Some(login) = link.people.login {
        text += &format!("          {}\n", login_text(login, now));
    }
    if let Some(renewal) = renewal_text(&link.prospect, now) {
        text += &format!("  renewal {renewal}\n");
    }
    for open in &link.people.open {
        text +=
            &format!("  people  {}, since {}: {}\n", open.kind.name(), open.since, open.message);
        if open.kind.sign_in_helps() {
            text += &format!("          run: {}\n", link.report.sign_in);
        }
    }
    text
}

/// Adds the same to a link's JSON.
pub(super) fn add(value: &mut Value, link: &Link, now: Timestamp) {
    value["login"] = match link.people.login {
        Some(login) => json!({"end": login.at.to_string(), "estimate": login.is_estimate}),
        None => Value::Null,
    };
    value["next_renewal"] = json!(link.prospect.due.map(|due| due.max(now).to_string()));
    let incidents = link.people.open.iter().map(|open| incident(open, link));
    value["incidents"] = incidents.collect::<Vec<_>>().into();
}

fn login_text(login: LoginEnd, now: Timestamp) -> String {
    let (at, left) = (login.at, in_words(login.at.left(now)));
    match (login.is_estimate, login.at > now) {
        (false, true) => format!("login ends at {at}, in {left}"),
        (false, false) => format!("login ended at {at}"),
        (true, true) => format!("login ends about {at}, in {left} (estimate)"),
        (true, false) => format!("login may end at any moment, since {at} (estimate)"),
    }
}

fn renewal_text(prospect: &Prospect, now: Timestamp) -> Option<String> {
    let due = prospect.due?;
    Some(match due > now {
        true => format!("at {due}, in {}", in_words(due.left(now))),
        false => "due now".to_owned(),
    })
}

fn incident(open: &Open, link: &Link) -> Value {
    let command = open.kind.sign_in_helps().then_some(&link.report.sign_in);
    json!({
        "kind": open.kind.name(),
        "since": open.since.to_string(),
        "said": open.said.to_string(),
        "message": open.message,
        "command": command,
    })
}
