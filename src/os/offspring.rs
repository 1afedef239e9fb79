//! This program itself, started once more for a part of the work that may take long.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, PidfdFlags, Signal};

use crate::os::error::Error;

/// The running program, also after its file was replaced by an upgrade.
const SELF: &str = "/proc/self/exe";

/// A child process that runs this very program.
#[derive(Debug)]
pub(crate) struct Offspring {
    child: Child,
    pidfd: OwnedFd,
}

impl Offspring {
    /// Starts this program with `arguments`; it talks to the same journal or terminal.
    ///
    /// A process group of its own: Ctrl-C at a terminal is for the watcher, which passes it on.
    pub(crate) fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, Error> {
        let failed = |source: std::io::Error| Error::new("run", Path::new("oauth-sync"), source);
        let mut child = Command::new(SELF)
            .arg0("oauth-sync")
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        match rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { child, pidfd }),
            Err(source) => {
                // It is only waited for: what it does must not be cut short.
                let _ = child.wait();
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

    /// Asks it to end and waits until it did; a renewal first saves what it was given.
    pub(crate) fn end(mut self) {
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}
