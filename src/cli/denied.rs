//! What an ordinary user may not do is said at once and by its name, before anything is tried.

use std::path::PathBuf;

use crate::app::context::Places;
use crate::app::error::Error;
use crate::cli::args::Command;
use crate::os::fs::access::{Wish, denied};

/// Refuses a command that the system would deny.
pub(crate) fn judge(places: &Places, command: &Command) -> Result<(), Error> {
    let path = match command {
        // They look at the host, not at the configuration, or at nothing at all.
        Command::Detect(options) if !options.write => None,
        Command::Detect(_) | Command::Set(_) | Command::Pause(_) | Command::Resume => {
            to_configure(places)
        }
        Command::Setup(_) => to_configure(places).or_else(|| to_work(places)),
        command if changes_nothing(command) => to_read(places),
        _ => to_work(places),
    };
    path.map_or(Ok(()), |path| Err(Error::Denied(path)))
}

/// The path that keeps this process from reading how things stand.
pub(crate) fn to_read(places: &Places) -> Option<PathBuf> {
    denied(&places.config_dir, "conf", Wish::Read)
        .or_else(|| denied(&places.state_dir, "", Wish::Read))
}

fn to_work(places: &Places) -> Option<PathBuf> {
    to_read(places)
        .or_else(|| denied(&places.state_dir, "", Wish::Write))
        .or_else(|| denied(&places.run_dir, "", Wish::Write))
}

fn to_configure(places: &Places) -> Option<PathBuf> {
    denied(&places.config_dir, "conf", Wish::Write)
}

fn changes_nothing(command: &Command) -> bool {
    match command {
        Command::Status { .. }
        | Command::Check { .. }
        | Command::Token { .. }
        | Command::Metrics { .. }
        | Command::Examine => true,
        Command::Inspect { fix, .. } | Command::Doctor { fix, .. } => !fix,
        Command::Sync { dry_run, .. } | Command::Refresh { dry_run, .. } => *dry_run,
        Command::Model(options) => !options.apply && !options.drop_provider,
        _ => false,
    }
}
