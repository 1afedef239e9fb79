//! Signals as bytes of a pipe that poll(2) can wait for.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// What a signal asks of a long-running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM or SIGINT: end cleanly.
    End,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Receives SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub(crate) struct Signals {
    end: UnixStream,
    reload: UnixStream,
}

impl Signals {
    /// Takes the signals over from their default action.
    pub(crate) fn take() -> std::io::Result<Self> {
        let (end, end_writer) = UnixStream::pair()?;
        let (reload, reload_writer) = UnixStream::pair()?;
        pipe::register(SIGTERM, end_writer.try_clone()?)?;
        pipe::register(SIGINT, end_writer)?;
        pipe::register(SIGHUP, reload_writer)?;
        end.set_nonblocking(true)?;
        reload.set_nonblocking(true)?;
        Ok(Self { end, reload })
    }

    /// The descriptors to poll for reading.
    pub(crate) fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.end.as_fd(), self.reload.as_fd()]
    }

    /// Says what was asked since the last call; to end wins.
    pub(crate) fn pending(&mut self) -> Option<Asked> {
        let mut buffer = [0u8; 64];
        if matches!(self.end.read(&mut buffer), Ok(1..)) {
            return Some(Asked::End);
        }
        matches!(self.reload.read(&mut buffer), Ok(1..)).then_some(Asked::Reload)
    }
}
