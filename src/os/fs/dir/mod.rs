//! Folders reached with the rights of those who own them, and the files in them.
//!
//! The way starts at `/` as root and stays root's only while root alone can change it; at the first
//! component that belongs to somebody else the thread becomes that owner for the rest. So a user who
//! plants links, folders or races in a tree of their own reaches nothing that they could not reach
//! themselves. Whoever is not root walks with their own rights throughout.

mod change;
mod crossing;
mod finish;
mod follow;
mod own_link;
pub(in crate::os) mod owner;
mod read;
pub(in crate::os) mod walk;
mod ways;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::domain::hints::files;
use crate::domain::shell::{Hint, User};
use crate::os::error::Error;
use crate::os::fs::mounts;
use crate::os::user::account::{self, Outsider};
use crate::os::user::identity::Identity;

use walk::{LINK_LIMIT, open_rest, open_root, proc_path, walk};

pub(crate) use crossing::{
    Refused, leave_to_another, may_refuse, never_hang, never_wait, refusal, refused, waiting,
};
pub(in crate::os) use crossing::{may_look_at, unowned, users_mount};
pub(crate) use follow::Followed;
pub(crate) use read::QUICK;
pub(crate) use ways::Ways;

/// How many names of a directory that users can fill are listed: they can make as many as the disk holds.
const NAMES_LIMIT: usize = 20_000;

/// A folder, open, and whose rights everything in it is done with.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Where it was reached.
    pub(crate) path: PathBuf,
    /// Whose rights reads and writes in it have.
    pub(crate) identity: Identity,
    pub(in crate::os) fd: Arc<OwnedFd>,
    /// Whether nothing in it is touched that may not answer.
    is_strict: bool,
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// A file's bytes with what tells it apart from a later one of the same name.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The content.
    pub(crate) bytes: Vec<u8>,
    /// Its device, inode, size and times when it was read.
    pub(crate) stat: Stat,
    pub(in crate::os) fd: OwnedFd,
}

impl Folder {
    /// Reaches the folder `path` from `/`.
    pub(crate) fn reach(path: &Path) -> Result<Self, Error> {
        if !path.is_absolute() {
            return Err(Error::odd("open", path, "it is not an absolute path"));
        }
        if let Some(known) = ways::folder(path) {
            return Ok(known);
        }
        let folder = if geteuid().is_root() {
            walk(path, LINK_LIMIT)?
        } else {
            let rest = path.strip_prefix("/").unwrap_or(path);
            let is_strict = crossing::applies(path);
            let fd = open_rest(&open_root()?, rest, ResolveFlags::NO_MAGICLINKS, is_strict)
                .map_err(|source| crossing::failed("open", path, source))?;
            Self::new(path, Identity::own(), fd)
        };
        ways::keep(&folder);
        Ok(folder)
    }

    fn new(path: &Path, identity: Identity, fd: OwnedFd) -> Self {
        let is_strict = crossing::applies(path);
        Self { path: path.to_owned(), identity, fd: Arc::new(fd), is_strict }
    }

    fn again(&self) -> Self {
        let (path, identity) = (self.path.clone(), self.identity.clone());
        Self { path, identity, fd: Arc::clone(&self.fd), is_strict: self.is_strict }
    }

    /// Opens a folder below this one, with the same rights and through no link.
    pub(crate) fn enter(&self, below: &Path) -> Result<Self, Error> {
        let path = self.path.join(below);
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let open = || open_rest(&self.fd, below, resolve, self.is_strict);
        let fd = self.acting()?.and(open, "open", &path)?;
        let (identity, is_strict) = (self.identity.clone(), self.is_strict);
        Ok(Self { path, identity, fd: fd.into(), is_strict })
    }

    /// Whether its file system tells of changes.
    pub(crate) fn notifies(&self) -> Result<bool, Error> {
        mounts::notifies(&self.fd, &self.path)
    }

