//! The same refresh token in several files: it works once, and whoever comes second ends the login.

use std::path::{Path, PathBuf};

use crate::app::context::Ground;
use crate::app::doctor::{Finding, Fix, Patient};
use crate::app::openclaw::OpenClaw;
use crate::app::setup::detect::Detection;
use crate::domain::auth_profiles;
use crate::domain::credential::{self, Content};
use crate::domain::hints::{files, ours};
use crate::domain::secret::Secret;
use crate::os::fs::dir::Folder;

/// Compares the sources with every other login and store that was found.
pub(super) fn look(patient: &Patient<'_>, detection: &Detection) -> Vec<Finding> {
    let sources: Vec<(PathBuf, Secret)> = patient
        .cases
        .iter()
        .filter_map(|case| {
            let token = case.report.source.credential()?.refresh_token.clone()?;
            Some((case.settings.claude_credentials.clone(), token))
        })
        .collect();
    let logins = detection.findings.logins.iter().map(|login| patient.tree.place(&login.path));
    let others: Vec<PathBuf> = logins.chain(sources.iter().map(|(path, _)| path.clone())).collect();
    let mut findings = Vec::new();
    for (source, token) in &sources {
        let copies = others.iter().filter(|other| *other != source && real(other) != real(source));
        let copies = copies.filter(|copy| refresh_token(copy).as_ref() == Some(token));
        findings.extend(copies.map(|copy| copied(source, copy)));
    }
    findings.extend(in_openclaw(patient, &sources));
    // Of two links with one login each names the other; the first is told.
    findings.dedup_by(|a, b| a.id == b.id && a.command == b.command);
    findings
}

fn copied(source: &Path, copy: &Path) -> Finding {
    let meaning = format!(
        "'{}' holds the same refresh token as '{}': it works once, and whoever uses it second ends the login for both; sign in there anew",
        copy.display(),
        source.display()
    );
    let to = copy.with_extension("json.copied");
    let command = files::rename(copy, &to);
    let owner = copy.parent().and_then(|folder| Folder::reach(folder).ok());
    let command = match owner {
        Some(folder) => command.run_by(&folder.user()),
        None => command,
    };
    Finding::error("login-copied", meaning, command)
}

/// Profiles that OpenClaw would renew by itself.
fn in_openclaw(patient: &Patient<'_>, sources: &[(PathBuf, Secret)]) -> Vec<Finding> {
    let Ok(ground) = Ground::look(patient.places) else { return Vec::new() };
    let mut findings = Vec::new();
    for case in patient.cases {
        let memory = ground.remember(case.settings).unwrap_or_default();
        let claw = OpenClaw::look(case.settings, &ground, &memory, patient.now);
        claw.each_agent(|agent| {
            let tokens =
                agent.profiles_text().map(auth_profiles::refresh_tokens).unwrap_or_default();
            if !sources.iter().any(|(_, token)| tokens.contains(token)) {
                return;
            }
            let meaning = format!(
                "'{}' holds the login's refresh token: OpenClaw would renew it too, and one of the two loses",
                agent.folder.path.join("auth-profiles.json").display()
            );
            let command = ours::sync(&case.report.link);
            let finding = Finding::error("login-copied-to-openclaw", meaning, command);
            let link = Some(case.report.link.clone());
            findings.push(Finding { link, ..finding.fixed_by(Fix::Sync) });
        });
    }
    findings
}

fn refresh_token(path: &Path) -> Option<Secret> {
    let folder = Folder::reach(path.parent()?).ok()?;
    let seen = folder.read(path.file_name()?.to_str()?, credential::SIZE_LIMIT).ok()??;
    match credential::parse(&seen.bytes) {
        Content::Login(credential) => credential.refresh_token,
        _ => None,
    }
}

/// The file itself, by whatever way it is reached.
fn real(path: &Path) -> Option<(u64, u64)> {
    let stat = Folder::reach(path.parent()?).ok()?.stat(path.file_name()?.to_str()?).ok()??;
    Some((stat.st_dev, stat.st_ino))
}
