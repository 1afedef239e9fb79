//! The host around it: the clock, lingering users, the docker group, our own units.

use std::path::Path;
use std::time::Duration;

use crate::app::doctor::{Case, Finding, Patient};
use crate::app::systemd::{self, Services, UNITS};
use crate::domain::config::settings::{Engine, Gateway};
use crate::domain::hints::{files, host};
use crate::domain::time::Timestamp;
use crate::domain::time::in_words;
use crate::domain::unit_paths;
use crate::os::fs::dir::Folder;
use crate::os::user::account::Account;

/// Clocks of containers and file servers differ by less.
const SKEW: Duration = Duration::from_secs(60);

/// Access tokens live 8 hours; one that seems to live longer was dated by another clock.
const LONGEST: Duration = Duration::from_secs(36 * 3600);

/// Looks at what a link needs of the host.
pub(super) fn of_link(patient: &Patient<'_>, case: &Case<'_>) -> Vec<Finding> {
    [clock(patient, case), linger(patient, case), docker(patient, case)]
        .into_iter()
        .flatten()
        .collect()
}

/// Looks at the host itself.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    [unsynchronised(patient), not_enabled(patient)].into_iter().flatten().collect()
}

fn clock(patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    if let Some(skew) = case.skew {
        let meaning = format!(
            "this host's clock was {skew} the token endpoint's at the last renewal: expiries are measured by it, so renewals come at the wrong time"
        );
        return Some(Finding::warning("clock-skew", meaning, host::set_clock()));
    }
    let path = &case.settings.claude_credentials;
    let stat = Folder::reach(path.parent()?).ok()?.stat(path.file_name()?.to_str()?).ok()??;
    let written = Timestamp::of_seconds(stat.st_mtime);
    let credential = case.report.source.credential().filter(|c| c.refresh_token.is_some());
    let ahead = if written > patient.now.after(SKEW) {
        format!("was written in {}", in_words(written.left(patient.now)))
    } else {
        let expiry = credential?.expiry;
        let left = (expiry > patient.now.after(LONGEST)).then(|| expiry.left(patient.now))?;
        format!("ends in {}, and access tokens live 8 hours", in_words(left))
    };
    let meaning = format!(
        "by this host's clock the login in '{}' {ahead}: the clock is wrong, or was, and renewals come at the wrong time",
        path.display()
    );
    Some(Finding::warning("clock-skew", meaning, host::set_clock()))
}

fn unsynchronised(patient: &Patient<'_>) -> Option<Finding> {
    let folder = Path::new("/run/systemd/timesync");
    let idle = patient.tree.has(folder) && !patient.tree.has(&folder.join("synchronized"));
    idle.then(|| {
        let meaning = "systemd-timesyncd runs, but has not set this host's clock yet: expiries are measured by it".to_owned();
        Finding::note("clock-not-set", meaning, host::show_clock())
    })
}

/// A user's own systemd ends with the last session unless the user lingers.
fn linger(patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    let state = case.settings.openclaw_state_dir.as_deref()?;
    let owner = account(patient, state)?;
    let units = owner.home.join(unit_paths::UNITS);
    let has_unit = || {
        let names = patient.tree.names(&units);
        names.iter().any(|name| name.starts_with("openclaw-gateway") && name.ends_with(".service"))
    };
    let of_user = match case.settings.gateway {
        Gateway::SystemdUser => true,
        Gateway::Auto => {
            let is_contained = case.settings.is_container() || case.settings.compose_dir.is_some();
            !is_contained && has_unit()
        }
        _ => false,
    };
    let flag = Path::new("/var/lib/systemd/linger").join(&owner.name);
    if owner.uid == 0 || !of_user || patient.tree.has(&flag) {
        return None;
    }
    let name = &owner.name;
    let meaning = format!(
        "{name} does not linger: the gateway ends with {name}'s last session, and cannot be restarted after it"
    );
    let flag = patient.tree.place(&flag);
    let command =
        if patient.tree.is_host() { host::enable_linger(name) } else { files::make_empty(&flag) };
    Some(Finding::error("linger-missing", meaning, command))
}

/// The compose project is worked on as its owner, who has to reach the engine.
fn docker(patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    let settings = case.settings;
    let rootful = settings.container_engine == Engine::Docker && settings.docker_host.is_none();
    let folder = settings.compose_dir.as_deref().filter(|_| rootful)?;
    let owner = account(patient, folder).filter(|owner| owner.uid != 0)?;
    if !["/run/docker.sock", "/var/run/docker.sock"]
        .iter()
        .any(|path| patient.tree.has(Path::new(path)))
    {
        return None;
    }
    let groups = patient.tree.text(Path::new("/etc/group"))?;
    let docker = groups.lines().find(|line| line.starts_with("docker:"))?;
    let mut fields = docker.split(':').skip(2);
    let (gid, members) = (fields.next()?.parse::<u32>().ok()?, fields.next()?);
    if owner.gid == gid || members.split(',').any(|member| member == owner.name) {
        return None;
    }
    let name = &owner.name;
    let meaning = format!(
        "{name} owns '{}', but is not in the group docker: the gateway cannot be recreated as {name}; who is in it can do on this host whatever root can",
        folder.display()
    );
    let root = patient.other_root();
    Some(Finding::error("docker-group", meaning, host::join_docker(root.as_deref(), name)))
}

/// Units that were installed and would not come back after a boot.
fn not_enabled(patient: &Patient<'_>) -> Option<Finding> {
    // Of the host itself systemd tells, and more.
    if patient.tree.is_host()
        || systemd::look(&patient.tree) != Services::Disabled
        || patient.cases.is_empty()
    {
        return None;
    }
    let meaning = format!(
        "{} are not both enabled: after the next boot nothing renews the login, or nothing carries the token",
        UNITS.join(" and ")
    );
    let command = host::enable(patient.other_root().as_deref(), &UNITS);
    Some(Finding::error("units-not-enabled", meaning, command))
}

fn account<'a>(patient: &'a Patient<'_>, path: &Path) -> Option<&'a Account> {
    let uid = Folder::reach(path).ok()?.identity.uid;
    patient.accounts.iter().find(|account| account.uid == uid)
}
