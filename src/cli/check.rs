//! `check`: one line for a monitor, and the exit status of the monitors' own convention.

use std::process::ExitCode;

use serde_json::json;

use crate::app::error::Error;
use crate::app::ground::Places;
use crate::cli::render::{answer, answer_json};
use crate::cli::survey::{self, Survey, Surveyed};
use crate::domain::config::Problem;
use crate::domain::health::Level;
use crate::domain::order;

/// The version of the JSON that `check --json` writes.
const SCHEMA: u32 = 1;

/// Checks all links, or the one named; whatever keeps it from looking is "cannot tell".
pub(crate) fn carry_out(places: &Places, only: Option<&str>, as_json: bool) -> ExitCode {
    let survey = survey::sound(places, only);
    let level = match &survey {
        Ok(survey) => worst(survey),
        Err(Error::Configuration(faults)) => of_faults(faults).unwrap_or(Level::Unknown),
        Err(_) => Level::Unknown,
    };
    match (&survey, as_json) {
        (Ok(survey), true) => answer_json(&json_of(survey)),
        (Ok(survey), false) => answer([line(level, &all(survey))]),
        (Err(error), true) => {
            answer_json(&json!({"schema": SCHEMA, "status": level.name(), "error": why(error)}));
        }
        (Err(error), false) => answer([line(level, &why(error))]),
    }
    ExitCode::from(level as u8)
}

/// Says that the call itself is at fault, in the same form.
pub(crate) fn misused() -> ExitCode {
    answer([line(Level::Unknown, "wrong call, see oauth-sync check --help")]);
    ExitCode::from(Level::Unknown as u8)
}

fn worst(survey: &Survey) -> Level {
    let levels = survey.links.iter().map(|link| link.health.level).chain(of_faults(&survey.faults));
    levels.max_by_key(|level| level.gravity()).unwrap_or(Level::Unknown)
}

/// A file that somebody else could write is refused and its link stands still; of one with another fault
/// nothing can be told.
fn of_faults(faults: &[Problem]) -> Option<Level> {
    let is_refused = faults.iter().any(|fault| fault.line == 0);
    (!faults.is_empty()).then_some(if is_refused { Level::Wrong } else { Level::Unknown })
}

/// One line and no bar in it: what follows a bar is performance data to a monitor.
fn line(level: Level, text: &str) -> String {
    let text = text.replace('|', "/");
    format!("OAUTH-SYNC {} - {text}", level.word())
}

fn why(error: &Error) -> String {
    match error {
        Error::Configuration(faults) => told(faults),
        other => other.to_string(),
    }
}

fn told(faults: &[Problem]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What is to be said of the configuration and of all links, the gravest first.
fn all(survey: &Survey) -> String {
    let mut links: Vec<&Surveyed> = survey.links.iter().collect();
    order::sort_by_key(&mut links, |link| std::cmp::Reverse(link.health.level.gravity()));
    let faults = Some(told(&survey.faults)).filter(|text| !text.is_empty());
    faults.into_iter().chain(links.into_iter().map(one)).collect::<Vec<_>>().join("; ")
}

fn one(link: &Surveyed) -> String {
    let found = link.health.findings.iter().map(|(_, text)| text.as_str());
    let words: Vec<&str> =
        found.chain(Some(link.health.summary.as_str()).filter(|text| !text.is_empty())).collect();
    format!("{}: {}", link.report.link, words.join(", "))
}

fn json_of(survey: &Survey) -> serde_json::Value {
    let links = survey.links.iter().map(|link| {
        let findings = link.health.findings.iter();
        let findings: Vec<_> =
            findings.map(|(level, text)| json!({"status": level.name(), "text": text})).collect();
        json!({
            "name": link.report.link,
            "status": link.health.level.name(),
            "summary": link.health.summary,
            "findings": findings,
        })
    });
    let mut all = json!({
        "schema": SCHEMA,
        "time": survey.now.to_string(),
        "status": worst(survey).name(),
        "links": links.collect::<Vec<_>>(),
    });
    if !survey.faults.is_empty() {
        all["error"] = told(&survey.faults).into();
    }
    all
}
