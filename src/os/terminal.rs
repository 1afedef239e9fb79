//! The terminal on stdout: how wide it is, what it can show; and programs for the person who sits there.

mod hidden;
mod relay;

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitStatus;

use crate::os::environment;
use crate::os::error::Error;
use crate::os::event::signals::Waiting;
use crate::os::process::command::Call;

/// The most that is read of a secret that comes through a pipe, in bytes.
const SECRET_LIMIT: u64 = 64 * 1024;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Columns.
    pub(crate) width: usize,
    /// Whether it shows colours, and whoever sits there wants them (no-color.org).
    pub(crate) colour: bool,
    /// Whether it shows more than ASCII.
    pub(crate) unicode: bool,
    /// Whether the cursor can be moved about.
    pub(crate) cursor: bool,
}

/// What the terminal on stdout can show; `None` where stdout is none.
pub(crate) fn abilities() -> Option<Abilities> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&out).ok();
    let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
    let cursor = environment::get("TERM").is_some_and(|term| term != "dumb");
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment::get(name));
    let unicode = locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    let colour = cursor && environment::get("NO_COLOR").is_none();
    Some(Abilities { width: width.unwrap_or(80), colour, unicode: unicode && cursor, cursor })
}

/// Says whether somebody sits there who can answer.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Writes to stdout as it is; what others wrote has to be made printable before.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that is gone wants nothing more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A screen of its own on the terminal; the old one comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Alternate {
    /// How many pictures were shown.
    shown: u64,
}

impl Alternate {
    /// Takes the screen and hides the cursor.
    pub(crate) fn take() -> Self {
        write("\x1b[?1049h\x1b[?25l");
        Self { shown: 0 }
    }

    /// Shows a picture in the place of the one before.
    pub(crate) fn show(&mut self, picture: &str) {
        // Line by line, and the rest cleared last: a cleared screen would flicker.
        let start = if self.shown == 0 { "\x1b[2J\x1b[H" } else { "\x1b[H" };
        self.shown += 1;
        write(&format!("{start}{}\x1b[K\x1b[J", picture.trim_end().replace('\n', "\x1b[K\r\n")));
    }
}

impl Drop for Alternate {
    fn drop(&mut self) {
        write("\x1b[?25h\x1b[?1049l");
    }
}

/// Runs a program for the person at the terminal, with the rights of one user and nothing of root's: at a
/// terminal of its own that is relayed to ours. A signal that waits ends it.
pub(crate) fn run(call: &Call<'_>, waiting: &Waiting<'_>) -> Result<ExitStatus, Error> {
    relay::run(call, waiting)
}

/// Reads a secret from whoever sits there, without showing it, else all that stdin has; `None` after Ctrl-C.
pub(crate) fn read_secret(prompt: &str) -> Result<Option<String>, Error> {
    let failed = |source| Error::new("read", Path::new("stdin"), source);
    let mut text = String::new();
    if !std::io::stdin().is_terminal() {
        let read = std::io::stdin().take(SECRET_LIMIT).read_to_string(&mut text);
        return read.map(|_| Some(text)).map_err(failed);
    }
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(prompt.as_bytes()).and_then(|()| out.flush());
    let typed = hidden::read().map_err(failed);
    let _ = out.write_all(b"\n");
    typed
}

/// Reads one line that somebody types; `None` at the end of the input.
pub(crate) fn read_line() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}
