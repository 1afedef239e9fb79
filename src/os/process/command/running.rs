//! A program that runs: waited for beside something else, signalled, and heard to its end.
//!
//! A pidfd stands for it, so that its number cannot have become another's while it is waited for.

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::os::process::command::helper::Stage;
use crate::os::process::command::launch::{Launched, Said, abandon, said};
use crate::os::process::command::pipes::Pipes;
use crate::os::progress;

/// How long a program has between the request to end (TERM) and KILL.
const GRACE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// How often whoever waits for this process is shown that only a program is waited for, which has a limit of its own.
const GLANCE: Duration = Duration::from_secs(10);

/// How long it has after KILL.
const LAST: Duration = Duration::from_secs(5);

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

/// What came of waiting for a program to be executed.
pub(super) enum Start {
    /// It was, or its helper was ended, which waiting for its end tells.
    Executed(Running),
    /// It could not be.
    Failed(Stage, std::io::Error),
    /// The time is over, and it was ended.
    Overdue,
}

/// A program that was started, and has not been waited for yet; dropped before that it is left behind.
#[derive(Debug)]
pub(crate) struct Running {
    /// `None` once it was waited for.
    child: Option<Child>,
    pid: Pid,
    pidfd: OwnedFd,
    pipes: Pipes,
    started: Instant,
}

impl Running {
    /// Takes charge of a program that a call has just started.
    pub(super) fn over(launched: Launched, pipes: Pipes) -> Starting {
        let Launched { child, pidfd, answer } = launched;
        let pid = Pid::from_child(&child);
        let running = Self { child: Some(child), pid, pidfd, pipes, started: Instant::now() };
        Starting { running, answer }
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
            progress::show();
            let left = end.saturating_duration_since(Instant::now());
            let span = if progress::is_shown() { left.min(GLANCE) } else { left };
            if self.poll(other, span)? {
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

    /// The descriptor to poll: readable once it has ended.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Says whether it has been stopped since the last call.
    pub(crate) fn has_stopped(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let stopped = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
        stopped.is_ok_and(|status| status.is_some_and(|status| status.stopped()))
    }

    /// Says whether it has ended.
    pub(crate) fn has_ended(&self) -> std::io::Result<bool> {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, Some(&none)) {
            Ok(_) => Ok(!fds[0].revents().is_empty()),
            Err(Errno::INTR) => Ok(false),
            Err(source) => Err(source.into()),
        }
    }

    /// Sends a signal to its group: to it and to all it started that did not leave the group.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.child.is_none() {
            return;
        }
        // Before it has a group of its own it is alone.
        if rustix::process::kill_process_group(self.pid, signal).is_err() {
            let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
        }
    }

    /// Has it end: its group is asked to, and killed 10 s later; see [`Running::finish`].
    pub(crate) fn end(mut self) -> std::io::Result<Ended> {
        self.signal(Signal::TERM);
        if self.wait(None, GRACE)? != Step::Ended {
            self.signal(Signal::KILL);
        }
        self.finish()
    }

    /// Says how it ended. One that has not ended yet is killed after 10 s, and left behind after 5 s more,
    /// which is an error: it waits in the kernel for something that its owner withholds.
    pub(crate) fn finish(mut self) -> std::io::Result<Ended> {
        if self.wait(None, GRACE)? != Step::Ended {
            self.signal(Signal::KILL);
            if self.wait(None, LAST)? != Step::Ended {
                return Err(std::io::Error::new(ErrorKind::TimedOut, "KILL does not end it"));
            }
        }
        let Some(mut child) = self.child.take() else { return Err(ErrorKind::NotFound.into()) };
        let status = child.wait()?;
        let (stdout, stderr) = std::mem::take(&mut self.pipes).heard();
        Ok(Ended { status, overdue: false, stdout, stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.take().into_iter().for_each(abandon);
    }
}

/// A program whose helper was started, and has perhaps not executed it yet.
pub(super) struct Starting {
    running: Running,
    answer: UnixStream,
}

impl Starting {
    /// Waits until it is executed; ends it when `limit` is over before.
    pub(super) fn executed(mut self, limit: Duration) -> std::io::Result<Start> {
        let mut has_ended = false;
        loop {
            match said(&self.answer) {
                Said::Nothing if !has_ended => {}
                Said::Nothing | Said::Executed => return Ok(Start::Executed(self.running)),
                Said::Failed(stage, error) => {
                    // It ends by itself; should it not, it is not needed.
                    let _ = self.running.finish();
                    return Ok(Start::Failed(stage, error));
                }
            }
            let left = limit.saturating_sub(self.running.age());
            match self.running.wait(Some(self.answer.as_fd()), left)? {
                Step::Woken => {}
                // What it has said before is still to be read.
                Step::Ended => has_ended = true,
                Step::Time => {
                    let _ = self.running.end();
                    return Ok(Start::Overdue);
                }
            }
        }
    }
}
