//! Ranks what was found on a host and says which link may be written unasked; probes nothing.

use std::path::PathBuf;

use crate::domain::order;

/// Who could put something else at a path: the owners of its components that are not root, or root
/// alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// The owners, in order and each once, root only where there is nobody else.
    pub(crate) uids: Vec<u32>,
    /// Whether every folder above the path itself is root's.
    pub(crate) under_root: bool,
}

impl Control {
    /// Collects the owners of the components of a path, from `/` down.
    pub(crate) fn of(owners: &[u32]) -> Self {
        let mut others: Vec<u32> = owners.iter().copied().filter(|uid| *uid != 0).collect();
        order::sort_and_dedup(&mut others);
        let above = owners.split_last().map_or(&[][..], |(_, above)| above);
        let under_root = above.iter().all(|uid| *uid == 0);
        Self { uids: if others.is_empty() { vec![0] } else { others }, under_root }
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

/// Ranks every pair, best first. `is_account` tells the uids that are people's on this host.
pub(crate) fn rank(findings: &Findings, is_account: &dyn Fn(u32) -> bool) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (claw_at, claw) in findings.claws.iter().enumerate() {
        for (login_at, login) in findings.logins.iter().enumerate() {
            let (score, reasons) = score(login, claw);
            let obstacle = obstacle(login, claw, is_account);
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
fn obstacle(login: &Login, claw: &Claw, is_account: &dyn Fn(u32) -> bool) -> Option<String> {
    let unconfigured = || "there is no openclaw.json in the state folder".to_owned();
    apart(&login.control, &claw.control, is_account)
        .or_else(|| (!claw.configured).then(unconfigured))
}

/// Why a login and an OpenClaw are not one user's: nobody must be able to make this program hand
/// another's token to them, or theirs to another's OpenClaw.
pub(crate) fn apart(
    login: &Control,
    claw: &Control,
    is_account: &dyn Fn(u32) -> bool,
) -> Option<String> {
    let names =
        |control: &Control| control.uids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    if login.uids.len() > 1 || claw.uids.len() > 1 {
        let uids = if login.uids.len() > 1 { login } else { claw };
        return Some(format!("more than one user controls the way to it (uid {})", names(uids)));
    }
    let of_container =
        claw.under_root && login.uids == vec![0] && !claw.uids.iter().any(|uid| is_account(*uid));
    (login.uids != claw.uids && !of_container)
        .then(|| format!("the login is uid {}'s and OpenClaw uid {}'s", names(login), names(claw)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(owners: &[u32]) -> Login {
        let control = Control::of(owners);
        let (path, cli) = (PathBuf::from("/l"), Cli::Host(PathBuf::from("/usr/bin/claude")));
        Login { path, control, state: "living", cli, warnings: Vec::new() }
    }

    fn claw(owners: &[u32]) -> Claw {
        Claw {
            state_dir: PathBuf::from("/c"),
            control: Control::of(owners),
            version: String::new(),
            compose: None,
            unit: None,
            configured: true,
            warnings: Vec::new(),
        }
    }

    fn verdict(logins: Vec<Login>, claws: Vec<Claw>) -> Result<(usize, usize), String> {
        let findings = Findings { logins, claws, ..Findings::default() };
        let candidates = rank(&findings, &|uid| (1000..2000).contains(&uid));
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
    fn a_containers_numeric_user_under_roots_folders_is_roots_own() {
        assert_eq!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0, 65_000])]), Ok((0, 0)));
        assert!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 1001, 65_000])]).is_err());
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