    /// Looks at a name without following a link; `None` if nothing is there.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>, Error> {
        let path = self.path.join(name);
        let _acting = self.acting()?;
        match self.stat_at(name) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(crossing::failed("look at", &path, source)),
        }
    }

    /// Looks at a name without following a link, and says whether others than its owner and root can write it, where
    /// `outsider` says who is in the group of what stands there besides them; `None` if nothing is there.
    pub(crate) fn stat_shared(
        &self,
        name: &str,
        outsider: impl Fn(&Stat) -> Outsider,
    ) -> Result<Option<(Stat, bool)>, Error> {
        let acting = self.acting()?;
        let held = self.hold_at(name).and_then(|held| Ok((owner::stat(&held)?, held)));
        drop(acting);
        match held {
            Ok((stat, held)) => {
                let writers = walk::writers_besides(&held, &stat, || outsider(&stat));
                Ok(Some((stat, writers.is_some())))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(crossing::failed("look at", &self.path.join(name), source)),
        }
    }

    /// Looks at what a name leads to, through links, with the folder's rights.
    pub(crate) fn stat_through(&self, name: &str) -> Result<Option<Stat>, Error> {
        let path = self.path.join(name);
        let _acting = self.acting()?;
        match rustix::fs::statat(&self.fd, name, AtFlags::empty()) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(Error::new("look at", &path, source)),
        }
    }

    /// Says whether `name` is a symbolic link.
    pub(crate) fn is_link(&self, name: &str) -> Result<bool, Error> {
        let stat = self.stat(name)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink))
    }

    /// Says what a name stands for; `None` if nothing is there.
    pub(crate) fn kind(&self, name: &str) -> Result<Option<Kind>, Error> {
        let kind = |stat: Stat| match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        Ok(self.stat(name)?.map(kind))
    }

    /// Lists the names in the folder, sorted; an error where a user has made too many.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, Error> {
        self.bounded_names()?.ok_or_else(|| self.too_many())
    }

    /// The same for work that goes on without them: one with too many is named in the log, and has none.
    pub(crate) fn names_or_none(&self) -> Vec<OsString> {
        self.bounded_names().unwrap_or_else(|_| Some(Vec::new())).unwrap_or_else(|| {
            log::warn!("{}: nothing in it is looked at", self.too_many());
            Vec::new()
        })
    }

    /// The same; `None` where a user has made too many.
    pub(crate) fn bounded_names(&self) -> Result<Option<Vec<OsString>>, Error> {
        let stat = self.own_stat()?;
        let is_roots = stat.st_uid == 0 && stat.st_mode & 0o022 == 0;
        self.few_names(if is_roots { usize::MAX } else { NAMES_LIMIT })
    }

    /// What is said of a directory with too many names.
    pub(crate) fn too_many(&self) -> Error {
        Error::odd("list", &self.path, format!("it has more than {NAMES_LIMIT} names"))
    }

    /// Lists the names in the folder, sorted; `None` where there are more than `most`.
    pub(crate) fn few_names(&self, most: usize) -> Result<Option<Vec<OsString>>, Error> {
        use std::os::unix::ffi::OsStringExt;
        let list = || {
            let fd = self.readable()?;
            let mut names = Vec::new();
            for entry in Dir::new(fd)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsString::from_vec(name));
                }
                if names.len() > most {
                    return Ok(None);
                }
            }
            names.sort();
            Ok(Some(names))
        };
        self.acting()?.and(list, "list", &self.path)
    }

    /// Its path without any link in it.
    pub(crate) fn real_path(&self) -> Result<PathBuf, Error> {
        real_path_of(&self.fd, &self.path)
    }

    /// Its owner, for a command that a person runs.
    pub(crate) fn user(&self) -> User {
        account::typed(self.identity.uid, self.identity.gid, &self.path)
    }

    /// A command on `./NAME` that acts in this very folder, whatever is put in its place.
    pub(crate) fn only_here(&self, command: Hint) -> Hint {
        match self.real_path() {
            Ok(real) if self.identity.uid != 0 => command.within(&real),
            _ => files::run_in(&self.path, command),
        }
    }

    /// The command that gives what stands under a name, and no link's aim, to the folder's owner.
    pub(crate) fn chown(&self, name: &str) -> Hint {
        self.only_here(files::give(&self.user(), &Path::new(".").join(name)))
    }

    /// The same folder, with the rights of another user.
    pub(crate) fn with_rights_of(self, identity: &Identity) -> Self {
        Self { identity: identity.clone(), ..self }
    }

    /// Goes on as root where root asked for a folder of root's own, though it lies in another user's.
    ///
    /// That user can move what root has put there, but no link leads elsewhere, and nobody but root
    /// can have put a name into it.
    pub(crate) fn in_roots_own(self) -> Result<Self, Error> {
        let stat = self.own_stat()?;
        let closed = stat.st_uid == 0 && stat.st_mode & 0o022 == 0;
        if geteuid().is_root() && closed && self.real_path()? == self.path {
            return Ok(self.with_rights_of(&Identity::own()));
        }
        Ok(self)
    }

    /// The device and inode that tell this folder apart from every other one.
    pub(crate) fn key(&self) -> Result<(u64, u64), Error> {
        let stat = self.own_stat()?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// The user id of who owns it now.
    pub(crate) fn owner(&self) -> Result<u32, Error> {
        Ok(self.own_stat()?.st_uid)
    }

    /// What the folder itself is now.
    pub(in crate::os) fn own_stat(&self) -> Result<Stat, Error> {
        owner::stat(&self.fd).map_err(|source| crossing::failed("look at", &self.path, source))
    }

    /// Takes the folder's rights for as long as the answer lives.
    pub(crate) fn acting(&self) -> Result<ActingIn, Error> {
        let acting = self.identity.act();
        acting
            .map(|guard| ActingIn { _guard: guard })
            .map_err(|source| Error::new("become the owner of", &self.path, source))
    }

    /// A descriptor that can be listed, watched and flushed; the held one is `O_PATH`.
    pub(in crate::os) fn readable(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, ".", flags, Mode::empty())
    }

    /// The path under which this very folder can be handed to inotify, whatever its name is by now.
    pub(in crate::os) fn proc_path(&self) -> PathBuf {
        proc_path(&self.fd)
    }
}

/// The path of what is open, without any link in it.
fn real_path_of(fd: &OwnedFd, path: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStringExt;
    let real = rustix::fs::readlink(proc_path(fd), Vec::new())
        .map_err(|source| Error::new("look at", path, source))?;
    Ok(PathBuf::from(OsString::from_vec(real.into_bytes())))
}

/// Borrowed rights, bound to error messages.
pub(crate) struct ActingIn {
    _guard: crate::os::user::identity::Acting,
}

impl ActingIn {
    /// Does `work` with these rights and gives them back.
    pub(in crate::os) fn and<T>(
        self,
        work: impl FnOnce() -> Result<T, Errno>,
        verb: &'static str,
        path: &Path,
    ) -> Result<T, Error> {
        let result = work();
        drop(self);
        result.map_err(|source| crossing::failed(verb, path, source))
    }
}

/// Refuses a file that belongs to another user than its folder, naming the command that fixes it.
pub(in crate::os) fn foreign(verb: &'static str, folder: &Folder, name: &str, owner: u32) -> Error {
    let (owner, wanted) = (account::name(owner), account::name(folder.identity.uid));
    let what = format!("it belongs to {owner}, but its directory to {wanted}");
    Error::odd(verb, &folder.path.join(name), what).hint(folder.chown(name))
}
