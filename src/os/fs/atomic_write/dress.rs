//! Making a temp file look like the one that it replaces.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{Gid, Mode, Stat, XattrFlags};
use rustix::io::Errno;

use super::Written;
use crate::os::fs::dir::{Seen, owner};

/// The bits of a file's group.
const GROUP: u32 = 0o070;

/// The attribute that holds an access control list.
const ACL: &[u8] = b"system.posix_acl_access";

/// Gives the temp file the group, mode, extended attributes and ACL of the old file; says whether it is no more open
/// than that one.
///
/// A file system without modes, as of Windows, a virtual machine's host or a memory card, refuses all of them.
pub(super) fn dress(written: &Written<'_>, old: &Seen) -> Result<bool, Errno> {
    let folder = written.part.folder;
    let fresh = owner::stat(&written.file)?;
    let _acting = folder.identity.with_group(old.stat.st_gid).act().map_err(|_| Errno::PERM)?;
    let mut mode = old.stat.st_mode & 0o777;
    if fresh.st_gid != old.stat.st_gid {
        let group = Some(Gid::from_raw(old.stat.st_gid));
        if !allowed(rustix::fs::fchown(&written.file, None, group))? {
            mode &= !GROUP;
        }
    }
    if !copy_attributes(&old.fd, &written.file)? {
        // Without its list the group's bits would mean the group instead of those named in it.
        mode &= !GROUP;
    }
    // Last: a mode without the owner's `w` would bar the attributes.
    if mode != fresh.st_mode & 0o777 {
        allowed(rustix::fs::fchmod(&written.file, Mode::from_raw_mode(mode)))?;
    }
    Ok(is_no_more_open(&owner::stat(&written.file)?, &old.stat))
}

/// Says whether the system refuses an operation rather than fails in it.
pub(super) fn is_refusal(source: Errno) -> bool {
    matches!(
        source,
        Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::INVAL
            | Errno::OVERFLOW
            | Errno::EXIST
    )
}

/// Takes a refusal for an answer.
fn allowed(result: Result<(), Errno>) -> Result<bool, Errno> {
    match result {
        Ok(()) => Ok(true),
        Err(source) if is_refusal(source) => Ok(false),
        Err(source) => Err(source),
    }
}

/// Compares what became of a new file with the old one: nobody else may have got a right.
fn is_no_more_open(new: &Stat, old: &Stat) -> bool {
    let (group, others) = (new.st_mode & 0o070, new.st_mode & 0o007);
    // Another group's members had the rights of others before.
    let before = if new.st_gid == old.st_gid { old.st_mode } else { old.st_mode << 3 };
    new.st_uid == old.st_uid && group & !before == 0 && others & !old.st_mode == 0
}

/// Copies all attributes; says whether the access control list, if there is one, came along.
fn copy_attributes(from: &OwnedFd, to: &File) -> Result<bool, Errno> {
    let mut names = [0u8; 4096];
    let length = match rustix::fs::flistxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(source) if is_refusal(source) => return Ok(true),
        Err(source) => return Err(source),
    };
    let mut value = vec![0u8; if length == 0 { 0 } else { 65_536 }];
    let mut has_list = true;
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let copied = rustix::fs::fgetxattr(from, name, &mut value[..])
            .and_then(|size| rustix::fs::fsetxattr(to, name, &value[..size], XattrFlags::empty()));
        // Others are no loss: the label of a new file, say, follows from its directory.
        has_list &= allowed(copied)? || name != ACL;
    }
    Ok(has_list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_gives_nobody_a_right() {
        let scratch = tempfile::tempdir().unwrap();
        let stat = |mode, group| {
            let mut stat = rustix::fs::stat(scratch.path()).unwrap();
            (stat.st_mode, stat.st_gid) = (mode, group);
            stat
        };
        for (new, old, is_no_more) in [
            ((0o600, 1), (0o644, 1), true),
            ((0o644, 1), (0o644, 1), true),
            ((0o777, 1), (0o777, 1), true),
            ((0o644, 1), (0o600, 1), false),
            ((0o640, 1), (0o604, 1), false),
            ((0o640, 2), (0o640, 1), false),
            ((0o640, 2), (0o644, 1), true),
            ((0o600, 2), (0o640, 1), true),
        ] {
            let found = is_no_more_open(&stat(new.0, new.1), &stat(old.0, old.1));
            assert_eq!(found, is_no_more, "{new:?} for {old:?}");
        }
    }
}
