//! How the two of a link run: OpenClaw's compose project and environment, and Claude CLI.

use std::path::{Path, PathBuf};

use crate::app::error::Error;
use crate::app::setup::detect::write::{self, Answer};
use crate::cli::setup::ask::Typed;
use crate::cli::setup::link::NONE;
use crate::cli::setup::{Guide, Turn};
use crate::domain::detection::{Claw, Cli};

/// The keys that say how the CLI runs.
const KEYS: [&str; 3] = ["CLAUDE_CLI", "CLAUDE_CONTAINER", "CONTAINER_ENGINE"];

/// Asks for the compose project, where none was found and no unit runs OpenClaw.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the steps")]
pub(super) fn compose(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    guide.choice.compose = None;
    let Some(openclaw) = waiting(guide, "compose project") else { return Ok(Turn::Pass) };
    if let Some(Claw { compose: Some((folder, service)), .. }) = claw(guide, &openclaw) {
        Guide::found(&format!("it runs as {service} of '{}'", folder.display()));
        return Ok(Turn::Pass);
    }
    if let Some(Claw { unit: Some((unit, _)), .. }) = claw(guide, &openclaw) {
        Guide::found(&format!("it runs as {unit}"));
        return Ok(Turn::Pass);
    }
    if let Some(Claw { container: Some((_, name)), .. }) = claw(guide, &openclaw) {
        Guide::found(&format!("it runs in container {name}"));
        return Ok(Turn::Pass);
    }
    let question = "Folder of OpenClaw's compose project: a path, or 'none'";
    let (path, turn) = path(guide, "COMPOSE_DIR", question, NONE);
    guide.choice.compose = path;
    Ok(turn)
}

/// Asks for the `.env`, where there is none in the places that are looked at.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the steps")]
pub(super) fn environment(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    guide.choice.env_file = None;
    let Some(openclaw) = waiting(guide, "environment") else { return Ok(Turn::Pass) };
    let of_claw = claw(guide, &openclaw).and_then(|claw| claw.compose.clone());
    let compose = guide.choice.compose.clone().or(of_claw.map(|(folder, _)| folder));
    let usual = openclaw.join(".env");
    let places = compose.map(|folder| folder.join(".env")).into_iter().chain([usual.clone()]);
    if let Some(path) = places.into_iter().find(|path| guide.tree.has(path)) {
        Guide::found(&format!("'{}' is there", path.display()));
        return Ok(Turn::Pass);
    }
    let question = "File with OpenClaw's environment, .env: a path; it need not be there yet";
    let (path, turn) = path(guide, "ENV_FILE", question, &usual.display().to_string());
    // What is meant where nothing is said need not be said.
    guide.choice.env_file = path.filter(|path| *path != usual);
    Ok(turn)
}

/// Asks where the CLI runs: on the host, in a container, or nowhere.
pub(super) fn cli(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(login) = guide.choice.login.clone() else { return Ok(Guide::without_link()) };
    let found = guide.detection.findings.logins.iter().find(|found| found.path == login);
    let found = match found.map(|found| &found.cli) {
        Some(Cli::Host(path)) => {
            Guide::found(&format!("found: '{}'", path.display()));
            None
        }
        Some(Cli::Container { name, engine }) => {
            Guide::found(&format!("found: in the container {name} of {engine}"));
            Some((name.clone(), *engine))
        }
        Some(Cli::None) | None => None,
    };
    let name = guide.options.container.clone().or(found.clone().map(|(name, _)| name));
    let proposed = if name.is_some() { "container" } else { "host" };
    loop {
        let text =
            match guide.ask.text("Claude CLI runs on the: host, container, or none", proposed) {
                Typed::Text(text) => text,
                Typed::Back => return Ok(Turn::Back),
                Typed::Quit => return Ok(Turn::Quit),
            };
        let keys = match text.as_str() {
            "host" => Vec::new(),
            NONE => vec![("CLAUDE_CLI".to_owned(), NONE.to_owned())],
            "container" => match container(guide, name.as_deref().unwrap_or_default()) {
                Typed::Text(name) => {
                    let of_login = found.clone().filter(|(found, _)| *found == name);
                    let engine = of_login.or_else(|| {
                        guide.detection.containers.iter().find(|(found, _)| *found == name).cloned()
                    });
                    write::of_container(&name, engine.map_or("docker", |(_, engine)| engine))
                }
                Typed::Back => continue,
                Typed::Quit => return Ok(Turn::Quit),
            },
            _ => {
                Guide::found(&format!("'{text}' is none of host, container and none"));
                continue;
            }
        };
        guide.choice.cli = complete(keys);
        return Ok(Turn::Next);
    }
}

/// Asks for the container's name.
fn container(guide: &Guide<'_>, proposed: &str) -> Typed {
    let all = &guide.detection.containers;
    for (at, (name, engine)) in all.iter().enumerate() {
        Guide::found(&format!("{}) {name}, of {engine}", at + 1));
    }
    let first = all.first().map(|(name, _)| name.as_str()).unwrap_or_default();
    let proposed = if proposed.is_empty() { first } else { proposed };
    loop {
        let typed = guide.ask.text("Its container: a number or a name", proposed);
        let Typed::Text(text) = typed else { return typed };
        let numbered = text.parse::<usize>().ok().and_then(|at| all.get(at.checked_sub(1)?));
        let name = numbered.map_or(text, |(name, _)| name.clone());
        if name.is_empty() {
            Guide::found("a container has a name, as the engine's ps shows it");
        } else if Guide::is_usable("CLAUDE_CONTAINER", &name) {
            return Typed::Text(name);
        }
        if guide.ask.yes {
            return Typed::Quit;
        }
    }
}

/// Adds the keys that are not meant, so that the file does not say them either.
fn complete(keys: Vec<Answer>) -> Vec<Answer> {
    let is_said = |name: &&str| keys.iter().any(|(key, _)| key == name);
    let gone = KEYS.into_iter().filter(|name| !is_said(name));
    let gone: Vec<Answer> = gone.map(|name| (name.to_owned(), String::new())).collect();
    keys.into_iter().chain(gone).collect()
}

/// The OpenClaw of a link that is not written yet; without one there is no such thing of it.
fn waiting(guide: &Guide<'_>, thing: &str) -> Option<PathBuf> {
    let chosen = guide.choice.openclaw.clone().filter(|path| !path.as_os_str().is_empty());
    if chosen.is_none() {
        Guide::found(&format!("no OpenClaw is linked: there is no {thing} to name"));
    }
    chosen
}

fn claw<'a>(guide: &'a Guide<'_>, openclaw: &Path) -> Option<&'a Claw> {
    guide.detection.findings.claws.iter().find(|claw| claw.state_dir == openclaw)
}

/// Asks for a whole path; none is none.
fn path(guide: &Guide<'_>, key: &str, question: &str, proposed: &str) -> (Option<PathBuf>, Turn) {
    loop {
        let text = match guide.ask.text(question, proposed) {
            Typed::Text(text) => text,
            Typed::Back => return (None, Turn::Back),
            Typed::Quit => return (None, Turn::Quit),
        };
        if text == NONE {
            return (None, Turn::Next);
        }
        let path = PathBuf::from(&text);
        if !path.is_absolute() {
            Guide::found(&format!("'{text}' is no whole path"));
        } else if Guide::is_usable(key, &text) {
            return (Some(path), Turn::Next);
        }
        if guide.ask.yes {
            return (None, Turn::Quit);
        }
    }
}
