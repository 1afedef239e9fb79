//! Which programs in a folder may be run with our own rights.

use std::path::Path;

use rustix::fs::{FileType, Stat};
use rustix::process::geteuid;

use crate::domain::hints::files;
use crate::domain::shell::Hint;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::exec_policy;
use crate::os::user::identity::Identity;

/// Builds the command that fixes a path.
pub(crate) type Remedy = fn(&Path) -> Hint;

/// Whether a program may be run.
#[derive(Debug)]
pub(crate) enum Trust {
    /// It is ours alone.
    Runs,
    /// It is not meant to be run.
    NotExecutable,
    /// Others could have written it; what is wrong, and what fixes it.
    Unsafe(&'static str, Remedy),
    /// Root does not run it by [`exec_policy`].
    Refused(Error),
}

/// Says whether a name is a hook's: editors and package managers leave copies beside a file.
pub(crate) fn is_hook(name: &str) -> bool {
    let leftovers = [".dpkg-old", ".dpkg-dist", ".dpkg-new", ".rpmsave", ".rpmnew", ".bak", "~"];
    !name.starts_with('.') && !leftovers.iter().any(|ending| name.ends_with(ending))
}

/// Judges the program `name` in `folder`.
pub(crate) fn program(folder: &Folder, name: &str) -> Result<Trust, Error> {
    let Some(stat) = folder.stat(name)? else { return Ok(Trust::NotExecutable) };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if stat.st_mode & 0o111 == 0 => Trust::NotExecutable,
        FileType::RegularFile => match judge(&stat) {
            Trust::Runs => {
                let path = folder.path.join(name);
                let own = Identity::own();
                match exec_policy::judge(&own, path.as_os_str(), &environment::path()) {
                    Ok(()) => Trust::Runs,
                    Err(error) => Trust::Refused(error),
                }
            }
            other => other,
        },
        FileType::Symlink => {
            Trust::Unsafe("it is a symbolic link, and not the program itself", files::remove)
        }
        _ => Trust::NotExecutable,
    })
}

/// Judges the folder `name` in `parent`: whoever can write in it can put a program there.
pub(crate) fn folder(parent: &Folder, name: &str) -> Result<Trust, Error> {
    if parent.identity.uid != geteuid().as_raw() {
        return Ok(Trust::Unsafe(
            "the directory it is in belongs to another user",
            files::give_to_root,
        ));
    }
    let Some(stat) = parent.stat(name)? else { return Ok(Trust::NotExecutable) };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => judge(&stat),
        _ => Trust::Unsafe("it is not a directory", files::remove),
    })
}

fn judge(stat: &Stat) -> Trust {
    if stat.st_uid != geteuid().as_raw() && stat.st_uid != 0 {
        Trust::Unsafe("it belongs to another user", files::give_to_root)
    } else if stat.st_mode & 0o022 != 0 {
        Trust::Unsafe("others than its owner may write it", files::close)
    } else {
        Trust::Runs
    }
}
