//! Whom a file belongs to, as far as that can be believed.

use std::os::fd::AsFd;

use rustix::fs::Stat;
use rustix::io::Errno;

use super::crossing;

/// Looks at what is held, with the owner that counts: every judgement by owner starts here.
///
/// The server of a file system that a user mounted (FUSE) says of its files what it likes, and so nobody's uid
/// counts there but that of the user, which the kernel knows. The same holds for a medium that mount(8) or udisks
/// mounted for a user, who wrote the owners on it; where nobody knows who that is, it is refused. What root
/// mounted of its own accord, FUSE or of another host, is believed: root chose the server, and no user can put
/// another in its place.
pub(in crate::os) fn stat(fd: impl AsFd) -> Result<Stat, Errno> {
    let mounter = crossing::mounter(&fd)?;
    let mut stat = rustix::fs::fstat(fd)?;
    if let Some(mounter) = mounter {
        (stat.st_uid, stat.st_gid) = (mounter.uid, mounter.gid);
    }
    Ok(stat)
}
