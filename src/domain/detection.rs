//! Ranks what was found on a host and says which link may be written unasked; probes nothing.

use std::path::PathBuf;

use crate::domain::order;

/// Who could put something else at a path: the owners of its components that are not root, or root
/// alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// The owners, in order and each once, root only where there is nobody else.
    pub(crate) uids: Vec<u32>,
    /// Whether others can write in a directory on the way, be it a sticky one.
    pub(crate) is_shared: bool,
    /// Where it is said to be what it is, if it is no home's own: the owners of the files that say so.
    pub(crate) named_by: Vec<u32>,
    /// The account's home that it lies in; looked for where root alone controls it.
    pub(crate) home: Option<PathBuf>,
}

impl Control {
    /// Collects the owners of the components of a path, from `/` down.
    pub(crate) fn of(owners: &[u32]) -> Self {
        let mut others: Vec<u32> = owners.iter().copied().filter(|uid| *uid != 0).collect();
        order::sort_and_dedup(&mut others);
        let uids = if others.is_empty() { vec![0] } else { others };
        Self { uids, ..Self::default() }
    }

    /// The one account that controls it, or why there is none.
    fn account(&self, is_account: &dyn Fn(u32) -> bool) -> Result<u32, String> {
        let [uid] = self.uids[..] else {
            let names: Vec<String> = self.uids.iter().map(u32::to_string).collect();
            return Err(format!(
                "more than one user controls the way to it (uid {})",
                names.join(", ")
            ));
        };
        if self.is_shared {
            return Err("others can write in a directory on the way to it".to_owned());
        }
        if !is_account(uid) {
            return Err(format!("uid {uid} has no account here"));
        }
        let is_told =
            self.named_by.is_empty() || self.named_by.iter().any(|by| *by == 0 || *by == uid);
        if !is_told {
            return Err(format!(
                "only the files of another user name it (uid {})",
                self.named_by[0]
            ));
        }
        Ok(uid)
    }
}

/// How Claude CLI is run for a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cli {
    /// On the host.
    Host(PathBuf),
    /// In a container.
    Container {
        /// Its name.
        name: String,
        /// The engine that runs it: `docker` or `podman`.
        engine: &'static str,
    },
    /// Not found.
    None,
}

/// A Claude login that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// Its `.credentials.json`.
    pub(crate) path: PathBuf,
    /// Who controls the path.
    pub(crate) control: Control,
    /// The state of the file, by its word.
    pub(crate) state: &'static str,
    /// How its CLI is run.
    pub(crate) cli: Cli,
    /// What is the matter with where it lies, said to the person.
    pub(crate) warnings: Vec<String>,
}

/// An OpenClaw that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claw {
    /// Its state folder.
    pub(crate) state_dir: PathBuf,
    /// Who controls the path.
    pub(crate) control: Control,
    /// Its version and how that is known.
    pub(crate) version: String,
    /// The compose folder and service that run it.
    pub(crate) compose: Option<(PathBuf, String)>,
    /// The engine and name of the container that runs it, where no compose project of this host made that.
    pub(crate) container: Option<(&'static str, String)>,
    /// The unit that runs it: its name, and whether it is a user's.
    pub(crate) unit: Option<(String, bool)>,
    /// Where what runs it puts openclaw.json, if that is elsewhere.
    pub(crate) config_path: Option<PathBuf>,
    /// Where what runs it puts the main agent's store, if that is elsewhere.
    pub(crate) agent_dir: Option<PathBuf>,
    /// Whether openclaw.json stands there, and not just a folder of that name.
    pub(crate) configured: bool,
    /// What is the matter with it.
    pub(crate) warnings: Vec<String>,
}

/// A login and an OpenClaw that could be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The login's place in the list.
    pub(crate) login: usize,
    /// The OpenClaw's place in the list.
    pub(crate) claw: usize,
    /// How well they fit; more is better.
    pub(crate) score: u32,
    /// Why they fit.
    pub(crate) reasons: Vec<String>,
    /// Why it may not be written unasked, if it may not.
    pub(crate) obstacle: Option<String>,
}

/// Everything that was found on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// The logins.
    pub(crate) logins: Vec<Login>,
    /// The `OpenClaws`.
    pub(crate) claws: Vec<Claw>,
    /// What was looked at and left out, with the reason.
    pub(crate) rejected: Vec<String>,
    /// Units, scripts and cron lines that do the same job or could spend the same refresh token.
    pub(crate) rivals: Vec<String>,
}

/// What tells whose is whose on a host.
pub(crate) struct Proofs<'a> {
    /// Tells the uids that have an account here.
    pub(crate) is_account: &'a dyn Fn(u32) -> bool,
    /// Tells whether one container has both as its own.
    pub(crate) has_both: &'a dyn Fn(&Login, &Claw) -> bool,
}

/// How many pairs of different accounts are listed for one OpenClaw.
pub(crate) const OTHERS_LIMIT: usize = 32;

