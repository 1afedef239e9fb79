//! `detect`: shows what was found, and writes it when asked.

use std::io::Read;
use std::path::Path;

use serde_json::json;

use crate::app::context::{Ground, Places};
use crate::app::error::Error;
use crate::app::openclaw::paste_consent;
use crate::app::setup::detect::pairs::{self, All, Left};
use crate::app::setup::detect::write::{self, Answer};
use crate::app::setup::detect::{self, Detection, Tree, first};
use crate::app::systemd;
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::output::{answer, answer_json};
use crate::domain::config::{DEFAULT, name_problem};
use crate::domain::detection::{Candidate, Cli};
use crate::domain::hints::ours;

/// The version of the JSON that `detect --json` writes.
const SCHEMA: u32 = 2;

/// Finds, shows and writes, as asked.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Detect,
) -> Result<Exit, Error> {
    if only.is_some() && (options.all || !options.write) {
        let link = only.unwrap_or(DEFAULT);
        log::error!(
            hint = ours::write_found(link).to_string();
            "detect looks at the whole host: --link names the link that is written"
        );
        return Ok(Exit::Usage);
    }
    if let Some(problem) = only.and_then(|link| name_problem(link, &places.config_dir)) {
        return Err(Error::Configuration(vec![problem]));
    }
    let (given, bad) = given(options)?;
    if options.check_answers {
        answer(bad.iter().map(|(_, why)| why));
        return Ok(if bad.is_empty() { Exit::Done } else { Exit::Usage });
    }
    for (key, why) in &bad {
        log::error!("the answer for {key} is left out: {why}");
    }
    let root = options.root.as_deref().filter(|root| *root != Path::new("/"));
    let detection = detect::run(root);
    if options.lacks_consent {
        if lacks_consent(places, &detection, root, &given)? {
            answer(["the first paste waits for a consent"]);
        }
        return Ok(Exit::Done);
    }
    if options.print {
        answer(print(&detection));
    } else if options.json {
        answer_json(&as_json(&detection));
    } else if !options.write {
        answer(as_lines(&detection));
    }
    let used = if bad.is_empty() { Exit::Done } else { Exit::Failed };
    let exit = if options.switch_off_original { switch_off(&detection, root) } else { Exit::Done };
    let exit = Exit::gravest([exit, used]);
    if !options.write {
        return Ok(exit);
    }
    let written = write_links(places, only, (options, root), &detection, &given)?;
    Ok(Exit::gravest([exit, written]))
}

/// Writes what belongs together, and names what is not linked.
fn write_links(
    places: &Places,
    only: Option<&str>,
    (options, root): (&args::Detect, Option<&Path>),
    detection: &Detection,
    given: &[Answer],
) -> Result<Exit, Error> {
    let All { files, unlinked, left } = match only {
        None if options.all => pairs::write_all(&places.config_dir, detection, given)?,
        only => {
            let link = only.unwrap_or(DEFAULT);
            pairs::write_one(&places.config_dir, link, detection, given)?
        }
    };
    for path in &files {
        log::info!("wrote '{}'", path.display());
    }
    for one in &left {
        say_left(one);
    }
    if let Some(why) = unlinked {
        let file = places.config_dir.join(write::file_of(only.unwrap_or(DEFAULT)));
        let hint = ours::link_by_hand(&file).to_string();
        log::warn!(hint; "nothing is linked: {why}");
        return Ok(Exit::Failed);
    }
    if root.is_none() && !files.is_empty() {
        first::remember(places);
    }
    if files.is_empty() {
        log::info!("unchanged: what is linked stays as it is");
    }
    Ok(Exit::Done)
}

/// Says what is not linked, and how a person links it.
fn say_left(left: &Left) {
    let hint = ours::setup_another(&left.name, left.login.as_deref(), &left.claw).to_string();
    log::warn!(hint; "the OpenClaw in '{}' is not linked: {}", left.claw.display(), left.why);
}

/// The answers that stand on standard input, if that is to be read; those that cannot be used, and why.
fn given(options: &args::Detect) -> Result<(Vec<Answer>, Vec<Answer>), Error> {
    let mut given = String::new();
    if options.set_stdin {
        let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut given);
        read.map_err(|source| crate::os::error::Error::new("read", Path::new("stdin"), source))?;
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (key, value) in write::parse_answers(&given) {
        let fault = if value.is_empty() { None } else { write::fault_of(&key, &value) };
        match fault {
            Some(why) => bad.push((key, why)),
            None => good.push((key, value)),
        }
    }
    Ok((good, bad))
}

/// Says whether the link that these answers make would be pasted into, and would wait for a consent.
fn lacks_consent(
    places: &Places,
    detection: &Detection,
    root: Option<&Path>,
    given: &[Answer],
) -> Result<bool, Error> {
    let link = write::link_to_be(&places.config_dir, detection, given)?;
    let Some(mut settings) = link else { return Ok(false) };
    let tree = Tree::new(root);
    for folder in [&mut settings.openclaw_state_dir, &mut settings.compose_dir] {
        *folder = folder.as_deref().map(|folder| tree.place(folder));
    }
    Ok(paste_consent::awaited(&Ground::look(places)?, &settings)?.is_some())
}

