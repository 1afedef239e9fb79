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
    /// The unit that runs it: its name, and whether it is a user's.
    pub(crate) unit: Option<(String, bool)>,
    /// Where what runs it puts openclaw.json, if that is elsewhere.
    pub(crate) config_path: Option<PathBuf>,
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

/// Ranks every pair, best first.
pub(crate) fn rank(findings: &Findings, proofs: &Proofs<'_>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (claw_at, claw) in findings.claws.iter().enumerate() {
        for (login_at, login) in findings.logins.iter().enumerate() {
            let (score, reasons) = score(login, claw);
            let obstacle = obstacle(login, claw, proofs);
            candidates.push(Candidate { login: login_at, claw: claw_at, score, reasons, obstacle });
        }
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    candidates
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
    let is_signed_in = matches!(findings.logins[best.login].state, "living" | "static" | "expired");
    if !is_signed_in && unasked(candidates.iter()) != Ok(best) {
        return Err("nobody is signed in at its login".to_owned());
    }
    Ok(best)
}

fn score(login: &Login, claw: &Claw) -> (u32, Vec<String>) {
    let same = login.control.uids == claw.control.uids;
    let living = matches!(login.state, "living" | "static");
    let weights = [
        (same, 8, "the same user controls both"),
        (living, 4, "the login lives"),
        (login.state == "expired", 2, "the login can be renewed"),
        (claw.configured, 2, "OpenClaw is configured there"),
        (login.cli != Cli::None, 1, "Claude CLI can renew the login"),
        (claw.compose.is_some() || claw.unit.is_some(), 1, "its gateway is known"),
    ];
    let given = weights.iter().filter(|(holds, ..)| *holds);
    let reasons = given.clone().map(|(_, _, reason)| (*reason).to_owned()).collect();
    (given.map(|(_, weight, _)| weight).sum(), reasons)
}

