//! Several links at once: each OpenClaw and the one login that goes with it unmistakably.

use std::path::{Path, PathBuf};

use crate::app::context;
use crate::app::error::Error;
use crate::app::setup::detect::write::{self, Answer, Written};
use crate::app::setup::detect::{Detection, NOBODY};
use crate::domain::config::settings::Settings;
use crate::domain::config::{Config, DEFAULT, name_problem};
use crate::domain::detection::{self, Candidate};
use crate::os::user::account;

/// Keys of one link alone; any other answer counts for all of them.
const OF_ONE_LINK: [&str; 9] = [
    "CLAUDE_CREDENTIALS",
    "OPENCLAW_STATE_DIR",
    "COMPOSE_DIR",
    "COMPOSE_SERVICE",
    "ENV_FILE",
    "OAUTH_JSON",
    "SECRET_FILE",
    "CLAUDE_CLI",
    "CLAUDE_CONTAINER",
];

/// What became of all pairs.
#[derive(Debug, Default)]
pub(crate) struct All {
    /// The files that were made or changed.
    pub(crate) files: Vec<PathBuf>,
    /// Why nothing is linked, where nothing is.
    pub(crate) unlinked: Option<String>,
    /// What is not linked.
    pub(crate) left: Vec<Left>,
}

/// An OpenClaw that is not linked.
#[derive(Debug)]
pub(crate) struct Left {
    /// The name of the link that it could be.
    pub(crate) name: String,
    /// Its state folder.
    pub(crate) claw: PathBuf,
    /// The login that fits it best, if there is one.
    pub(crate) login: Option<PathBuf>,
    /// Why.
    pub(crate) why: String,
}

/// Links one pair as the file and the answers have it, and tells what is not linked.
pub(crate) fn write_one(
    config_dir: &Path,
    link: &str,
    detection: &Detection,
    given: &[Answer],
) -> Result<All, Error> {
    let Written { file, unlinked } = write::write(config_dir, link, detection, given)?;
    let links = context::configuration(config_dir)?.links;
    let others = detection.unmistakable().into_iter().filter(|_| unlinked.is_none());
    let others = others.filter(|(claw, _)| !is_linked(&links, detection, *claw));
    let others = others.map(|(claw, best)| {
        (claw, best.err().unwrap_or_else(|| "only one link was asked for".to_owned()))
    });
    let left = left(config_dir, detection, others)?;
    Ok(All { files: file.into_iter().collect(), unlinked, left })
}

/// Links every unmistakable pair; where somebody has said what a link is, that one alone.
pub(crate) fn write_all(
    config_dir: &Path,
    detection: &Detection,
    given: &[Answer],
) -> Result<All, Error> {
    let is_of_one = |key: &str| OF_ONE_LINK.contains(&key);
    let is_answered = given.iter().any(|(key, value)| is_of_one(key) && !value.is_empty());
    if is_answered || write::is_begun(config_dir, &OF_ONE_LINK)? {
        return write_one(config_dir, DEFAULT, detection, given);
    }
    let for_all: Vec<Answer> = given.iter().filter(|(key, _)| !is_of_one(key)).cloned().collect();
    let (mut all, mut unlinked) = (All::default(), Vec::new());
    for (claw, best) in detection.unmistakable() {
        let config = context::configuration(config_dir)?;
        if is_linked(&config.links, detection, claw) {
            continue;
        }
        let best = best.and_then(|best| unused(&config.links, detection, best));
        match best {
            Ok(best) => match link((config_dir, &config), detection, best, &for_all)? {
                Written { unlinked: Some(why), .. } => unlinked.push((claw, why)),
                Written { file, .. } => all.files.extend(file),
            },
            Err(why) => unlinked.push((claw, why)),
        }
    }
    if context::configuration(config_dir)?.links.is_empty() {
        // What was answered besides is kept for the link that is still to come.
        let Written { file, unlinked: why } = write::write(config_dir, DEFAULT, detection, given)?;
        all.files.extend(file);
        all.unlinked = why;
    }
    all.left = left(config_dir, detection, unlinked)?;
    Ok(all)
}

