//! Folders reached with the rights of those who own them, and the files in them.
//!
//! The way starts at `/` as root and stays root's only while root alone can change it; at the first
//! component that belongs to somebody else the thread becomes that owner for the rest. So a user who
//! plants links, folders or races in a tree of their own reaches nothing that they could not reach
//! themselves. Whoever is not root walks with their own rights throughout.

mod walk;
mod ways;

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::os::account;
use crate::os::error::{Cause, Error};
use crate::os::identity::Identity;

use walk::{LINK_LIMIT, open_rest, open_root, proc_path, walk};

pub(crate) use ways::Ways;

/// How often a file is read while others write it.
const READ_TRIES: u32 = 5;

/// A folder, open, and whose rights everything in it is done with.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Where it was reached.
    pub(crate) path: PathBuf,
    /// Whose rights reads and writes in it have.
    pub(crate) identity: Identity,
    pub(super) fd: Arc<OwnedFd>,
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
    pub(super) fd: OwnedFd,
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
            let fd = open_rest(&open_root()?, rest, ResolveFlags::NO_MAGICLINKS)
                .map_err(|source| Error::new("open", path, source))?;
            Self::new(path, Identity::own(), fd)
        };
        ways::keep(&folder);
        Ok(folder)
    }

    fn new(path: &Path, identity: Identity, fd: OwnedFd) -> Self {
        Self { path: path.to_owned(), identity, fd: Arc::new(fd) }
    }

    /// Opens the rest of the way as `identity`; a last folder of a third user is taken over from there.
    fn finish(way: &OwnedFd, identity: Identity, path: &Path, rest: &Path) -> Result<Self, Error> {
        let failed = |source| Error::new("open", path, source);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", path, source))?;
        let fd = match open_rest(way, rest, ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::ACCESS) => {
                drop(acting);
                return Self::hand_over(way, &identity, path, rest);
            }
            other => other.map_err(failed)?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        let stays = stat.st_uid == identity.uid || stat.st_uid == 0;
        if stays {
            drop(acting);
            return Ok(Self::new(path, identity, fd));
        }
        let fd = open_rest(way, rest, ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS)
            .map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
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
        let failed = |source| Error::new("open", path, source);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", path, source))?;
        let strict = ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        let mut above: Vec<&Path> = rest.ancestors().skip(1).collect();
        above.pop();
        for there in above {
            let Ok(fd) = open_rest(way, there, strict) else { continue };
            let stat = rustix::fs::fstat(&fd).map_err(failed)?;
            if stat.st_uid == identity.uid || stat.st_uid == 0 {
                break;
            }
            drop(acting);
            let below = rest.strip_prefix(there).unwrap_or(rest);
            let reached = path.ancestors().nth(below.components().count()).unwrap_or(path);
            let identity = Identity::of(stat.st_uid, stat.st_gid);
            let folder = Self { path: reached.to_owned(), identity, fd: fd.into() };
            return folder.enter(below);
        }
        Err(failed(Errno::ACCESS))
    }

    /// Opens a folder below this one, with the same rights and through no link.
    pub(crate) fn enter(&self, below: &Path) -> Result<Self, Error> {
        let path = self.path.join(below);
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let fd = self.acting()?.and(|| open_rest(&self.fd, below, resolve), "open", &path)?;
        Ok(Self { path, identity: self.identity.clone(), fd: fd.into() })
    }

    /// Reads a regular file with one link and at most `limit` bytes; `None` if there is none.
    ///
    /// A read is no snapshot: one that a writer got into is done again.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, Error> {
        let mut tries = 1..READ_TRIES;
        loop {
            match self.read_once(name, limit) {
                Err(error) if error.is_changed() && tries.next().is_some() => {}
                other => return other,
            }
        }
    }

    fn read_once(&self, name: &str, limit: u64) -> Result<Option<Seen>, Error> {
        let path = self.path.join(name);
        let acting = self.acting()?;
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(Error::odd("read", &path, "it is a symbolic link")),
            Err(Errno::NXIO) => return Err(Error::odd("read", &path, "it is a socket")),
            Err(Errno::ACCESS) => return Err(self.denied(name, &path)),
            Err(source) => return Err(Error::new("read", &path, source)),
        };
        drop(acting);
        let failed = |source| Error::new("read", &path, source);
        let stat = rustix::fs::fstat(&fd).map_err(|source| failed(source.into()))?;
        check_plain(&path, &stat, limit)?;
        let size = usize::try_from(stat.st_size).unwrap_or(0);
        let mut bytes = Vec::with_capacity(size + 1);
        let mut file = std::fs::File::from(fd);
        (&mut file).take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(too_large(&path, limit));
        }
        let now = rustix::fs::fstat(&file).map_err(|source| failed(source.into()))?;
        if stamp(&now) != stamp(&stat) {
            return Err(Error { verb: "read", object: path, cause: Cause::Changed });
        }
        Ok(Some(Seen { bytes, stat, fd: file.into() }))
    }

    /// Looks at a name without following a link; `None` if nothing is there.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>, Error> {
        let path = self.path.join(name);
        let _acting = self.acting()?;
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(Error::new("look at", &path, source)),
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

    /// Lists the names in the folder, sorted.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, Error> {
        use std::os::unix::ffi::OsStringExt;
        let list = || {
            let fd = self.readable()?;
            let mut names = Vec::new();
            for entry in Dir::new(fd)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsString::from_vec(name));
                }
            }
            names.sort();
            Ok(names)
        };
        self.acting()?.and(list, "list", &self.path)
    }

    /// Makes a folder below this one (0700) unless it is there, and opens it.
    pub(crate) fn make(&self, name: &str) -> Result<Self, Error> {
        let path = self.path.join(name);
        let make = || match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(source) => Err(source),
        };
        self.acting()?.and(make, "make", &path)?;
        self.enter(Path::new(name))
    }

    /// Removes a file; says whether there was one.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, Error> {
        let remove = || match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(source) => Err(source),
        };
        self.acting()?.and(remove, "remove", &self.path.join(name))
    }

    /// Gives a file another name in the same folder.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let rename = || rustix::fs::renameat(&self.fd, from, &self.fd, to);
        self.acting()?.and(rename, "rename", &self.path.join(from))
    }

    /// Gives a file another name in the same folder, unless that name is taken.
    pub(crate) fn place(&self, from: &str, to: &str) -> Result<(), Error> {
        let flags = RenameFlags::NOREPLACE;
        let rename = || rustix::fs::renameat_with(&self.fd, from, &self.fd, to, flags);
        self.acting()?.and(rename, "rename", &self.path.join(from))
    }

    /// Its path without any link in it.
    pub(crate) fn real_path(&self) -> Result<PathBuf, Error> {
        use std::os::unix::ffi::OsStringExt;
        let real = rustix::fs::readlink(self.proc_path(), Vec::new())
            .map_err(|source| Error::new("look at", &self.path, source))?;
        Ok(PathBuf::from(OsString::from_vec(real.into_bytes())))
    }

    /// The same folder, with the rights of another user.
    pub(crate) fn with_rights_of(self, identity: &Identity) -> Self {
        Self { identity: identity.clone(), ..self }
    }

    /// Changes the mode of a file in the folder; of no link's target.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> Result<(), Error> {
        let change = || {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
            if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) == FileType::Symlink {
                return Err(Errno::LOOP);
            }
            rustix::fs::chmodat(&self.fd, name, Mode::from_raw_mode(mode), AtFlags::empty())
        };
        self.acting()?.and(change, "change the mode of", &self.path.join(name))
    }

    /// The device and inode that tell this folder apart from every other one.
    pub(crate) fn key(&self) -> Result<(u64, u64), Error> {
        let stat = rustix::fs::fstat(&self.fd)
            .map_err(|source| Error::new("look at", &self.path, source))?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Takes the folder's rights for as long as the answer lives.
    pub(crate) fn acting(&self) -> Result<ActingIn, Error> {
        let acting = self.identity.act();
        acting
            .map(|guard| ActingIn { _guard: guard })
            .map_err(|source| Error::new("become the owner of", &self.path, source))
    }

    /// A descriptor that can be listed, watched and flushed; the held one is `O_PATH`.
    pub(super) fn readable(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, ".", flags, Mode::empty())
    }

    /// The path under which this very folder can be handed to inotify, whatever its name is by now.
    pub(super) fn proc_path(&self) -> PathBuf {
        proc_path(&self.fd)
    }

    /// Explains why a file in a folder of its own user cannot be opened.
    fn denied(&self, name: &str, path: &Path) -> Error {
        let owner =
            rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_uid);
        match owner {
            Ok(owner) if owner != self.identity.uid => {
                foreign("read", path, owner, self.identity.uid)
            }
            _ => Error::new("read", path, Errno::ACCESS),
        }
    }
}

