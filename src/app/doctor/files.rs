//! Files and folders that are not what they have to be.

use std::path::Path;

use crate::app::doctor::{Case, Finding, Fix, Patient, link, way};
use crate::app::report::SinkState;
use crate::app::sync::exposure::Exposed;
use crate::domain::config::edit;
use crate::domain::hints::{files, ours};
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::os::fs::dir::{Folder, Kind};

/// Looks at the source, the sinks and our own configuration.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>, exposed: &[Exposed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let source = || source(patient, case);
    findings.extend(other_owner(patient, &case.settings.claude_credentials).or_else(source));
    let nowhere = nowhere(case);
    let is_nowhere = nowhere.is_some();
    findings.extend(case.report.sinks.iter().filter_map(|sink| match &sink.state {
        SinkState::Failed(why, command) => sink_failed(patient, case, why, command.as_ref()),
        SinkState::Stale(None) => Some(stale(case)),
        SinkState::Absent(_) if sink.is_new && !is_nowhere => Some(stale(case)),
        SinkState::Refused(why) => Some(refused(case, sink.kind, why)),
        _ => None,
    }));
    findings.extend(nowhere);
    findings.extend(readable(exposed));
    findings.extend(configuration(case));
    findings.dedup();
    findings
}

/// Why the source cannot be read.
fn source(patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    let Source::Unreadable(why, command) = &case.report.source else { return None };
    let path = &case.settings.claude_credentials;
    let shown = path.display();
    match kind(path) {
        Some(Kind::Folder) => {
            let meaning = format!(
                "'{shown}' is a directory: docker makes one where a file is mounted that does not exist yet, and nobody can sign in over it"
            );
            Some(Finding::error("source-is-directory", meaning, without_folder(path)))
        }
        Some(Kind::Link) => {
            let meaning = format!(
                "'{shown}' is a symbolic link: the next renewal replaces the link by a file of its own, and what it points to goes stale"
            );
            Some(Finding::error("source-is-link", meaning, straightened(patient, case, path)))
        }
        _ => {
            let command = command.clone().unwrap_or_else(|| way::mend(path));
            Some(Finding::error("source-unreadable", why.clone(), command))
        }
    }
}

/// The command that has the source named by its own path, or that signs in anew without the link.
fn straightened(patient: &Patient<'_>, case: &Case<'_>, path: &Path) -> Hint {
    let key = "CLAUDE_CREDENTIALS";
    if let Some(aim) = link::aim(path).filter(|aim| edit::set_key("", key, aim).is_ok()) {
        return case.set(key, &aim);
    }
    let login = ours::login(&case.report.link);
    link::removal(patient, path).and(login)
}

/// A file of root's, or of a third user's, in the folder of somebody else.
fn other_owner(patient: &Patient<'_>, path: &Path) -> Option<Finding> {
    let folder = Folder::reach(folder(path)).ok()?;
    let stat = folder.stat(path.file_name()?.to_str()?).ok()??;
    let (owner, wanted) = (stat.st_uid, folder.identity.uid);
    if owner == wanted || kind(path) != Some(Kind::File) {
        return None;
    }
    let (owner, name) = (patient.name(owner), patient.name(wanted));
    let meaning = format!(
        "'{}' belongs to {owner}, but its directory to {name}: a sign-in or renewal was run as {owner}, and {name}'s programs cannot use it",
        path.display()
    );
    let command = folder.chown(path.file_name()?.to_str()?);
    Some(Finding::error("source-owner", meaning, command))
}

fn sink_failed(
    patient: &Patient<'_>,
    case: &Case<'_>,
    why: &str,
    command: Option<&Hint>,
) -> Option<Finding> {
    let (id, command) = match command {
        // The same file may be said to be in the way by several sinks.
        Some(command) if command.to_string().contains("chown -h") => {
            ("sink-owner", command.clone())
        }
        Some(command) => ("sink-unusable", command.clone()),
        None => {
            let path = case.report.sinks.iter().find_map(|sink| {
                let of_it = matches!(&sink.state, SinkState::Failed(message, _) if message == why);
                sink.path.clone().filter(|_| of_it)
            })?;
            let command = match kind(&path) {
                Some(Kind::Folder) => without_folder(&path),
                Some(Kind::Link) => {
                    let sync = ours::sync(&case.report.link);
                    link::replacement(patient, &path).and(sync)
                }
                _ => way::mend(&path),
            };
            ("sink-unusable", command)
        }
    };
    Some(Finding::error(id, format!("{why}: OpenClaw keeps the old token"), command))
}

fn stale(case: &Case<'_>) -> Finding {
    let meaning =
        "a sink does not hold the current token: the watcher does not run, or could not write it"
            .to_owned();
    let command = ours::sync(&case.report.link);
    Finding::warning("sink-stale", meaning, command).fixed_by(Fix::Sync)
}

/// A sink that is listed and does no good in this OpenClaw.
fn refused(case: &Case<'_>, kind: SinkKind, why: &str) -> Finding {
    let meaning = format!("{kind} is not written: {why}");
    Finding::warning("sink-refused", meaning, case.set("SINKS", "auto"))
}

/// The token reaches OpenClaw nowhere, though it should.
fn nowhere(case: &Case<'_>) -> Option<Finding> {
    let report = case.report;
    report.source.passable()?;
    let whys = report.sinks.iter().map(|sink| match &sink.state {
        SinkState::Absent(why) => Some(format!("{}: {why}", sink.kind)),
        _ => None,
    });
    let whys = whys.collect::<Option<Vec<_>>>().filter(|whys| !whys.is_empty())?;
    let meaning =
        format!("no sink takes the token, so OpenClaw does not get it ({})", whys.join("; "));
    let command = ours::sync(&report.link);
    Some(Finding::error("no-sink", meaning, command).fixed_by(Fix::Sync))
}

/// Files with the token that others can read.
fn readable(exposed: &[Exposed]) -> impl Iterator<Item = Finding> {
    exposed.iter().map(|exposed| {
        let finding = Finding::warning("token-readable", exposed.meaning(), exposed.command());
        if exposed.readers.has_modes { finding.fixed_by(Fix::CloseTokenFile) } else { finding }
    })
}

/// The webhook's address is a secret; without one there is nothing to hide.
fn configuration(case: &Case<'_>) -> Option<Finding> {
    case.settings.notify_webhooks.first()?;
    let file = &case.settings.file;
    let stat = Folder::reach(folder(file)).ok()?.stat(file.file_name()?.to_str()?).ok()??;
    (stat.st_mode & 0o077 != 0).then(|| {
        let meaning =
            format!("others can read '{}', and the webhook's address in it", file.display());
        let command = files::keep_private(file);
        Finding::warning("configuration-open", meaning, command).fixed_by(Fix::CloseConfiguration)
    })
}

/// The command that takes an empty folder away, with the rights of whoever owns the one above.
fn without_folder(path: &Path) -> Hint {
    let command = files::remove_directory(path);
    match Folder::reach(folder(path)) {
        Ok(above) => command.run_by(&above.user()),
        Err(_) => command,
    }
}

fn kind(path: &Path) -> Option<Kind> {
    Folder::reach(folder(path)).ok()?.kind(path.file_name()?.to_str()?).ok()?
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
