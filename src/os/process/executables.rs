//! Programs as one user finds them: with that user's rights, since they decide what is run.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType};

use crate::domain::program_dirs;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::{self, Folder};
use crate::os::user::identity::Identity;

/// The most that is read of a user's `.npmrc`, in bytes.
const TEXT_LIMIT: u64 = 64 * 1024;

/// Says whether `path` is a file that the user may run.
pub(crate) fn is_runnable(identity: &Identity, path: &Path) -> bool {
    let Ok(_acting) = identity.act() else { return false };
    if !dir::may_look_at(path) {
        return false;
    }
    let plain = rustix::fs::stat(path)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    plain && rustix::fs::accessat(rustix::fs::CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// Says whether a word names a program that the user may run: by its path, or in the host's folders.
pub(crate) fn is_known(identity: &Identity, word: &str) -> bool {
    if word.contains('/') {
        return is_runnable(identity, &Path::new("/").join(word));
    }
    environment::PATH.split(':').any(|folder| is_runnable(identity, &Path::new(folder).join(word)))
}

/// Says whether our own `PATH` has a program, which somebody else is to run: this process may not be allowed to.
pub(crate) fn is_there(name: &str) -> bool {
    std::env::split_paths(&environment::path()).any(|folder| {
        let path = folder.join(name);
        path.is_absolute()
            && dir::may_look_at(&path)
            && rustix::fs::stat(&path)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    })
}

/// Where a user's own programs may be below a home, the likeliest first.
pub(crate) fn below_home(home: &Path) -> Vec<PathBuf> {
    let names = |path: &Path| {
        let names = Folder::reach(path).map(|folder| folder.names_or_none()).unwrap_or_default();
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    };
    let text = |path: &Path| {
        let folder = Folder::reach(path.parent()?).ok()?;
        String::from_utf8(folder.read(path.file_name()?.to_str()?, TEXT_LIMIT).ok()??.bytes).ok()
    };
    let owner = Folder::reach(home).map_or(u32::MAX, |home| home.identity.uid);
    program_dirs::below_home(home, owner, names, text)
}

/// Where programs of the whole host may be.
pub(crate) fn of_host() -> impl Iterator<Item = PathBuf> {
    environment::PATH.split(':').chain(program_dirs::OF_HOST).map(PathBuf::from)
}

/// Follows all links, as far as the user may.
pub(crate) fn real_path(identity: &Identity, path: &Path) -> Option<PathBuf> {
    let _acting = identity.act().ok()?;
    dir::may_look_at(path).then(|| std::fs::canonicalize(path).ok())?
}

/// What tells a program apart from a later one of the same name.
pub(crate) fn key(path: &Path) -> Option<String> {
    let folder = Folder::reach(path.parent()?).ok()?;
    let stat = folder.stat_through(path.file_name()?.to_str()?).ok()??;
    Some(format!("{}:{}:{}.{}", stat.st_dev, stat.st_ino, stat.st_mtime, stat.st_mtime_nsec))
}

/// Says whether the folder's user may write in it.
pub(crate) fn is_writable(folder: &Folder) -> Result<bool, Error> {
    let _acting = folder.acting()?;
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    Ok(rustix::fs::accessat(&folder.fd, ".", wanted, AtFlags::EACCESS).is_ok())
}

/// The folder where other users' programs start: empty, and nobody but its owner writes in it.
///
/// It lies in the state directory, which others may not enter, so what a user could plant in a shared
/// folder (settings, an `.mcp.json`) can never lie there.
pub(crate) fn workplace(state: &Folder) -> Result<Folder, Error> {
    let place = state.make("empty")?;
    let mode = rustix::fs::Mode::from_raw_mode(0o755);
    rustix::fs::chmodat(&place.fd, ".", mode, AtFlags::empty())
        .map_err(|source| Error::new("open up", &place.path, source))?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_the_user_may_run_are_programs() {
        let own = Identity::own();
        assert!(is_runnable(&own, Path::new("/bin/sh")));
        for other in ["/bin", "/etc/passwd", "/nonexistent"] {
            assert!(!is_runnable(&own, Path::new(other)), "{other}");
        }
    }
}