/// Borrowed rights, bound to error messages.
pub(crate) struct ActingIn {
    _guard: crate::os::identity::Acting,
}

impl ActingIn {
    /// Does `work` with these rights and gives them back.
    pub(super) fn and<T>(
        self,
        work: impl FnOnce() -> Result<T, Errno>,
        verb: &'static str,
        path: &Path,
    ) -> Result<T, Error> {
        let result = work();
        drop(self);
        result.map_err(|source| Error::new(verb, path, source))
    }
}

/// Refuses a file that belongs to another user than its folder, naming the command that mends it.
pub(super) fn foreign(verb: &'static str, path: &Path, owner: u32, wanted: u32) -> Error {
    // chown(1) takes the group of a user with an account only.
    let group = if account::of(wanted).is_some() { ":" } else { "" };
    let (owner, wanted) = (account::name(owner), account::name(wanted));
    let what = format!("it belongs to {owner}, but its folder to {wanted}");
    Error::odd(verb, path, what).hint(format!("chown {wanted}{group} '{}'", path.display()))
}

/// What changes with every write, and with a rename over the file.
fn stamp(stat: &Stat) -> impl PartialEq + use<> {
    (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec)
}

fn check_plain(path: &Path, stat: &Stat, limit: u64) -> Result<(), Error> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        // Replaced or removed since it was opened.
        FileType::RegularFile if stat.st_nlink == 0 => {
            return Err(Error { verb: "read", object: path.to_owned(), cause: Cause::Changed });
        }
        FileType::RegularFile if stat.st_nlink > 1 => {
            "it has a second name (hard link), so it is not clear who else reads it"
        }
        FileType::RegularFile if u64::try_from(stat.st_size).is_ok_and(|size| size > limit) => {
            return Err(too_large(path, limit));
        }
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "it is a folder",
        FileType::Fifo => "it is a named pipe",
        _ => "it is not a regular file",
    };
    Err(Error::odd("read", path, what))
}

fn too_large(path: &Path, limit: u64) -> Error {
    Error::odd("read", path, format!("it has more than {} KiB", limit / 1024))
}
