//! Which file a compose project takes the variable from: what its label names (`--env-file`,
//! `COMPOSE_ENV_FILES`), else the `.env` of its directory; or what the service lists under `env_file`.

use std::path::{Path, PathBuf};

use crate::app::gateway::runner;
use crate::app::sync::sinks::env::name_env_file;
use crate::domain::compose_file::{self, Named};
use crate::domain::compose_service::{self, Value};
use crate::domain::config::settings::Settings;
use crate::domain::envfile;
use crate::domain::expand::expand;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::{Container, Project};
use crate::domain::hints;
use crate::os::fs::dir::{Folder, Seen};
use crate::os::user::account;

/// The most that is read of such a file, in bytes.
const LIMIT: u64 = 1 << 20;

/// A file that a service takes its variables from by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EnvFile {
    path: PathBuf,
    /// Whether quotes and comments are parts of its values.
    is_raw: bool,
}

/// Where a service takes the variable from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// The variables of the project, which its compose files put in.
    Project,
    /// The files that the service lists.
    Service(Vec<EnvFile>),
    /// This compose file itself.
    Literal(PathBuf),
    /// Another variable, by this compose file.
    Other(PathBuf),
    /// Its files do not tell, or cannot be read.
    Unknown,
}

/// Refuses where a recreate would take the token from another place than `sink`, which holds the new one.
pub(crate) fn agrees(
    settings: &Settings,
    sink: &Path,
    container: &Container,
) -> Result<(), Ending> {
    let state = settings.openclaw_state_dir.as_deref();
    if state == sink.parent() && container.variable(&settings.env_key).is_none() {
        // OpenClaw reads that one itself.
        return Ok(());
    }
    let project = &container.project;
    match origin(project, &settings.env_key) {
        Origin::Literal(file) => {
            Err(by_file(settings, sink, &file, ("itself sets", ", which beats")))
        }
        Origin::Other(file) => {
            Err(by_file(settings, sink, &file, ("makes", " of another variable, not of that in")))
        }
        Origin::Service(files) => of_service(settings, sink, &files),
        Origin::Unknown if state != sink.parent() && is_named(project, "env_file") => {
            of_project(settings, sink, project).or(Ok(()))
        }
        // Compose itself tells before anything is recreated.
        Origin::Unknown if beside(project).iter().any(|file| is_same(file, sink)) => Ok(()),
        Origin::Project | Origin::Unknown => of_project(settings, sink, project),
    }
}

/// Says whether the project's files hand the variable to the service, as far as they can be read.
pub(crate) fn is_handed(project: &Project, key: &str) -> bool {
    match origin(project, key) {
        Origin::Project | Origin::Service(_) | Origin::Literal(_) | Origin::Other(_) => true,
        Origin::Unknown => {
            let texts = project.files.iter().map(|file| read(&project.at(file)));
            // Of one that cannot be read nobody can tell what it hands over.
            texts.clone().any(|text| text.is_none())
                || texts.flatten().any(|seen| {
                    let text = String::from_utf8_lossy(&seen.bytes);
                    ["env_file", "include", "extends", key].iter().any(|word| text.contains(word))
                })
        }
    }
}

/// The files that variables of the project are taken from, later ones before earlier ones.
fn files(project: &Project) -> Vec<PathBuf> {
    if project.env_files.is_empty() {
        return vec![project.at(".env")];
    }
    project.env_files.iter().map(|file| project.at(file)).collect()
}

/// The files of variables that the project's files name, and those that they include or extend.
pub(super) fn beside(project: &Project) -> Vec<PathBuf> {
    let folder = Path::new(&project.folder);
    let mut found = Vec::new();
    for named in project.files.iter().flat_map(|file| named(&project.at(file))) {
        let path = folder.join(named.path());
        match named {
            Named::Plain(_) => found.push(path),
            Named::Directory(_) => found.push(path.join(".env")),
            Named::Compose(_) => {
                let directory = path.parent().unwrap_or(folder);
                let is_plain = |named: &Named| matches!(named, Named::Plain(_));
                let listed = self::named(&path).into_iter().filter(is_plain);
                found.extend(listed.map(|named| directory.join(named.path())));
                found.push(directory.join(".env"));
            }
        }
    }
    found
}

