//! The last pass: what could not be looked at, so that silence is not taken for health.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::doctor::container::Sight;
use crate::app::doctor::{Case, Patient};
use crate::app::report::SinkState;
use crate::app::setup::detect::Detection;
use crate::domain::gateway::Ending;
use crate::domain::shell::Hint;
use crate::os::error::Error;
use crate::os::user::identity::Identity;

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unchecked {
    /// The link that it is about; none where it is the host's.
    pub(crate) link: Option<String>,
    /// What.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
    /// The command that helps.
    pub(crate) command: Option<Hint>,
}

impl Unchecked {
    /// The files of a link that do not answer.
    pub(super) fn files(link: &str, place: &Path) -> Self {
        let why = format!("'{}' does not answer", place.display());
        Self { link: Some(link.to_owned()), ..Self::new("its files", why) }
    }

    fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { link: None, what: what.into(), why: why.into(), command: None }
    }
}

/// Lists what of a link nobody has looked at.
pub(super) fn of_link(case: &Case<'_>, sight: &Sight, unlisted: &[Error]) -> Vec<Unchecked> {
    let mut all = Vec::new();
    if case.report.locked {
        all.push(Unchecked::new("its sinks", "another process works on the link"));
    }
    all.extend(unlisted.iter().map(|error| {
        Unchecked::new("copies of the token that others can read", error.to_string())
    }));
    let settings = case.settings;
    let container = || match &settings.container_name {
        Some(name) if settings.is_container() => format!("container {name}"),
        _ => format!("the container of service {}", settings.compose_service),
    };
    match sight {
        Sight::Silent(ending) => {
            let command = ending.hint().cloned();
            all.push(Unchecked { command, ..Unchecked::new(container(), reason(ending)) });
        }
        Sight::NotAsked => {
            all.push(Unchecked::new(container(), "no engine is asked where --root is given"));
        }
        Sight::Without | Sight::Missing(_) | Sight::Found(_) | Sight::Named(_) => {}
    }
    let busy = case.report.sinks.iter().filter_map(|sink| match &sink.state {
        SinkState::Busy(why) => Some(Unchecked::new(sink.kind.to_string(), why.clone())),
        _ => None,
    });
    all.extend(busy);
    let link = &case.report.link;
    all.into_iter().map(|one| Unchecked { link: Some(link.clone()), ..one }).collect()
}

/// Lists what of the host nobody has looked at.
pub(super) fn of_host(patient: &Patient<'_>, detection: &Detection) -> Vec<Unchecked> {
    let mut all: Vec<Unchecked> = Vec::new();
    if !patient.tree.has(Path::new("/etc/passwd")) {
        all.push(Unchecked::new("users' homes", "there is no /etc/passwd"));
    }
    if !patient.tree.is_host() {
        return all;
    }
    let silent = detection.silent.iter();
    all.extend(
        silent.map(|(engine, why)| {
            Unchecked::new(format!("the containers of {engine}"), why.clone())
        }),
    );
    if Identity::own().uid != 0 {
        let what = "other users' files, units, crontabs and processes";
        all.push(Unchecked::new(what, "the doctor does not run as root"));
    }
    all
}

fn reason(ending: &Ending) -> String {
    ending.why().unwrap_or_default().to_owned()
}
