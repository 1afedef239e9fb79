//! What else renews or copies the same login: the original's units and cron lines.

use std::path::Path;

use crate::app::doctor::{Finding, Patient};
use crate::app::setup::detect::{Detection, Rival, rivals};
use crate::app::systemd;
use crate::domain::hints::{files, host};
use crate::domain::shell::Hint;
use crate::os::fs::dir::Folder;

const UNIT: &str = "rival-unit";

/// Turns every rival that still acts into a finding.
pub(super) fn look(patient: &Patient<'_>, detection: &Detection) -> Vec<Finding> {
    let rivals = detection.rivals.iter().filter_map(|rival| one(patient, rival));
    let mut findings: Vec<Finding> = rivals.collect();
    // What a unit runs ends with it.
    if !findings.iter().any(|finding| finding.id == UNIT) {
        findings.extend(running(patient));
    }
    findings
}

fn one(patient: &Patient<'_>, rival: &Rival) -> Option<Finding> {
    match rival {
        Rival::Unit { path, user } => unit(patient, path, user.as_deref()),
        Rival::Service { path, user } => service(patient, path, user.as_deref()),
        Rival::Script(_) => None,
        Rival::Cron { path, words } => Some(cron(patient, path, words)),
    }
}

/// A unit acts only where something pulls it in.
fn unit(patient: &Patient<'_>, path: &Path, user: Option<&str>) -> Option<Finding> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    if !systemd::is_wanted(&patient.tree, path) {
        return None;
    }
    let meaning = format!(
        "the original's unit '{}' is enabled: it renews and copies the same login, and the two get in each other's way",
        path.display()
    );
    Some(Finding::error(UNIT, meaning, off(patient, folder, name, user)))
}

/// What switches a unit off, now and for good; in a tree nothing runs.
fn off(patient: &Patient<'_>, folder: &Path, name: &str, user: Option<&str>) -> Hint {
    match (patient.other_root(), user) {
        (root, None) => host::disable(root.as_deref(), name),
        (None, Some(user)) => host::disable_of_user(user, name),
        (Some(_), Some(_)) => {
            let folder = patient.tree.place(folder);
            let command = files::run_in(&folder, host::remove_wants(name));
            match Folder::reach(&folder) {
                Ok(folder) => command.run_by(&folder.user()),
                Err(_) => command,
            }
        }
    }
}

/// A timer of the same name pulls it in as well.
fn service(patient: &Patient<'_>, path: &Path, user: Option<&str>) -> Option<Finding> {
    let timer = path.with_extension("timer");
    let wanted = [&timer, path].into_iter().find(|unit| systemd::is_wanted(&patient.tree, unit))?;
    let meaning = format!(
        "the unit '{}' runs Claude or copies its login: it can spend the same refresh token",
        path.display()
    );
    let (folder, name) = (wanted.parent()?, wanted.file_name()?.to_str()?);
    let command = off(patient, folder, name, user);
    Some(Finding::warning("rival-service", meaning, command))
}

fn cron(patient: &Patient<'_>, path: &Path, words: &[&str]) -> Finding {
    let meaning = format!(
        "the cron job in '{}' runs Claude or copies its login: it can spend the same refresh token",
        path.display()
    );
    let command = files::comment_out(words, &patient.tree.place(path));
    Finding::warning("rival-cron", meaning, command)
}

/// Scripts of the original that run, by whomever they were started.
fn running(patient: &Patient<'_>) -> Vec<Finding> {
    let proc = Path::new("/proc");
    let runs = |id: &String| {
        let line = patient.tree.text(&proc.join(id).join("cmdline")).unwrap_or_default();
        let script = line.split('\0').take(3).find_map(rivals::script)?.to_owned();
        Some(script)
    };
    let ids = patient.tree.names(proc).into_iter();
    let ids = ids.filter(|name| name.bytes().all(|digit| digit.is_ascii_digit()));
    let found = ids.filter_map(|id| {
        let script = runs(&id)?;
        let meaning = format!(
            "the original's {script} runs as process {id}: it renews or copies the same login"
        );
        let owner = Folder::reach(&patient.tree.place(&proc.join(&id))).ok()?.user();
        let command = host::end_script(id.parse().ok()?, &script).run_by(&owner);
        Some(Finding::error("rival-process", meaning, command))
    });
    found.collect()
}
