//! Finds and runs a link's `openclaw`: a program of this host, or one in the gateway's container.

pub(crate) mod paste_token;
pub(crate) mod secrets_reload;

use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::app::gateway::backend::command;
use crate::app::gateway::backend::compose;
use crate::app::gateway::backend::container::Named;
use crate::app::gateway::backend::systemd;
use crate::app::gateway::backend::systemd::exec_start;
use crate::app::gateway::container_engine::Engine;
use crate::app::gateway::exec_context::{Place, text};
use crate::app::gateway::job::Work;
use crate::domain::era::Version;
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{Ending, Missing, VersionSeen, masking};
use crate::domain::time::Timestamp;
use crate::os::fs::dir::Folder;
use crate::os::process::command::Ended;
use crate::os::process::exec_policy;
use crate::os::process::executables;
use crate::os::process::systemd_run;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// The longest that a call may take: 20 s were seen on two busy cores.
const LIMIT: Duration = Duration::from_secs(180);

/// How to run `openclaw`.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// A command of this host, and as whom it runs.
    Host(Vec<String>, Identity),
    /// In the gateway's container, which compose made.
    Container(Box<Container>),
    /// In the container that the configuration names.
    Named(Rc<Named>),
    /// In the container of this name, which a unit of Quadlet's makes anew at each start.
    Quadlet(String, Box<Container>),
}

impl Program {
    /// Finds it: as configured, in the container, on this host.
    pub(crate) fn find(work: &Work<'_>) -> Result<Self, Ending> {
        if let Some(command) = &work.settings.openclaw_command {
            let identity = command::identity(work.settings, command);
            let identity = identity.map_err(|(why, hint)| Ending::Deferred(why, hint))?;
            return Ok(Self::Host(command.words.clone(), identity));
        }
        if work.settings.is_container() {
            let found = Named::find(work.settings)?;
            return if found.container.running {
                Ok(Self::Named(Rc::new(found)))
            } else {
                Err(Ending::deferred(format!("container {} does not run", found.container.name)))
            };
        }
        if work.settings.compose_dir.is_some() {
            let folder = compose::compose_folder(work.settings)?;
            let engine = Engine::of(work.settings, &folder);
            let found = compose::find(work.settings, &engine, &folder)?;
            return if found.running {
                Ok(Self::Container(Box::new(found)))
            } else {
                Err(Ending::deferred("the gateway's container does not run"))
            };
        }
        let state = state_folder(work)?;
        let home = account::of(state.identity.uid).map(|account| account.home);
        if let Some((name, found)) = systemd::container(work, false) {
            return Ok(Self::Quadlet(name, Box::new(found)));
        }
        if let Some(words) = exec_start::exec_start(work) {
            return Ok(Self::Host(words, state.identity.clone()));
        }
        let own = home.iter().flat_map(|home| executables::below_home(home));
        let mut places = own.chain(executables::of_host()).map(|place| place.join("openclaw"));
        if let Some(found) = places.find(|path| executables::is_runnable(&state.identity, path)) {
            return Ok(Self::Host(vec![found.to_string_lossy().into_owned()], state.identity));
        }
        if let Some((name, found)) = systemd::container(work, true) {
            return Ok(Self::Quadlet(name, Box::new(found)));
        }
        let hint = "set OPENCLAW_COMMAND, see oauth-sync.conf(5)".into();
        let why = "no program openclaw was found on this host".to_owned();
        Err(Ending::NotFound(Missing::Openclaw, why, Some(hint)))
    }

    /// Runs it and gives it something to read.
    pub(crate) fn run(
        &self,
        work: &Work<'_>,
        words: &[&str],
        input: Vec<u8>,
    ) -> Result<Ended, Ending> {
        match self {
            Self::Host(command, identity) => on_host(work, (command, identity), words, input),
            Self::Container(container) => {
                let folder = compose::compose_folder(work.settings)?;
                inside(&Engine::of(work.settings, &folder), &container.id, words, input)
            }
            Self::Named(named) => {
                inside(&named.engine(work.settings), &named.container.id, words, input)
            }
            Self::Quadlet(name, _) => {
                let folder = state_folder(work)?;
                inside(&Engine::podman(&folder), name, words, input)
            }
        }
    }

    fn container(&self) -> Option<&Container> {
        match self {
            Self::Host(..) => None,
            Self::Container(container) | Self::Quadlet(_, container) => Some(container),
            Self::Named(named) => Some(&named.container),
        }
    }

