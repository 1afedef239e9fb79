//! The link: which OpenClaw gets the token, which login it comes from, and the file that says so.

use std::path::{Path, PathBuf};

use crate::app::context;
use crate::app::error::Error;
use crate::app::setup::detect::write::{self, Answer, Written};
use crate::cli::output::answer;
use crate::cli::setup::ask::{Said, Typed};
use crate::cli::setup::{Choice, Guide, Turn};
use crate::domain::detection::{Candidate, Claw};
use crate::domain::hints::ours;

/// The word for no OpenClaw, no compose project, no CLI at all.
pub(super) const NONE: &str = "none";

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
    let best = fitting(guide, None).next().map(|best| guide.detection.claw_of(best));
    let proposed = guide.options.openclaw.clone().or_else(|| {
        best.or_else(|| claws.first()).map(|claw| claw.state_dir.display().to_string())
    });
    let proposed = proposed.unwrap_or_else(|| NONE.to_owned());
    loop {
        let question =
            "State directory of OpenClaw: a number, a path, or 'none' to only renew the login";
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
        let is_none = path.as_os_str().is_empty();
        let is_usable = || Guide::is_usable("OPENCLAW_STATE_DIR", &path.display().to_string());
        if is_none || path.is_absolute() && is_usable() {
            guide.choice = Choice { openclaw: Some(path), ..Choice::default() };
            return Ok(Turn::Next);
        }
        if !path.is_absolute() {
            let text = format!("'{text}' is neither a number from the list nor a whole path");
            Guide::found(&text);
        }
        if guide.ask.yes {
            return Ok(Turn::Quit);
        }
    }
}

fn described(claw: &Claw) -> String {
    let runs = match (&claw.compose, &claw.unit) {
        (Some((folder, service)), _) => format!(", runs as {service} of '{}'", folder.display()),
        (None, Some((unit, _))) => format!(", runs as {unit}"),
        (None, None) => match &claw.container {
            Some((_, name)) => format!(", runs in container {name}"),
            None => String::new(),
        },
    };
    format!("'{}', version {}{runs}", claw.state_dir.display(), claw.version)
}

/// The candidates of what the options or somebody chose, best first.
fn fitting<'a>(guide: &'a Guide<'_>, claw: Option<&Path>) -> impl Iterator<Item = &'a Candidate> {
    let detection = &guide.detection;
    let login = guide.options.claude.clone();
    let claw = claw.map(Path::to_owned);
    let config_dir = &guide.places.config_dir;
    let links = context::configuration(config_dir).map(|config| config.links).unwrap_or_default();
    let is_linked = move |claw: &Path| {
        links.iter().any(|link| link.openclaw_state_dir.as_deref() == Some(claw))
    };
    detection.candidates.iter().filter(move |candidate| {
        !is_linked(&detection.claw_of(candidate).state_dir)
            && login.as_ref().is_none_or(|login| detection.login_of(candidate).path == *login)
            && claw.as_ref().is_none_or(|claw| detection.claw_of(candidate).state_dir == *claw)
    })
}

/// Asks which login the token comes from; nothing is written yet.
pub(super) fn login(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(openclaw) = guide.choice.openclaw.clone() else { return Ok(Guide::without_link()) };
    let logins = &guide.detection.findings.logins;
    for (at, login) in logins.iter().enumerate() {
        Guide::found(&format!("{}) '{}': {}", at + 1, login.path.display(), login.state));
    }
    let proposed = proposed(guide, &openclaw);
    let question = "Claude's credentials file: a number or a path; it need not be there yet";
    loop {
        let text = match guide.ask.text(question, &proposed) {
            Typed::Text(text) => text,
            Typed::Back => return Ok(Turn::Back),
            Typed::Quit => return Ok(Turn::Quit),
        };
        let numbered =
            text.parse::<usize>().ok().and_then(|number| logins.get(number.checked_sub(1)?));
        let path = numbered.map_or_else(|| PathBuf::from(&text), |login| login.path.clone());
        if path.is_absolute() && Guide::is_usable("CLAUDE_CREDENTIALS", &path.display().to_string())
        {
            guide.choice.login = Some(path);
            return Ok(Turn::Next);
        }
        if !path.is_absolute() {
            let text = format!("'{text}' is neither a number from the list nor a whole path");
            Guide::found(&text);
        }
        if guide.ask.yes {
            return Ok(Turn::Quit);
        }
    }
}

/// The best login for that OpenClaw; else where its user would have one.
fn proposed(guide: &Guide<'_>, openclaw: &Path) -> String {
    if let Some(path) = &guide.options.claude {
        return path.display().to_string();
    }
    let best = fitting(guide, Some(openclaw)).next();
    let login = best
        .map(|best| guide.detection.login_of(best))
        .or_else(|| guide.detection.findings.logins.first());
    let beside = openclaw.parent().unwrap_or(Path::new("/root")).join(".claude/.credentials.json");
    login.map_or(beside, |login| login.path.clone()).display().to_string()
}

