//! `REAUTH_NEEDED` in OpenClaw's state directory: there while a person has to sign in.

use std::path::Path;

use crate::app::setup::uninstall::{FLAG, FLAG_MARK};
use crate::domain::config::settings::Settings;
use crate::domain::incident::{News, Open, Said};
use crate::domain::shell::Hint;
use crate::domain::visible::visible;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::journal::below;

/// The most that is read of a flag file, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Puts the flag where a sign-in is asked for, again with each reminder; takes it away when it is done.
pub(super) fn keep(
    settings: &Settings,
    command: &Hint,
    before: &[Open],
    now: &[Open],
    news: &[News],
) {
    let asked = |open: &&Open| open.kind.needs_sign_in();
    let Some(path) = settings.openclaw_state_dir.as_deref() else { return };
    // Nobody signs in where another host renews.
    let open = now.iter().find(asked).filter(|_| settings.renewed_by.is_none());
    let done = match open {
        Some(open) if news.iter().any(|news| news.kind == open.kind && news.said != Said::Over) => {
            put(path, &text(settings, command, open), settings)
        }
        None if before.iter().any(|open| asked(&open)) => take(path, settings),
        _ => return,
    };
    if let Err(error) = done {
        log::warn!(
            hint = below(error.command());
            "{}: {error}: the flag file does not tell how the login is",
            settings.name
        );
    }
}

fn text(settings: &Settings, command: &Hint, open: &Open) -> String {
    format!(
        "{FLAG_MARK}\nlink: {}\nsince: {}\n{}\nrun: {command}\nThis file goes away by itself once there is a new login.\n",
        settings.name,
        open.since,
        visible(&open.message)
    )
}

/// Whose flag stands there.
enum Flag {
    None,
    /// This link's.
    Own,
    /// Another link's, or another program's.
    Foreign,
}

fn look(folder: &Folder, settings: &Settings) -> Result<Flag, Error> {
    let Some(seen) = folder.read(FLAG, LIMIT)? else { return Ok(Flag::None) };
    let own = format!("{FLAG_MARK}\nlink: {}\n", settings.name);
    Ok(if seen.bytes.starts_with(own.as_bytes()) { Flag::Own } else { Flag::Foreign })
}

fn put(path: &Path, text: &str, settings: &Settings) -> Result<(), Error> {
    let folder = Folder::reach(path)?;
    match look(&folder, settings)? {
        Flag::Foreign => Ok(()),
        Flag::None | Flag::Own => {
            atomic_write::replace(&folder, FLAG, text.as_bytes(), Durability::Flushed)
        }
    }
}

fn take(path: &Path, settings: &Settings) -> Result<(), Error> {
    let folder = match Folder::reach(path) {
        Err(error) if error.is_absent() => return Ok(()),
        other => other?,
    };
    match look(&folder, settings)? {
        Flag::Own => folder.remove(FLAG).map(|_| ()),
        Flag::None | Flag::Foreign => Ok(()),
    }
}
