//! Who besides its owner and root can read a file, by the modes of the file and of every directory on the way.

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::user::account::{self, Account};

/// The bits that let somebody read a file, and search a directory.
const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;

/// What a file's extended attribute holds where it has an access control list (acl(5)).
const ACL: &str = "system.posix_acl_access";

/// Who else can read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readers {
    /// Who, for a message.
    pub(crate) who: String,
    /// The bits of its mode that let them.
    pub(crate) bits: u32,
    /// Its mode.
    pub(crate) mode: u32,
    /// Whether its file system keeps modes, so that chmod(1) helps.
    pub(crate) has_modes: bool,
}

/// File systems whose modes are those of the mount: vfat, exfat, CIFS, SMB2, vboxsf and 9p.
const MODELESS: [u32; 6] =
    [0x4d44, 0x2011_bab0, 0xff53_4d42, 0xfe53_4d42, 0x786f_4256, 0x0102_1997];

/// Looks who else can read the file `name`; `None` where nobody else can, or there is no such file.
pub(crate) fn of(folder: &Folder, name: &str) -> Result<Option<Readers>, Error> {
    let Some(file) = folder.stat(name)? else { return Ok(None) };
    let is_file = FileType::from_raw_mode(file.st_mode) == FileType::RegularFile;
    if !is_file || file.st_mode & 0o044 == 0 {
        return Ok(None);
    }
    let way = way(&folder.real_path()?);
    let open_to_all = way.iter().all(|stat| stat.st_mode & SEARCH != 0);
    let everybody = open_to_all && file.st_mode & READ != 0;
    let has_acl = has_acl(folder, name);
    let others =
        account::all().into_iter().filter(|account| account.uid != 0 && account.uid != file.st_uid);
    let mut by_group = Vec::new();
    let mut by_mode = Vec::new();
    for account in others {
        let groups = account::groups(&account);
        let in_group = groups.contains(&file.st_gid);
        if !may(&file, &account, &groups, READ)
            || !way.iter().all(|stat| may(stat, &account, &groups, SEARCH))
        {
            continue;
        }
        if in_group { by_group.push(account.name) } else { by_mode.push(account.name) }
    }
    // With a list the group's bits stand for the most that anybody named in it may do.
    let listed = has_acl && file.st_mode & 0o040 != 0 && open_to_all;
    let mut bits = 0;
    if !by_group.is_empty() || listed {
        bits |= 0o070;
    }
    if everybody || !by_mode.is_empty() {
        bits |= 0o007;
    }
    let who = if everybody {
        "every user of this host".to_owned()
    } else if bits == 0 {
        return Ok(None);
    } else if listed {
        "whoever its access control list names".to_owned()
    } else {
        by_group.extend(by_mode);
        by_group.join(", ")
    };
    let mode = file.st_mode & 0o7777;
    let magic = rustix::fs::fstatfs(&folder.fd).map(|stat| i128::from(stat.f_type) & 0xffff_ffff);
    let has_modes =
        !magic.is_ok_and(|magic| MODELESS.iter().any(|known| i128::from(*known) == magic));
    Ok(Some(Readers { who, bits, mode, has_modes }))
}

/// What every directory from `/` to this one is.
fn way(directory: &Path) -> Vec<Stat> {
    let steps: Vec<PathBuf> = directory.ancestors().map(Path::to_path_buf).collect();
    steps.iter().filter_map(|step| rustix::fs::lstat(step).ok()).collect()
}

/// Says whether a user's class of a mode has the bit (`path_resolution(7)`).
fn may(stat: &Stat, account: &Account, groups: &[u32], bit: u32) -> bool {
    let class = if stat.st_uid == account.uid {
        6
    } else if groups.contains(&stat.st_gid) {
        3
    } else {
        0
    };
    stat.st_mode & (bit << class) != 0
}

fn has_acl(folder: &Folder, name: &str) -> bool {
    let path = folder.proc_path().join(name);
    let acl = rustix::fs::lgetxattr(path, ACL, &mut [0u8; 1][..]);
    // It is longer than this buffer; whatever else fails, there is none that could be read.
    acl == Err(Errno::RANGE)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays its scratch directory out itself")]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_closed_directory_protects_an_open_file() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        write(&file, "token").unwrap();
        let mode = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let found = || of(&Folder::reach(scratch.path()).unwrap(), "file").unwrap();
        mode(&file, 0o644);
        mode(scratch.path(), 0o700);
        assert_eq!(found(), None);
        mode(scratch.path(), 0o711);
        let readers = found().unwrap();
        assert_eq!((readers.who.as_str(), readers.bits & 0o7), ("every user of this host", 0o7));
        for closed in [0o600, 0o200, 0o611] {
            mode(&file, closed);
            assert_eq!(found(), None, "{closed:o}");
        }
    }

    #[test]
    fn a_class_that_may_not_is_not_helped_by_the_next_one() {
        let scratch = tempfile::tempdir().unwrap();
        let mut stat = rustix::fs::stat(scratch.path()).unwrap();
        (stat.st_uid, stat.st_gid, stat.st_mode) = (7, 70, 0o704);
        let user = |uid| Account { name: String::new(), uid, gid: 1, home: PathBuf::new() };
        assert!(may(&stat, &user(7), &[1], READ) && may(&stat, &user(8), &[1], READ));
        assert!(!may(&stat, &user(8), &[1, 70], READ), "its group is named, and has no bit");
    }
}