/// Why a link may not be written without a person's word.
fn obstacle(login: &Login, claw: &Claw, proofs: &Proofs<'_>) -> Option<String> {
    let unconfigured = || "there is no openclaw.json in the state folder".to_owned();
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
mod tests {
    use super::*;

    /// Where root alone controls it, it lies in root's home.
    fn control(owners: &[u32]) -> Control {
        Control { home: Some(PathBuf::from("/root")), ..Control::of(owners) }
    }

    fn login(owners: &[u32]) -> Login {
        let control = control(owners);
        let (path, cli) = (PathBuf::from("/l"), Cli::Host(PathBuf::from("/usr/bin/claude")));
        Login { path, control, state: "living", cli, warnings: Vec::new() }
    }

    fn claw(owners: &[u32]) -> Claw {
        Claw {
            state_dir: PathBuf::from("/c"),
            control: control(owners),
            version: String::new(),
            compose: None,
            config_path: None,
            unit: None,
            configured: true,
            warnings: Vec::new(),
        }
    }

    fn verdict(logins: Vec<Login>, claws: Vec<Claw>) -> Result<(usize, usize), String> {
        let findings = Findings { logins, claws, ..Findings::default() };
        let is_account = |uid| uid == 0 || (1000..2000).contains(&uid);
        let proofs = Proofs { is_account: &is_account, has_both: &|_, _| false };
        let candidates = rank(&findings, &proofs);
        unasked(candidates.iter()).map(|best| (best.login, best.claw))
    }

    #[test]
    fn one_users_own_pair_is_linked() {
        assert_eq!(verdict(vec![login(&[0, 0, 1001])], vec![claw(&[0, 0, 1001])]), Ok((0, 0)));
        assert_eq!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0])]), Ok((0, 0)));
    }

    #[test]
    fn nobody_gets_anothers_token() {
        assert!(verdict(vec![login(&[0, 0, 1001])], vec![claw(&[0, 0, 1002])]).is_err());
        assert!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0, 1002])]).is_err());
        assert!(verdict(vec![login(&[0, 0, 1002])], vec![claw(&[0, 0])]).is_err());
        assert!(verdict(vec![login(&[0, 1001])], vec![claw(&[0, 1001, 1002])]).is_err());
    }

    #[test]
    fn what_engines_make_as_root_is_not_roots_own() {
        for home in [None, Some(PathBuf::from("/srv/openclaw"))] {
            let mut other = claw(&[0, 0]);
            other.control.home.clone_from(&home);
            assert!(verdict(vec![login(&[0, 0])], vec![other.clone()]).is_err(), "{home:?}");
            let mut login = login(&[0, 0]);
            login.control.home.clone_from(&home);
            assert_eq!(verdict(vec![login], vec![other]).is_ok(), home.is_some(), "{home:?}");
        }
    }

    #[test]
    fn who_has_no_account_proves_nothing() {
        assert!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0, 65_000])]).is_err());
        assert!(verdict(vec![login(&[0, 100_001])], vec![claw(&[0, 100_001])]).is_err());
    }

    #[test]
    fn neither_does_a_shared_directory_nor_anothers_word() {
        let pair = |change: &dyn Fn(&mut Control)| {
            let mut claw = claw(&[0, 0, 1001]);
            change(&mut claw.control);
            verdict(vec![login(&[0, 0, 1001])], vec![claw])
        };
        assert!(pair(&|control| control.is_shared = true).is_err());
        assert!(pair(&|control| control.named_by = vec![1002]).is_err());
        assert!(pair(&|control| control.named_by = vec![1002, 1001]).is_ok());
        assert!(pair(&|control| control.named_by = vec![0]).is_ok());
    }

    #[test]
    fn a_container_that_has_both_proves_the_pair() {
        let findings = Findings {
            logins: vec![login(&[0, 0])],
            claws: vec![claw(&[0, 0, 65_000])],
            ..Findings::default()
        };
        let proofs = Proofs { is_account: &|uid| uid == 0, has_both: &|_, _| true };
        assert!(unasked(rank(&findings, &proofs).iter()).is_ok());
    }

    #[test]
    fn each_users_own_pair_is_unmistakable() {
        let pairs = |logins: Vec<Login>, claws: Vec<Claw>| {
            let findings = Findings { logins, claws, ..Findings::default() };
            let proofs = Proofs { is_account: &|_| true, has_both: &|_, _| false };
            let candidates = rank(&findings, &proofs);
            let pairs = unmistakable(&candidates, &findings);
            let login = |best: Result<&Candidate, String>| best.map(|best| best.login).ok();
            pairs.into_iter().map(|(claw, best)| (claw, login(best))).collect::<Vec<_>>()
        };
        let (one, two) = (&[0, 1001][..], &[0, 1002][..]);
        let both = pairs(vec![login(one), login(two)], vec![claw(two), claw(one)]);
        assert_eq!(both, [(0, Some(1)), (1, Some(0))]);
        // Two logins, two OpenClaws of one user, and one that is nobody's.
        let both = pairs(vec![login(one), login(one), login(two)], vec![claw(one), claw(two)]);
        assert_eq!(both, [(0, None), (1, Some(2))]);
        let both = pairs(vec![login(one)], vec![claw(one), claw(one), claw(two)]);
        assert_eq!(both, [(0, None), (1, None), (2, None)]);
        let mut out = login(two);
        out.state = "blanked";
        let both = pairs(vec![login(one), out], vec![claw(one), claw(two)]);
        assert_eq!(both, [(0, Some(0)), (1, None)]);
        assert_eq!(pairs(Vec::new(), vec![claw(one)]), [(0, None)]);
    }

    #[test]
    fn two_equal_pairs_are_a_persons_choice() {
        let pairs = verdict(
            vec![login(&[0, 0, 1001]), login(&[0, 0, 1002])],
            vec![claw(&[0, 0, 1001]), claw(&[0, 0, 1002])],
        );
        assert!(pairs.is_err());
        let mut dead = login(&[0, 0, 1002]);
        dead.state = "blanked";
        let pairs = verdict(
            vec![login(&[0, 0, 1001]), dead],
            vec![claw(&[0, 0, 1001]), claw(&[0, 0, 1002])],
        );
        assert_eq!(pairs, Ok((0, 0)));
    }
}
