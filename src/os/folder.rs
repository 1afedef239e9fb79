//! Folders reached with the rights of those who own them, and the files in them.
//!
//! The way starts at `/` as root and stays root's only while root alone can change it; at the first
//! component that belongs to somebody else the thread becomes that owner for the rest. So a user who
//! plants links, folders or races in a tree of their own reaches nothing that they could not reach
//! themselves. Whoever is not root walks with their own rights throughout.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::os::account;
use crate::os::error::Error;
use crate::os::identity::Identity;

/// How many of root's own symbolic links may lie on the way (the kernel's limit, path_resolution(7)).
const LINK_LIMIT: u32 = 40;

/// A folder, open, and whose rights everything in it is done with.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Where it was reached.
    pub(crate) path: PathBuf,
    /// Whose rights reads and writes in it have.
    pub(crate) identity: Identity,
    pub(super) fd: OwnedFd,
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
        let root = open_beneath(None, OsStr::new("/"), ResolveFlags::NO_MAGICLINKS)
            .map_err(|source| Error::new("open", Path::new("/"), source))?;
        if !geteuid().is_root() {
            let fd = open_rest(
                &root,
                path.strip_prefix("/").unwrap_or(path),
                ResolveFlags::NO_MAGICLINKS,
            )
            .map_err(|source| Error::new("open", path, source))?;
            return Ok(Self { path: path.to_owned(), identity: Identity::own(), fd });
        }
        walk(root, path, LINK_LIMIT)
    }

    /// Opens the rest of the way as `identity`; a last folder of a third user is taken over from there.
    fn finish(way: OwnedFd, identity: Identity, path: &Path, rest: &Path) -> Result<Self, Error> {
        let failed = |source| Error::new("open", path, source);
        let acting =
            identity.act().map_err(|source| Error::new("become the owner of", path, source))?;
        let fd = open_rest(&way, rest, ResolveFlags::NO_MAGICLINKS).map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        let stays = stat.st_uid == identity.uid || stat.st_uid == 0;
        if stays {
            drop(acting);
            return Ok(Self { path: path.to_owned(), identity, fd });
        }
        let fd = open_rest(&way, rest, ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS)
            .map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        drop(acting);
        if stat.st_uid == 0 {
            return Ok(Self { path: path.to_owned(), identity, fd });
        }
        Ok(Self { path: path.to_owned(), identity: Identity::of(stat.st_uid, stat.st_gid), fd })
    }

    /// Opens a folder below this one, with the same rights and through no link.
    pub(crate) fn enter(&self, below: &Path) -> Result<Self, Error> {
        let path = self.path.join(below);
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let fd = self.acting()?.and(|| open_rest(&self.fd, below, resolve), "open", &path)?;
        Ok(Self { path, identity: self.identity.clone(), fd })
    }

    /// Reads a regular file with one link and at most `limit` bytes; `None` if there is none.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, Error> {
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
        let stat = rustix::fs::fstat(&fd).map_err(|source| Error::new("read", &path, source))?;
        check_plain(&path, &stat, limit)?;
        let size = usize::try_from(stat.st_size).unwrap_or(0);
        let mut bytes = Vec::with_capacity(size + 1);
        let mut file = std::fs::File::from(fd);
        let read = (&mut file).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|source| Error::new("read", &path, source))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(&path, limit));
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

    /// Says whether `name` is a symbolic link.
    pub(crate) fn is_link(&self, name: &str) -> Result<bool, Error> {
        let stat = self.stat(name)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink))
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
        work().map_err(|source| Error::new(verb, path, source))
    }
}

/// Refuses a file that belongs to another user than its folder, naming the command that mends it.
pub(super) fn foreign(verb: &'static str, path: &Path, owner: u32, wanted: u32) -> Error {
    let (owner, wanted) = (account::name(owner), account::name(wanted));
    let what = format!("it belongs to {owner}, but its folder to {wanted}");
    Error::odd(verb, path, what).hint(format!("chown {wanted}: '{}'", path.display()))
}

