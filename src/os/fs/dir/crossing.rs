//! Steps from one mount to another, for a process that must not hang.
//!
//! What lies behind FUSE or on another host answers when somebody else likes, perhaps never, and no
//! signal ends the system call that waits for it. A user can mount such a file system over a directory
//! or a file at any moment, so nothing is decided by name: no step leaves a mount before what is mounted
//! there is held by a descriptor, which asks the file system nothing, and known by its number.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxFlags};
use rustix::io::Errno;
use rustix::time::Timespec;
use serde::{Deserialize, Serialize};

use super::walk::{LINK_LIMIT, open_root, proc_path};
use super::{Folder, owner};
use crate::os::error::{Cause, Error};
use crate::os::fs::mounts::utab::{self, For};
use crate::os::fs::mounts::{self, Mount, Mounter};

/// File systems of this very host, which answer without anybody's help.
const LOCAL: [&str; 22] = [
    "bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus",
    "iso9660", "jfs", "msdos", "nilfs2", "ntfs3", "overlay", "ramfs", "squashfs", "tmpfs", "udf",
    "vfat", "xfs",
];

/// Others of this host, too long for the list's lines.
const LOCAL_TOO: [&str; 3] = ["reiserfs", "ubifs", "zfs"];

/// What shows the kernel's own state and no files of anybody's.
const KERNEL: [&str; 16] = [
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "proc",
    "pstore",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// Devices behind which there may be a file, or a host.
const BORROWED: [&str; 2] = ["/dev/loop", "/dev/nbd"];

/// The type of FUSE (statfs(2)).
const FUSE_MAGIC: i128 = 0x6573_5546;

/// The type of procfs, whose links lead anywhere (statfs(2)).
const PROC_MAGIC: i128 = 0x9fa0;

/// The directories of this program's own, which are waited for.
static OWN: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Set in a process that leaves to others also what only takes long.
static HURRIES: OnceLock<()> = OnceLock::new();

/// What is mounted where, as of the last change.
static TABLE: Mutex<Option<Table>> = Mutex::new(None);

thread_local! {
    /// Whether this thread waits all the same.
    static WAITS: Cell<bool> = const { Cell::new(false) };
    static REFUSED: RefCell<Option<Refused>> = const { RefCell::new(None) };
    /// What was refused since it was mounted for a user whom nobody knows.
    static UNOWNED: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// A place that was not entered, since it may not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// Where it is mounted.
    pub(crate) path: PathBuf,
    /// The type of its file system.
    pub(crate) kind: String,
}

struct Table {
    file: File,
    mounts: Vec<Mount>,
}

/// From now on this process enters nothing that may not answer, besides what lies in `own`,
/// and leaves to others what would take long.
pub(crate) fn never_wait(own: Vec<PathBuf>) {
    let _ = HURRIES.set(());
    never_hang(own);
}

/// From now on this process enters nothing that may not answer, besides what lies in `own`.
pub(crate) fn never_hang(own: Vec<PathBuf>) {
    let _ = OWN.set(own);
}

/// Does `work` with files of which it is known that they answer: this thread waits for them.
pub(crate) fn waiting<T>(work: impl FnOnce() -> T) -> T {
    let before = WAITS.replace(true);
    let result = work();
    WAITS.set(before);
    result
}

/// Says whether `path`, links followed, can be looked at without waiting; else that is refused.
pub(in crate::os) fn may_look_at(path: &Path) -> bool {
    !applies(path) || open_root().is_ok_and(|root| follow(&root, path, LINK_LIMIT).is_ok())
}

/// Says whether anything is mounted that this process would not enter, and somebody could have mounted.
pub(crate) fn may_refuse() -> bool {
    let is_doubtful = |mount: &Mount| verdict(mount).is_err() && !KERNEL.contains(&&*mount.kind);
    OWN.get().is_some() && with_table(|mounts| mounts.iter().any(is_doubtful)).unwrap_or(true)
}

/// Takes what was refused to this thread since the last call.
pub(crate) fn refused() -> Option<Refused> {
    REFUSED.take()
}

/// Refuses work on `path` that would keep others waiting, in a process that never waits; says whether it did.
pub(crate) fn leave_to_another(path: &Path, why: &str) -> bool {
    let leaves = applies(path) && HURRIES.get().is_some();
    if leaves {
        refuse(path.to_owned(), why.to_owned());
    }
    leaves
}

/// Fails where something was refused to this thread since the last call of [`refused`].
pub(crate) fn refusal() -> Result<(), Error> {
    let Some(Refused { path, kind }) = REFUSED.with_borrow(Clone::clone) else { return Ok(()) };
    Err(Error { verb: "open", object: path, cause: Cause::Slow(kind) })
}

/// Says whether a directory at `path` is entered only if it answers for certain.
pub(super) fn applies(path: &Path) -> bool {
    !WAITS.get() && OWN.get().is_some_and(|own| !own.iter().any(|own| path.starts_with(own)))
}

/// Words the refusal, or what else the system said.
pub(super) fn failed(verb: &'static str, path: &Path, source: Errno) -> Error {
    if source == Errno::XDEV
        && let Some(why) = unowned()
    {
        return Error::odd(verb, path, why);
    }
    let refused = REFUSED.with_borrow(Clone::clone).filter(|_| source == Errno::XDEV);
    match refused {
        Some(Refused { kind, .. }) => {
            Error { verb, object: path.to_owned(), cause: Cause::Slow(kind) }
        }
        None => Error::new(verb, path, source),
    }
}

/// Holds a name without opening what it stands for.
pub(super) fn step(here: &OwnedFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat2(here, name, flags, Mode::empty(), ResolveFlags::NO_XDEV) {
        Err(Errno::XDEV) => cross(here, name, flags),
        other => other,
    }
}

fn cross(here: &OwnedFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let real = rustix::fs::readlink(proc_path(here), Vec::new())?;
    let at = PathBuf::from(OsString::from_vec(real.into_bytes())).join(name);
    // Where a server is gone, some file systems ask for it even to be held; no user mounts those.
    let known = with_table(|mounts| mounts.iter().rfind(|mount| mount.point == at).map(verdict))?;
    if let Some(Err(kind)) = known {
        return Err(refuse(at, kind));
    }
    let fd = rustix::fs::openat(here, name, flags, Mode::empty())?;
    match with_mount(mount_id(&fd)?, verdict)? {
        Some(Ok(())) => Ok(fd),
        Some(Err(kind)) => Err(refuse(at, kind)),
        // Taken away by now.
        None => Err(refuse(at, "unknown".to_owned())),
    }
}

/// The number of the mount that something held lies on, which is asked of no file system.
fn mount_id(fd: impl AsFd) -> Result<Option<u64>, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let stat = rustix::fs::statx(fd, "", flags, StatxFlags::MNT_ID)?;
    let is_known = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
    Ok(is_known.then_some(stat.stx_mnt_id))
}

