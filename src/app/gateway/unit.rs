//! Restarts a gateway that is a unit of systemd, the owner's or the host's.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::app::gateway::child::{Place, text};
use crate::app::gateway::quadlet;
use crate::app::gateway::unit_environment::{Environment, lines};
use crate::app::gateway::unit_proof::{self, Subject};
use crate::app::gateway::unit_texts::{self, Text};
use crate::app::gateway::work::Work;
use crate::domain::config::settings::Gateway;
use crate::domain::config::words;
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{Deed, Ending, masking};
use crate::domain::hints::host::Manager;
use crate::domain::hints::{host, ours};
use crate::domain::messages;
use crate::domain::shell::Hint;
use crate::os::account::{self, Account};
use crate::os::folder::Folder;
use crate::os::identity::Identity;
use crate::os::journal::detail;
use crate::os::processes::{Moment, Process};
use crate::os::{calm, clock, health, program};

/// The longest that a question to systemd may take.
const ASK: Duration = Duration::from_secs(30);

/// The longest that a restart may take.
const RESTART: Duration = Duration::from_secs(300);

/// How long a unit has to stay up before it counts as running.
const STEADY: Duration = Duration::from_secs(2);

/// The unit that Quadlet makes of OpenClaw's own `openclaw.container`.
const QUADLET: &str = "openclaw.service";

/// A manager and one of its units.
struct Unit {
    name: String,
    owner: Account,
    of_user: bool,
}

