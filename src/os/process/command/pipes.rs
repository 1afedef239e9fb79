//! A child's input and both outputs, carried without blocking and without a thread for each.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;

/// What is left to write to a child and what it said so far.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    stdin: Option<std::fs::File>,
    left: Vec<u8>,
    outputs: [Output; 2],
}

#[derive(Debug, Default)]
struct Output {
    /// `None` once every process has closed its end.
    pipe: Option<std::fs::File>,
    heard: Vec<u8>,
    limit: usize,
}

impl Pipes {
    /// Takes our ends of a program's pipes, what is to be written to its input, and how many bytes of
    /// each output are kept.
    pub(super) fn new(
        stdin: Option<OwnedFd>,
        left: Vec<u8>,
        outputs: [OwnedFd; 2],
        limit: usize,
    ) -> std::io::Result<Self> {
        let stdin = stdin.map(ready).transpose()?;
        let [stdout, stderr] = outputs.map(|pipe| {
            ready(pipe).map(|pipe| Output { pipe: Some(pipe), heard: Vec::new(), limit })
        });
        Ok(Self { stdin, left, outputs: [stdout?, stderr?] })
    }

    /// The descriptors to poll.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let input = self.stdin.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT));
        let open = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
        input.chain(open.map(|pipe| PollFd::new(pipe, PollFlags::IN)))
    }

    /// Writes and reads as much as goes without waiting, up to one buffer of each.
    pub(super) fn carry(&mut self) {
        self.feed();
        for output in &mut self.outputs {
            output.read();
        }
    }

    /// Reads what the ended child has left in the pipes. Not to their end: what it started in the
    /// background may hold them open for ever.
    pub(super) fn drain(&mut self) {
        for output in &mut self.outputs {
            while output.read() {}
        }
    }

    /// What was heard on both outputs.
    pub(super) fn heard(self) -> (Vec<u8>, Vec<u8>) {
        let [stdout, stderr] = self.outputs;
        (stdout.heard, stderr.heard)
    }

    fn feed(&mut self) {
        let Some(pipe) = &mut self.stdin else { return };
        match pipe.write(&self.left) {
            Ok(count) => drop(self.left.drain(..count)),
            Err(error) if is_passing(error.kind()) => return,
            // It does not want to read any more of it.
            Err(_) => self.left.clear(),
        }
        if self.left.is_empty() {
            self.stdin = None;
        }
    }
}

impl Output {
    /// Reads one buffer; says whether there was something.
    fn read(&mut self) -> bool {
        let Some(pipe) = &mut self.pipe else { return false };
        let mut buffer = [0u8; 16 << 10];
        match pipe.read(&mut buffer) {
            Ok(count @ 1..) => {
                let room = self.limit.saturating_sub(self.heard.len()).min(count);
                self.heard.extend_from_slice(&buffer[..room]);
                true
            }
            Err(error) if is_passing(error.kind()) => false,
            Ok(_) | Err(_) => {
                self.pipe = None;
                false
            }
        }
    }
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Makes our end of a pipe non-blocking; the child's end is a description of its own.
fn ready(pipe: OwnedFd) -> std::io::Result<std::fs::File> {
    let flags = rustix::fs::fcntl_getfl(pipe.as_fd())?;
    rustix::fs::fcntl_setfl(pipe.as_fd(), flags | OFlags::NONBLOCK)?;
    Ok(pipe.into())
}
