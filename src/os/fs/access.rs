//! Whether this process may use our own directories, asked before anything is tried.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{geteuid, getuid};

use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// What is to be done with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Read what is in it.
    Read,
    /// Write into it; it is made where it is missing.
    Write,
}

/// Says whether an ordinary user runs the program.
pub(crate) fn is_ordinary() -> bool {
    !geteuid().is_root()
}

/// What keeps this process from a directory and the files of this extension in it: the first path that
/// the system denies.
pub(crate) fn denied(directory: &Path, extension: &str, wish: Wish) -> Option<PathBuf> {
    if !is_ordinary() {
        return None;
    }
    let path = match wish {
        Wish::Read => directory,
        Wish::Write => directory.ancestors().find(|path| !is_absent(path))?,
    };
    let mode = match wish {
        Wish::Read => Access::READ_OK | Access::EXEC_OK,
        Wish::Write => Access::WRITE_OK | Access::EXEC_OK,
    };
    if is_denied(path, mode) {
        return Some(path.to_owned());
    }
    let files = std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|other| other == extension))
        .filter(|path| is_denied(path, Access::READ_OK))
        .collect();
    files.sort();
    files.into_iter().next()
}

fn is_absent(path: &Path) -> bool {
    matches!(access(path, Access::EXISTS), Err(Errno::NOENT | Errno::NOTDIR))
}

fn is_denied(path: &Path, mode: Access) -> bool {
    matches!(access(path, mode), Err(Errno::ACCESS | Errno::PERM | Errno::ROFS))
}

/// Lets everybody reach what is known by name in a directory of ours, and nobody list it.
pub(crate) fn let_through(directory: &Path) -> Result<(), Error> {
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
        return Ok(());
    };
    let stat = Folder::reach(directory)?.stat(".")?;
    let is_closed =
        stat.is_some_and(|stat| stat.st_mode & 0o777 == 0o700 && stat.st_uid == geteuid().as_raw());
    if is_closed { Folder::reach(parent)?.set_mode(&name.to_string_lossy(), 0o711) } else { Ok(()) }
}

/// An ordinary user's own directories for what is remembered and for locks, as
/// <https://specifications.freedesktop.org/basedir-spec/latest/> has them; none without a home.
pub(crate) fn own_directories() -> Option<(PathBuf, PathBuf)> {
    let home = home()?;
    let state = environment::folder("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state"));
    let state = state.join("oauth-sync");
    let run = environment::folder("XDG_RUNTIME_DIR").map(|run| run.join("oauth-sync"));
    let run = run.filter(|run| denied(run, "", Wish::Write).is_none());
    let run = run.unwrap_or_else(|| state.join("run"));
    Some((state, run))
}

/// The home of the user who runs the program; `HOME` can still be that of who started it.
fn home() -> Option<PathBuf> {
    let own = getuid().as_raw();
    let is_own = |home: &PathBuf| rustix::fs::stat(home).is_ok_and(|stat| stat.st_uid == own);
    let of_account = || crate::os::user::account::of(own).map(|account| account.home);
    environment::folder("HOME").filter(is_own).or_else(of_account)
}