/// A unit as it stands.
struct State {
    loaded: bool,
    active: bool,
    pid: String,
    /// When its process was started, in microseconds since the host was, where systemd tells.
    start: Option<u64>,
    environment: Environment,
    /// `User=`; empty for root.
    user: String,
}

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
    let mut set = old.environment;
    set.add_texts(&unit.texts(work));
    let subject = Subject { name: &unit.name, set: &set, reload: unit.reload() };
    unit_proof::in_the_way(work, &subject)?;
    if !old.active {
        // A process that starts reads everything anew.
        unit.say_if_it_cannot_stay(&work.settings.name);
        return Ok(Ending::Done(Deed::Nothing, None));
    }
    work.courtesy(&Identity::own())?;
    let port = work.openclaw.config.gateway_port;
    let port = port.filter(|port| health::answers("127.0.0.1", *port));
    let watch = calm::stopwatch();
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
        unit_proof::proven(work, process.as_ref(), is_new, (&moment, &set))?
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
    let (watch, mut pause) = (calm::stopwatch(), calm::pauses());
    loop {
        let state = unit.state()?;
        let good = match port {
            Some(port) => health::answers("127.0.0.1", port),
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
        return Err(Ending::deferred("the state folder's owner has no account here"));
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
fn names(work: &Work<'_>) -> Vec<String> {
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

/// The homes below which the texts of a unit of a state directory's owner may lie.
///
/// Only the account's own may say what is executed: what is above a state directory can be what a
/// container has as its home, and writes with the owner's uid.
fn homes(state: &Folder, owner: &Account) -> Vec<PathBuf> {
    let above = state.path.parent().map(Path::to_owned).filter(|above| *above != owner.home);
    [Some(owner.home.clone()), above].into_iter().flatten().collect()
}

/// The `openclaw` that the owner's own unit, or the host's, starts as the gateway: the words before
/// `gateway` in its `ExecStart=`, for a program that is there.
pub(crate) fn exec_start(work: &Work<'_>) -> Option<Vec<String>> {
    let state = work.openclaw.folder()?;
    let owner = account::of(state.identity.uid)?;
    let names = names(work);
    let home = std::slice::from_ref(&owner.home);
    let of_user = names.iter().map(|name| unit_texts::of_user(state, home, name));
    let of_host = names.iter().map(|name| unit_texts::of_host(name));
    of_user.chain(of_host).find_map(|texts| {
        let words = started(&texts)?;
        program::is_runnable(&state.identity, Path::new(&words[0])).then_some(words)
    })
}

/// The words before `gateway` of the command that a unit's texts start.
fn started(texts: &[Text]) -> Option<Vec<String>> {
    let all: Vec<String> = texts.iter().flat_map(|(_, text)| lines(text)).collect();
    let line = all.iter().filter_map(|line| line.strip_prefix("ExecStart=")).next_back()?;
    let line = line.trim().trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let mut words = words::split(line).ok()?;
    let end = words.iter().position(|word| word == "gateway")?;
    words.truncate(end);
    let is_plain = |word: &String| !word.contains(['%', '$', '\\']);
    // A wrapper before it, or an option of its own, is no call that others can be made from.
    let is_call = match &words[..] {
        [program] => program.ends_with("/openclaw"),
        [node, script] => node.ends_with("/node") && script.starts_with('/'),
        _ => false,
    };
    (is_call && words.iter().all(is_plain)).then_some(words)
}

impl Unit {
    /// Refuses a unit of the host that runs as somebody else than the owner of the state folder, who
    /// could have root restart it; only the configuration may name it.
    fn belongs(&self, state: &State, link: &str) -> Result<(), Ending> {
        let is_owners = match state.user.as_str() {
            "" => self.owner.uid == 0,
            user => user == self.owner.name || user.parse() == Ok(self.owner.uid),
        };
        if is_owners || Identity::own().uid != 0 {
            return Ok(());
        }
        let user = if state.user.is_empty() { "root" } else { &state.user };
        let why = format!(
            "{} runs as {user}, and its state folder is {}'s: root does not restart it unless GATEWAY names it",
            self.name, self.owner.name
        );
        let hint = ours::set(link, "GATEWAY", "systemd");
        Err(Ending::Deferred(why, Some(hint)))
    }

    fn state(&self) -> Result<State, Ending> {
        let properties = "LoadState,ActiveState,MainPID,ExecMainStartTimestampMonotonic,Environment,EnvironmentFiles,User";
        let words = ["show", "-p", properties, &self.name];
        let said = self.systemctl(&words, ASK)?;
        let value = |key: &str| {
            said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or("")
        };
        Ok(State {
            loaded: value("LoadState") == "loaded",
            active: value("ActiveState") == "active",
            pid: value("MainPID").to_owned(),
            start: value("ExecMainStartTimestampMonotonic").parse().ok().filter(|start| *start > 0),
            environment: Environment::shown(&said),
            user: value("User").to_owned(),
        })
    }

    /// The texts that it is made of; for Quadlet's, those of its container.
    fn texts(&self, work: &Work<'_>) -> Vec<Text> {
        let Some(state) = work.openclaw.folder() else { return Vec::new() };
        if !self.of_user {
            return unit_texts::of_host(&self.name);
        }
        let container = self.container_texts(work);
        if container.is_empty() {
            unit_texts::of_user(state, &homes(state, &self.owner), &self.name)
        } else {
            container
        }
    }

    fn container_texts(&self, work: &Work<'_>) -> Vec<Text> {
        let state = work.openclaw.folder().filter(|_| self.of_user);
        let texts =
            |state: &Rc<Folder>| unit_texts::of_container(state, &self.owner.home, &self.name);
        state.map(texts).unwrap_or_default()
    }

    /// The name of its container, if it is one of Quadlet's; without a file of its own it is what
    /// OpenClaw calls it.
    fn container(&self, work: &Work<'_>) -> Option<String> {
        let texts = self.container_texts(work);
        if texts.is_empty() && self.of_user && self.name == QUADLET && self.texts(work).is_empty() {
            return Some("openclaw".to_owned());
        }
        quadlet::container_name(&texts, &self.name)
    }

    /// As whom its process runs.
    fn identity(&self, state: &State) -> Identity {
        let own = Identity::own();
        if own.uid != 0 {
            return own;
        }
        let named = match state.user.as_str() {
            _ if self.of_user => Some(self.owner.clone()),
            "" => return own,
            user => {
                let is_it = |one: &Account| user == one.name || user.parse() == Ok(one.uid);
                account::all().into_iter().find(is_it)
            }
        };
        named.map_or(own, |account| Identity::of(account.uid, account.gid))
    }

    /// The command that has its manager read all units again.
    fn reload(&self) -> Hint {
        host::reload_units(&self.caller())
    }

    /// The command as a person would type it.
    fn status(&self) -> Hint {
        host::unit_status(&self.caller(), &self.name)
    }

    /// Its manager, as a person calls it.
    fn caller(&self) -> Manager<'_> {
        match (self.of_user, Identity::own().uid == self.owner.uid) {
            (false, _) => Manager::Host,
            (true, true) => Manager::Own,
            (true, false) => Manager::OfUser(&self.owner.name),
        }
    }

    /// The options that lead to its manager.
    fn manager(&self) -> Vec<String> {
        match (self.of_user, Identity::own().uid == self.owner.uid) {
            (false, _) => Vec::new(),
            (true, true) => vec!["--user".to_owned()],
            (true, false) => {
                vec!["--user".to_owned(), "-M".to_owned(), format!("{}@", self.owner.name)]
            }
        }
    }

    fn systemctl(&self, words: &[&str], limit: Duration) -> Result<String, Ending> {
        let failed = |error: crate::os::error::Error| Ending::deferred(error.to_string());
        let (root, own) = (Folder::reach(Path::new("/")).map_err(failed)?, Identity::own());
        let manager = self.manager();
        let argv: Vec<&str> = ["systemctl"]
            .into_iter()
            .chain(manager.iter().map(String::as_str))
            .chain(words.iter().copied())
            .collect();
        let ended = Place::new(&root, &own).run(&argv, limit).map_err(failed)?;
        if ended.is_success() {
            return Ok(text(&ended.stdout));
        }
        let said = masking::tail(&text(&ended.stderr), 2);
        if self.of_user && !self.has_manager() {
            let name = &self.owner.name;
            let why = format!(
                "{name} has no systemd manager now, since nothing keeps it without a login"
            );
            return Err(Ending::Deferred(why, Some(host::enable_linger(name))));
        }
        Err(Ending::deferred(format!("systemctl: {said}")))
    }

    /// Says so where the unit does not run because nothing keeps it without a login.
    fn say_if_it_cannot_stay(&self, link: &str) {
        let name = &self.owner.name;
        let marks = Folder::reach(Path::new("/var/lib/systemd/linger"));
        let lingers = marks.and_then(|marks| marks.stat(name)).is_ok_and(|mark| mark.is_some());
        if self.of_user && !lingers {
            log::warn!(
                MESSAGE_ID = messages::id("linger"), link,
                hint = host::enable_linger(name).to_string();
                "{link}: {} does not run, and without a login nothing keeps it running",
                self.name
            );
        }
    }

    fn has_manager(&self) -> bool {
        Folder::reach(&Path::new("/run/user").join(self.owner.uid.to_string())).is_ok()
    }
}