/// Walks as root while root alone can change the way.
fn walk(root: OwnedFd, path: &Path, links_left: u32) -> Result<Folder, Error> {
    let mut here = root;
    let mut reached = PathBuf::from("/");
    let mut components = path.components();
    components.next();
    while let Some(component) = components.clone().next() {
        let Component::Normal(name) = component else {
            return Err(Error::odd("open", path, "it has '..' in it"));
        };
        let at = reached.join(name);
        let stat = rustix::fs::statat(&here, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|source| Error::new("open", &at, source))?;
        if stat.st_uid != 0 {
            let rest = components.as_path().to_owned();
            return Folder::finish(here, Identity::of(stat.st_uid, stat.st_gid), path, &rest);
        }
        components.next();
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let aim = follow(&here, name, &reached)?;
                return restart(&aim.join(components.as_path()), path, links_left);
            }
            FileType::Directory => here = step(&here, name, &at, &stat)?,
            _ => return Err(Error::new("open", &at, Errno::NOTDIR)),
        }
        reached = at;
    }
    Ok(Folder { path: path.to_owned(), identity: Identity::of(0, 0), fd: here })
}

/// Starts again at the aim of one of root's own links.
fn restart(aim: &Path, asked: &Path, links_left: u32) -> Result<Folder, Error> {
    let Some(links_left) = links_left.checked_sub(1) else {
        return Err(Error::new("open", asked, Errno::LOOP));
    };
    let root = open_beneath(None, OsStr::new("/"), ResolveFlags::NO_MAGICLINKS)
        .map_err(|source| Error::new("open", Path::new("/"), source))?;
    let folder = walk(root, &normal(aim), links_left)?;
    Ok(Folder { path: asked.to_owned(), ..folder })
}

/// Steps as root into one of root's folders.
///
/// Where others can write, they could have put it there: only the sticky bit stops that, since then
/// an entry of root's can be moved by root alone.
fn step(here: &OwnedFd, name: &OsStr, at: &Path, stat: &Stat) -> Result<OwnedFd, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(here, name, flags, Mode::empty())
        .map_err(|source| Error::new("open", at, source))?;
    let now = rustix::fs::fstat(&fd).map_err(|source| Error::new("open", at, source))?;
    if (now.st_dev, now.st_ino, now.st_uid) != (stat.st_dev, stat.st_ino, 0) {
        return Err(Error::odd("open", at, "it was replaced while it was looked at"));
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    // With an ACL the group's bits stand for the most that any user or group named in it may do.
    let open_to_group = mode.contains(Mode::WGRP) && (stat.st_gid != 0 || has_acl(&fd));
    if (mode.contains(Mode::WOTH) || open_to_group) && !mode.contains(Mode::SVTX) {
        let what = "it is root's, but others can write in it, so root must not go through it";
        return Err(Error::odd("open", at, what).hint(format!("chmod go-w '{}'", at.display())));
    }
    Ok(fd)
}

fn has_acl(fd: &OwnedFd) -> bool {
    let acl = "system.posix_acl_access";
    rustix::fs::getxattr(proc_path(fd), acl, &mut [0u8; 0][..]).is_ok_and(|size| size > 0)
}

fn proc_path(fd: &OwnedFd) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Reads one of root's own links; where it points.
fn follow(here: &OwnedFd, name: &OsStr, reached: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStringExt;
    let aim = rustix::fs::readlinkat(here, name, Vec::new())
        .map_err(|source| Error::new("follow", &reached.join(name), source))?;
    Ok(reached.join(PathBuf::from(OsString::from_vec(aim.into_bytes()))))
}

/// Takes `.` and `..` out of a path that consists of root's own folders up to the link.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

fn open_rest(way: &OwnedFd, rest: &Path, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
    let rest = if rest.as_os_str().is_empty() { OsStr::new(".") } else { rest.as_os_str() };
    open_beneath(Some(way), rest, resolve)
}

fn open_beneath(
    way: Option<&OwnedFd>,
    path: &OsStr,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let way = way.map_or(rustix::fs::CWD, AsFd::as_fd);
    rustix::fs::openat2(way, path, flags, Mode::empty(), resolve)
}

fn check_plain(path: &Path, stat: &Stat, limit: u64) -> Result<(), Error> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if stat.st_nlink != 1 => {
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
