//! The link: which OpenClaw gets the token, and which login it comes from.

use std::path::{Path, PathBuf};

use crate::app::detect::write::{self, Answer, Written};
use crate::app::error::Error;
use crate::cli::render::answer;
use crate::cli::setup::ask::{Said, Typed};
use crate::cli::setup::{Guide, Turn};
use crate::domain::config::DEFAULT;
use crate::domain::detection::{Claw, Cli, Login};

/// The word for no OpenClaw at all.
const NONE: &str = "none";

/// Asks which OpenClaw gets the token; nothing is written yet.
pub(super) fn openclaw(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    if let Some(settings) = guide.settings() {
        let to = settings.openclaw_state_dir.map(|path| format!("'{}'", path.display()));
        Guide::found(&format!(
            "linked already: '{}' to {}",
            settings.claude_credentials.display(),
            to.unwrap_or_else(|| "nothing, the login is kept alive only".to_owned())
        ));
        Guide::found(&format!("change it in '{}'", settings.file.display()));
        return Ok(Turn::Pass);
    }
    let claws = &guide.detection.findings.claws;
    if claws.is_empty() {
        Guide::found("no OpenClaw was found");
    }
    for (at, claw) in claws.iter().enumerate() {
        Guide::found(&format!("{}) {}", at + 1, described(claw)));
    }
    let best = guide.detection.candidates.first().map(|best| &claws[best.claw]);
    let proposed = guide.options.openclaw.clone().or_else(|| {
        best.or_else(|| claws.first()).map(|claw| claw.state_dir.display().to_string())
    });
    let proposed = proposed.unwrap_or_else(|| NONE.to_owned());
    loop {
        let question =
            "State folder of OpenClaw: a number, a path, or 'none' to keep the login alive only";
        let text = match guide.ask.text(question, &proposed) {
            Typed::Text(text) => text,
            Typed::Back => return Ok(Turn::Back),
            Typed::Quit => return Ok(Turn::Quit),
        };
        let numbered =
            text.parse::<usize>().ok().and_then(|number| claws.get(number.checked_sub(1)?));
        let path = match (numbered, text.as_str()) {
            (Some(claw), _) => claw.state_dir.clone(),
            (None, NONE) => PathBuf::new(),
            (None, path) => PathBuf::from(path),
        };
        if path.as_os_str().is_empty() || path.is_absolute() {
            guide.openclaw = Some(path);
            return Ok(Turn::Next);
        }
        Guide::found(&format!("'{text}' is neither a number from the list nor a whole path"));
        if guide.ask.yes {
            return Ok(Turn::Quit);
        }
    }
}

fn described(claw: &Claw) -> String {
    let runs = match (&claw.compose, &claw.unit) {
        (Some((folder, service)), _) => format!(", runs as {service} of '{}'", folder.display()),
        (None, Some((unit, _))) => format!(", runs as {unit}"),
        (None, None) => String::new(),
    };
    format!("'{}', version {}{runs}", claw.state_dir.display(), claw.version)
}

/// Asks which login the token comes from, shows the link, and writes it after a yes.
pub(super) fn login(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    if guide.settings().is_some() {
        Guide::found("linked already");
        return Ok(Turn::Pass);
    }
    if guide.name != DEFAULT {
        Guide::found(&format!(
            "write '{}/{}.conf' first",
            guide.places.config_dir.display(),
            guide.name
        ));
        return Ok(Turn::Quit);
    }
    let Some(openclaw) = guide.openclaw.clone() else { return Ok(Guide::without_link()) };
    let logins = &guide.detection.findings.logins;
    for (at, login) in logins.iter().enumerate() {
        Guide::found(&format!("{}) '{}': {}", at + 1, login.path.display(), login.state));
    }
    let proposed = proposed(guide, &openclaw);
    let question = "Claude's credentials file: a number or a path; it need not be there yet";
    let text = match guide.ask.text(question, &proposed) {
        Typed::Text(text) => text,
        Typed::Back => return Ok(Turn::Back),
        Typed::Quit => return Ok(Turn::Quit),
    };
    let numbered = text.parse::<usize>().ok().and_then(|number| logins.get(number.checked_sub(1)?));
    let path = numbered.map_or_else(|| PathBuf::from(&text), |login| login.path.clone());
    write(guide, &answers(guide, &openclaw, &path))
}

/// The best login for that OpenClaw; else where its user would have one.
fn proposed(guide: &Guide<'_>, openclaw: &Path) -> String {
    if let Some(path) = &guide.options.claude {
        return path.display().to_string();
    }
    let findings = &guide.detection.findings;
    let of_claw = |claw: usize| findings.claws[claw].state_dir == openclaw;
    let best = guide.detection.candidates.iter().find(|candidate| of_claw(candidate.claw));
    let login = best.map(|best| &findings.logins[best.login]).or_else(|| findings.logins.first());
    let beside = openclaw.parent().unwrap_or(Path::new("/root")).join(".claude/.credentials.json");
    login.map_or(beside, |login| login.path.clone()).display().to_string()
}

fn answers(guide: &Guide<'_>, openclaw: &Path, login: &Path) -> Vec<Answer> {
    let key = |key: &str, value: String| (key.to_owned(), value);
    let mut answers = vec![key("CLAUDE_CREDENTIALS", login.display().to_string())];
    if openclaw.as_os_str().is_empty() {
        answers.push(key("OPENCLAW_STATE_DIR", String::new()));
        answers.push(key("SINKS", NONE.to_owned()));
    } else {
        answers.push(key("OPENCLAW_STATE_DIR", openclaw.display().to_string()));
    }
    let findings = &guide.detection.findings;
    let found: Option<&Login> = findings.logins.iter().find(|found| found.path == login);
    let container =
        guide.options.container.clone().or_else(|| match found.map(|found| &found.cli) {
            Some(Cli::Container { name, .. }) => Some(name.clone()),
            _ => None,
        });
    if let Some(name) = container {
        answers.push(key("CLAUDE_CLI", "container".to_owned()));
        answers.push(key("CLAUDE_CONTAINER", name));
    }
    let claw = findings.claws.iter().find(|claw| claw.state_dir == openclaw);
    if let Some((folder, service)) = claw.and_then(|claw| claw.compose.as_ref()) {
        answers.push(key("COMPOSE_DIR", folder.display().to_string()));
        answers.push(key("COMPOSE_SERVICE", service.clone()));
    }
    answers
}

fn write(guide: &Guide<'_>, answers: &[Answer]) -> Result<Turn, Error> {
    let file = guide.places.config_dir.join(write::FILE);
    Guide::found(&format!("this goes into '{}':", file.display()));
    for (key, value) in answers.iter().filter(|(_, value)| !value.is_empty()) {
        answer(&format!("      {key}=\"{value}\"\n"));
    }
    match guide.ask.may("Write it?") {
        Said::Yes => {}
        other => return Ok(other.into()),
    }
    let Written { file, unlinked } =
        write::write(&guide.places.config_dir, &guide.detection, answers)?;
    match (file, unlinked) {
        (Some(path), _) => Guide::found(&format!("written: '{}'", path.display())),
        (None, None) => Guide::found("it says so already"),
        (None, Some(why)) => Guide::found(&format!("nothing is linked: {why}")),
    }
    // What was just written may still be wrong in the eyes of who reads it.
    if let Err(error) = crate::app::ground::links(&guide.places.config_dir, Some(&guide.name)) {
        crate::cli::render::failure(&error);
        return Ok(if guide.ask.yes { Turn::Quit } else { Turn::Next });
    }
    Ok(Turn::Next)
}
