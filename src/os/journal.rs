//! Sets up `log`: structured fields into the journal, plain lines on stderr elsewhere.

use std::fmt::Arguments;
use std::io::Write;

use log::kv::{self, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::JournalLog;

use crate::domain::shell::Hint;
use crate::domain::visible::visible;

/// The key under which a message carries the command that helps: it is shown below the message.
const HINT: &str = "hint";

/// Sends every further message to the journal if stderr is connected to it, else to stderr.
pub(crate) fn start(level: LevelFilter) {
    let journal = systemd_journal_logger::connected_to_journal()
        .then(|| JournalLog::empty().ok())
        .flatten()
        .map(|journal| journal.with_syslog_identifier("oauth-sync".to_owned()));
    let installed = match journal {
        Some(journal) => log::set_boxed_logger(Box::new(Visible(journal))),
        None => log::set_boxed_logger(Box::new(Visible(Stderr))),
    };
    if installed.is_ok() {
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

/// A hint as a message carries it, under the key `hint`; nothing where there is none.
pub(crate) fn below(hint: Option<&Hint>) -> String {
    hint.map(ToString::to_string).unwrap_or_default()
}

/// Says whether this process talks to the journal, as services do.
pub(crate) fn is_connected() -> bool {
    systemd_journal_logger::connected_to_journal()
}

/// Lets nothing through that steers a terminal or forges a line, be it in a message or in a field.
struct Visible<L>(L);

impl<L: Log> Log for Visible<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let mut fields = Fields::default();
        // Nothing refuses a pair.
        let _ = record.key_values().visit(&mut fields);
        let text = visible(&record.args().to_string()).into_owned();
        let hint = fields.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let (level, target) = (record.level(), record.target());
        let mut safe = Record::builder();
        safe.level(level).target(target).key_values(&fields.others);
        safe.file(record.file()).line(record.line()).module_path(record.module_path());
        self.0.log(&safe.args(format_args!("{text}{hint}")).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// The fields of a message, and the one that belongs below it.
#[derive(Default)]
struct Fields {
    hint: Option<String>,
    others: Vec<(String, String)>,
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let text = visible(&value.to_string()).into_owned();
        match key.as_str() {
            HINT if text.is_empty() => {}
            HINT => self.hint = Some(text),
            key => self.others.push((key.to_owned(), text)),
        }
        Ok(())
    }
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
        let line = format!("oauth-sync: {}\n", record.args());
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl Log for Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let mut fields = Fields::default();
            record.key_values().visit(&mut fields).unwrap();
            self.0.lock().unwrap().push(format!("{} {:?}", record.args(), fields.others));
        }

        fn flush(&self) {}
    }

    #[test]
    fn neither_a_message_nor_a_field_steers_the_terminal_or_forges_a_hint() {
        let log = Visible(Kept::default());
        let fields = [("link", "a\n9999 forged"), ("hint", "rm '\x1b[2J'")];
        let record = |fields: &[(&'static str, &'static str)]| {
            let fields = fields.to_vec();
            log.log(
                &Record::builder()
                    .args(format_args!("it is 'x\r\nhint: reboot'"))
                    .key_values(&fields)
                    .build(),
            );
        };
        record(&fields);
        record(&[("hint", "")]);
        let said = log.0.0.into_inner().unwrap();
        assert_eq!(
            said,
            [
                "it is 'x\\r\\nhint: reboot'\nhint: rm '\\u{1b}[2J' [(\"link\", \"a\\\\n9999 forged\")]",
                "it is 'x\\r\\nhint: reboot' []",
            ]
        );
    }
}
