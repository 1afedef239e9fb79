//! Runs other programs: an argument list, never a shell, with the rights of one user and nothing of
//! root's left in them.
//!
//! A thread takes the user's identity for good and starts the program, so the program inherits no
//! identity to go back to and no capability. Each one is the head of a process group of its own,
//! with the environment, working folder and input that the caller lists, and no others.

mod pipes;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, AtFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::os::command::pipes::Pipes;
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::identity::Identity;

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

/// How a program ended, and what it said until then.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status, or the signal that ended it.
    pub(crate) status: ExitStatus,
    /// Whether its time was over and it was ended for that.
    pub(crate) overdue: bool,
    /// The first bytes that it wrote to its output.
    pub(crate) stdout: Vec<u8>,
    /// The first bytes that it wrote to its error output.
    pub(crate) stderr: Vec<u8>,
}

impl Ended {
    /// Says whether it exited with 0.
    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// Says how it ended, for a message.
    pub(crate) fn how(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("it exited with status {code}"),
            (None, Some(signal)) => format!("it was ended by signal {signal}"),
            (None, None) => "it ended".to_owned(),
        }
    }
}

/// Why a wait for a program was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The program has ended.
    Ended,
    /// The caller's own descriptor has something to read.
    Woken,
    /// The time is over.
    Time,
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

/// A program that was started, and has not been waited for yet.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pidfd: OwnedFd,
    pipes: Pipes,
    started: Instant,
}

impl Running {
    fn over(mut child: Child, call: &Call<'_>) -> std::io::Result<Self> {
        let pidfd = rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        let pipes = Pipes::of(&mut child, call.stdin.clone(), call.output_limit);
        match (pidfd, pipes) {
            (Ok(pidfd), Ok(pipes)) => Ok(Self { child, pidfd, pipes, started: Instant::now() }),
            (pidfd, pipes) => {
                // Nobody could wait for it, so it must not run.
                let _ = child.kill().and_then(|()| child.wait());
                Err(pidfd
                    .err()
                    .map(Into::into)
                    .or(pipes.err())
                    .unwrap_or_else(|| ErrorKind::Other.into()))
            }
        }
    }

    /// How long it has been running.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until it has ended, `other` has something to read, or `span` is over.
    pub(crate) fn wait(
        &mut self,
        other: Option<BorrowedFd<'_>>,
        span: Duration,
    ) -> std::io::Result<Step> {
        let end = Instant::now() + span;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if self.poll(other, left)? {
                return Ok(Step::Woken);
            }
            if self.has_ended()? {
                self.pipes.drain();
                return Ok(Step::Ended);
            }
            if left.is_zero() {
                return Ok(Step::Time);
            }
        }
    }

    /// Sleeps until something happens, and carries output and input; says whether `other` woke it.
    fn poll(&mut self, other: Option<BorrowedFd<'_>>, left: Duration) -> std::io::Result<bool> {
        let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
        fds.extend(other.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let own = fds.len();
        fds.extend(self.pipes.fds());
        let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(source.into()),
        }
        let woken = own == 2 && !fds[1].revents().is_empty();
        drop(fds);
        self.pipes.carry();
        Ok(woken)
    }

    /// Says whether it has ended; its process id stays taken until [`Running::finish`].
    fn has_ended(&self) -> std::io::Result<bool> {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, Some(&none)) {
            Ok(_) => Ok(!fds[0].revents().is_empty()),
            Err(Errno::INTR) => Ok(false),
            Err(source) => Err(source.into()),
        }
    }

    /// Sends a signal to its group: to it and to all it started that did not leave the group.
    ///
    /// Not to be called once it was waited for: the number could be another group's by then.
    pub(crate) fn signal(&self, signal: Signal) {
        // A group that is empty by now needs no signal.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end and says what it was.
    pub(crate) fn finish(mut self) -> std::io::Result<Ended> {
        while self.wait(None, Duration::from_secs(3600))? != Step::Ended {}
        let status = self.child.wait()?;
        let (stdout, stderr) = self.pipes.heard();
        Ok(Ended { status, overdue: false, stdout, stderr })
    }
}
