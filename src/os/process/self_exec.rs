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

use crate::os::debounce;
use crate::os::error::Error;
use crate::os::journal;
use crate::os::process::current::SELF;

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

/// Where a child that may hang talks to: the journal itself where this process does, else memory that is
/// passed on.
fn talk() -> io::Result<(Option<Written>, Stdio)> {
    if journal::is_connected() {
        return Ok((None, Stdio::inherit()));
    }
    Written::make("talk").map(|(said, theirs)| (Some(said), theirs))
}

fn in_memory(name: &str) -> io::Result<File> {
    Ok(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// What a child that may hang writes, in memory: neither of us ever waits for the other to read, and one
/// that never ends keeps no pipe or terminal of this process's open.
#[derive(Debug)]
struct Written {
    file: File,
    /// How much of it this process has passed on, in bytes.
    passed_on: u64,
}

impl Written {
    /// The memory, and the child's hold on it.
    fn make(name: &str) -> io::Result<(Self, Stdio)> {
        let file = in_memory(name)?;
        let theirs = file.try_clone()?.into();
        Ok((Self { file, passed_on: 0 }, theirs))
    }

    /// How much there is, in bytes.
    fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |file| file.len())
    }

    /// Reads it from the byte `start` on.
    fn read_from(&self, start: u64) -> Vec<u8> {
        let size = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size.min(TEXT_LIMIT)];
        let read = self.file.read_exact_at(&mut bytes, start);
        read.map(|()| bytes).unwrap_or_default()
    }

    /// Writes to `output` the lines that are new; the rest of one once it is complete.
    fn pass_on(&mut self, output: &mut impl Write) {
        let new = self.read_from(self.passed_on);
        let Some(end) = new.iter().rposition(|byte| *byte == b'\n') else { return };
        self.passed_on += end as u64 + 1;
        // A reader that is gone is no failure.
        let _ = output.write_all(&new[..=end]).and_then(|()| output.flush());
    }
}

/// A child process that runs this very program.
#[derive(Debug)]
pub(crate) struct Offspring {
    child: Process,
    pidfd: OwnedFd,
    /// Its standard input, to which it adds as the work goes on; and how much that held at first, in bytes.
    shown: Option<(Written, u64)>,
    /// What it answers.
    answer: Option<Written>,
    /// What it writes to its standard output besides.
    output: Option<Written>,
    /// What it says.
    said: Option<Written>,
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
        let (mut input, stdin) = Written::make("given").map_err(failed)?;
        let written = input.file.write_all(given.as_bytes()).and_then(|()| input.file.rewind());
        let (answer, output) = written.and_then(|()| Written::make("answer")).map_err(failed)?;
        let (said, talk) = talk().map_err(failed)?;
        let child = Self::spawn(arguments, [stdin, output, talk], true)?;
        let shown = Some((input, given.len() as u64));
        Ok(Self { answer: Some(answer), said, shown, ..child })
    }

    /// Starts it for work that may never come to an end; what it writes is passed on.
    pub(crate) fn start_beside<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::new("run", Path::new("oauth-sync"), source);
        let (shown, stdin) = Written::make("shown").map_err(failed)?;
        let (output, stdout) = Written::make("output").map_err(failed)?;
        let (said, talk) = talk().map_err(failed)?;
        let child = Self::spawn(arguments, [stdin, stdout, talk], true)?;
        Ok(Self { output: Some(output), said, shown: Some((shown, 0)), ..child })
    }

    /// Passes on what it wrote since.
    fn pass_on(&mut self) {
        if let Some(output) = &mut self.output {
            output.pass_on(&mut io::stdout());
        }
        if let Some(said) = &mut self.said {
            said.pass_on(&mut io::stderr());
        }
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
            Ok(pidfd) => {
                let (shown, answer, output, said) = (None, None, None, None);
                Ok(Self { child, pidfd, shown, answer, output, said, may_hang })
            }
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
        let status = self.child.try_wait();
        self.pass_on();
        let status = status.ok()??;
        Some(status.code().is_some_and(|code| code != 1 && code != 2))
    }

    /// Its exit status once it has ended, waited for no longer than `span`; one that a signal ended
    /// counts as failed.
    pub(crate) fn exit_within(&mut self, span: Duration) -> Option<i32> {
        debounce::wait_for(self.fd(), span);
        let status = self.child.try_wait();
        self.pass_on();
        Some(status.ok()??.code().unwrap_or(1))
    }

    /// How much progress it has shown so far, in bytes.
    pub(crate) fn progress(&self) -> u64 {
        self.shown.as_ref().map_or(0, |(shown, given)| shown.len().saturating_sub(*given))
    }

    /// Reads what it answered; for one that has ended.
    pub(crate) fn answer(&self) -> Vec<u8> {
        // What cannot be read is no answer.
        self.answer.as_ref().map(|answer| answer.read_from(0)).unwrap_or_default()
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
        debounce::wait_for(self.fd(), if self.may_hang { LAST_WAIT } else { RUN_WAIT });
        self.signal(true);
        let _ = self.child.try_wait();
        self.pass_on();
    }
}
