//! A unit of systemd as its manager knows it, the owner's or the host's, and the commands on it.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::app::gateway::backend::systemd::quadlet;
use crate::app::gateway::backend::systemd::unit_environment::{Environment, Managers, Text};
use crate::app::gateway::backend::systemd::unit_files::{self, Reader};
use crate::app::gateway::exec_context::text;
use crate::app::gateway::job::Work;
use crate::domain::gateway::{Ending, masking};
use crate::domain::hints::host::Manager;
use crate::domain::hints::{host, ours};
use crate::domain::messages;
use crate::domain::secret::Secret;
use crate::domain::shell::Hint;
use crate::domain::unit_text;
use crate::os::fs::dir::Folder;
use crate::os::process::systemctl;
use crate::os::user::account::{self, Account};
use crate::os::user::identity::Identity;

/// The longest that a question to systemd may take.
const ASK: Duration = Duration::from_secs(30);

/// The unit that Quadlet makes of OpenClaw's own `openclaw.container`.
pub(crate) const QUADLET: &str = "openclaw.service";

/// A manager and one of its units.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) owner: Account,
    pub(crate) of_user: bool,
}

/// A unit as it stands.
pub(crate) struct State {
    pub(crate) loaded: bool,
    pub(crate) active: bool,
    pub(crate) pid: String,
    /// When its process was started, in microseconds since the host was, where systemd tells.
    pub(crate) start: Option<u64>,
    pub(crate) environment: Environment,
    /// The files that systemd has read it from, where it tells.
    pub(crate) files: Vec<PathBuf>,
    /// `User=`; empty for root.
    pub(crate) user: String,
}

/// The homes below which the texts of a unit of a state directory's owner may lie.
///
/// Only the account's own may say what is executed: what is above a state directory can be what a
/// container has as its home, and writes with the owner's uid.
pub(crate) fn homes(state: &Folder, owner: &Account) -> Vec<PathBuf> {
    let above = state.path.parent().map(Path::to_owned).filter(|above| *above != owner.home);
    [Some(owner.home.clone()), above].into_iter().flatten().collect()
}

impl Unit {
    /// Refuses a unit of the host that runs as somebody else than the owner of the state folder, who
    /// could have root restart it; only the configuration may name it.
    pub(crate) fn belongs(&self, state: &State, link: &str) -> Result<(), Ending> {
        let is_owners = match state.user.as_str() {
            "" => self.owner.uid == 0,
            user => user == self.owner.name || user.parse() == Ok(self.owner.uid),
        };
        if is_owners || Identity::own().uid != 0 {
            return Ok(());
        }
        let user = if state.user.is_empty() { "root" } else { &state.user };
        let why = format!(
            "{} runs as {user}, and its state directory is {}'s: root does not restart it unless GATEWAY names it",
            self.name, self.owner.name
        );
        let hint = ours::set(link, "GATEWAY", "systemd");
        Err(Ending::Deferred(why, Some(hint)))
    }

