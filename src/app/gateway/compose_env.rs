//! Which files a compose project takes its variables from: those that its label names (`--env-file`,
//! `COMPOSE_ENV_FILES`), else the `.env` of its directory, and what a service lists under `env_file`.

use std::path::{Path, PathBuf};

use crate::app::gateway::engine::absolute;
use crate::app::gateway::round;
use crate::app::gateway::work::Work;
use crate::app::sinks::env::name_env_file;
use crate::domain::config::settings::Settings;
use crate::domain::envfile;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::{Container, Project};
use crate::domain::sink::SinkKind;
use crate::os::folder::{Folder, Seen};

/// The most that is read of such a file, in bytes.
const LIMIT: u64 = 1 << 20;

/// Refuses where a recreate would take the token from another file than the one that holds the new one.
pub(crate) fn agrees(work: &Work<'_>, container: &Container) -> Result<(), Ending> {
    let Some(sink) = work.env_file.as_deref() else { return Ok(()) };
    if !work.pending().sinks.contains(&SinkKind::Env) {
        return Ok(());
    }
    let settings = work.settings;
    let state = settings.openclaw_state_dir.as_deref();
    if state == sink.parent() && container.variable(&settings.env_key).is_none() {
        // OpenClaw reads that one itself.
        return Ok(());
    }
    let project = &container.project;
    let files = files(project);
    if files.iter().any(|file| file == sink || is_same(file, sink)) {
        return Ok(());
    }
    let setting = |file: &&PathBuf| {
        read(file).is_some_and(|seen| envfile::has(&seen.bytes, &settings.env_key))
    };
    let real = files.iter().rev().find(setting);
    if real.is_none() && state != sink.parent() && lists_env_files(project) {
        return Ok(());
    }
    Err(elsewhere(settings, sink, real.or(files.last()), project))
}

/// The files that variables are taken from, later ones before earlier ones.
fn files(project: &Project) -> Vec<PathBuf> {
    if project.env_files.is_empty() {
        return vec![absolute(project, ".env")];
    }
    project.env_files.iter().map(|file| absolute(project, file)).collect()
}

fn elsewhere(
    settings: &Settings,
    sink: &Path,
    real: Option<&PathBuf>,
    project: &Project,
) -> Ending {
    let by = if project.env_files.is_empty() { "" } else { " (--env-file or COMPOSE_ENV_FILES)" };
    let (key, sink) = (&settings.env_key, sink.display());
    let Some(real) = real else {
        return Ending::deferred(format!(
            "the project does not read '{sink}', so nothing is recreated"
        ));
    };
    if is_missing(real) {
        let why = format!("'{}' is not there, so nothing is recreated", real.display());
        return Ending::deferred(why);
    }
    let why = format!(
        "the project takes its variables from '{}'{by}, and {key} is written to '{sink}', so nothing is recreated",
        real.display()
    );
    let hint = name_env_file(&settings.name, round::user(settings), real);
    Ending::Deferred(why, Some(hint))
}

/// Says whether a service may list files of its own, in whatever form.
fn lists_env_files(project: &Project) -> bool {
    project.files.iter().any(|file| {
        let seen = read(&absolute(project, file));
        seen.is_some_and(|seen| String::from_utf8_lossy(&seen.bytes).contains("env_file"))
    })
}

fn read(path: &Path) -> Option<Seen> {
    let (folder, name) = open(path)?;
    folder.read(&name, LIMIT).ok()?
}

fn is_missing(path: &Path) -> bool {
    open(path).is_some_and(|(folder, name)| matches!(folder.stat(&name), Ok(None)))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let key = |path: &Path| {
        let (folder, name) = open(path)?;
        let stat = folder.stat(&name).ok()??;
        Some((stat.st_dev, stat.st_ino))
    };
    key(one).is_some_and(|one| Some(one) == key(other))
}

fn open(path: &Path) -> Option<(Folder, String)> {
    Folder::reach(path.parent()?).ok()?.follow(path.file_name()?.to_str()?).ok()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays its scratch directory out itself")]
mod tests {
    use super::*;

    #[test]
    fn the_label_names_the_files_and_else_the_directory_has_one() {
        let scratch = tempfile::tempdir().unwrap();
        let text = |name: &str| name.to_owned();
        let project = |files: &[&str], env_files: &[&str]| Project {
            folder: scratch.path().display().to_string(),
            files: files.iter().copied().map(text).collect(),
            env_files: env_files.iter().copied().map(text).collect(),
            ..Project::default()
        };
        let named = project(&["plain.yml"], &["/etc/base.env", "prod.env"]);
        assert_eq!(
            files(&named),
            [PathBuf::from("/etc/base.env"), scratch.path().join("prod.env")]
        );
        let unnamed = project(&["plain.yml", "listing.yml"], &[]);
        assert_eq!(files(&unnamed), [scratch.path().join(".env")]);
        std::fs::write(scratch.path().join("plain.yml"), "services: {}\n").unwrap();
        let listing =
            "services:\n  gw:\n    env_file:\n      - path: raw.env\n        format: raw\n";
        std::fs::write(scratch.path().join("listing.yml"), listing).unwrap();
        assert!(lists_env_files(&unnamed) && !lists_env_files(&named));
    }

    #[test]
    fn a_link_to_a_file_is_that_file() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        std::fs::write(at("one"), "").unwrap();
        std::fs::write(at("two"), "").unwrap();
        std::os::unix::fs::symlink("one", at("link")).unwrap();
        assert!(is_same(&at("one"), &at("link")) && !is_same(&at("one"), &at("two")));
        assert!(!is_same(&at("none"), &at("neither")));
    }
}
