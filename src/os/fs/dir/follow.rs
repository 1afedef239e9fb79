//! Reading a file through the links of those who own the way to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::read::{Links, check_plain, patiently, whole};
use super::walk::{LINK_LIMIT, open_rest, open_root};
use super::{Folder, Seen, crossing, owner, real_path_of};
use crate::domain::openclaw_config::include::normal;
use crate::os::error::Error;
use crate::os::user::identity::Identity;

/// A file that was read through links.
#[derive(Debug)]
pub(crate) struct Followed {
    /// The file itself.
    pub(crate) seen: Seen,
    /// Its path without any link in it.
    pub(crate) real_path: PathBuf,
}

impl Folder {
    /// Reads the regular file at an absolute path with the rights of this folder, through links;
    /// `None` if nothing is there.
    ///
    /// A user's links lead only where that user may read, since they are followed with that user's
    /// rights. Where the rights are root's, each step is taken as by [`Folder::reach`], and from the
    /// first that is another user's on with the rights of that user. A second name of the file (hard
    /// link) is no fault: whoever may read it may read it.
    pub(crate) fn read_through(&self, path: &Path, limit: u64) -> Result<Option<Followed>, Error> {
        self.read_along(path, limit, &mut Vec::new())
    }

    /// The same; adds to `way` every path on it: the links, and what they lead to, be it there or not.
    pub(crate) fn read_along(
        &self,
        path: &Path,
        limit: u64,
        way: &mut Vec<PathBuf>,
    ) -> Result<Option<Followed>, Error> {
        let before = way.len();
        patiently(|| {
            way.truncate(before);
            match self.read_once_along(path, limit, way) {
                Err(error) if error.is_absent() => Ok(None),
                other => other.map(Some),
            }
        })
    }

    fn read_once_along(
        &self,
        path: &Path,
        limit: u64,
        way: &mut Vec<PathBuf>,
    ) -> Result<Followed, Error> {
        let (mut path, mut identity) = (path.to_owned(), self.identity.clone());
        for _ in 0..LINK_LIMIT {
            way.push(path.clone());
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let (Some(parent), Some(name)) = (path.parent(), name) else {
                return Err(Error::odd("read", &path, "it is no path of a file"));
            };
            let folder = self.on_the_way(parent, &name, &identity)?;
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            let acting = folder.acting()?;
            let opened = folder.open_at(&name, flags, Mode::empty());
            drop(acting);
            match opened {
                Ok(fd) => {
                    let real_path = real_path_of(&fd, &path)?;
                    let stat = owner::stat(&fd);
                    let stat = stat.map_err(|source| crossing::failed("read", &path, source))?;
                    check_plain(&path, &stat, limit, Links::Any)?;
                    let seen = whole(File::from(fd), stat, &path, limit)?;
                    return Ok(Followed { seen, real_path });
                }
                Err(Errno::LOOP) => {}
                Err(Errno::ACCESS) => return Err(folder.denied(&name, &path)),
                Err(source) => return Err(crossing::failed("read", &path, source)),
            }
            let aim = || rustix::fs::readlinkat(&folder.fd, name.as_str(), Vec::new());
            let aim = folder.acting()?.and(aim, "follow", &path)?;
            path = folder.real_path()?.join(aim.to_string_lossy().as_ref());
            identity = folder.identity;
        }
        Err(Error::new("read", &path, Errno::LOOP))
    }

    /// Opens the directory of a name that is read with these rights, and gives it the rights of
    /// whoever owns the name where the directory is root's.
    ///
    /// What lies in this directory is reached from it: the way here may be open to its owner alone.
    fn on_the_way(&self, parent: &Path, name: &str, identity: &Identity) -> Result<Self, Error> {
        if identity.uid == 0 && geteuid().is_root() {
            let folder = Self::reach(&normal(parent))?;
            if folder.identity.uid != 0 {
                return Ok(folder);
            }
            let stat = folder.stat(name)?;
            let stat = stat.ok_or_else(|| Error::new("read", &parent.join(name), Errno::NOENT))?;
            let owner = Identity::of(stat.st_uid, stat.st_gid);
            return Ok(if stat.st_uid == 0 { folder } else { folder.with_rights_of(&owner) });
        }
        let (way, rest) = match parent.strip_prefix(&self.path) {
            Ok(rest) => (self.fd.clone(), rest),
            Err(_) => (open_root()?.into(), parent.strip_prefix("/").unwrap_or(parent)),
        };
        let is_strict = crossing::applies(parent);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", parent, source))?;
        // A magic link of /proc would lead to what this process has open.
        let fd = open_rest(&way, rest, ResolveFlags::NO_MAGICLINKS, is_strict);
        drop(acting);
        let fd = fd.map_err(|source| crossing::failed("open", parent, source))?;
        Ok(Self::new(parent, identity.clone(), fd))
    }
}