fn with_mount<T>(id: Option<u64>, work: impl FnOnce(&Mount) -> T) -> Result<Option<T>, Errno> {
    with_table(|mounts| mounts.iter().find(|mount| Some(mount.id) == id).map(work))
}

/// The user who mounted what something held lies on; nobody where root did.
pub(super) fn mounter(fd: impl AsFd) -> Result<Option<Mounter>, Errno> {
    let id = mount_id(&fd)?;
    let mount = match with_mount(id, |mount| (mount.mounter, mount.point.clone())) {
        Err(Errno::NOENT) => return unlisted(fd),
        known => known?,
    };
    match mount {
        Some((None, point)) if point != Path::new("/") => asked_for(point),
        Some((mounter, _)) => Ok(mounter),
        // In a root directory that is no mount point (chroot(2)) its own mount is not listed.
        None if id == mount_id(open_root().map_err(|_| Errno::ACCESS)?)? => Ok(None),
        // Taken away by now.
        None => Err(Errno::STALE),
    }
}

/// The user for whom root mounted what is at `point`, if it was for one; refused where nobody knows who that is.
fn asked_for(point: PathBuf) -> Result<Option<Mounter>, Errno> {
    let mounted_for = utab::mounted_for(&point);
    match mounted_for.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))? {
        For::Root => Ok(None),
        For::User(mounter) => Ok(Some(mounter)),
        For::Unknown => {
            UNOWNED.set(Some(point));
            Err(Errno::XDEV)
        }
    }
}

/// Says what was refused to this thread since nobody knows for whom it was mounted, and forgets it.
pub(in crate::os) fn unowned() -> Option<String> {
    let point = UNOWNED.take()?;
    let point = point.display();
    Some(format!(
        "'{point}' was mounted for a user, and nobody knows which: the owners of its files prove nothing"
    ))
}

/// Where a user mounted what something held lies on; nothing where root did of its own accord.
pub(in crate::os) fn users_mount(fd: impl AsFd) -> Option<PathBuf> {
    mounter(&fd).ok()??;
    with_mount(mount_id(&fd).ok()?, |mount| mount.point.clone()).ok()?
}

/// Where /proc is not mounted (a system that is being put together), FUSE is refused: whose it is cannot be told.
fn unlisted(fd: impl AsFd) -> Result<Option<Mounter>, Errno> {
    match i128::from(rustix::fs::fstatfs(fd)?.f_type) {
        FUSE_MAGIC => Err(Errno::XDEV),
        _ => Ok(None),
    }
}

/// Refuses the type of a file system that may not answer.
fn verdict(mount: &Mount) -> Result<(), String> {
    let is_local = LOCAL.contains(&&*mount.kind) || LOCAL_TOO.contains(&&*mount.kind);
    let is_borrowed = BORROWED.iter().any(|device| mount.origin.starts_with(device));
    if is_local && !is_borrowed { Ok(()) } else { Err(mount.kind.clone()) }
}