/// The files that a compose file names by plain paths.
fn named(file: &Path) -> Vec<Named> {
    let Some(seen) = read(file) else { return Vec::new() };
    compose_file::named(&String::from_utf8_lossy(&seen.bytes), &|_| None).unwrap_or_default()
}

/// Where the service takes the variable from, by all files of the project.
fn origin(project: &Project, key: &str) -> Origin {
    let (mut value, mut listed, mut has_more) = (None, Vec::new(), project.files.is_empty());
    for file in &project.files {
        let path = project.at(file);
        let seen = read(&path);
        let text = seen.as_ref().map(|seen| String::from_utf8_lossy(&seen.bytes));
        let handed = text.and_then(|text| compose_service::handed(&text, &project.service, key));
        let Some(handed) = handed else { return Origin::Unknown };
        has_more |= handed.has_more;
        value = handed.value.map(|value| (value, path)).or(value);
        for file in handed.env_files {
            let Some(path) = expand(&file.path, &|name| variable(project, name)) else {
                return Origin::Unknown;
            };
            listed.push(EnvFile { path: project.at(&path), is_raw: file.is_raw });
        }
    }
    match value {
        Some((Value::OfProject, _)) => Origin::Project,
        Some((Value::Literal, file)) => Origin::Literal(file),
        Some((Value::OfOthers(names), file)) => {
            // It may be made of ours in its turn.
            let is_ours = |name: &String| {
                variable(project, name).is_some_and(|value| compose_service::uses(&value, key))
            };
            if names.iter().any(is_ours) { Origin::Project } else { Origin::Other(file) }
        }
        None if has_more || listed.is_empty() => Origin::Unknown,
        None => Origin::Service(listed),
    }
}

/// A variable as compose knows it when it reads the project's files.
fn variable(project: &Project, name: &str) -> Option<String> {
    let of_files = files(project).iter().rev().find_map(|file| {
        envfile::get(&read(file)?.bytes, name).map(|value| value.expose().to_owned())
    });
    let home = || {
        let owner = Folder::reach(Path::new(&project.folder)).ok()?.identity.uid;
        account::of(owner)?.home.into_os_string().into_string().ok()
    };
    of_files.or_else(|| home().filter(|_| name == "HOME"))
}

fn of_project(settings: &Settings, sink: &Path, project: &Project) -> Result<(), Ending> {
    let files = files(project);
    let real = files.iter().rev().find(|file| sets(file, &settings.env_key));
    if real.map_or_else(|| files.iter().any(|file| is_same(file, sink)), |real| is_same(real, sink))
    {
        return Ok(());
    }
    let by = if project.env_files.is_empty() { "" } else { " (--env-file or COMPOSE_ENV_FILES)" };
    Err(elsewhere(settings, sink, real.or(files.last()), ("project", by)))
}

fn of_service(settings: &Settings, sink: &Path, files: &[EnvFile]) -> Result<(), Ending> {
    let key = &settings.env_key;
    let real = files.iter().rev().find(|file| sets(&file.path, key));
    let real = real.or_else(|| files.iter().rev().find(|file| is_same(&file.path, sink)));
    match real.filter(|real| is_same(&real.path, sink)) {
        Some(real) if real.is_raw => raw(sink, key),
        Some(_) => Ok(()),
        None => {
            let real = real.or(files.last()).map(|file| &file.path);
            Err(elsewhere(settings, sink, real, ("service", " (env_file)")))
        }
    }
}

/// A raw file's value goes on to the end of the line, with whatever quotes it.
fn raw(sink: &Path, key: &str) -> Result<(), Ending> {
    let Some(seen) = read(sink) else { return Ok(()) };
    match envfile::get(&seen.bytes, key) {
        Some(token) if envfile::raw(&seen.bytes, key) != Some(token.expose().as_bytes()) => {
            let why = format!(
                "compose reads '{}' with `format: raw`, and the line of {key} has quotes, blanks or a comment, which would be parts of its value: nothing is recreated",
                sink.display()
            );
            Err(Ending::Deferred(why, Some(hints::files::edit(sink))))
        }
        _ => Ok(()),
    }
}

