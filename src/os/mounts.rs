//! What is mounted where: changes of the mount table, and file systems that cannot notify.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use crate::os::error::Error;
use crate::os::folder::Folder;

/// The mount table, which poll(2) reports changes of as `POLLPRI` (`proc_pid_mountinfo(5)`).
#[derive(Debug)]
pub(crate) struct MountTable {
    file: File,
}

impl MountTable {
    /// Opens this process's own view.
    pub(crate) fn open() -> std::io::Result<Self> {
        Ok(Self { file: File::open("/proc/self/mountinfo")? })
    }

    /// The descriptor to poll for `POLLPRI`.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// File systems whose changes on another host, or behind a server, reach no inotify (inotify(7)).
const SILENT: [u32; 7] = [
    0x6969,      // NFS
    0x6573_5546, // FUSE, virtiofs too
    0x0102_1997, // 9p
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB2
    0x00c3_6400, // CEPH
    0x5346_414f, // AFS
];

/// Says whether the folder's file system tells of changes.
pub(crate) fn notifies(folder: &Folder) -> Result<bool, Error> {
    let stat = rustix::fs::fstatfs(&folder.fd)
        .map_err(|source| Error::new("look at the file system of", &folder.path, source))?;
    let magic = u32::try_from(i128::from(stat.f_type) & 0xffff_ffff).unwrap_or_default();
    Ok(!SILENT.contains(&magic))
}
