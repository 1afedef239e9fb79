//! A program that runs: waited for beside something else, signalled, and heard to its end.
//!
//! A pidfd stands for it, so that its number cannot have become another's while it is waited for.

use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::os::command::Call;
use crate::os::command::pipes::Pipes;

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

/// A program that was started, and has not been waited for yet.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pidfd: OwnedFd,
    pipes: Pipes,
    started: Instant,
}

impl Running {
    /// Takes charge of a program that a call has just started.
    pub(super) fn over(mut child: Child, call: &Call<'_>) -> std::io::Result<Self> {
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
