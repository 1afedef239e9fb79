//! Finds Claude logins and `OpenClaws` on this host, and proposes the links between them.
//!
//! Nothing of Claude's or OpenClaw's is started, and everything below a user's folder is looked at
//! with that user's rights.

pub(crate) mod containers;
pub(crate) mod first;
mod fitting;
mod homes;
mod logins;
mod openclaws;
mod own_paths;
pub(crate) mod pairs;
pub(crate) mod rivals;
mod shared_mounts;
#[cfg(test)]
mod tests;
mod tree;
pub(crate) mod units;
pub(crate) mod write;

use std::path::Path;

use crate::domain::detection::{self, Candidate, Claw, Findings, Login};
use crate::os::clock;
use crate::os::user::account::{self, Account};
use containers::Told;

pub(crate) use fitting::Stated;
pub(crate) use rivals::Rival;
pub(crate) use tree::Tree;

/// The uid that stands for whoever has none.
const NOBODY: u32 = 65_534;

/// What was found, and the pairs that could be linked, best first.
#[derive(Debug)]
pub(crate) struct Detection {
    /// Everything that was found.
    pub(crate) findings: Findings,
    /// The pairs, best first.
    pub(crate) candidates: Vec<Candidate>,
    /// What else does this job.
    pub(crate) rivals: Vec<Rival>,
    /// Where it was looked for.
    pub(crate) tree: Tree,
    /// The containers: each one's name, and the engine that runs it.
    pub(crate) containers: Vec<(String, &'static str)>,
    /// The engines that are there and do not answer, and why.
    pub(crate) silent: Vec<(&'static str, String)>,
    /// The accounts of this host.
    pub(crate) accounts: Vec<Account>,
}

impl Detection {
    /// The candidate that may be written unasked, or why there is none.
    pub(crate) fn unasked(&self) -> Result<&Candidate, String> {
        detection::unasked(self.candidates.iter())
    }

    /// Why this login and this OpenClaw may not be linked unasked, found or not.
    pub(crate) fn obstacle(&self, login: &Path, claw: &Path) -> Option<String> {
        let found = |candidate: &&Candidate| {
            self.login_of(candidate).path == login && self.claw_of(candidate).state_dir == claw
        };
        if let Some(candidate) = self.candidates.iter().find(found) {
            return candidate.obstacle.clone();
        }
        let control = |path| self.tree.control_to_be(path).map_err(|error| error.to_string());
        match (control(login), control(claw)) {
            (Ok(login), Ok(claw)) => detection::apart(&login, &claw, &|uid| self.is_account(uid)),
            (Err(why), _) | (_, Err(why)) => Some(why),
        }
    }

    /// The login of a candidate.
    pub(crate) fn login_of(&self, candidate: &Candidate) -> &Login {
        &self.findings.logins[candidate.login]
    }

    /// The OpenClaw of a candidate.
    pub(crate) fn claw_of(&self, candidate: &Candidate) -> &Claw {
        &self.findings.claws[candidate.claw]
    }

    fn is_account(&self, uid: u32) -> bool {
        uid == 0 || self.accounts.iter().any(|account| account.uid == uid)
    }
}

/// What the searches look at.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    tree: &'a Tree,
    homes: &'a [homes::Home],
    hints: &'a [units::Hint],
    containers: &'a [containers::Container],
}

impl World<'_> {
    fn home_of(&self, path: &Path) -> Option<&homes::Home> {
        self.homes.iter().find(|home| path.starts_with(&home.path))
    }
}

/// Looks at the host, or at a tree of folders that stands for one.
pub(crate) fn run(root: Option<&Path>) -> Detection {
    let tree = Tree::new(root);
    let told = if tree.is_host() { containers::all() } else { Told::default() };
    let mut all = within(&tree, &told.containers);
    let silent = told.silent.iter();
    all.findings
        .rejected
        .extend(silent.map(|(engine, why)| format!("containers of {engine}: {why}")));
    Detection { silent: told.silent, ..all }
}

fn within(tree: &Tree, containers: &[containers::Container]) -> Detection {
    let homes = homes::all(tree);
    let mut findings = Findings::default();
    let hints = units::hints(tree, &homes, &mut findings.rejected);
    let world = World { tree, homes: &homes, hints: &hints, containers };
    logins::find(&world, clock::now(), &mut findings);
    openclaws::find(&world, &mut findings);
    let rivals = rivals::all(tree, &homes);
    findings.rivals = rivals.iter().map(ToString::to_string).collect();
    let names = containers.iter().map(|one| (one.name.clone(), one.engine)).collect();
    let passwd = tree.text(Path::new("/etc/passwd")).unwrap_or_default();
    let mut accounts = account::parse(&passwd);
    accounts.retain(|account| account.uid != NOBODY);
    let (candidates, tree, silent) = (Vec::new(), tree.clone(), Vec::new());
    let mut all =
        Detection { findings, candidates, rivals, tree, containers: names, silent, accounts };
    let proven: Vec<_> = containers.iter().flat_map(shared_mounts::logins_with_openclaws).collect();
    let has_both = |login: &Login, claw: &Claw| {
        proven.iter().any(|(path, state_dir)| *path == login.path && *state_dir == claw.state_dir)
    };
    let is_account = |uid| all.is_account(uid);
    let proofs = detection::Proofs { is_account: &is_account, has_both: &has_both };
    let (candidates, is_all) = detection::rank(&all.findings, &proofs);
    all.candidates = candidates;
    if !is_all {
        let most = detection::OTHERS_LIMIT;
        all.findings.rejected.push(format!(
            "not looked at: pairs of different users beyond {most} for one OpenClaw"
        ));
    }
    all
}
