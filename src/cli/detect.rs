//! `detect`: shows what was found, and writes it when asked.

use std::io::Read;
use std::path::Path;

use serde_json::json;

use crate::app::consent;
use crate::app::detect::write::{self, Answer, Written};
use crate::app::detect::{self, Detection, Tree, first};
use crate::app::error::Error;
use crate::app::ground::{Ground, Places};
use crate::app::services;
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::render::answer;
use crate::domain::detection::{Candidate, Cli};

/// The version of the JSON that `detect --json` writes.
const SCHEMA: u32 = 1;

/// Finds, shows and writes, as asked.
pub(crate) fn carry_out(places: &Places, options: &args::Detect) -> Result<Exit, Error> {
    let root = options.root.as_deref().filter(|root| *root != Path::new("/"));
    let detection = detect::run(root);
    if options.lacks_consent {
        if lacks_consent(places, &detection, root, &given(options)?)? {
            answer("the first paste waits for a consent\n");
        }
        return Ok(Exit::Done);
    }
    if options.print {
        answer(&print(&detection));
    } else if options.json {
        answer(&format!("{:#}\n", as_json(&detection)));
    } else if !options.write {
        answer(&as_text(&detection));
    }
    let exit = if options.switch_off_original { switch_off(&detection, root) } else { Exit::Done };
    if !options.write {
        return Ok(exit);
    }
    let Written { file, unlinked } =
        write::write(&places.config_dir, &detection, &given(options)?)?;
    if let Some(path) = &file {
        log::info!("wrote '{}'", path.display());
    }
    match unlinked {
        Some(why) => log::warn!(
            "nothing is linked: {why}\nhint: oauth-sync detect shows what was found, and oauth-sync setup links it; or write CLAUDE_CREDENTIALS and OPENCLAW_STATE_DIR into '{}/default.conf'",
            places.config_dir.display()
        ),
        None if root.is_none() && file.is_some() => first::remember(places),
        None => {}
    }
    Ok(exit)
}

/// The answers that stand on standard input, if that is to be read.
fn given(options: &args::Detect) -> Result<Vec<Answer>, Error> {
    let mut given = String::new();
    if options.set_stdin {
        let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut given);
        read.map_err(|source| crate::os::error::Error::new("read", Path::new("stdin"), source))?;
    }
    Ok(write::parse_answers(&given))
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
    consent::is_missing(&Ground::look(places)?, &settings)
}

/// Switches the original's units off, now and for good, before ours take over; one that cannot be
/// stops neither the others nor what else was asked for.
fn switch_off(detection: &Detection, root: Option<&Path>) -> Exit {
    let (tree, mut exit) = (Tree::new(root), Exit::Done);
    for (unit, user) in services::originals(&tree, &detection.rivals) {
        match services::switch_off(&tree, &unit, user.as_deref()) {
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
fn print(detection: &Detection) -> String {
    let Ok(best) = detection.unasked() else { return String::new() };
    let answers = write::answers(detection, best);
    answers.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<Vec<_>>().concat()
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
            "unit": claw.unit.as_ref().map(|(unit, _)| unit), "warnings": claw.warnings})
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

fn as_text(detection: &Detection) -> String {
    let findings = &detection.findings;
    let mut text = String::new();
    if findings.logins.is_empty() {
        text += "no Claude login was found\n";
    }
    for login in &findings.logins {
        let cli = match &login.cli {
            Cli::Host(path) => format!("Claude CLI at '{}'", path.display()),
            Cli::Container { name, .. } => format!("Claude CLI in container {name}"),
            Cli::None => "no Claude CLI".to_owned(),
        };
        text.extend([format!("login     '{}': {}, {cli}\n", login.path.display(), login.state)]);
        text += &indented(&login.warnings);
    }
    if findings.claws.is_empty() {
        text += "no OpenClaw was found\n";
    }
    for claw in &findings.claws {
        text.extend([format!(
            "openclaw  '{}': version {}\n",
            claw.state_dir.display(),
            claw.version
        )]);
        if let Some((folder, service)) = &claw.compose {
            text.extend([format!("          runs as {service} of '{}'\n", folder.display())]);
        }
        if let Some((unit, of_user)) = &claw.unit {
            text.extend([format!(
                "          runs as {}unit {unit}\n",
                if *of_user { "user " } else { "" }
            )]);
        }
        text += &indented(&claw.warnings);
    }
    text.extend(detection.candidates.iter().map(|candidate| pair(detection, candidate)));
    text.extend(findings.rejected.iter().map(|line| format!("left out  {line}\n")));
    text.extend(findings.rivals.iter().map(|line| format!("rival     {line}\n")));
    text + &match detection.unasked() {
        Ok(_) => "the first candidate can be written: oauth-sync detect --write\n".to_owned(),
        Err(why) => format!("nothing is linked unasked: {why}\n"),
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("          {line}\n")).collect::<Vec<_>>().concat()
}

fn pair(detection: &Detection, candidate: &Candidate) -> String {
    let login = &detection.findings.logins[candidate.login];
    let claw = &detection.findings.claws[candidate.claw];
    let (from, to, score) = (login.path.display(), claw.state_dir.display(), candidate.score);
    let mut text = format!(
        "candidate '{from}' to '{to}': {score} points, since {}\n",
        candidate.reasons.join(", ")
    );
    if let Some(obstacle) = &candidate.obstacle {
        text.extend([format!("          not unasked: {obstacle}\n")]);
    }
    text
}
