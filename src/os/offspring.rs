//! This program itself, started once more for a part of the work that may take long.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child as Process, Command, Stdio};
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::os::calm;
use crate::os::error::Error;
use crate::os::process::SELF;

/// The longest text that a child is given, and the longest that it answers, in bytes.
const TEXT_LIMIT: usize = 4 << 20;

/// How long a child that may hang has to end once it is asked to.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How long a run has: what the units have as `TimeoutStopSec=`.
const RUN_WAIT: Duration = Duration::from_secs(180);

/// What a child process is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// A run for the queue of this number.
    Queue(usize),
    /// The sync of the link of this name.
    Link(String),
}

/// A child process that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// What it was there for.
    pub(crate) child: Child,
    /// Whether its work is done: one that failed is tried again.
    pub(crate) done: bool,
    /// What it wrote to its standard output, where that was asked for.
    pub(crate) answer: Vec<u8>,
}

/// What the parent gave this process, which it started for an answer.
pub(crate) fn given() -> String {
    let mut given = String::new();
    // Without it everything is new.
    let _ = io::stdin().take(TEXT_LIMIT as u64).read_to_string(&mut given);
    given
}

/// Shows the parent of this process, which it started for an answer, that the work goes on.
pub(crate) fn go_on() {
    // A blank before the answer, which is JSON; whom nobody waits for cannot write it.
    let _ = io::stdout().write_all(b" ").and_then(|()| io::stdout().flush());
}

fn in_memory(name: &str) -> io::Result<File> {
    Ok(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// A child process that runs this very program.
#[derive(Debug)]
pub(crate) struct Offspring {
    child: Process,
    pidfd: OwnedFd,
    /// What it answers, in memory: neither of us ever waits for the other to read.
    answer: Option<File>,
    /// Whether it may hang in a system call that no signal ends.
    may_hang: bool,
}

impl Offspring {
    /// Starts this program with `arguments`; it talks to the same journal or terminal.
    ///
    /// A process group of its own: Ctrl-C at a terminal is for the watcher, which passes it on.
    pub(crate) fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, Error> {
        Self::spawn(arguments, [Stdio::null(), Stdio::null(), Stdio::inherit()], false)
    }

    /// Starts it for work that may never come to an end; it finds the text `given` on its standard input,
    /// and gives an answer. Nothing here ever waits for it.
    pub(crate) fn start_for_answer<S: AsRef<OsStr>>(
        arguments: &[S],
        given: &str,
    ) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::new("run", Path::new("oauth-sync"), source);
        let mut input = in_memory("given").map_err(failed)?;
        let written = input.write_all(given.as_bytes()).and_then(|()| input.rewind());
        let answer = written.and_then(|()| in_memory("answer")).map_err(failed)?;
        let output = answer.try_clone().map_err(failed)?;
        let streams = [input.into(), output.into(), Stdio::inherit()];
        Self::spawn(arguments, streams, true).map(|child| Self { answer: Some(answer), ..child })
    }

    /// Starts it for work that may never come to an end, with this process's output.
    pub(crate) fn start_beside<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, Error> {
        Self::spawn(arguments, [Stdio::null(), Stdio::inherit(), Stdio::inherit()], true)
    }

    /// Starts it only to learn its exit status; it may hang and holds no output open.
    pub(crate) fn start_silent<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, Error> {
        Self::spawn(arguments, [Stdio::null(), Stdio::null(), Stdio::null()], true)
    }

    fn spawn<S: AsRef<OsStr>>(
        arguments: &[S],
        [stdin, stdout, stderr]: [Stdio; 3],
        may_hang: bool,
    ) -> Result<Self, Error> {
        let failed = |source: std::io::Error| Error::new("run", Path::new("oauth-sync"), source);
        let mut child = Command::new(SELF)
            .arg0("oauth-sync")
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .process_group(0)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(failed)?;
        match rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { child, pidfd, answer: None, may_hang }),
            Err(source) => {
                if may_hang {
                    let _ = child.kill();
                } else {
                    // It is only waited for: what it does must not be cut short.
                    let _ = child.wait();
                }
                Err(failed(source.into()))
            }
        }
    }

    /// The descriptor to poll: readable once it has ended.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Says whether it has ended, and then whether its work is done: one that failed is tried again.
    pub(crate) fn ended(&mut self) -> Option<bool> {
        let status = self.child.try_wait().ok()??;
        Some(status.code().is_some_and(|code| code != 1 && code != 2))
    }

    /// Its exit status once it has ended, waited for no longer than `span`; one that a signal ended
    /// counts as failed.
    pub(crate) fn exit_within(&mut self, span: Duration) -> Option<i32> {
        calm::wait_for(self.fd(), span);
        let status = self.child.try_wait().ok()??;
        Some(status.code().unwrap_or(1))
    }

    /// How much it has answered so far, in bytes.
    pub(crate) fn progress(&self) -> u64 {
        self.answer.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |file| file.len())
    }

    /// Reads what it answered; for one that has ended.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let Some(file) = &self.answer else { return Vec::new() };
        let size = usize::try_from(self.progress()).unwrap_or(usize::MAX);
        let mut answer = vec![0; size.min(TEXT_LIMIT)];
        // What cannot be read is no answer.
        let read = file.read_exact_at(&mut answer, 0);
        read.map(|()| answer).unwrap_or_default()
    }

    /// Sends it a signal: to end, or to be ended.
    pub(crate) fn signal(&self, is_last: bool) {
        let signal = if is_last { Signal::KILL } else { Signal::TERM };
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
    }

    /// Asks it to end, waits for that and ends it; a renewal first saves what it was given, as long as
    /// systemd would let it.
    pub(crate) fn end(mut self) {
        self.signal(false);
        calm::wait_for(self.fd(), if self.may_hang { LAST_WAIT } else { RUN_WAIT });
        self.signal(true);
        let _ = self.child.try_wait();
    }
}
