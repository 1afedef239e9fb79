//! Looks for every known cause of trouble that can be seen on the host, each with the command that
//! fixes it. Nothing is changed, and no program is run but the engines, which are asked for their containers.

mod claude;
mod commands;
mod compose;
mod container;
mod copies;
mod files;
pub(crate) mod finding;
mod hooks;
mod host;
mod link;
mod locks;
mod login;
mod mounts;
mod openclaw;
mod programs;
mod renewals;
mod rivals;
mod sandbox;
mod unchecked;
mod way;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::report::{Files, Report};
use crate::app::setup::detect::{self, Tree};
use crate::app::sync::exposure;
use crate::domain::config::settings::Settings;
use crate::domain::hints::{self, ours};
use crate::domain::incident::Renewals;
use crate::domain::login::LoginEnd;
use crate::domain::order;
use crate::domain::shell::{Hint, User};
use crate::domain::skew::Skew;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::error::Error as SystemError;
use crate::os::fs::dir::{self, Folder};
use crate::os::user::account::{self, Account};
use crate::os::user::identity::Identity;

pub(crate) use finding::{Finding, Fix, Severity};
pub(crate) use unchecked::Unchecked;

/// A link and what a sync would find in it.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    /// What was configured.
    pub(crate) settings: &'a Settings,
    /// What a sync would find.
    pub(crate) report: &'a Report,
    /// When the login ends.
    pub(crate) login: Option<LoginEnd>,
    /// How its renewals went.
    pub(crate) renewals: &'a Renewals,
    /// How far this host's clock was off when a renewal was asked for last.
    pub(crate) skew: Option<Skew>,
}

impl Case<'_> {
    /// The command that sets a key of the link's configuration; an empty value takes it out.
    fn set(&self, key: &'static str, value: &str) -> Hint {
        ours::set(&self.report.link, key, value)
    }
}

/// What all of it is judged against.
struct Patient<'a> {
    places: &'a Places,
    cases: &'a [Case<'a>],
    tree: Tree,
    accounts: Vec<Account>,
    now: Timestamp,
}

impl<'a> Patient<'a> {
    fn new(places: &'a Places, cases: &'a [Case<'a>], root: Option<&Path>) -> Self {
        let tree = Tree::new(root);
        let passwd = tree.text(Path::new("/etc/passwd")).unwrap_or_default();
        Self { places, cases, tree, accounts: account::parse(&passwd), now: clock::now() }
    }

    /// The name of a user of the host.
    fn name(&self, uid: u32) -> String {
        let account = self.accounts.iter().find(|account| account.uid == uid);
        account.map_or_else(|| uid.to_string(), |account| account.name.clone())
    }

    /// A user for whom a command is meant, at home there if the host has no such account.
    fn user(&self, user: &Identity, home: &Path) -> User {
        let Identity { uid, gid, .. } = *user;
        let account = self.accounts.iter().find(|account| account.uid == uid);
        let name = account.map(|account| account.name.clone());
        User { uid, gid, name, home: home.to_owned() }
    }

    /// Where the tree is that is looked at, if that is not this host.
    fn other_root(&self) -> Option<PathBuf> {
        (!self.tree.is_host()).then(|| self.tree.place(Path::new("/")))
    }

    /// The owner of what lies in a folder.
    fn owner(&self, folder: &Folder) -> User {
        self.user(&folder.identity, &folder.path)
    }
}

/// The only cause of a link that can be seen where its files do not answer, and that no other was looked for.
fn silent(link: &str, said: String, place: &Path) -> Diagnosis {
    // What asks the file system itself would hang as well.
    let show = hints::files::show_mount(place);
    let finding = Finding::error("files-silent", said, show);
    Diagnosis { findings: vec![finding], unchecked: vec![Unchecked::files(link, place)] }
}

/// What the doctor found, and what could not be looked at.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Diagnosis {
    /// The causes, the gravest first.
    pub(crate) findings: Vec<Finding>,
    /// What may be wrong besides, for all that anybody knows.
    pub(crate) unchecked: Vec<Unchecked>,
}

/// Looks for causes in what one link needs.
fn of_link(patient: &Patient<'_>, case: &Case<'_>) -> Diagnosis {
    let sight = &container::look(patient, case);
    let exposure = exposure::look(case.settings, case.report);
    let mut found = login::look(case);
    found.extend(paused(case, patient.now));
    found.extend(renewals::look(case));
    found.extend(files::look(patient, case, &exposure.files));
    found.extend(mounts::look(case));
    found.extend(claude::look(patient, case));
    found.extend(locks::look(patient, case));
    found.extend(openclaw::look(patient, case, sight));
    found.extend(programs::look(case));
    found.extend(commands::look(case));
    found.extend(compose::look(patient, case, sight));
    found.extend(host::of_link(patient, case));
    // A gateway that waits for what is named already is not named twice.
    let is_named = |waits: &Finding| {
        let mut others = found.iter().filter(|other| other.id != openclaw::WAITS);
        waits.id == openclaw::WAITS && others.any(|other| waits.meaning.ends_with(&other.meaning))
    };
    let named = found.iter().position(is_named);
    named.map(|at| found.remove(at));
    Diagnosis { findings: found, unchecked: unchecked::of_link(case, sight, &exposure.unlisted) }
}

