//! Writes what was found, or answered, into a link's file, key by key.

use std::path::{Path, PathBuf};

use crate::app::context::{self, CONFIG_LIMIT};
use crate::app::error::Error;
use crate::app::setup::detect::{Detection, Stated};
use crate::domain::config::edit::{self, answer_key, remove_key, value_of};
use crate::domain::config::settings::Settings;
use crate::domain::config::{self, Config, Problem, keys};
use crate::domain::detection::{Candidate, Claw, Cli, Login};
use crate::os;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::process::own_files;

const HEADER: &str = "# One link: a Claude login and the OpenClaw that its token is carried to.\n# All keys: oauth-sync.conf(5). Check after a change: oauth-sync status\n";

/// What a file says that detection has named: the Debian package's `postrm` removes it by this line.
const NAMED: &str = "# Made by detection: purging the Debian package removes this file, unless this line is taken out.\n";

/// The keys that name where else the token goes.
const PLACES: [&str; 4] = ["COMPOSE_DIR", "ENV_FILE", "OAUTH_JSON", "SECRET_FILE"];

/// The two halves of a link.
const HALVES: [&str; 2] = ["CLAUDE_CREDENTIALS", "OPENCLAW_STATE_DIR"];

/// Keys, and those that say something of the same thing: with another thing they go.
const TOGETHER: [(&str, &[&str]); 3] = [
    ("CLAUDE_CLI", &["CLAUDE_CONTAINER", "CONTAINER_ENGINE"]),
    ("CLAUDE_CONTAINER", &["CONTAINER_ENGINE"]),
    ("COMPOSE_DIR", &["COMPOSE_SERVICE"]),
];

/// A key and its value; an empty value takes the key out.
pub(crate) type Answer = (String, String);

/// What became of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The file, if it was made or changed.
    pub(crate) file: Option<PathBuf>,
    /// Why it is no link, for a person; nothing where it is one.
    pub(crate) unlinked: Option<String>,
}

/// A candidate as keys and values.
pub(crate) fn answers(detection: &Detection, candidate: &Candidate) -> Vec<Answer> {
    of_pair(detection.login_of(candidate), detection.claw_of(candidate))
}

fn of_pair(login: &Login, claw: &Claw) -> Vec<Answer> {
    let mut answers = vec![
        answer("CLAUDE_CREDENTIALS", &login.path.display().to_string()),
        answer("OPENCLAW_STATE_DIR", &claw.state_dir.display().to_string()),
    ];
    for (key, path) in
        [("OPENCLAW_CONFIG_PATH", &claw.config_path), ("OPENCLAW_AGENT_DIR", &claw.agent_dir)]
    {
        answers.extend(path.as_ref().map(|path| answer(key, &path.display().to_string())));
    }
    // A CLI that is not there yet is looked for again at each run, so its absence is not written down.
    let mut engines = claw.container.iter().map(|(engine, _)| *engine).collect::<Vec<_>>();
    if let Cli::Container { name, engine } = &login.cli {
        answers.extend(of_container(name, engine));
        engines.push(engine);
    }
    // One CONTAINER_ENGINE serves both containers, or the gateway's is left to a person.
    if engines.iter().all(|engine| *engine == engines[0]) {
        let of_gateway = of_gateway(claw);
        answers.extend(
            of_gateway.into_iter().filter(|one| !answers.contains(one)).collect::<Vec<_>>(),
        );
    }
    answers
}

fn answer(key: &str, value: &str) -> Answer {
    (key.to_owned(), value.to_owned())
}

/// The keys of a CLI that runs in a container.
pub(crate) fn of_container(name: &str, engine: &str) -> Vec<Answer> {
    let keys = [answer("CLAUDE_CLI", "container"), answer("CLAUDE_CONTAINER", name)];
    keys.into_iter().chain(of_engine(engine)).collect()
}

/// Docker is the default.
fn of_engine(engine: &str) -> Option<Answer> {
    (engine != "docker").then(|| answer("CONTAINER_ENGINE", engine))
}

/// The keys of the compose project, or of the container by itself, that runs an OpenClaw.
pub(crate) fn of_gateway(claw: &Claw) -> Vec<Answer> {
    if let Some((engine, name)) = &claw.container {
        return std::iter::once(answer("CONTAINER_NAME", name)).chain(of_engine(engine)).collect();
    }
    let Some((folder, service)) = &claw.compose else { return Vec::new() };
    let folder = folder.display().to_string();
    vec![answer("COMPOSE_DIR", &folder), answer("COMPOSE_SERVICE", service)]
}

/// Reads `KEY=VALUE` lines, as the packages hand over what was answered.
pub(crate) fn parse_answers(text: &str) -> Vec<Answer> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// What is wrong with an answer by itself, whatever else is said.
pub(crate) fn fault_of(key: &str, value: &str) -> Option<String> {
    let text = match edit::set_key("", key, value) {
        Ok(text) => text,
        Err(refusal) => return Some(format!("{key} cannot be set: {refusal}")),
    };
    let file = PathBuf::from(file_of(config::DEFAULT));
    let is_of_this_alone = |cause: &str| {
        let words = cause.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        let mut keys = words.filter(|word| keys::find(word).is_some()).peekable();
        keys.peek().is_some() && keys.all(|word| word == key)
    };
    let problems = config::read(&[(file, text)]).problems;
    problems.into_iter().map(|problem| problem.cause).find(|cause| is_of_this_alone(cause))
}

