//! The command line of `watch` as a unit has it, read without clap.
//!
//! To read one line clap builds all that the program can be asked for, and an allocator gives little
//! of that back: it was half of what `watch` wrote to, and held as long as it ran. Whatever is not
//! plainly such a line is left to clap, and with it every fault.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::args::{Arguments, CONFIG_DIR, Command, Global};

/// Reads a program name, `watch` and options that clap would take too, each at most once.
pub(crate) fn read(words: &[OsString]) -> Option<Arguments> {
    let mut words = words.iter().skip(1);
    let (mut config_dir, mut state_dir, mut run_dir) = (None, None, None);
    let (mut link, mut delegate) = (None, None);
    if words.next()? != "watch" {
        return None;
    }
    while let Some(word) = words.next() {
        let place = match word.to_str()? {
            "--config-dir" => &mut config_dir,
            "--state-dir" => &mut state_dir,
            "--run-dir" => &mut run_dir,
            "--link" => &mut link,
            "--delegate" => {
                let is_first = delegate.replace(word).is_none();
                is_first.then_some(())?;
                continue;
            }
            _ => return None,
        };
        let is_first = place.replace(value(words.next()?)?).is_none();
        is_first.then_some(())?;
    }
    let global = Global {
        config_dir: PathBuf::from(config_dir.unwrap_or(CONFIG_DIR)),
        state_dir: state_dir.map(PathBuf::from),
        run_dir: run_dir.map(PathBuf::from),
        link: link.map(str::to_owned),
        verbose: 0,
        quiet: false,
        attended: false,
    };
    Some(Arguments { global, command: Command::Watch { delegate: delegate.is_some() } })
}

/// What can be nothing but a value.
fn value(word: &OsString) -> Option<&str> {
    word.to_str().filter(|word| !word.is_empty() && !word.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn it_reads_what_clap_reads() {
        for line in [
            "oauth-sync watch",
            "oauth-sync watch --delegate",
            "oauth-sync watch --delegate --config-dir /c --state-dir /s --run-dir /r --link a",
            "/usr/bin/oauth-sync watch --link b --delegate",
        ] {
            let (ours, theirs) = (read(&words(line)), Arguments::try_parse_from(words(line)));
            assert_eq!(format!("{ours:?}"), format!("{:?}", theirs.ok()), "{line}");
            assert!(ours.is_some(), "{line}");
        }
    }

    #[test]
    fn everything_else_is_left_to_clap() {
        for line in [
            "oauth-sync",
            "oauth-sync sync",
            "oauth-sync --delegate watch",
            "oauth-sync watch -v",
            "oauth-sync watch --help",
            "oauth-sync watch --delegate --delegate",
            "oauth-sync watch --link",
            "oauth-sync watch --link -q",
            "oauth-sync watch --link=a",
            "oauth-sync watch --link a --link b",
            "oauth-sync watch more",
        ] {
            assert!(read(&words(line)).is_none(), "{line}");
        }
    }
}
