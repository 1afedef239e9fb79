//! Writes what was found, or answered, into `default.conf`, key by key.

use std::path::{Path, PathBuf};

use crate::app::detect::Detection;
use crate::app::error::Error;
use crate::app::ground::{self, CONFIG_LIMIT};
use crate::domain::config::edit::{answer_key, remove_key};
use crate::domain::config::settings::Settings;
use crate::domain::config::{self, Config};
use crate::domain::detection::{Candidate, Cli};
use crate::os;
use crate::os::folder::Folder;
use crate::os::stage::{self, Durability};

/// The packages' own link.
pub(crate) const FILE: &str = "default.conf";

const HEADER: &str = "# One link: a Claude login and the OpenClaw that its token is carried to.\n# All keys: oauth-sync.conf(5). Check after a change: oauth-sync status\n";

/// A key and its value; an empty value takes the key out.
pub(crate) type Answer = (String, String);

/// What became of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// This file was made or changed.
    File(PathBuf),
    /// It says so already.
    Unchanged,
    /// Nothing is linked; why, for a person.
    Nothing(String),
}

/// The best candidate as keys and values.
pub(crate) fn answers(detection: &Detection, candidate: &Candidate) -> Vec<Answer> {
    let login = &detection.findings.logins[candidate.login];
    let claw = &detection.findings.claws[candidate.claw];
    let mut answers = vec![
        ("CLAUDE_CREDENTIALS".to_owned(), login.path.display().to_string()),
        ("OPENCLAW_STATE_DIR".to_owned(), claw.state_dir.display().to_string()),
    ];
    // A CLI that is not there yet is looked for again at each run, so its absence is not written down.
    if let Cli::Container { name, engine } = &login.cli {
        answers.push(("CLAUDE_CLI".to_owned(), "container".to_owned()));
        answers.push(("CLAUDE_CONTAINER".to_owned(), name.clone()));
        // docker needs no word
        if *engine != "docker" {
            answers.push(("CONTAINER_ENGINE".to_owned(), (*engine).to_owned()));
        }
    }
    if let Some((folder, service)) = &claw.compose {
        answers.push(("COMPOSE_DIR".to_owned(), folder.display().to_string()));
        answers.push(("COMPOSE_SERVICE".to_owned(), service.clone()));
    }
    answers
}

/// Reads `KEY=VALUE` lines, as the packages hand over what was answered.
pub(crate) fn parse_answers(text: &str) -> Vec<Answer> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// Brings `default.conf` to what was answered; what was not answered is detected where nothing is
/// configured yet.
pub(crate) fn write(
    config_dir: &Path,
    detection: &Detection,
    given: &[Answer],
) -> Result<Written, Error> {
    let folder = ground::open_or_make(config_dir)?;
    let path = config_dir.join(FILE);
    let old = text_of(&folder)?;
    let text = match drafted(&path, old.as_deref(), detection, given)? {
        Ok(text) => text,
        Err(why) => return Ok(Written::Nothing(why)),
    };
    if old.as_deref() == Some(text.as_str()) {
        return Ok(Written::Unchanged);
    }
    stage::replace(&folder, FILE, text.as_bytes(), Durability::Flushed)?;
    Ok(Written::File(path))
}

/// The link as `write` would leave it; none where it would write none, or one with faults.
pub(crate) fn link_to_be(
    config_dir: &Path,
    detection: &Detection,
    given: &[Answer],
) -> Result<Option<Settings>, Error> {
    let old = match Folder::reach(config_dir) {
        Ok(folder) => text_of(&folder)?,
        Err(error) if error.is_absent() => None,
        Err(error) => return Err(error.into()),
    };
    let path = config_dir.join(FILE);
    let text = drafted(&path, old.as_deref(), detection, given)?;
    Ok(text.ok().and_then(|text| config::read(&[(path, text)]).links.into_iter().next()))
}

/// The new text, or why nothing is linked.
fn drafted(
    path: &Path,
    old: Option<&str>,
    detection: &Detection,
    given: &[Answer],
) -> Result<Result<String, String>, Error> {
    let configured = old.is_some_and(|text| !is_unconfigured(path, text));
    let asked = |key: &str| given.iter().any(|(name, value)| name == key && !value.is_empty());
    let mut answers = Vec::new();
    let told = asked("CLAUDE_CREDENTIALS") && asked("OPENCLAW_STATE_DIR");
    if !configured && !told {
        match detection.unasked() {
            Ok(best) => answers = self::answers(detection, best),
            Err(why) if given.iter().all(|(_, value)| value.is_empty()) => {
                return Ok(Err(why));
            }
            Err(_) => {}
        }
    }
    answers.extend(given.iter().cloned());
    edited(path, old.unwrap_or(HEADER), &answers).map(Ok)
}

fn text_of(folder: &Folder) -> Result<Option<String>, Error> {
    let Some(seen) = folder.read(FILE, CONFIG_LIMIT)? else { return Ok(None) };
    match String::from_utf8(seen.bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => {
            Err(os::error::Error::odd("read", &folder.path.join(FILE), "it is not UTF-8 text")
                .into())
        }
    }
}

fn is_unconfigured(path: &Path, text: &str) -> bool {
    let Config { unconfigured, .. } = config::read(&[(path.to_owned(), text.to_owned())]);
    !unconfigured.is_empty()
}

fn edited(path: &Path, text: &str, answers: &[Answer]) -> Result<String, Error> {
    let mut text = text.to_owned();
    for (key, value) in answers {
        let edit =
            if value.is_empty() { remove_key(&text, key) } else { answer_key(&text, key, value) };
        text = edit.map_err(|refusal| {
            let what = format!("{key} cannot be set: {refusal}");
            Error::System(os::error::Error::odd("write", path, what))
        })?;
    }
    Ok(text)
}