fn by_file(settings: &Settings, sink: &Path, file: &Path, (verb, rest): (&str, &str)) -> Ending {
    let (key, file_shown) = (&settings.env_key, file.display());
    let why = format!(
        "'{file_shown}' {verb} {key}{rest} '{}', so nothing is recreated: it should have {key}: ${{{key}}}",
        sink.display()
    );
    Ending::Deferred(why, Some(hints::files::edit(file)))
}

fn elsewhere(
    settings: &Settings,
    sink: &Path,
    real: Option<&PathBuf>,
    (who, by): (&str, &str),
) -> Ending {
    let (key, sink) = (&settings.env_key, sink.display());
    let Some(real) = real else {
        return Ending::deferred(format!(
            "the {who} does not read '{sink}', so nothing is recreated"
        ));
    };
    if is_missing(real) {
        let why = format!("'{}' is not there, so nothing is recreated", real.display());
        return Ending::deferred(why);
    }
    let why = format!(
        "the {who} takes its variables from '{}'{by}, and {key} is written to '{sink}', so nothing is recreated",
        real.display()
    );
    let hint = name_env_file(&settings.name, runner::user(settings), real);
    Ending::Deferred(why, Some(hint))
}

/// Says whether a word stands anywhere in the project's files.
fn is_named(project: &Project, word: &str) -> bool {
    project.files.iter().any(|file| {
        let seen = read(&project.at(file));
        seen.is_some_and(|seen| String::from_utf8_lossy(&seen.bytes).contains(word))
    })
}

pub(super) fn sets(file: &Path, key: &str) -> bool {
    read(file).is_some_and(|seen| envfile::has(&seen.bytes, key))
}

fn read(path: &Path) -> Option<Seen> {
    let (folder, name) = open(path)?;
    folder.read(&name, LIMIT).ok()?
}

fn is_missing(path: &Path) -> bool {
    open(path).is_some_and(|(folder, name)| matches!(folder.stat(&name), Ok(None)))
}

pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let key = |path: &Path| {
        let (folder, name) = open(path)?;
        let stat = folder.stat(&name).ok()??;
        Some((stat.st_dev, stat.st_ino))
    };
    one == other || key(one).is_some_and(|one| Some(one) == key(other))
}

fn open(path: &Path) -> Option<(Folder, String)> {
    Folder::reach_followed(path).ok()
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
            service: "gw".to_owned(),
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
        let write = |name: &str, text: &str| std::fs::write(scratch.path().join(name), text);
        write("plain.yml", "services: {}\n").unwrap();
        write(".env", "MINE=${KEY}\nTOKEN=x\n").unwrap();
        write(
            "listing.yml",
            "services:\n  gw:\n    env_file:\n      - path: ${SUB:-raw}.env\n        format: raw\n",
        )
        .unwrap();
        let raw = EnvFile { path: scratch.path().join("raw.env"), is_raw: true };
        assert_eq!(origin(&unnamed, "KEY"), Origin::Service(vec![raw]));
        assert_eq!(origin(&named, "KEY"), Origin::Unknown);
        let more = [
            (
                "services: {gw: {environment: {KEY: x}}}",
                Origin::Literal(scratch.path().join("more.yml")),
            ),
            ("services: {gw: {environment: [KEY]}}", Origin::Project),
            (
                "services: {gw: {environment: ['KEY=${TOKEN:?}']}}",
                Origin::Other(scratch.path().join("more.yml")),
            ),
            ("services: {gw: {environment: ['KEY=${MINE}']}}", Origin::Project),
            ("services: {gw: {extends: x}}", Origin::Unknown),
            ("services: [", Origin::Unknown),
        ];
        for (text, found) in more {
            write("more.yml", text).unwrap();
            let project = project(&["plain.yml", "listing.yml", "more.yml"], &[]);
            assert_eq!(origin(&project, "KEY"), found, "{text}");
        }
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