/// Switches the original's units off, now and for good, before ours take over; one that cannot be
/// stops neither the others nor what else was asked for.
fn switch_off(detection: &Detection, root: Option<&Path>) -> Exit {
    let (tree, mut exit) = (Tree::new(root), Exit::Done);
    for (unit, user) in systemd::originals(&tree, &detection.rivals) {
        match systemd::switch_off(&tree, &unit, user.as_deref()) {
            Ok(()) => log::info!("switched off the original's {unit}"),
            Err(error) => {
                exit = Exit::Failed;
                log::error!("the original's {unit} is not switched off: {error}");
            }
        }
    }
    exit
}

/// What would be written unasked; what would not, is not to be proposed either.
fn print(detection: &Detection) -> Vec<String> {
    let Ok(best) = detection.unasked() else { return Vec::new() };
    let answers = write::answers(detection, best);
    answers.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn as_json(detection: &Detection) -> serde_json::Value {
    let findings = &detection.findings;
    let logins: Vec<_> = findings.logins.iter().map(|login| {
        let (cli, place) = match &login.cli {
            Cli::Host(path) => ("host", Some(path.display().to_string())),
            Cli::Container { name, .. } => ("container", Some(name.clone())),
            Cli::None => ("none", None),
        };
        json!({"path": login.path, "state": login.state, "uids": login.control.uids, "cli": cli, "cli_place": place, "warnings": login.warnings})
    }).collect();
    let claws: Vec<_> = findings.claws.iter().map(|claw| {
        json!({"state_dir": claw.state_dir, "version": claw.version, "uids": claw.control.uids, "configured": claw.configured,
            "compose_dir": claw.compose.as_ref().map(|(folder, _)| folder), "compose_service": claw.compose.as_ref().map(|(_, service)| service),
            "container": claw.container.as_ref().map(|(_, name)| name), "unit": claw.unit.as_ref().map(|(unit, _)| unit), "warnings": claw.warnings})
    }).collect();
    let candidates: Vec<_> = detection.candidates.iter().map(|candidate| {
        let answers: serde_json::Map<_, _> = write::answers(detection, candidate).into_iter().map(|(key, value)| (key, value.into())).collect();
        json!({"score": candidate.score, "reasons": candidate.reasons, "obstacle": candidate.obstacle, "keys": answers})
    }).collect();
    let (unasked, why) = match detection.unasked() {
        Ok(_) => (true, None),
        Err(why) => (false, Some(why)),
    };
    json!({"schema": SCHEMA, "logins": logins, "openclaws": claws, "candidates": candidates,
        "unasked": unasked, "why_not": why, "rejected": findings.rejected, "rivals": findings.rivals})
}

fn as_lines(detection: &Detection) -> Vec<String> {
    let findings = &detection.findings;
    let mut lines = Vec::new();
    if findings.logins.is_empty() {
        lines.push("no Claude login was found".to_owned());
    }
    for login in &findings.logins {
        let cli = match &login.cli {
            Cli::Host(path) => format!("Claude CLI at '{}'", path.display()),
            Cli::Container { name, .. } => format!("Claude CLI in container {name}"),
            Cli::None => "no Claude CLI".to_owned(),
        };
        lines.push(format!("login     '{}': {}, {cli}", login.path.display(), login.state));
        lines.extend(indented(&login.warnings));
    }
    if findings.claws.is_empty() {
        lines.push("no OpenClaw was found".to_owned());
    }
    for claw in &findings.claws {
        let (path, version) = (claw.state_dir.display(), &claw.version);
        lines.push(format!("openclaw  '{path}': version {version}"));
        lines.extend(claw.compose.as_ref().map(|(folder, service)| {
            format!("          runs as {service} of '{}'", folder.display())
        }));
        let container = claw.container.as_ref();
        lines.extend(container.map(|(_, name)| format!("          runs in container {name}")));
        lines.extend(claw.unit.as_ref().map(|(unit, of_user)| {
            let user = if *of_user { "user " } else { "" };
            format!("          runs as {user}unit {unit}")
        }));
        lines.extend(indented(&claw.warnings));
    }
    lines.extend(detection.candidates.iter().flat_map(|candidate| pair(detection, candidate)));
    lines.extend(findings.rejected.iter().map(|line| format!("left out  {line}")));
    lines.extend(findings.rivals.iter().map(|line| format!("rival     {line}")));
    let all = detection.unmistakable().iter().filter(|(_, best)| best.is_ok()).count();
    lines.push(match detection.unasked() {
        Err(why) if all == 0 => format!("nothing is linked unasked: {why}"),
        Ok(_) if all <= 1 => {
            format!("the first candidate can be written: {}", ours::plain("detect --write"))
        }
        _ => format!("{all} links can be written: {}", ours::plain("detect --write --all")),
    });
    lines
}

fn indented(lines: &[String]) -> impl Iterator<Item = String> {
    lines.iter().map(|line| format!("          {line}"))
}

fn pair(detection: &Detection, candidate: &Candidate) -> Vec<String> {
    let login = &detection.findings.logins[candidate.login];
    let claw = &detection.findings.claws[candidate.claw];
    let (from, to, score) = (login.path.display(), claw.state_dir.display(), candidate.score);
    let reasons = candidate.reasons.join(", ");
    let mut lines = vec![format!("candidate '{from}' to '{to}': {score} points, since {reasons}")];
    if let Some(why) = &candidate.obstacle {
        let setup = ours::setup_pair(&login.path, &claw.state_dir);
        lines.push(format!("          not unasked: {why}"));
        lines.push(format!("          yours to decide: {setup}"));
    }
    lines
}
