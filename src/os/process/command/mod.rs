//! Runs other programs: an argument list, never a shell, with the rights of one user and nothing of
//! root's left in them.
//!
//! A helper process takes the user's identity for good and executes the program, so the program inherits
//! no identity to go back to and no capability, and no thread of this process ever has a user's real
//! uid. Each one is the head of a session of its own, with the environment, working directory and input
//! that the caller lists, and no others. Every wait for it has a limit.

pub(crate) mod helper;
mod launch;
mod pipes;
mod request;
mod running;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::helper::Stage;
use crate::os::process::command::launch::Launched;
use crate::os::process::command::pipes::Pipes;
use crate::os::process::command::request::Request;
use crate::os::process::exec_policy;
use crate::os::user::identity::Identity;

pub(crate) use running::{Ended, Running, Step};

use running::{Start, Starting};

/// How much is kept of each output unless the caller asks for more, in bytes.
const OUTPUT_LIMIT: usize = 64 << 10;

/// One call of a program.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// The program and its arguments; without a slash it is looked for in the call's own `PATH`.
    pub(crate) argv: Vec<OsString>,
    /// All of its environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where it starts. Entered through the open directory: the way there need not be open to the user.
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

    /// Starts it and leaves it to the caller to wait for its end.
    ///
    /// Waits until it is executed: its owner can keep it from that. When `limit` is over it is ended as
    /// in [`Call::run`], and not being started is the error. With root's rights it is started only if
    /// [`exec_policy`] admits it.
    pub(crate) fn start(&self, limit: Duration) -> Result<Running, Error> {
        let (launched, pipes) = self.admitted()?.launch().map_err(|source| self.failed(source))?;
        self.executed(Running::over(launched, pipes), limit)
    }

    /// Starts it with these standard streams; the first of them that is a terminal becomes its own.
    pub(crate) fn start_with(
        &self,
        streams: [BorrowedFd<'_>; 3],
        limit: Duration,
    ) -> Result<Running, Error> {
        let launched =
            launch::launch(&self.admitted()?.request(true), streams, self.folder.fd.as_fd());
        let launched = launched.map_err(|source| self.failed(source))?;
        self.executed(Running::over(launched, Pipes::default()), limit)
    }

    /// The call as the rule for root's programs leaves it: with root's rights it gets the absolute path of its
    /// program and a `PATH` of root's directories; every other one is as it was.
    fn admitted(&self) -> Result<Self, Error> {
        let mut call = self.clone();
        let path = call.environment.iter().rfind(|(name, _)| name == "PATH");
        let path = path.map(|(_, value)| value.clone()).unwrap_or_default();
        let Some(program) = call.argv.first_mut() else { return Ok(call) };
        let Some(admitted) = exec_policy::admit(self.identity, program, &path)? else {
            return Ok(call);
        };
        *program = admitted.program.into_os_string();
        for (_, value) in call.environment.iter_mut().filter(|(name, _)| name == "PATH") {
            value.clone_from(&admitted.path);
        }
        Ok(call)
    }

    fn executed(&self, starting: Starting, limit: Duration) -> Result<Running, Error> {
        match starting.executed(limit).map_err(|source| self.failed(source))? {
            Start::Executed(running) => Ok(running),
            Start::Failed(Stage::Enter, source) => {
                Err(Error::new("enter", &self.folder.path, source))
            }
            Start::Failed(Stage::Run | Stage::Become, source) => Err(self.failed(source)),
            Start::Overdue => {
                let what = format!("it did not start within {} s", limit.as_secs());
                Err(Error::odd("run", self.program(), what))
            }
        }
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::new("run", self.program(), source)
    }

    /// Runs it to its end; when `limit` is over its group is asked to end, and killed 10 s later. One
    /// that does not end even then is left behind after 5 s more, which is an error.
    ///
    /// What it leaves running in the background is left alone.
    pub(crate) fn run(&self, limit: Duration) -> Result<Ended, Error> {
        let failed = |source: std::io::Error| Error::new("wait for", self.program(), source);
        let mut running = self.start(limit)?;
        let left = limit.saturating_sub(running.age());
        if running.wait(None, left).map_err(failed)? == Step::Ended {
            return running.finish().map_err(failed);
        }
        let ended = running.end().map_err(failed)?;
        Ok(Ended { overdue: true, ..ended })
    }

    /// The program's name, for messages.
    pub(crate) fn program(&self) -> &Path {
        self.argv.first().map_or(Path::new(""), Path::new)
    }

    /// Starts the helper with our ends of pipes; the program's ends are closed here afterwards.
    fn launch(&self) -> std::io::Result<(Launched, Pipes)> {
        let pipe = || std::io::pipe().map(|(reader, writer)| (reader.into(), writer.into()));
        // Made with the user's rights, so that a script of the user's may open /dev/stderr.
        let acting = self.identity.act()?;
        let (stdin, input): (OwnedFd, Option<OwnedFd>) = if self.stdin.is_empty() {
            (launch::null()?, None)
        } else {
            pipe().map(|(reader, writer)| (reader, Some(writer)))?
        };
        let ((stdout, stdout_writer), (stderr, stderr_writer)): ((OwnedFd, OwnedFd), _) =
            (pipe()?, pipe()?);
        drop(acting);
        let pipes = Pipes::new(input, self.stdin.clone(), [stdout, stderr], self.output_limit)?;
        let streams = [&stdin, &stdout_writer, &stderr_writer].map(AsFd::as_fd);
        let launched = launch::launch(&self.request(false), streams, self.folder.fd.as_fd())?;
        Ok((launched, pipes))
    }

    fn request(&self, terminal: bool) -> Request {
        let (identity, argv) = (self.identity.clone(), self.argv.clone());
        Request { identity, terminal, argv, environment: self.environment.clone() }
    }
}