/// Ranks the pairs, best first: all that one account controls or that are proven, and of the others the
/// best for each OpenClaw; says whether these are all.
pub(crate) fn rank(findings: &Findings, proofs: &Proofs<'_>) -> (Vec<Candidate>, bool) {
    let (mut candidates, mut is_all) = (Vec::new(), true);
    for (claw_at, claw) in findings.claws.iter().enumerate() {
        let is_own = |login: &Login| {
            login.control.uids == claw.control.uids || (proofs.has_both)(login, claw)
        };
        let logins = findings.logins.iter().enumerate();
        let (mut those, mut others): (Vec<_>, Vec<_>) = logins.partition(|(_, one)| is_own(one));
        if others.len() > OTHERS_LIMIT {
            is_all = false;
            others.sort_by_cached_key(|(_, login)| std::cmp::Reverse(score(login, claw).0));
            others.truncate(OTHERS_LIMIT);
        }
        those.append(&mut others);
        those.sort_by_key(|(login_at, _)| *login_at);
        for (login_at, login) in those {
            let (score, reasons) = score(login, claw);
            let obstacle = obstacle(login, claw, proofs);
            candidates.push(Candidate { login: login_at, claw: claw_at, score, reasons, obstacle });
        }
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    (candidates, is_all)
}

/// The candidate that may be written unasked, or why there is none; the best one comes first.
pub(crate) fn unasked<'a>(
    mut candidates: impl Iterator<Item = &'a Candidate>,
) -> Result<&'a Candidate, String> {
    let Some(best) = candidates.next() else {
        return Err("no Claude login and OpenClaw were found together".to_owned());
    };
    if candidates.next().is_some_and(|second| second.score == best.score) {
        return Err("more than one pair fits equally well".to_owned());
    }
    match &best.obstacle {
        Some(obstacle) => Err(obstacle.clone()),
        None => Ok(best),
    }
}

/// Each OpenClaw, the best first, with the login that goes with it unmistakably, or why there is none.
pub(crate) fn unmistakable<'a>(
    candidates: &'a [Candidate],
    findings: &Findings,
) -> Vec<(usize, Result<&'a Candidate, String>)> {
    let mut claws: Vec<usize> = Vec::new();
    for claw in candidates.iter().map(|candidate| candidate.claw).chain(0..findings.claws.len()) {
        if !claws.contains(&claw) {
            claws.push(claw);
        }
    }
    claws.into_iter().map(|claw| (claw, of_claw(candidates, findings, claw))).collect()
}

fn of_claw<'a>(
    candidates: &'a [Candidate],
    findings: &Findings,
    claw: usize,
) -> Result<&'a Candidate, String> {
    let own = || candidates.iter().filter(|candidate| candidate.claw == claw);
    let sound = |candidate: &&Candidate| candidate.obstacle.is_none();
    let Some(best) = own().find(sound) else {
        let why = own().next().and_then(|first| first.obstacle.clone());
        return Err(why.unwrap_or_else(|| "no Claude login was found".to_owned()));
    };
    let rivals = || candidates.iter().filter(sound).filter(|other| *other != best);
    if rivals().any(|other| other.claw == claw && other.score == best.score) {
        return Err("more than one Claude login fits equally well".to_owned());
    }
    if rivals().any(|other| other.login == best.login && other.score >= best.score) {
        return Err("its login fits another OpenClaw as well, or better".to_owned());
    }
    let is_signed_in =
        matches!(findings.logins[best.login].state, "valid" | "setup-token" | "expired");
    if !is_signed_in && unasked(candidates.iter()) != Ok(best) {
        return Err("nobody is signed in at its login".to_owned());
    }
    Ok(best)
}

fn score(login: &Login, claw: &Claw) -> (u32, Vec<String>) {
    let same = login.control.uids == claw.control.uids;
    let living = matches!(login.state, "valid" | "setup-token");
    let weights = [
        (same, 8, "the same user controls both"),
        (living, 4, "the login is valid"),
        (login.state == "expired", 2, "the login can be renewed"),
        (claw.configured, 2, "OpenClaw is configured there"),
        (login.cli != Cli::None, 1, "Claude CLI can renew the login"),
        (
            claw.compose.is_some() || claw.container.is_some() || claw.unit.is_some(),
            1,
            "its gateway is known",
        ),
    ];
    let given = weights.iter().filter(|(holds, ..)| *holds);
    let reasons = given.clone().map(|(_, _, reason)| (*reason).to_owned()).collect();
    (given.map(|(_, weight, _)| weight).sum(), reasons)
}

/// Why a link may not be written without a person's word.
fn obstacle(login: &Login, claw: &Claw, proofs: &Proofs<'_>) -> Option<String> {
    let unconfigured = || "there is no openclaw.json in the state directory".to_owned();
    let apart = apart(&login.control, &claw.control, proofs.is_account);
    apart
        .filter(|_| !(proofs.has_both)(login, claw))
        .or_else(|| (!claw.configured).then(unconfigured))
}

/// Why a login and an OpenClaw are not one account's: nobody must be able to make this program hand
/// another's token to them, or theirs to another's OpenClaw.
pub(crate) fn apart(
    login: &Control,
    claw: &Control,
    is_account: &dyn Fn(u32) -> bool,
) -> Option<String> {
    let both = login.account(is_account).and_then(|login| Ok((login, claw.account(is_account)?)));
    match both {
        // Engines make the directories that they mount as root: its uid alone is nobody's word.
        Ok((0, 0)) if login.home.is_none() || login.home != claw.home => {
            Some("root owns both, and they do not lie in one home".to_owned())
        }
        Ok((login, claw)) if login == claw => None,
        Ok((login, claw)) => Some(format!("the login is uid {login}'s and OpenClaw uid {claw}'s")),
        Err(why) => Some(why),
    }
}

#[cfg(test)]
mod tests;
