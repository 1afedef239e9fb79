//! Our own program once more, beside this process: its words go where ours go.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::os::error::Error;

/// Another process of our own.
#[derive(Debug)]
pub(crate) struct Child {
    child: std::process::Child,
}

impl Child {
    /// Starts this very program with other arguments, in a process group of its own: an interrupt
    /// at the terminal must not cut a recreate in half.
    pub(crate) fn start<'a>(arguments: impl Iterator<Item = &'a OsStr>) -> Result<Self, Error> {
        let program = Path::new("/proc/self/exe");
        let mut command = Command::new(program);
        command.args(arguments).process_group(0).stdin(Stdio::null());
        let child = command.spawn().map_err(|source| Error::new("run", program, source))?;
        Ok(Self { child })
    }

    /// Says whether it has ended; a child that cannot be asked for counts as ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}
