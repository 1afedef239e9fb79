//! Following a symbolic link of a user's own, as stow, chezmoi and yadm make them, within that user's rights.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, ResolveFlags};

use super::walk::{open_rest, open_root};
use super::{Folder, crossing, owner};
use crate::os::error::Error;
use crate::os::user::account;

/// How many links may lead from one to the next; a person makes one.
const LINK_LIMIT: u32 = 8;

impl Folder {
    /// Reaches the directory and the name of a file that its path stands for, as [`Folder::follow`] does.
    pub(crate) fn reach_followed(path: &Path) -> Result<(Self, String), Error> {
        let (Some(parent), Some(name)) =
            (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::odd("open", path, "it is no file"));
        };
        Self::reach(parent)?.follow(name)
    }

    /// Finds the directory and the name that a name of this directory stands for; itself if it is no link.
    ///
    /// The link has to be the directory's own user's and lead to a directory of that user: the way there is opened
    /// with no other rights, so whatever the user makes of it, nothing is reached that they could not write themselves.
    pub(crate) fn follow(self, name: &str) -> Result<(Self, String), Error> {
        let (mut here, mut name) = (self, name.to_owned());
        for _ in 0..LINK_LIMIT {
            let path = here.path.join(&name);
            let Some(stat) = here.stat(&name)? else { return Ok((here, name)) };
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                return Ok((here, name));
            }
            if stat.st_uid != here.identity.uid {
                return Err(Error::odd("follow", &path, "it is a symbolic link of another user"));
            }
            (here, name) = here.step(&name, &path)?;
        }
        Err(Error::odd(
            "follow",
            &here.path.join(&name),
            "too many symbolic links follow each other",
        ))
    }

    /// What a symbolic link of this directory says, whether or not anything is there.
    pub(crate) fn link_target(&self, name: &str) -> Result<PathBuf, Error> {
        let read = || rustix::fs::readlinkat(&self.fd, name, Vec::new());
        let target = self.acting()?.and(read, "follow", &self.path.join(name))?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    fn step(&self, name: &str, path: &Path) -> Result<(Self, String), Error> {
        let failed = |source: rustix::io::Errno| crossing::failed("follow", path, source);
        let aim = self.link_target(name)?;
        let (Some(parent), Some(name)) =
            (aim.parent(), aim.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::odd("follow", path, "its target names no file"));
        };
        let acting = self.acting()?;
        let resolve = ResolveFlags::NO_MAGICLINKS;
        let is_strict = self.is_strict || crossing::applies(&self.path.join(&aim));
        let fd = match parent.strip_prefix("/") {
            Ok(rest) => open_rest(&open_root()?, rest, resolve, is_strict),
            Err(_) => open_rest(&self.fd, parent, resolve, is_strict),
        };
        let fd = fd.map_err(failed)?;
        drop(acting);
        let owner = owner::stat(&fd).map_err(failed)?.st_uid;
        if owner != self.identity.uid {
            let what = format!(
                "it is a symbolic link into a directory of {}, but it belongs to {}",
                account::name(owner),
                account::name(self.identity.uid)
            );
            return Err(Error::odd("follow", path, what));
        }
        let identity = self.identity.clone();
        let there = Self { path: PathBuf::new(), identity, fd: fd.into(), is_strict };
        Ok((Self { path: there.real_path()?, ..there }, name.to_owned()))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays its scratch directory out itself")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_to_the_file_that_they_mean() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |path: &str| scratch.path().join(path);
        std::fs::create_dir_all(at("dot/files")).unwrap();
        std::fs::write(at("dot/files/env"), "A=1\n").unwrap();
        symlink("dot/files/env", at("relative")).unwrap();
        symlink(at("relative"), at("absolute")).unwrap();
        symlink("dot/none", at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let follow = |name: &str| Folder::reach(scratch.path()).unwrap().follow(name);
        for name in ["relative", "absolute"] {
            let (folder, file) = follow(name).unwrap();
            assert_eq!((folder.path, file.as_str()), (at("dot/files"), "env"), "{name}");
        }
        let (folder, file) = follow("dangling").unwrap();
        assert_eq!((folder.path, file.as_str()), (at("dot"), "none"));
        assert!(follow("loop").unwrap_err().to_string().contains("too many"));
        let (folder, file) = follow("plain").unwrap();
        assert_eq!((folder.path.as_path(), file.as_str()), (scratch.path(), "plain"));
    }
}
