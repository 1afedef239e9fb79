//! `doctor`: every cause that was found, each with the command that mends it.

use std::path::Path;

use serde_json::json;

use crate::app::doctor::{self, Case, Finding, Fix, Severity};
use crate::app::error::Error;
use crate::app::ground::{self, Places};
use crate::app::sync::{self, Options};
use crate::cli::exit::Exit;
use crate::cli::render::{answer, answer_json};
use crate::cli::survey::{self, Survey};
use crate::domain::health::Level;
use crate::domain::hints::{files, ours};
use crate::domain::units::Trouble;

/// The version of the JSON that `doctor --json` writes.
const SCHEMA: u32 = 1;

/// How the doctor is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// Write JSON.
    pub(crate) json: bool,
    /// Do what is ours and safe.
    pub(crate) fix: bool,
    /// Show only what this version refuses and an earlier one took.
    pub(crate) upgrade: bool,
    /// A tree that stands for the host.
    pub(crate) root: Option<&'a Path>,
}

/// Looks, shows, and mends what it may.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    wish: Wish<'_>,
) -> Result<Exit, Error> {
    let mut findings = find(places, only, wish.root)?;
    if wish.fix && mend(places, only, &findings)? {
        findings = find(places, only, wish.root)?;
    }
    if wish.upgrade {
        findings.retain(Finding::is_of_an_upgrade);
    } else {
        findings.retain(|finding| !finding.is_of_an_upgrade_alone());
    }
    if wish.json {
        answer_json(&json_of(&findings));
    } else {
        answer(lines(&findings, wish));
    }
    Ok(exit(&findings))
}

fn find(places: &Places, only: Option<&str>, root: Option<&Path>) -> Result<Vec<Finding>, Error> {
    let faults = configuration(places)?;
    let survey = match survey::sound(places, only) {
        Ok(survey) => survey,
        Err(_) if !faults.is_empty() => return Ok(faults),
        Err(error) => return Err(error),
    };
    let of_links = doctor::run(places, &cases(&survey), root);
    let service = survey.service.iter().map(of_service);
    Ok(faults.into_iter().chain(unfinished(places)?).chain(service).chain(of_links).collect())
}

fn of_service(trouble: &Trouble) -> Finding {
    let (text, command) = (trouble.text.clone(), trouble.command.clone());
    if trouble.level == Level::Wrong {
        Finding::error(trouble.id, text, command)
    } else {
        Finding::warning(trouble.id, text, command)
    }
}

/// Faults of the configuration come first: nothing more can be said of a link that cannot be read.
fn configuration(places: &Places) -> Result<Vec<Finding>, Error> {
    let config = ground::configuration(&places.config_dir)?;
    let of_file = config.problems.iter().map(|problem| {
        let meaning = match &problem.hint {
            Some(hint) if problem.line > 0 => format!("{problem}, {hint}"),
            _ => problem.to_string(),
        };
        let line = u64::try_from(problem.line).unwrap_or(1);
        let edit = || files::edit_at(&problem.file, line);
        let whole = problem.hint.clone().filter(|_| problem.line == 0);
        let command = whole.unwrap_or_else(edit);
        Finding::error("configuration-wrong", meaning, command)
    });
    let none = config.links.is_empty() && config.problems.is_empty();
    let none = none.then(|| {
        let meaning = Error::NoLink(places.config_dir.display().to_string(), config.unfinished);
        Finding::error("no-link", meaning.to_string(), ours::setup())
    });
    Ok(of_file.chain(none).collect())
}

/// A file that is begun and links nothing, beside those that do.
fn unfinished(places: &Places) -> Result<Option<Finding>, Error> {
    let open = ground::configuration(&places.config_dir)?.unfinished;
    Ok(open.first().map(|problem| {
        let meaning = format!("{problem}: it is no link yet");
        Finding::warning("link-unfinished", meaning, ours::setup())
    }))
}

/// What the doctor looks at, of every link.
pub(crate) fn cases(survey: &Survey) -> Vec<Case<'_>> {
    let links = survey.links.iter();
    links
        .map(|link| Case {
            settings: &link.settings,
            report: &link.report,
            login: link.ahead.people.login,
            renewals: &link.ahead.prospect.renewals,
            skew: link.ahead.prospect.skew,
        })
        .collect()
}

/// Does what is ours and safe; says whether there was anything.
fn mend(places: &Places, only: Option<&str>, findings: &[Finding]) -> Result<bool, Error> {
    let fixable: Vec<&Finding> = findings.iter().filter(|finding| finding.fix.is_some()).collect();
    if fixable.is_empty() {
        return Ok(false);
    }
    let survey = survey::sound(places, only)?;
    for finding in &fixable {
        log::info!("mending {}: {}", finding.id, finding.meaning);
        doctor::fix(&cases(&survey), finding)?;
    }
    if fixable.iter().any(|finding| finding.fix == Some(Fix::Sync)) {
        let reports = sync::all(places, only, Options::default())?;
        reports.iter().for_each(crate::app::said::all);
    }
    Ok(true)
}

/// A note needs nobody; what needs a sign-in comes before what a command mends.
fn exit(findings: &[Finding]) -> Exit {
    let mut grave = findings.iter().filter(|finding| finding.severity > Severity::Note);
    match (grave.clone().next(), grave.any(|finding| finding.needs_sign_in)) {
        (None, _) => Exit::Done,
        (Some(_), true) => Exit::NeedsPerson,
        (Some(_), false) => Exit::Failed,
    }
}

fn lines(findings: &[Finding], wish: Wish<'_>) -> Vec<String> {
    if findings.is_empty() && !wish.upgrade {
        return vec!["nothing is wrong".to_owned()];
    }
    findings.iter().flat_map(one).collect()
}

fn one(finding: &Finding) -> Vec<String> {
    let link = finding.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
    let head = format!("{} {}{link}", finding.severity.name(), finding.id);
    let rest = [format!("    {}", finding.meaning), format!("    {}", finding.command)];
    let fixable = finding.fix.map(|_| "    or: oauth-sync doctor --fix".to_owned());
    std::iter::once(head).chain(rest).chain(fixable).collect()
}

fn json_of(findings: &[Finding]) -> serde_json::Value {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "id": finding.id,
                "severity": finding.severity.name(),
                "link": finding.link,
                "meaning": finding.meaning,
                "command": finding.command.to_string(),
                "fixable": finding.fix.is_some(),
            })
        })
        .collect();
    json!({"schema": SCHEMA, "findings": findings})
}