/// Shows the link, with what speaks against it, and writes it after a yes.
pub(super) fn write(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some((openclaw, login)) = guide.choice.openclaw.clone().zip(guide.choice.login.clone())
    else {
        return Ok(Guide::without_link());
    };
    let answers = answers(guide, &openclaw, &login);
    let file = guide.places.config_dir.join(write::file_of(&guide.name));
    Guide::found(&format!("this goes into '{}':", file.display()));
    for (key, value) in answers.iter().filter(|(_, value)| !value.is_empty()) {
        answer([format!("      {key}=\"{value}\"")]);
    }
    let faults =
        write::faults_to_be(&guide.places.config_dir, &guide.name, &guide.detection, &answers)?;
    if !faults.is_empty() {
        crate::cli::output::failure(&Error::Configuration(faults));
        Guide::found("so it is not written");
        return Ok(if guide.ask.yes { Turn::Quit } else { Turn::Back });
    }
    let is_linked = !openclaw.as_os_str().is_empty();
    let obstacle = is_linked.then(|| guide.detection.obstacle(&login, &openclaw)).flatten();
    if let Some(why) = &obstacle {
        Guide::found(&format!("it would not be linked unasked: {why}"));
    }
    let is_told = guide.options.claude.is_some() && guide.options.openclaw.is_some();
    let against = obstacle.or_else(|| tie(guide, &openclaw));
    if let Some(why) = against.filter(|_| guide.ask.yes && !is_told) {
        log::error!(
            hint = ours::plain("setup --yes --claude FILE --openclaw DIR takes both as they are named").to_string();
            "the link is not written: {why}"
        );
        return Ok(Turn::Next);
    }
    match guide.ask.may("Write it?") {
        Said::Yes => carry_out(guide, &answers),
        other => Ok(other.into()),
    }
}

/// Why what is proposed is no more likely than something else.
fn tie(guide: &Guide<'_>, openclaw: &Path) -> Option<String> {
    let named = guide.options.openclaw.is_some().then_some(openclaw);
    let scores: Vec<u32> = fitting(guide, named).map(|candidate| candidate.score).take(2).collect();
    let (logins, claws) = (&guide.detection.findings.logins, &guide.detection.findings.claws);
    match scores[..] {
        [best, second] if best == second => Some("more than one pair fits equally well".to_owned()),
        [] if guide.options.claude.is_none() && logins.len() > 1 => {
            Some("more than one Claude login was found".to_owned())
        }
        [] if named.is_none() && claws.len() > 1 => {
            Some("more than one OpenClaw was found".to_owned())
        }
        _ => None,
    }
}

/// The link as keys and values; an empty one takes out what the file may say so far.
pub(super) fn answers(guide: &Guide<'_>, openclaw: &Path, login: &Path) -> Vec<Answer> {
    let key = |key: &str, value: String| (key.to_owned(), value);
    let mut answers = vec![key("CLAUDE_CREDENTIALS", login.display().to_string())];
    if openclaw.as_os_str().is_empty() {
        answers.push(key("OPENCLAW_STATE_DIR", String::new()));
        answers.push(key("SINKS", NONE.to_owned()));
    } else {
        answers.push(key("OPENCLAW_STATE_DIR", openclaw.display().to_string()));
    }
    answers.extend(guide.choice.cli.iter().cloned());
    let claw = guide.detection.findings.claws.iter().find(|claw| claw.state_dir == openclaw);
    answers.extend(claw.map(write::of_gateway).unwrap_or_default());
    let asked = [("COMPOSE_DIR", &guide.choice.compose), ("ENV_FILE", &guide.choice.env_file)];
    let asked = asked.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)));
    answers.extend(asked.map(|(name, path)| key(name, path.display().to_string())));
    answers
}

fn carry_out(guide: &Guide<'_>, answers: &[Answer]) -> Result<Turn, Error> {
    let Written { file, unlinked } =
        write::write(&guide.places.config_dir, &guide.name, &guide.detection, answers)?;
    match (file, unlinked) {
        (Some(path), _) => Guide::found(&format!("written: '{}'", path.display())),
        (None, None) => Guide::found("unchanged"),
        (None, Some(why)) => Guide::found(&format!("nothing is linked: {why}")),
    }
    // What was just written may still be wrong in the eyes of who reads it.
    if let Err(error) = context::links(&guide.places.config_dir, Some(&guide.name)) {
        crate::cli::output::failure(&error);
        return Ok(if guide.ask.yes { Turn::Quit } else { Turn::Next });
    }
    Ok(Turn::Next)
}
