//! A container engine's command, and what its refusals mean.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::config::settings::{Engine, Settings};
use crate::domain::hints::{engines, host};
use crate::domain::outcome::Outcome;
use crate::domain::shell::Hint;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::{Call, Ended};
use crate::os::process::engine_variables;
use crate::os::process::exec_policy;
use crate::os::process::systemd_run;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// How long a question to the engine may take.
const LIMIT: Duration = Duration::from_secs(30);

/// When systemd ends what it runs for us at the latest; before that we do.
const UNIT_LIMIT: Duration = Duration::from_secs(3600);

/// The largest answer that is kept: an inspection has some 20 KiB.
const ANSWER_LIMIT: usize = 4 << 20;

/// An engine as one user reaches it.
#[derive(Debug)]
pub(crate) struct Client {
    engine: Engine,
    identity: Identity,
    environment: Vec<(OsString, OsString)>,
    place: Folder,
    /// Where systemd has to run it, the root folder and we who ask for that.
    outside: Option<(Folder, Identity)>,
}

/// Why the engine did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It knows no such container.
    Missing,
    /// Anything else, as an outcome.
    Other(Outcome),
}

impl Client {
    /// The ways to reach the engine, the likeliest first.
    ///
    /// A socket of a user's own is reached as that user; podman's containers may belong to us or to
    /// the user in whose home the login is.
    pub(crate) fn all(settings: &Settings, place: &Folder) -> Result<Vec<Self>, Error> {
        let own = Identity::own();
        let host = settings.docker_host.as_deref();
        let socket = host.and_then(|host| host.strip_prefix("unix://")).map(Path::new);
        let mut identities = match socket.and_then(Path::parent).map(Folder::reach) {
            Some(Ok(folder)) => vec![folder.identity],
            _ => vec![own.clone()],
        };
        if own.uid == 0 && settings.container_engine == Engine::Podman && socket.is_none() {
            let accounts = account::all().into_iter();
            let within = |home: &PathBuf| {
                home.components().count() > 1 && settings.claude_credentials.starts_with(home)
            };
            let at_home = accounts.filter(|account| account.uid != 0 && within(&account.home));
            identities.extend(at_home.map(|account| Identity::of(account.uid, account.gid)));
        }
        let client = |identity: Identity| {
            let place = place.enter(Path::new("."))?;
            let environment = environment_of(&identity, host);
            let engine = settings.container_engine;
            let outside = if systemd_run::is_needed(engine.program()) {
                Some((Folder::reach(Path::new("/"))?, own.clone()))
            } else {
                None
            };
            Ok(Self { engine, identity, environment, place, outside })
        };
        identities.into_iter().map(client).collect()
    }

    /// The engine's command.
    pub(crate) fn name(&self) -> &'static str {
        self.engine.program()
    }

    /// A call of the engine's command that nobody sits before.
    pub(crate) fn call(&self, words: &[&str]) -> Call<'_> {
        let Some((root, own)) = &self.outside else { return self.call_here(words) };
        // One that root must not run is refused when it is called without systemd.
        let word = exec_policy::word(&self.identity, self.name(), environment::PATH.as_ref());
        let Ok(program) = word else { return self.call_here(words) };
        let mut argv =
            systemd_run::words(&self.identity, &root.path, &self.environment, UNIT_LIMIT);
        argv.push(program);
        argv.extend(words.iter().map(OsString::from));
        let mut call = Call::new(argv, root, own).env("PATH", environment::PATH);
        call.output_limit = ANSWER_LIMIT;
        call
    }

    /// A call of the engine as a person types it, who need not be the engine's user.
    pub(crate) fn typed(&self, command: Hint) -> Hint {
        let Identity { uid, gid, .. } = &self.identity;
        let is_own = *uid == Identity::own().uid;
        if is_own { command } else { command.run_by(&account::typed(*uid, *gid, &self.place.path)) }
    }

    /// A call of the engine's command at this terminal.
    pub(crate) fn call_here(&self, words: &[&str]) -> Call<'_> {
        let argv = std::iter::once(self.name()).chain(words.iter().copied());
        let mut call = Call::new(argv, &self.place, &self.identity);
        call.environment.clone_from(&self.environment);
        call.output_limit = ANSWER_LIMIT;
        call
    }

    /// Asks the engine something that is quick.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<Ended, Refusal> {
        match self.call(words).run(LIMIT) {
            Ok(ended) if ended.overdue => Err(Refusal::Other(Outcome::unable(format!(
                "{} did not answer within {} s",
                self.name(),
                LIMIT.as_secs()
            )))),
            Ok(ended) if ended.is_success() => Ok(ended),
            Ok(ended) => Err(self.refusal(&ended)),
            Err(error) => Err(Refusal::Other(self.not_started(&error))),
        }
    }

    /// Says what a refusal means; it is told in our words, since the engine's may quote arguments.
    pub(crate) fn refusal(&self, ended: &Ended) -> Refusal {
        let said = String::from_utf8_lossy(&ended.stderr).to_lowercase();
        let has = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
        if has(&["no such container", "no such object"]) {
            return Refusal::Missing;
        }
        let name = self.name();
        let (cause, hint) = if has(&["permission denied"]) {
            let user = account::name(self.identity.uid);
            let hint = host::join_docker(None, &user);
            (format!("{user} may not use {name}"), Some(hint))
        } else if has(&["cannot connect", "is the docker daemon running", "connection refused"]) {
            let hint = host::start(name);
            (format!("{name} is down: nobody answers on its socket"), Some(hint))
        } else {
            (format!("{name} refused: {}", ended.how()), None)
        };
        Refusal::Other(Outcome::Unable { cause, hint })
    }

    fn not_started(&self, error: &Error) -> Outcome {
        let name = self.name();
        let hint = error.is_absent().then(|| engines::install(name));
        Outcome::Unable { cause: error.to_string(), hint }
    }
}

fn environment_of(identity: &Identity, host: Option<&str>) -> Vec<(OsString, OsString)> {
    let mut all: Vec<(OsString, OsString)> = Vec::new();
    if identity.uid == Identity::own().uid {
        all.push(("PATH".into(), environment::path()));
        all.extend(engine_variables::all(identity));
    } else {
        all.push(("PATH".into(), environment::PATH.into()));
        all.push(("XDG_RUNTIME_DIR".into(), format!("/run/user/{}", identity.uid).into()));
        let home = account::of(identity.uid).map(|account| account.home.into_os_string());
        all.extend(home.map(|home| ("HOME".into(), home)));
    }
    // The last one of a name counts.
    all.extend(host.map(|host| ("DOCKER_HOST".into(), host.into())));
    all
}
