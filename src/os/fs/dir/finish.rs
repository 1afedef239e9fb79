//! The rest of a way, from the first component that is not root's.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::ResolveFlags;
use rustix::io::Errno;

use super::walk::open_rest;
use super::{Folder, crossing, owner};
use crate::os::error::Error;
use crate::os::user::identity::Identity;

impl Folder {
    /// Opens the rest of the way as `identity`; a last folder of a third user is taken over from there.
    pub(super) fn finish(
        way: &OwnedFd,
        identity: Identity,
        path: &Path,
        rest: &Path,
    ) -> Result<Self, Error> {
        let failed = |source| crossing::failed("open", path, source);
        let is_strict = crossing::applies(path);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", path, source))?;
        let fd = match open_rest(way, rest, ResolveFlags::NO_MAGICLINKS, is_strict) {
            Err(Errno::ACCESS) => {
                drop(acting);
                return Self::hand_over(way, &identity, path, rest);
            }
            other => other.map_err(failed)?,
        };
        let stat = owner::stat(&fd).map_err(failed)?;
        let stays = stat.st_uid == identity.uid || stat.st_uid == 0;
        if stays {
            drop(acting);
            return Ok(Self::new(path, identity, fd));
        }
        let strict = ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        let fd = open_rest(way, rest, strict, is_strict).map_err(failed)?;
        let stat = owner::stat(&fd).map_err(failed)?;
        drop(acting);
        if stat.st_uid == 0 {
            return Ok(Self::new(path, identity, fd));
        }
        Ok(Self::new(path, Identity::of(stat.st_uid, stat.st_gid), fd))
    }

    /// Goes on as a third user below the first folder of theirs that the owner of the way may not enter.
    fn hand_over(
        way: &OwnedFd,
        identity: &Identity,
        path: &Path,
        rest: &Path,
    ) -> Result<Self, Error> {
        let failed = |source| crossing::failed("open", path, source);
        let is_strict = crossing::applies(path);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", path, source))?;
        let strict = ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        let mut above: Vec<&Path> = rest.ancestors().skip(1).collect();
        above.pop();
        for there in above {
            let Ok(fd) = open_rest(way, there, strict, is_strict) else { continue };
            let stat = owner::stat(&fd).map_err(failed)?;
            if stat.st_uid == identity.uid || stat.st_uid == 0 {
                break;
            }
            drop(acting);
            let below = rest.strip_prefix(there).unwrap_or(rest);
            let reached = path.ancestors().nth(below.components().count()).unwrap_or(path);
            let identity = Identity::of(stat.st_uid, stat.st_gid);
            let folder = Self { path: reached.to_owned(), identity, fd: fd.into(), is_strict };
            return folder.enter(below);
        }
        Err(failed(Errno::ACCESS))
    }
}
