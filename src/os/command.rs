//! Runs other programs: an argument list, never a shell, with the rights of one user and nothing of
//! root's left in them.
//!
//! A thread takes the user's identity for good and starts the program, so the program inherits no
//! identity to go back to and no capability. Each one is the head of a process group of its own,
//! with the environment, working folder and input that the caller lists, and no others.

mod pipes;
mod running;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::fs::{Access, AtFlags};
use rustix::process::Signal;

use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::identity::Identity;

pub(crate) use running::{Ended, Running, Step};

/// How long a program has between the request to end (TERM) and KILL.
const GRACE: Duration = Duration::from_secs(10);

/// How much is kept of each output unless the caller asks for more, in bytes.
const OUTPUT_LIMIT: usize = 64 << 10;

/// One call of a program.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// The program and its arguments; without a slash it is looked for in the call's own `PATH`.
    pub(crate) argv: Vec<OsString>,
    /// All of its environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where it starts. Entered through the open folder: the way there need not be open to the user.
    pub(crate) folder: &'a Folder,
    /// Whose rights it has.
    pub(crate) identity: &'a Identity,
    /// What it reads; with nothing to read its input is the null device.
    pub(crate) stdin: Vec<u8>,
    /// How much is kept of each output, in bytes; the rest is read and dropped.
    pub(crate) output_limit: usize,
}

impl<'a> Call<'a> {
    /// A call with an empty environment and no input.
    pub(crate) fn new<S: AsRef<OsStr>>(
        argv: impl IntoIterator<Item = S>,
        folder: &'a Folder,
        identity: &'a Identity,
    ) -> Self {
        let argv = argv.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let (environment, stdin) = (Vec::new(), Vec::new());
        Self { argv, environment, folder, identity, stdin, output_limit: OUTPUT_LIMIT }
    }

    /// Adds a variable to its environment.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Gives it something to read.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Starts it and leaves it to the caller to wait.
    pub(crate) fn start(&self) -> Result<Running, Error> {
        // Not the thread that goes on: there is no way back from this identity.
        let child = std::thread::scope(|scope| {
            let switched = scope.spawn(|| self.spawn());
            switched.join().unwrap_or_else(|_| Err(self.failed(ErrorKind::Other)))
        })?;
        Running::over(child, self).map_err(|source| self.failed(source))
    }

    /// Becomes the user for good and starts the program.
    fn spawn(&self) -> Result<Child, Error> {
        self.identity.become_for_good().map_err(|source| self.failed(source))?;
        // Asked beforehand, for that the program's own refusal can be told apart.
        rustix::fs::accessat(&self.folder.fd, ".", Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|source| Error::new("enter", &self.folder.path, source))?;
        self.command().spawn().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: impl Into<std::io::Error>) -> Error {
        Error::new("run", self.program(), source)
    }

    /// Runs it to its end; when `limit` is over its group is asked to end, and killed 10 s later.
    ///
    /// What it leaves running in the background is left alone.
    pub(crate) fn run(&self, limit: Duration) -> Result<Ended, Error> {
        let failed = |source: std::io::Error| Error::new("wait for", self.program(), source);
        let mut running = self.start()?;
        let overdue = running.wait(None, limit).map_err(failed)? != Step::Ended;
        if overdue {
            running.signal(Signal::TERM);
            if running.wait(None, GRACE).map_err(failed)? != Step::Ended {
                running.signal(Signal::KILL);
            }
        }
        let ended = running.finish().map_err(failed)?;
        Ok(Ended { overdue, ..ended })
    }

    /// The program's name, for messages.
    pub(crate) fn program(&self) -> &Path {
        self.argv.first().map_or(Path::new(""), Path::new)
    }

    fn command(&self) -> std::process::Command {
        let program = self.argv.first().map_or(OsStr::new(""), OsString::as_os_str);
        let mut command = std::process::Command::new(program);
        command
            .args(self.argv.iter().skip(1))
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.proc_path())
            .process_group(0)
            .stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}
