//! Making a temp file look like the one that it replaces.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{Gid, Mode, XattrFlags};
use rustix::io::Errno;

use super::{NEW_MODE, Written};
use crate::os::folder::Seen;

/// Gives the temp file the group, mode, extended attributes and ACL of the old file.
pub(super) fn dress(written: &Written<'_>, old: &Seen) -> Result<(), Errno> {
    let folder = written.part.folder;
    let fresh = rustix::fs::fstat(&written.file)?;
    let _acting = folder.identity.with_group(old.stat.st_gid).act().map_err(|_| Errno::PERM)?;
    if fresh.st_gid != old.stat.st_gid {
        rustix::fs::fchown(&written.file, None, Some(Gid::from_raw(old.stat.st_gid)))?;
    }
    copy_attributes(&old.fd, &written.file)?;
    // Last: a mode without the owner's `w` would bar the attributes.
    let mode = Mode::from_raw_mode(old.stat.st_mode & 0o777);
    if mode != NEW_MODE {
        rustix::fs::fchmod(&written.file, mode)?;
    }
    Ok(())
}

fn copy_attributes(from: &OwnedFd, to: &File) -> Result<(), Errno> {
    let mut names = [0u8; 4096];
    let length = match rustix::fs::flistxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(source) => return Err(source),
    };
    let mut value = vec![0u8; if length == 0 { 0 } else { 65_536 }];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let size = rustix::fs::fgetxattr(from, name, &mut value[..])?;
        match rustix::fs::fsetxattr(to, name, &value[..size], XattrFlags::empty()) {
            // The label of a new file follows from its folder where policy does not let it be set.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::ACCESS)
                if name.starts_with(b"security.") => {}
            other => other?,
        }
    }
    Ok(())
}