/// That a person has let the link rest.
fn paused(case: &Case<'_>, now: Timestamp) -> Option<Finding> {
    let pause = case.settings.pause_at(now)?;
    Some(Finding::warning("link-paused", pause.in_words(), ours::resume(&case.report.link)))
}

/// Looks for causes, the gravest first; `root` stands for the host's own files, as units and
/// accounts, where it is given.
pub(crate) fn run(
    places: &Places,
    cases: &[Case<'_>],
    root: Option<&Path>,
) -> Result<Diagnosis, Error> {
    let (patient, detection) = (Patient::new(places, cases, root), detect::run(root));
    let mut apart = inspect_apart(&patient, root)?;
    let (mut findings, mut unchecked) = (Vec::new(), Vec::new());
    for case in cases {
        let link = &case.report.link;
        let of_it = match (&case.report.files, apart.remove(link)) {
            (Files::Silent(refused), _) => {
                let said = case.report.remarks.last().map(|remark| remark.text.clone());
                silent(link, said.unwrap_or_default(), &refused.path)
            }
            (Files::Answered(_), Some(Ok(found))) => found,
            (Files::Answered(refused), Some(Err(error))) => {
                silent(link, error.to_string(), &refused.path)
            }
            (Files::Here | Files::Answered(_), _) => of_link(&patient, case),
        };
        unchecked.extend(of_it.unchecked);
        let link = Some(link.clone());
        findings.extend(
            of_it.findings.into_iter().map(|found| Finding { link: link.clone(), ..found }),
        );
    }
    findings.extend(copies::look(&patient, &detection));
    findings.extend(rivals::look(&patient, &detection));
    findings.extend(sandbox::look(&patient));
    findings.extend(hooks::look(&patient));
    findings.extend(host::look(&patient));
    order::sort_by_key(&mut findings, |finding| std::cmp::Reverse(finding.severity));
    findings.dedup();
    unchecked.extend(unchecked::of_host(&patient, &detection));
    Ok(Diagnosis { findings, unchecked })
}

/// What processes of their own find in the links whose files may not answer.
fn inspect_apart(
    patient: &Patient<'_>,
    root: Option<&Path>,
) -> Result<HashMap<String, Result<Diagnosis, SystemError>>, Error> {
    let mut words: Vec<OsString> = vec!["inspect".into(), "--doctor".into()];
    words.extend(root.into_iter().flat_map(|root| ["--root".into(), root.into()]));
    let doubtful = patient.cases.iter().filter_map(|case| match &case.report.files {
        Files::Answered(refused) => Some((case.settings.clone(), refused.clone())),
        Files::Here | Files::Silent(_) => None,
    });
    separate::ask(patient.places, &doubtful.collect::<Vec<_>>(), &words, separate::DIAGNOSIS)
}

/// Looks for causes in these links alone, and waits for their files.
pub(crate) fn of_links(places: &Places, cases: &[Case<'_>], root: Option<&Path>) -> Diagnosis {
    let patient = Patient::new(places, cases, root);
    let mut all = Diagnosis::default();
    for case in cases {
        let found = dir::waiting(|| of_link(&patient, case));
        all.findings.extend(found.findings);
        all.unchecked.extend(found.unchecked);
    }
    all
}

/// Does what is ours and safe about a finding; syncing is the caller's.
pub(crate) fn fix(cases: &[Case<'_>], finding: &Finding) -> Result<(), Error> {
    let case = cases.iter().find(|case| Some(&case.report.link) == finding.link.as_ref());
    match (finding.fix, case) {
        (Some(Fix::CloseConfiguration), Some(case)) => {
            let file = &case.settings.file;
            if let (Some(folder), Some(name)) =
                (file.parent(), file.file_name().and_then(|name| name.to_str()))
            {
                Folder::reach(folder)?.set_mode(name, 0o600)?;
            }
        }
        (Some(Fix::CloseTokenFile), Some(case)) => {
            let exposed = exposure::look(case.settings, case.report).files;
            for exposed in exposed.iter().filter(|one| one.meaning() == finding.meaning) {
                exposed.close()?;
            }
        }
        _ => {}
    }
    Ok(())
}
