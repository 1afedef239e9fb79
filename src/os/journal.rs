//! Sets up `log`: structured fields into the journal, plain lines on stderr elsewhere.

use std::fmt::Arguments;
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::JournalLog;

/// Sends every further message to the journal if stderr is connected to it, else to stderr.
pub(crate) fn start(level: LevelFilter) {
    let journal = systemd_journal_logger::connected_to_journal()
        .then(|| JournalLog::new().ok())
        .flatten()
        .map(|journal| journal.with_syslog_identifier("oauth-sync".to_owned()));
    let installed = match journal {
        Some(journal) => journal.install().is_ok(),
        None => log::set_boxed_logger(Box::new(Stderr)).is_ok(),
    };
    if installed {
        log::set_max_level(level);
    }
}

/// Says what only `-v` shows; `log::debug!` is compiled away, with all that libraries say by it.
pub(crate) fn say_detail(text: Arguments<'_>) {
    if log::max_level() >= Level::Debug {
        let mut record = Record::builder();
        let record = record.level(Level::Debug).target("oauth_sync");
        log::logger().log(&record.args(text).build());
    }
}

macro_rules! detail {
    ($($text:tt)+) => {
        $crate::os::journal::say_detail(format_args!($($text)+))
    };
}
pub(crate) use detail;

/// Says whether this process talks to the journal, as services do.
pub(crate) fn is_connected() -> bool {
    systemd_journal_logger::connected_to_journal()
}

/// Writes `oauth-sync: TEXT`; hints follow on lines of their own.
struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("oauth_sync")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // In one piece, since stderr has no buffer. Nobody is left to be told when it is gone.
        let line = format!("oauth-sync: {}\n", printable(&record.args().to_string()));
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Escapes control characters: paths and messages of others end up on a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}c\nd"), "a\\u{1b}[2Jb\\u{9b}c\nd");
    }
}