    /// Asks for its version; not again while the program, or the image, is the same.
    pub(crate) fn version(&self, work: &Work<'_>, now: Timestamp) -> Result<VersionSeen, Ending> {
        let (program, key) = match self {
            // A program, or an interpreter with its script; what else a longer command leads to
            // cannot be seen from here.
            Self::Host(command, _) => {
                let last = command.last().filter(|last| last.starts_with('/'));
                match last.and_then(|last| Some((last.clone(), executables::key(Path::new(last))?)))
                {
                    Some((last, key)) => (Some(last), key),
                    None => (None, String::new()),
                }
            }
            Self::Named(_) | Self::Container(_) | Self::Quadlet(..) => {
                (None, self.container().map(|one| one.image.clone()).unwrap_or_default())
            }
        };
        let known = work.ledger.version.as_ref().filter(|seen| !key.is_empty() && seen.key == key);
        if let Some(known) = known.filter(|seen| seen.program == program) {
            return Ok(known.clone());
        }
        let label = self.container().and_then(|container| container.version.clone());
        let said = match label.filter(|label| Version::parse(label).is_some()) {
            Some(label) => label,
            None => text(&self.run(work, &["--version"], Vec::new())?.stdout),
        };
        let version = Version::parse(&said).ok_or_else(|| {
            let said = masking::tail(&masking::mask(&said, &[]), 1);
            Ending::deferred(format!("openclaw --version said '{said}'"))
        })?;
        Ok(VersionSeen { text: version.to_string(), program, key, time: now })
    }
}

/// Runs a command of this host: `openclaw`, or what leads to it.
fn on_host(
    work: &Work<'_>,
    (command, identity): (&[String], &Identity),
    words: &[&str],
    input: Vec<u8>,
) -> Result<Ended, Ending> {
    let folder = state_folder(work)?;
    let argv: Vec<&str> = command.iter().map(String::as_str).chain(words.iter().copied()).collect();
    let judged = exec_policy::judge_words(identity, command);
    // What root runs starts where no user can put a file for it.
    let root = root_folder()?;
    let start = if identity.uid == 0 { &root } else { &folder };
    let place = host_place(work, &folder, (start, identity), command);
    let name = Path::new(argv[0]).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let ended = judged.and_then(|()| {
        if systemd_run::is_needed(name) {
            place.feed_outside(&argv, input, LIMIT)
        } else {
            place.feed(&argv, input, LIMIT)
        }
    });
    ended.map_err(|error| Ending::Deferred(error.to_string(), error.command().cloned()))
}

/// Runs `openclaw` in a container.
fn inside(
    engine: &Engine<'_>,
    container: &str,
    words: &[&str],
    input: Vec<u8>,
) -> Result<Ended, Ending> {
    let ended = engine.exec(container, &[&["openclaw"], words].concat(), input.clone())?;
    // 126 and 127: the image has no such program on its PATH (docker-exec(1)).
    if matches!(ended.status.code(), Some(126 | 127)) {
        return engine.exec(container, &[&["node", "dist/index.js"], words].concat(), input);
    }
    Ok(ended)
}

fn state_folder(work: &Work<'_>) -> Result<Folder, Ending> {
    let path = work.settings.openclaw_state_dir.as_deref();
    let path = path.ok_or_else(|| Ending::deferred("OPENCLAW_STATE_DIR is not set"))?;
    Folder::reach(path)
        .map_err(|error| Ending::Deferred(error.to_string(), error.command().cloned()))
}

fn root_folder() -> Result<Folder, Ending> {
    Folder::reach(Path::new("/")).map_err(|error| Ending::deferred(error.to_string()))
}

/// Where a host's `openclaw` runs: in its state folder, or as root in `/`, with its own folder first on the `PATH`,
/// where its node may be.
fn host_place<'a>(
    work: &Work<'_>,
    state: &Folder,
    (start, identity): (&'a Folder, &'a Identity),
    command: &[String],
) -> Place<'a> {
    let mut place = Place::new(start, identity).env("OPENCLAW_STATE_DIR", state.path.clone());
    let settings = work.settings;
    for (name, value) in [
        ("OPENCLAW_CONFIG_PATH", &settings.openclaw_config_path),
        ("OPENCLAW_AGENT_DIR", &settings.openclaw_agent_dir),
    ] {
        if let Some(value) = value {
            place = place.env(name, value.clone());
        }
    }
    if !settings.openclaw_include_roots.is_empty() {
        let roots = settings.openclaw_include_roots.iter().map(|root| root.as_os_str());
        place =
            place.env("OPENCLAW_INCLUDE_ROOTS", roots.collect::<Vec<_>>().join(OsStr::new(":")));
    }
    let own = Path::new(&command[0]).parent().filter(|own| own.is_absolute());
    place.path.extend(own.map(|own| own.to_string_lossy().into_owned()));
    place
}