/// Writes the link of a pair into the packages' file, or into one of its user's name.
fn link(
    (config_dir, config): (&Path, &Config),
    detection: &Detection,
    best: &Candidate,
    for_all: &[Answer],
) -> Result<Written, Error> {
    let mut answers = write::answers(detection, best);
    answers.extend(for_all.iter().cloned());
    let uids = &detection.login_of(best).control.uids;
    let name = free_name((config_dir, config), detection, uids, &[]);
    let faults = write::faults_to_be(config_dir, &name, detection, &answers)?;
    if let Some(fault) = faults.first() {
        return Ok(Written { file: None, unlinked: Some(fault.to_string()) });
    }
    let write = if name == DEFAULT { write::write } else { write::write_named };
    write(config_dir, &name, detection, &answers)
}

/// The first name that no link has: the packages' own, that of the user, or the same with a number.
fn free_name(
    (config_dir, config): (&Path, &Config),
    detection: &Detection,
    uids: &[u32],
    taken: &[String],
) -> String {
    let uid = uids.first().copied().unwrap_or(NOBODY);
    let user = detection.accounts.iter().find(|account| account.uid == uid);
    let user = user.map(|account: &account::Account| account.name.clone());
    let user = user.filter(|name| name_problem(name, Path::new("")).is_none());
    let user = user.unwrap_or_else(|| "link".to_owned());
    let numbered = (2..).map(|number: u32| format!("{user}-{number}"));
    let mut names = [DEFAULT.to_owned(), user.clone()].into_iter().chain(numbered);
    // The packages' file may say something and be no link yet.
    let file = config_dir.join(write::file_of(DEFAULT));
    let is_open = !config.links.iter().any(|link| link.file == file)
        && !config.problems.iter().any(|problem| problem.file == file);
    let is_free = |name: &String| {
        !taken.contains(name) && ((name == DEFAULT && is_open) || write::is_free(config_dir, name))
    };
    names.find(is_free).unwrap_or(user)
}

fn is_linked(links: &[Settings], detection: &Detection, claw: usize) -> bool {
    let state_dir = &detection.findings.claws[claw].state_dir;
    links.iter().any(|link| link.openclaw_state_dir.as_ref() == Some(state_dir))
}

fn unused<'a>(
    links: &[Settings],
    detection: &Detection,
    best: &'a Candidate,
) -> Result<&'a Candidate, String> {
    let login = &detection.login_of(best).path;
    match links.iter().find(|link| link.claude_credentials == *login) {
        Some(link) => Err(format!("the link '{}' has its login already", link.name)),
        None => Ok(best),
    }
}

/// Describes what is not linked, by claws and reasons: each gets a link's name that no link has and no other of them.
fn left(
    config_dir: &Path,
    detection: &Detection,
    unlinked: impl IntoIterator<Item = (usize, String)>,
) -> Result<Vec<Left>, Error> {
    let config = context::configuration(config_dir)?;
    let mut taken = Vec::new();
    let one = |(claw, why): (usize, String)| {
        let found = &detection.findings.claws[claw];
        let best = detection.candidates.iter().find(|candidate| candidate.claw == claw);
        let name = free_name((config_dir, &config), detection, &found.control.uids, &taken);
        taken.push(name.clone());
        let login = best.map(|best| detection.login_of(best).path.clone());
        Left { name, claw: found.state_dir.clone(), login, why }
    };
    Ok(unlinked.into_iter().map(one).collect())
}

impl Detection {
    /// Each OpenClaw with the login that goes with it unmistakably, or why there is none; the best first.
    pub(crate) fn unmistakable(&self) -> Vec<(usize, Result<&Candidate, String>)> {
        detection::unmistakable(&self.candidates, &self.findings)
    }
}