/// The name of a link's file.
pub(crate) fn file_of(link: &str) -> String {
    format!("{link}.conf")
}

/// Says whether no file has the name of this link.
pub(crate) fn is_free(config_dir: &Path, link: &str) -> bool {
    let folder = Folder::reach(config_dir).and_then(|folder| folder.stat(&file_of(link)));
    matches!(folder, Ok(None)) || folder.is_err_and(|error| error.is_absent())
}

/// Says whether the packages' own file is no link yet, and somebody has said one of these keys.
pub(crate) fn is_begun(config_dir: &Path, keys: &[&str]) -> Result<bool, Error> {
    let folder = match own_files::directory(config_dir) {
        Ok(folder) => folder,
        Err(error) if error.is_absent() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let file = file_of(config::DEFAULT);
    let Some(text) = text_of(&folder, &file)? else { return Ok(false) };
    let is_link = !config::read(&[(config_dir.join(file), text.clone())]).links.is_empty();
    Ok(!is_link && keys.iter().any(|key| value_of(&text, key).is_some()))
}

/// Brings a link's file to what was answered; while it is no link, what nobody said is detected.
pub(crate) fn write(
    config_dir: &Path,
    link: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<Written, Error> {
    write_below(HEADER, config_dir, link, detection, given)
}

/// The same for a link whose name nobody gave: a new file says that it goes with the package.
pub(super) fn write_named(
    config_dir: &Path,
    link: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<Written, Error> {
    write_below(&format!("{HEADER}{NAMED}"), config_dir, link, detection, given)
}

fn write_below(
    header: &str,
    config_dir: &Path,
    link: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<Written, Error> {
    context::open_or_make(config_dir)?;
    let folder = own_files::directory(config_dir)?;
    let file = file_of(link);
    let path = config_dir.join(&file);
    let old = text_of(&folder, &file)?;
    let Draft { text, unlinked } = drafted(&path, old.as_deref(), header, detection, given)?;
    match text.filter(|text| old.as_ref() != Some(text)) {
        Some(text) => {
            atomic_write::replace(&folder, &file, text.as_bytes(), Durability::Flushed)?;
            Ok(Written { file: Some(path), unlinked })
        }
        None => Ok(Written { file: None, unlinked }),
    }
}

/// The link as `write` would leave it; none where it would write none, or one with faults.
pub(crate) fn link_to_be(
    config_dir: &Path,
    detection: &Detection,
    given: &[Answer],
) -> Result<Option<Settings>, Error> {
    let file = file_of(config::DEFAULT);
    let old = match own_files::directory(config_dir) {
        Ok(folder) => text_of(&folder, &file)?,
        Err(error) if error.is_absent() => None,
        Err(error) => return Err(error.into()),
    };
    let path = config_dir.join(file);
    let text = drafted(&path, old.as_deref(), HEADER, detection, given)?.text;
    Ok(text.and_then(|text| config::read(&[(path, text)]).links.into_iter().next()))
}

/// What would be wrong with the configuration once `write` was done, and is not so far.
pub(crate) fn faults_to_be(
    config_dir: &Path,
    link: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<Vec<Problem>, Error> {
    let folder = context::open_or_make(config_dir)?;
    let file = file_of(link);
    let old = text_of(&folder, &file)?;
    let path = config_dir.join(&file);
    let Some(text) = drafted(&path, old.as_deref(), HEADER, detection, given)?.text else {
        return Ok(Vec::new());
    };
    let before = context::configuration(config_dir)?.problems;
    let mut faults = context::configuration_with(config_dir, Some((&file, text)))?.problems;
    faults.retain(|fault| !before.iter().any(|other| other.cause == fault.cause));
    Ok(faults)
}

/// What the file is to say.
struct Draft {
    /// Its text, if there is anything to be said.
    text: Option<String>,
    /// Why that is no link.
    unlinked: Option<String>,
}

impl Draft {
    /// A valid link is never replaced by an invalid one.
    fn keeping(why: Option<String>) -> Self {
        let why = why.unwrap_or_else(|| "neither half is named".to_owned());
        let kept = format!("no valid link comes of the answers, so the one there is kept: {why}");
        Self { text: None, unlinked: Some(kept) }
    }
}

fn drafted(
    path: &Path,
    old: Option<&str>,
    header: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<Draft, Error> {
    let read = |text: &str| config::read(&[(path.to_owned(), text.to_owned())]);
    let before = read(old.unwrap_or_default());
    let is_link = !before.links.is_empty();
    let (mut answers, mut unlinked) = (Vec::new(), None);
    if before.problems.is_empty() && (!is_link || is_ended(old, given)) {
        match completion(detection, |key| stated(old, given, key)) {
            Ok(found) => answers = found,
            Err(why) => unlinked = Some(why),
        }
    }
    // What is taken out to be looked for is not taken out again once it was found.
    let is_found = |key: &String| answers.iter().any(|(found, _)| found == key);
    let given = given.iter().filter(|(key, value)| !(is_link && value.is_empty() && is_found(key)));
    let given: Vec<Answer> = given.cloned().collect();
    answers.extend(given);
    if old.is_none() && answers.iter().all(|(_, value)| value.is_empty()) {
        return Ok(Draft { text: None, unlinked });
    }
    let text = edited(path, old.unwrap_or(header), &answers)?;
    let Config { links, problems, unfinished } = read(&text);
    if links.is_empty() && is_link {
        let why = problems.first().or(unfinished.first()).map(ToString::to_string);
        return Ok(Draft::keeping(why.or(unlinked)));
    }
    if !links.is_empty() {
        unlinked = None;
    } else if let Some(problem) = problems.first() {
        unlinked = Some(problem.to_string());
    } else if unlinked.is_none() {
        unlinked = unfinished.first().map(ToString::to_string);
    }
    Ok(Draft { text: Some(text), unlinked })
}

/// Says whether the answers take a half of the link away, which is then looked for as at first.
fn is_ended(old: Option<&str>, given: &[Answer]) -> bool {
    let was = |key: &str| value_of(old?, key);
    HALVES.iter().any(|key| was(key).is_some() && stated(old, given, key).is_none())
}

/// What somebody has said for a key: now, or in the file.
fn stated(old: Option<&str>, given: &[Answer], key: &str) -> Option<String> {
    match given.iter().rev().find(|(name, _)| name == key) {
        Some((_, value)) => (!value.is_empty()).then(|| value.clone()),
        None => value_of(old?, key),
    }
}

/// What detection adds to what is said; nothing where both halves are.
fn completion(
    detection: &Detection,
    said: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Answer>, String> {
    let path = |key: &str| said(key).map(PathBuf::from);
    let places = PLACES.iter().filter_map(|key| path(key)).collect();
    let stated =
        Stated { login: path("CLAUDE_CREDENTIALS"), claw: path("OPENCLAW_STATE_DIR"), places };
    let goes_nowhere = said("SINKS").is_some_and(|sinks| sinks == "none");
    if stated.login.is_some() && (stated.claw.is_some() || goes_nowhere) {
        return Ok(of_project(detection, &stated, &said));
    }
    let mut found = answers(detection, detection.unasked_with(&stated)?);
    for (key, goes_with) in TOGETHER {
        let differs = said(key).is_some_and(|value| !found.contains(&answer(key, &value)));
        found.retain(|(found, _)| !(differs && goes_with.contains(&found.as_str())));
    }
    found.retain(|(key, _)| said(key).is_none());
    Ok(found)
}

/// The compose project that runs the OpenClaw that is stated, where nothing is said of its gateway.
fn of_project(
    detection: &Detection,
    stated: &Stated,
    said: &impl Fn(&str) -> Option<String>,
) -> Vec<Answer> {
    let keys = [
        "GATEWAY",
        "CONTAINER_NAME",
        "COMPOSE_DIR",
        "COMPOSE_SERVICE",
        "GATEWAY_COMMAND",
        "ENV_FILE",
    ];
    if keys.into_iter().any(|key| said(key).is_some()) {
        return Vec::new();
    }
    let claws = detection.findings.claws.iter();
    let mut of_it = claws.filter(|claw| stated.claw.as_ref() == Some(&claw.state_dir));
    of_it.next().map(of_gateway).unwrap_or_default()
}

fn text_of(folder: &Folder, file: &str) -> Result<Option<String>, Error> {
    Ok(own_files::text(folder, file, CONFIG_LIMIT)?)
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

#[cfg(test)]
mod tests {
    use crate::domain::detection::Control;

    use super::*;

    #[test]
    fn the_gateways_container_is_named_where_the_clis_is_of_the_same_engine() {
        let claw = |engine| Claw {
            state_dir: PathBuf::from("/c"),
            control: Control::of(&[0]),
            version: String::new(),
            compose: None,
            container: Some((engine, "gateway".to_owned())),
            config_path: None,
            agent_dir: None,
            unit: None,
            configured: true,
            warnings: Vec::new(),
        };
        let login = |cli| Login {
            path: PathBuf::from("/l"),
            control: Control::of(&[0]),
            state: "valid",
            cli,
            warnings: Vec::new(),
        };
        let inside = |engine| Cli::Container { name: "claude".to_owned(), engine };
        let named = |cli, engine| {
            let answers = of_pair(&login(cli), &claw(engine));
            let engines = answers.iter().filter(|(key, _)| key == "CONTAINER_ENGINE").count();
            (answers.contains(&answer("CONTAINER_NAME", "gateway")), engines)
        };
        assert_eq!(named(inside("docker"), "docker"), (true, 0));
        assert_eq!(named(inside("podman"), "podman"), (true, 1));
        assert_eq!(named(inside("podman"), "docker"), (false, 1));
        assert_eq!(named(inside("docker"), "podman"), (false, 0));
        assert_eq!(named(Cli::Host(PathBuf::from("/usr/bin/claude")), "podman"), (true, 1));
    }
}
