//! The way to a folder: root's own part of it, and the calls that open the rest.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::{Folder, crossing, owner, ways};
use crate::domain::hints::files;
use crate::domain::openclaw_config::include::normal;
use crate::os::error::Error;
use crate::os::user::account::{self, Outsider};
use crate::os::user::identity::Identity;

/// How many of root's own symbolic links may lie on the way (the kernel's limit, `path_resolution(7)`).
pub(in crate::os) const LINK_LIMIT: u32 = 40;

/// Walks as root while root alone can change the way.
pub(super) fn walk(path: &Path, links_left: u32) -> Result<Folder, Error> {
    let (mut reached, mut here) = match ways::step(path) {
        Some(known) => known,
        None => (PathBuf::from("/"), Arc::new(open_root()?)),
    };
    let is_strict = crossing::applies(path);
    let mut components = path.components();
    components.by_ref().take(reached.components().count()).for_each(drop);
    while let Some(component) = components.clone().next() {
        let Component::Normal(name) = component else {
            return Err(Error::odd("open", path, "it has '..' in it"));
        };
        let at = reached.join(name);
        let (next, stat) =
            hold(&here, name, is_strict).map_err(|source| crossing::failed("open", &at, source))?;
        if stat.st_uid != 0 {
            let rest = components.as_path().to_owned();
            return Folder::finish(&here, Identity::of(stat.st_uid, stat.st_gid), path, &rest);
        }
        components.next();
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let aim = follow(&next, &at, &reached)?;
                return restart(&aim.join(components.as_path()), path, links_left);
            }
            FileType::Directory => {
                check_step(&next, &at, &stat)?;
                here = Arc::new(next);
                ways::keep_step(&at, &here);
            }
            _ => return Err(Error::new("open", &at, Errno::NOTDIR)),
        }
        reached = at;
    }
    Ok(Folder { path: path.to_owned(), identity: Identity::root(), fd: here, is_strict })
}

/// Starts again at the aim of one of root's own links.
fn restart(aim: &Path, asked: &Path, links_left: u32) -> Result<Folder, Error> {
    let Some(links_left) = links_left.checked_sub(1) else {
        return Err(Error::new("open", asked, Errno::LOOP));
    };
    let folder = walk(&normal(aim), links_left)?;
    let is_strict = crossing::applies(asked);
    Ok(Folder { path: asked.to_owned(), is_strict, ..folder })
}

/// Holds a name without opening what it stands for, and tells what that is: no later look can be
/// at another one.
pub(in crate::os) fn hold(
    here: &OwnedFd,
    name: &OsStr,
    is_strict: bool,
) -> Result<(OwnedFd, Stat), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |flags| {
        if is_strict {
            return crossing::step(here, name, flags);
        }
        rustix::fs::openat(here, name, flags, Mode::empty())
    };
    // As a folder first: only so is one mounted that is mounted on use.
    let fd = match open(flags | OFlags::DIRECTORY) {
        Err(Errno::NOTDIR) => open(flags)?,
        other => other?,
    };
    let stat = owner::stat(&fd)?;
    Ok((fd, stat))
}

/// Says whether root may go through one of root's folders.
///
/// Where others can write, they could have put it there: only the sticky bit stops that, since then
/// an entry of root's can be moved by root alone.
fn check_step(fd: &OwnedFd, at: &Path, stat: &Stat) -> Result<(), Error> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    let who = if mode.contains(Mode::SVTX) { None } else { writers(fd, stat) };
    let Some(who) = who else { return Ok(()) };
    let what = format!("it is root's, but {who} can write in it, so root must not go through it");
    Err(Error::odd("open", at, what).hint(files::close(at)))
}

/// Who besides root can write a file of root's, or in a directory of root's.
pub(in crate::os) fn writers(fd: &OwnedFd, stat: &Stat) -> Option<String> {
    writers_besides(fd, stat, || account::outsider(stat.st_gid))
}

/// Who besides its owner and root can write a file, or in a directory, where `outsider` says who else is in its
/// group.
pub(super) fn writers_besides(
    fd: &OwnedFd,
    stat: &Stat,
    outsider: impl FnOnce() -> Outsider,
) -> Option<String> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.contains(Mode::WOTH) {
        return Some("everybody".to_owned());
    }
    if !mode.contains(Mode::WGRP) {
        return None;
    }
    // With an ACL the group's bits stand for the most that any user or group named in it may do.
    if has_acl(fd) {
        return Some("whom its access control list names".to_owned());
    }
    match outsider() {
        Outsider::Nobody => None,
        Outsider::Named(name) => Some(format!("{name}, by its group,")),
        Outsider::Unknown => {
            Some(format!("the group {}, whose members are not known,", stat.st_gid))
        }
    }
}

/// Says whether an access control list names users or groups besides the owner and the group.
pub(in crate::os) fn has_acl(fd: &OwnedFd) -> bool {
    // It is longer than this buffer (ERANGE); only these two say that there is none.
    let acl = rustix::fs::getxattr(proc_path(fd), "system.posix_acl_access", &mut [0u8; 1][..]);
    !matches!(acl, Err(Errno::NODATA | Errno::OPNOTSUPP))
}

pub(in crate::os) fn proc_path(fd: &OwnedFd) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Reads one of root's own links; where it points.
fn follow(link: &OwnedFd, at: &Path, reached: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStringExt;
    let aim = rustix::fs::readlinkat(link, "", Vec::new())
        .map_err(|source| Error::new("follow", at, source))?;
    Ok(reached.join(PathBuf::from(OsString::from_vec(aim.into_bytes()))))
}

pub(in crate::os) fn open_root() -> Result<OwnedFd, Error> {
    let root = open_beneath(None, OsStr::new("/"), ResolveFlags::NO_MAGICLINKS);
    root.map_err(|source| Error::new("open", Path::new("/"), source))
}

pub(super) fn open_rest(
    way: &OwnedFd,
    rest: &Path,
    resolve: ResolveFlags,
    is_strict: bool,
) -> Result<OwnedFd, Errno> {
    let asked = rest;
    let rest = if rest.as_os_str().is_empty() { OsStr::new(".") } else { rest.as_os_str() };
    if !is_strict {
        return open_beneath(Some(way), rest, resolve);
    }
    match open_beneath(Some(way), rest, resolve | ResolveFlags::NO_XDEV) {
        Err(Errno::XDEV) => {
            crossing::resolve(way, asked, !resolve.contains(ResolveFlags::NO_SYMLINKS))
        }
        other => other,
    }
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
