//! Restarts a gateway that is a unit of systemd, the owner's or the host's.

pub(crate) mod exec_start;
pub(crate) mod managed_unit;
pub(crate) mod quadlet;
pub(crate) mod unit_environment;
pub(crate) mod unit_files;
pub(crate) mod verify_unit;

use std::path::Path;
use std::time::Duration;

use crate::app::gateway::backend::systemd::managed_unit::{QUADLET, State, Unit};
use crate::app::gateway::backend::systemd::verify_unit::Subject;
use crate::app::gateway::job::Work;
use crate::app::gateway::verify;
use crate::domain::config::settings::Gateway;
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{Deed, Ending};
use crate::domain::hints::host;
use crate::os::clock;
use crate::os::debounce;
use crate::os::journal::detail;
use crate::os::net::probe;
use crate::os::process::proc_list::{Moment, Process};
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// The longest that a restart may take.
const RESTART: Duration = Duration::from_secs(300);

/// How long a unit has to stay up before it counts as running.
const STEADY: Duration = Duration::from_secs(2);

/// Which kind of unit runs this link's gateway, if any is loaded.
pub(crate) fn found(work: &Work<'_>) -> Option<Gateway> {
    let is_loaded = |of_user| loaded(work, of_user).ok().flatten().is_some();
    if is_loaded(true) {
        Some(Gateway::SystemdUser)
    } else {
        is_loaded(false).then_some(Gateway::Systemd)
    }
}

/// Restarts the unit, and looks whether it stays up with a new process.
pub(crate) fn restart(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let of_user = work.kind() == Gateway::SystemdUser;
    let Some((unit, old)) = loaded(work, of_user)? else {
        let why = format!("systemd knows none of the units {:?}", names(work));
        return Err(Ending::deferred(why));
    };
    if !of_user && work.settings.gateway != Gateway::Systemd {
        unit.belongs(&old, &work.settings.name)?;
    }
    let set = unit.environment(work, &old);
    let subject = Subject {
        name: &unit.name,
        set: &set,
        reader: unit.reader(work),
        reload: unit.reload(),
        unset: host::unset_environment(&unit.caller(), &work.settings.env_key),
    };
    let process = Process::find(&old.pid, &unit.identity(&old));
    verify_unit::in_the_way(work, &subject, process.as_ref())?;
    if !old.active {
        // A process that starts reads everything anew.
        unit.say_if_it_cannot_stay(&work.settings.name);
        return Ok(Ending::Done(Deed::Nothing, None));
    }
    if work.pending().attempts > 0 {
        // A restart changes nothing where a profile comes before the variable.
        verify::environment_counts(work)?;
    }
    work.courtesy(&Identity::own())?;
    let port = work.openclaw.config.gateway_port;
    let port = port.filter(|port| probe::answers("127.0.0.1", *port));
    let watch = debounce::stopwatch();
    let (began, moment) = (clock::now(), Moment::now());
    unit.systemctl(&["restart", &unit.name], RESTART)?;
    let new = settled(&unit, port)?;
    if !new.active || new.pid == old.pid {
        let why = format!("{} does not stay up after its restart", unit.name);
        return Err(Ending::Failed(why, Some(unit.status())));
    }
    let in_container = match unit.container(work) {
        Some(name) => quadlet::proven(work, &name, &moment)?,
        None => None,
    };
    let is_proven = if let Some(is_proven) = in_container {
        is_proven
    } else {
        let process = Process::find(&new.pid, &unit.identity(&new));
        let is_new = new.start.map(|start| moment.is_before(start));
        verify_unit::proven(work, process.as_ref(), is_new, (&moment, &subject))?
    };
    if unit.state()?.pid != new.pid {
        let why = format!("{} does not stay up after its restart", unit.name);
        return Err(Ending::Failed(why, Some(unit.status())));
    }
    let gap = u64::try_from(watch().as_millis()).unwrap_or(u64::MAX);
    detail!("{}: {} restarted since {began}", work.settings.name, unit.name);
    let deed = if is_proven { Deed::Restarted } else { Deed::RestartedUnproven };
    Ok(Ending::Done(deed, Some(gap)))
}

/// Waits until the unit answers on `port` as it did before, or has stayed up for a while.
fn settled(unit: &Unit, port: Option<u16>) -> Result<State, Ending> {
    let (watch, mut pause) = (debounce::stopwatch(), debounce::pauses());
    loop {
        let state = unit.state()?;
        let good = match port {
            Some(port) => probe::answers("127.0.0.1", port),
            None => watch() >= STEADY,
        };
        if !state.active || good || watch() > RESTART {
            return Ok(state);
        }
        pause();
    }
}

/// The first of the possible units that is loaded, with its state.
fn loaded(work: &Work<'_>, of_user: bool) -> Result<Option<(Unit, State)>, Ending> {
    let owner = work.openclaw.folder().and_then(|state| account::of(state.identity.uid));
    let Some(owner) = owner else {
        return Err(Ending::deferred("the state directory's owner has no account here"));
    };
    for name in names(work) {
        let unit = Unit { name, owner: owner.clone(), of_user };
        let state = unit.state()?;
        if state.loaded {
            return Ok(Some((unit, state)));
        }
    }
    Ok(None)
}

/// The names that OpenClaw gives its units; a profile's state folder carries the profile's name.
pub(crate) fn names(work: &Work<'_>) -> Vec<String> {
    let state = work.settings.openclaw_state_dir.as_deref().and_then(Path::file_name);
    let profile = state.and_then(|name| name.to_str()?.strip_prefix(".openclaw-"));
    match profile {
        // A user's directory is called as the user likes, and systemctl(1) takes patterns.
        Some(profile) if !profile.chars().all(is_in_profiles) => Vec::new(),
        Some(profile) => vec![format!("openclaw-gateway-{profile}.service")],
        None => ["openclaw-gateway.service", QUADLET].map(str::to_owned).to_vec(),
    }
}

fn is_in_profiles(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// The container of the owner's own unit, running, with its name: Quadlet makes units of containers.
///
/// Where no file says so, systemd is asked only `if_loaded`.
pub(crate) fn container(work: &Work<'_>, if_loaded: bool) -> Option<(String, Container)> {
    let is_ours = matches!(work.settings.gateway, Gateway::Auto | Gateway::SystemdUser);
    let owner = work.openclaw.folder().and_then(|state| account::of(state.identity.uid));
    let owner = owner.filter(|_| is_ours)?;
    let units = names(work).into_iter();
    let units = units.map(|name| Unit { name, owner: owner.clone(), of_user: true });
    let mut units: Vec<Unit> = units.collect();
    if if_loaded {
        units.retain(|unit| unit.state().is_ok_and(|state| state.loaded));
    } else {
        units.retain(|unit| !unit.container_texts(work).is_empty());
    }
    units.into_iter().find_map(|unit| {
        let name = unit.container(work)?;
        let found = quadlet::find(work, &name).filter(|found| found.running)?;
        Some((name, found))
    })
}
