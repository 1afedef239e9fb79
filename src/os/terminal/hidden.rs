//! Text that somebody types or pastes without its being shown.

use std::io::{BufReader, Read, stdin};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::relay::Raw;
use crate::os::event::signals::Signals;

/// The keys that mean something: Ctrl-C, Ctrl-D, the two of erasing, and Ctrl-U.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const ERASE: [u8; 2] = [8, 127];
const KILL: u8 = 21;

/// The most that is read, in bytes.
const LIMIT: usize = 64 * 1024;

/// Reads lines up to an empty one, or to Ctrl-D, with the echo switched off; `None` after Ctrl-C, or a signal that ends
/// programs, which leaves the terminal as it was.
pub(super) fn read() -> std::io::Result<Option<String>> {
    let keys = Keys(Signals::take()?);
    let raw = Raw::set()?;
    let typed = lines(keys);
    drop(raw);
    typed
}

/// What is typed; a signal is a Ctrl-C.
struct Keys(Signals);

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let stdin = stdin();
        let [end, reload] = self.0.fds();
        let mut fds =
            [end, reload, stdin.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        while let Err(error) = poll(&mut fds, None) {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        if fds[..2].iter().any(|fd| !fd.revents().is_empty()) {
            buffer[0] = INTERRUPT;
            return Ok(1);
        }
        Ok(rustix::io::read(stdin, buffer)?)
    }
}

fn lines(from: impl Read) -> std::io::Result<Option<String>> {
    let mut typed = Vec::new();
    for byte in BufReader::new(from).bytes().take(LIMIT) {
        match byte? {
            INTERRUPT => return Ok(None),
            END => break,
            b'\r' | b'\n' if typed.last().is_none_or(|last| *last == b'\n') => break,
            b'\r' | b'\n' => typed.push(b'\n'),
            byte if ERASE.contains(&byte) => drop(typed.pop()),
            KILL => typed.clear(),
            byte => typed.push(byte),
        }
    }
    Ok(Some(String::from_utf8_lossy(&typed).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_ends_what_was_pasted() {
        for (typed, read) in [
            ("ab\rcd\r\rrest", Some("ab\ncd\n")),
            ("ab\x04rest", Some("ab")),
            ("ax\x7fb\x04", Some("ab")),
            ("wrong\x15ab\r\r", Some("ab\n")),
            ("\r", Some("")),
            ("", Some("")),
            ("ab\x03cd", None),
        ] {
            assert_eq!(lines(typed.as_bytes()).unwrap().as_deref(), read, "{typed:?}");
        }
    }
}
