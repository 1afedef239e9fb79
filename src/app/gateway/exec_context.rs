//! The environment of the programs that we run: what they need, and no token.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::{Call, Ended};
use crate::os::process::engine_variables;
use crate::os::process::exec_policy;
use crate::os::process::systemd_run;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// What is passed on from our own environment: where an engine is, and proxies. No other name, for
/// a variable of a process beats the one of the same name in compose's `.env`.
const PASSED: [&str; 6] = [
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "TZ",
];

/// How much longer a unit that was told to stop may take.
const STOP: Duration = Duration::from_secs(30);

/// A way to run programs: from a folder, with a user's rights.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) identity: &'a Identity,
    /// More variables; they beat the others.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Folders to look for programs in before the host's own.
    pub(crate) path: Vec<String>,
}

impl<'a> Place<'a> {
    /// A place with nothing but the ordinary.
    pub(crate) fn new(folder: &'a Folder, identity: &'a Identity) -> Self {
        Self { folder, identity, variables: Vec::new(), path: Vec::new() }
    }

    /// Adds a variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Runs a program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        argv: impl IntoIterator<Item = S>,
        limit: Duration,
    ) -> Result<Ended, Error> {
        self.feed(argv, Vec::new(), limit)
    }

    /// Runs a program to its end and gives it something to read.
    pub(crate) fn feed<S: AsRef<OsStr>>(
        &self,
        argv: impl IntoIterator<Item = S>,
        input: Vec<u8>,
        limit: Duration,
    ) -> Result<Ended, Error> {
        let mut call = Call::new(argv, self.folder, self.identity).input(input);
        call.output_limit = 1 << 20;
        call.environment = self.environment();
        call.run(limit)
    }

    /// The same in a unit of its own, which the sandbox of our units does not bind; see [`systemd_run::is_needed`].
    pub(crate) fn feed_outside(
        &self,
        argv: &[&str],
        input: Vec<u8>,
        limit: Duration,
    ) -> Result<Ended, Error> {
        let own = Identity::own();
        let root = Folder::reach(Path::new("/"))?;
        let environment = self.environment();
        let mut words = systemd_run::words(self.identity, &self.folder.path, &environment, limit);
        let program = argv.first().copied().unwrap_or_default();
        words.push(exec_policy::word(self.identity, program, environment::PATH.as_ref())?);
        let argv = words.iter().map(AsRef::as_ref).chain(argv.iter().skip(1).map(AsRef::as_ref));
        Place::new(&root, &own).feed(argv.collect::<Vec<&OsStr>>(), input, limit + STOP)
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let account = account::of(self.identity.uid);
        let home = account.as_ref().map_or(Path::new("/"), |account| &account.home);
        let path = self.path.iter().map(String::as_str).chain([environment::PATH]);
        let path = path.collect::<Vec<_>>().join(":");
        let mut all: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), path.into()),
            ("HOME".into(), home.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        if let Some(account) = &account {
            all.push(("USER".into(), account.name.clone().into()));
            all.push(("LOGNAME".into(), account.name.clone().into()));
        }
        let runtime = format!("/run/user/{}", self.identity.uid);
        if Folder::reach(Path::new(&runtime)).is_ok() {
            all.push(("XDG_RUNTIME_DIR".into(), runtime.into()));
        }
        let value = |name| engine_variables::get(self.identity, name);
        let passed = PASSED.iter().filter_map(|name| Some(((*name).into(), value(name)?)));
        all.extend(passed);
        for (name, value) in &self.variables {
            all.retain(|(other, _)| other != name);
            all.push((name.clone(), value.clone()));
        }
        all
    }
}

/// What a program wrote, as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
