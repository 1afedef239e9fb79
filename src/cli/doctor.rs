//! `doctor`: every cause that was found, each with the command that fixes it.

use std::path::Path;

use serde_json::json;

use crate::app::child::separate;
use crate::app::context::{self, Places};
use crate::app::doctor::{self, Case, Diagnosis, Finding, Fix, Severity, Unchecked};
use crate::app::error::Error;
use crate::app::report::Files;
use crate::cli::exit::Exit;
use crate::cli::output::{self, answer, answer_json};
use crate::cli::overview::{self, Survey, Surveyed};
use crate::cli::refresh::bring;
use crate::domain::config::settings::Settings;
use crate::domain::health::Level;
use crate::domain::hints::{files, ours};
use crate::domain::units::Trouble;
use crate::os::fs::dir;

/// The version of the JSON that `doctor --json` writes.
const SCHEMA: u32 = 2;

/// How the doctor is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// Output JSON.
    pub(crate) json: bool,
    /// Apply safe fixes.
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
    separate::begin(places);
    let mut found = find(places, only, wish.root)?;
    if wish.fix && mend(places, only, &found.findings)? {
        found = find(places, only, wish.root)?;
    }
    if wish.upgrade {
        found.findings.retain(Finding::is_of_an_upgrade);
        found.unchecked.clear();
    } else {
        found.findings.retain(|finding| !finding.is_of_an_upgrade_alone());
    }
    if wish.json {
        answer_json(&json_of(&found));
    } else {
        answer(lines(&found, wish));
    }
    Ok(exit(&found))
}

fn find(places: &Places, only: Option<&str>, root: Option<&Path>) -> Result<Diagnosis, Error> {
    let findings = configuration(places)?;
    let survey = match overview::sound(places, only) {
        Ok(survey) => survey,
        Err(_) if !findings.is_empty() => {
            return Ok(Diagnosis { findings, ..Diagnosis::default() });
        }
        Err(error) => return Err(error),
    };
    let Diagnosis { findings: of_links, unchecked } = doctor::run(places, &cases(&survey), root)?;
    let service = survey.service.iter().map(of_service);
    let before = findings.into_iter().chain(unfinished(places)?).chain(service);
    Ok(Diagnosis { findings: before.chain(of_links).collect(), unchecked })
}

/// Says what there is to find in one link for another process, and waits for its files.
pub(crate) fn inspect(places: &Places, link: &str, root: Option<&Path>) -> Result<Exit, Error> {
    separate::begin(places);
    let survey = dir::waiting(|| overview::sound(places, Some(link)))?;
    let found = doctor::of_links(places, &cases(&survey), root);
    Ok(output::found(Some(&found)))
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
    let config = context::configuration(&places.config_dir)?;
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
    let open = context::configuration(&places.config_dir)?.unfinished;
    Ok(open.first().map(|problem| {
        let meaning = format!("{problem}: no link is configured");
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
///
/// A link whose files may not answer is fixed by a process of its own.
fn mend(places: &Places, only: Option<&str>, findings: &[Finding]) -> Result<bool, Error> {
    let fixable: Vec<&Finding> = findings.iter().filter(|finding| finding.fix.is_some()).collect();
    if fixable.is_empty() {
        return Ok(false);
    }
    let survey = overview::sound(places, only)?;
    let (apart, here): (Vec<&Surveyed>, Vec<&Surveyed>) =
        survey.links.iter().partition(|link| link.report.files != Files::Here);
    let is_in = |links: &[&Surveyed], finding: &Finding| {
        links.iter().any(|link| finding.link.as_ref() == Some(&link.report.link))
    };
    let of_here: Vec<&Finding> =
        fixable.iter().copied().filter(|finding| !is_in(&apart, finding)).collect();
    fix(&cases(&survey), &of_here);
    if of_here.iter().any(|finding| finding.fix == Some(Fix::Sync)) {
        for link in &here {
            bring(places, &link.report.link);
        }
    }
    let of_apart =
        apart.iter().filter(|link| fixable.iter().any(|finding| is_in(&[link], finding)));
    let of_apart: Vec<Settings> = of_apart.map(|link| link.settings.clone()).collect();
    separate::each(places, &of_apart, &["inspect", "--doctor", "--fix"], separate::FILES)?;
    Ok(true)
}

/// Applies the fixes of these findings but the syncs; one that fails keeps no other from its own.
fn fix(cases: &[Case<'_>], fixable: &[&Finding]) {
    for finding in fixable {
        log::info!("fixing {}: {}", finding.id, finding.meaning);
        doctor::fix(cases, finding).unwrap_or_else(|error| output::failure(&error));
    }
}

/// Does what is ours and safe in one link for another process, and waits for its files.
pub(crate) fn fix_one(places: &Places, link: &str) -> Result<Exit, Error> {
    let survey = overview::sound(places, Some(link))?;
    let cases = cases(&survey);
    let found = doctor::of_links(places, &cases, None).findings.into_iter();
    let found = found.map(|finding| Finding { link: Some(link.to_owned()), ..finding });
    let found: Vec<Finding> = found.filter(|finding| finding.fix.is_some()).collect();
    fix(&cases, &found.iter().collect::<Vec<_>>());
    // Also for what was found by comparing it with others.
    bring(places, link);
    Ok(Exit::Done)
}

/// A note needs nobody; what needs a sign-in comes before what a command mends, or what nobody could
/// look at of a link.
fn exit(found: &Diagnosis) -> Exit {
    let mut grave = found.findings.iter().filter(|finding| finding.severity > Severity::Note);
    match (grave.clone().next(), grave.any(|finding| finding.needs_sign_in)) {
        (None, _) if found.unchecked.iter().all(|one| one.link.is_none()) => Exit::Done,
        (None, _) | (Some(_), false) => Exit::Failed,
        (Some(_), true) => Exit::NeedsPerson,
    }
}

fn lines(found: &Diagnosis, wish: Wish<'_>) -> Vec<String> {
    let findings = found.findings.iter().flat_map(one);
    let unchecked = found.unchecked.iter().flat_map(not_seen);
    let none = match (found.findings.is_empty() && !wish.upgrade, found.unchecked.is_empty()) {
        (true, true) => Some("nothing is wrong"),
        (true, false) => Some("nothing wrong was found, but not everything could be checked"),
        (false, _) => None,
    };
    none.map(str::to_owned).into_iter().chain(findings).chain(unchecked).collect()
}

fn not_seen(one: &Unchecked) -> Vec<String> {
    let link = one.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
    let head = format!("could not check{link}: {}: {}", one.what, one.why);
    let command = one.command.as_ref().map(|command| format!("    {command}"));
    std::iter::once(head).chain(command).collect()
}

fn one(finding: &Finding) -> Vec<String> {
    let link = finding.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
    let head = format!("{} {}{link}", finding.severity.name(), finding.id);
    let rest = [format!("    {}", finding.meaning), format!("    {}", finding.command)];
    let fixable = finding.fix.map(|_| format!("    or: {}", ours::plain("doctor --fix")));
    std::iter::once(head).chain(rest).chain(fixable).collect()
}

fn json_of(found: &Diagnosis) -> serde_json::Value {
    let findings: Vec<_> = found
        .findings
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
    let unchecked = found.unchecked.iter().map(|one| {
        let command = one.command.as_ref().map(ToString::to_string);
        json!({"link": one.link, "what": one.what, "why": one.why, "command": command})
    });
    let unchecked: Vec<_> = unchecked.collect();
    json!({"schema": SCHEMA, "findings": findings, "unchecked": unchecked})
}