fn refuse(path: PathBuf, kind: String) -> Errno {
    UNOWNED.set(None);
    REFUSED.set(Some(Refused { path, kind }));
    Errno::XDEV
}

/// Reads the mount table where it has changed. Who holds a descriptor holds its mount, so its number is
/// not another's by now.
fn with_table<T>(work: impl FnOnce(&[Mount]) -> T) -> Result<T, Errno> {
    let mut known = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_old = known.as_ref().is_none_or(|table| {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut fds = [PollFd::new(&table.file, PollFlags::PRI)];
        !matches!(poll(&mut fds, Some(&at_once)), Ok(0))
    });
    if is_old {
        // The file first: a change while it is read is told at the next look.
        let file = match known.take() {
            Some(table) => table.file,
            None => {
                mounts::open().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?
            }
        };
        *known = Some(Table { mounts: mounts::read_from(&file), file });
    }
    Ok(work(known.as_ref().map_or(&[], |table| &table.mounts)))
}

/// Opens the directory `rest` below `here`, one step after another, following links as the kernel would.
pub(super) fn resolve(here: &OwnedFd, rest: &Path, links: bool) -> Result<OwnedFd, Errno> {
    let at = follow(here, rest, if links { LINK_LIMIT } else { 0 })?;
    // A place that is mounted on use is so only as a directory.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(&at, ".", flags, Mode::empty(), ResolveFlags::NO_XDEV)
}

/// Holds what `rest` below `here` leads to, of whatever kind, through at most `left` links.
fn follow(here: &OwnedFd, rest: &Path, mut left: u32) -> Result<OwnedFd, Errno> {
    let mut at = here.try_clone().map_err(|_| Errno::MFILE)?;
    let mut steps: VecDeque<OsString> = names(rest).collect();
    while let Some(name) = steps.pop_front() {
        let next = step(&at, &name, OFlags::empty())?;
        let stat = owner::stat(&next)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => at = next,
            FileType::Symlink => {
                left = left.checked_sub(1).ok_or(Errno::LOOP)?;
                let aim = aim(&at, &next, &stat)?;
                if aim.is_absolute() {
                    at = open_root().map_err(|_| Errno::ACCESS)?;
                }
                names(&aim).collect::<Vec<_>>().into_iter().rev().for_each(|n| steps.push_front(n));
            }
            _ if steps.is_empty() => at = next,
            _ => return Err(Errno::NOTDIR),
        }
    }
    Ok(at)
}

fn names(path: &Path) -> impl Iterator<Item = OsString> + use<'_> {
    let names = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    names.map(|part| part.as_os_str().to_owned())
}

/// Reads a link that may be followed (`protected_symlinks` of `proc_sys_fs(5)`, and no magic link).
fn aim(folder: &OwnedFd, link: &OwnedFd, stat: &Stat) -> Result<PathBuf, Errno> {
    let above = owner::stat(folder)?;
    let is_shared = above.st_mode & 0o1002 == 0o1002;
    if is_shared
        && stat.st_uid != above.st_uid
        && stat.st_uid != rustix::process::geteuid().as_raw()
    {
        return Err(Errno::ACCESS);
    }
    if i128::from(rustix::fs::fstatfs(link)?.f_type) == PROC_MAGIC {
        return Err(Errno::LOOP);
    }
    let aim = rustix::fs::readlinkat(link, "", Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(aim.into_bytes())))
}

impl Folder {
    /// Looks at a name, through no link.
    pub(in crate::os) fn stat_at(&self, name: &str) -> Result<Stat, Errno> {
        owner::stat(self.hold_at(name)?)
    }

    /// Holds what a name stands for, through no link and without opening it.
    pub(super) fn hold_at(&self, name: &str) -> Result<OwnedFd, Errno> {
        if self.is_strict {
            return step(&self.fd, OsStr::new(name), OFlags::empty());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::empty())
    }

    /// Opens a name, through no link: one that is a mount point only if that answers for certain.
    pub(in crate::os) fn open_at(
        &self,
        name: &str,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW;
        if !self.is_strict {
            return rustix::fs::openat(&self.fd, name, flags, mode);
        }
        match rustix::fs::openat2(self.fd.as_fd(), name, flags, mode, ResolveFlags::NO_XDEV) {
            Err(Errno::XDEV) => {
                let held = step(&self.fd, OsStr::new(name), OFlags::empty())?;
                let kind = FileType::from_raw_mode(rustix::fs::fstat(&held)?.st_mode);
                if kind == FileType::Symlink {
                    return Err(Errno::LOOP);
                }
                let flags = flags.difference(OFlags::NOFOLLOW);
                rustix::fs::openat(rustix::fs::CWD, proc_path(&held), flags, mode)
            }
            other => other,
        }
    }
}
