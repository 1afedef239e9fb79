//! What is mounted where: changes of the mount table, and file systems that cannot notify.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

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

/// One line of a mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The file system, as `MAJOR:MINOR`.
    device: String,
    /// What of the file system is mounted.
    root: PathBuf,
    /// Where.
    pub(crate) point: PathBuf,
    /// Whether nothing can be written there.
    pub(crate) read_only: bool,
}

/// Lists what is mounted where this process looks.
pub(crate) fn table() -> Vec<Mount> {
    read("/proc/self/mountinfo")
}

/// Finds the mount that a path lies on; later ones lie over earlier ones.
pub(crate) fn of<'a>(table: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let over = table.iter().filter(|mount| path.starts_with(&mount.point));
    over.max_by_key(|mount| mount.point.components().count())
}

/// Where programs with a mount table of their own, as those in containers, have this very file
/// mounted by itself: the program's id and the place.
pub(crate) fn single_file_mounts(path: &Path) -> Vec<(u32, PathBuf)> {
    let own = table();
    let Some(mount) = of(&own, path).filter(|mount| mount.point != path) else { return Vec::new() };
    let Ok(rest) = path.strip_prefix(&mount.point) else { return Vec::new() };
    let root = mount.root.join(rest);
    let mut seen = vec![std::fs::read_link("/proc/self/ns/mnt").ok()];
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let space = std::fs::read_link(process.path().join("ns/mnt")).ok();
        if space.is_none() || seen.contains(&space) {
            continue;
        }
        seen.push(space);
        let theirs = read(process.path().join("mountinfo"));
        let it = theirs.into_iter().find(|m| m.device == mount.device && m.root == root);
        found.extend(it.map(|mount| (id, mount.point)));
    }
    found
}

fn read(path: impl AsRef<Path>) -> Vec<Mount> {
    let text = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(parse).collect()
}

/// Reads a line of `proc_pid_mountinfo(5)`.
fn parse(line: &str) -> Option<Mount> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [_, _, device, root, point, options, ..] = fields[..] else { return None };
    let super_options = fields.last()?;
    let is_set = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        device: device.to_owned(),
        root: unescaped(root),
        point: unescaped(point),
        read_only: is_set(options) || is_set(super_options),
    })
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let mut path = field.to_owned();
    for (code, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        path = path.replace(code, plain);
    }
    PathBuf::from(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_mount_table() {
        let line =
            r"36 35 98:0 /mnt\0401 /a\040b ro,noatime shared:1 - ext4 /dev/root rw,errors=continue";
        let mount = parse(line).unwrap();
        assert_eq!((mount.root.to_str(), mount.point.to_str()), (Some("/mnt 1"), Some("/a b")));
        assert!(mount.read_only);
        let root = Mount { point: PathBuf::from("/"), read_only: false, ..mount.clone() };
        let table = [root.clone(), mount.clone()];
        assert_eq!(of(&table, Path::new("/a b/c")), Some(&mount));
        assert_eq!(of(&table, Path::new("/a bc")), Some(&root));
        assert_eq!(parse("36 35"), None);
    }
}