    pub(crate) fn state(&self) -> Result<State, Ending> {
        let properties = "LoadState,ActiveState,MainPID,ExecMainStartTimestampMonotonic,Environment,EnvironmentFiles,PassEnvironment,UnsetEnvironment,FragmentPath,DropInPaths,User";
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
            files: std::iter::once(value("FragmentPath").to_owned())
                .chain(unit_text::words(value("DropInPaths")))
                .filter(|path| path.starts_with('/'))
                .map(PathBuf::from)
                .collect(),
            user: value("User").to_owned(),
        })
    }

    /// What it sets for its process, or for its container.
    pub(crate) fn environment(&self, work: &Work<'_>, state: &State) -> Environment {
        let container = self.container_texts(work);
        if !container.is_empty() {
            return Environment::of_container(&container);
        }
        let told = self.reader(work).map(|reader| reader.all(&state.files)).unwrap_or_default();
        let texts = if told.is_empty() { self.own_texts(work) } else { told };
        let mut set = state.environment.clone().with_texts(&texts);
        set.manager = self.manager_environment(work);
        set
    }

    /// What its manager hands to all of its units as the token: what it says, with the file that this is from, or what
    /// it will read when it starts.
    fn manager_environment(&self, work: &Work<'_>) -> Option<Managers> {
        let key = &work.settings.env_key;
        let said = self.systemctl(&["show-environment"], ASK).unwrap_or_default();
        let value =
            said.lines().find_map(|line| line.strip_prefix(key.as_str())?.strip_prefix('='));
        let state = work.openclaw.folder().filter(|_| self.of_user);
        let in_files = state.and_then(|state| {
            let homes = homes(state, &self.owner);
            homes.iter().find_map(|home| Reader::of_user(state, home)?.managers(key))
        });
        match value {
            Some(value) => Some(Managers {
                value: Secret::new(value.trim_matches('"')),
                path: in_files.and_then(|found| found.path),
            }),
            None => in_files,
        }
    }

    /// Reads files as its manager does.
    pub(crate) fn reader(&self, work: &Work<'_>) -> Option<Reader> {
        if self.of_user {
            Reader::of_user(work.openclaw.folder()?, &self.owner.home)
        } else {
            Reader::of_host()
        }
    }

    /// The texts of its own files and drop-ins.
    fn own_texts(&self, work: &Work<'_>) -> Vec<Text> {
        let Some(state) = work.openclaw.folder() else { return Vec::new() };
        if self.of_user {
            unit_files::of_user(state, &homes(state, &self.owner), &self.name)
        } else {
            unit_files::of_host(&self.name)
        }
    }

    pub(crate) fn container_texts(&self, work: &Work<'_>) -> Vec<Text> {
        let state = work.openclaw.folder().filter(|_| self.of_user);
        let texts =
            |state: &Rc<Folder>| unit_files::of_container(state, &self.owner.home, &self.name);
        state.map(texts).unwrap_or_default()
    }

    /// The name of its container, if it is one of Quadlet's; without a file of its own it is what
    /// OpenClaw calls it.
    pub(crate) fn container(&self, work: &Work<'_>) -> Option<String> {
        let texts = self.container_texts(work);
        let is_quadlets = self.of_user && self.name == QUADLET;
        if texts.is_empty() && is_quadlets && self.own_texts(work).is_empty() {
            return Some("openclaw".to_owned());
        }
        quadlet::container_name(&texts, &self.name)
    }

    /// As whom its process runs.
    pub(crate) fn identity(&self, state: &State) -> Identity {
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
    pub(crate) fn reload(&self) -> Hint {
        host::reload_units(&self.caller())
    }

    /// The command as a person would type it.
    pub(crate) fn status(&self) -> Hint {
        host::unit_status(&self.caller(), &self.name)
    }

    /// Its manager, as a person calls it.
    pub(crate) fn caller(&self) -> Manager<'_> {
        match (self.of_user, Identity::own().uid == self.owner.uid) {
            (false, _) => Manager::Host,
            (true, true) => Manager::Own,
            (true, false) => Manager::OfUser(&self.owner.name),
        }
    }

    /// The options that lead to its manager.
    fn options(&self) -> Vec<String> {
        match (self.of_user, Identity::own().uid == self.owner.uid) {
            (false, _) => Vec::new(),
            (true, true) => vec!["--user".to_owned()],
            (true, false) => {
                vec!["--user".to_owned(), "-M".to_owned(), format!("{}@", self.owner.name)]
            }
        }
    }

    pub(crate) fn systemctl(&self, words: &[&str], limit: Duration) -> Result<String, Ending> {
        let failed = |error: crate::os::error::Error| Ending::deferred(error.to_string());
        let options = self.options();
        let words = options.iter().map(String::as_str).chain(words.iter().copied());
        let ended = systemctl::run(words, limit).map_err(failed)?;
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
    pub(crate) fn say_if_it_cannot_stay(&self, link: &str) {
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
