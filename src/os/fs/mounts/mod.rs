//! What is mounted where: changes of the mount table, and file systems that cannot notify.

pub(in crate::os) mod utab;

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use crate::os::error::Error;

/// What is mounted where this process looks.
const OWN_TABLE: &str = "/proc/self/mountinfo";

/// The mount table, which poll(2) reports changes of as `POLLPRI` (`proc_pid_mountinfo(5)`), and whom a
/// change of it concerns.
#[derive(Debug)]
pub(crate) struct MountTable {
    file: File,
    /// What was mounted where at the last look: a digest of the line, and the place.
    known: Vec<(u64, Box<Path>)>,
    /// Who asked for news of mounts at, above and below which path.
    wanted: Vec<(usize, Box<Path>)>,
}

impl MountTable {
    /// Opens this process's own view.
    pub(crate) fn open() -> std::io::Result<Self> {
        let mut table =
            Self { file: File::open(OWN_TABLE)?, known: Vec::new(), wanted: Vec::new() };
        table.known = table.list();
        Ok(table)
    }

    /// The descriptor to poll for `POLLPRI`.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Asks for news of mounts at, above and below a path.
    pub(crate) fn watch(&mut self, path: &Path, key: usize) {
        if !self.wanted.iter().any(|(known, at)| *known == key && **at == *path) {
            self.wanted.push((key, path.into()));
        }
    }

    /// Drops what one key asked for.
    pub(crate) fn release(&mut self, key: usize) {
        self.wanted.retain(|(known, _)| *known != key);
    }

    /// Drops what all keys asked for.
    pub(crate) fn forget(&mut self) {
        self.wanted.clear();
    }

    /// Reads the table, once; the keys that a change since the last look concerns, sorted.
    pub(crate) fn changed(&mut self) -> Vec<usize> {
        let now = self.list();
        let differs = |one: &[(u64, Box<Path>)], other: &[(u64, Box<Path>)]| {
            let lines: HashSet<u64> = other.iter().map(|(line, _)| *line).collect();
            let new = one.iter().filter(|(line, _)| !lines.contains(line));
            new.map(|(_, point)| point.clone()).collect::<Vec<_>>()
        };
        let mut points = differs(&now, &self.known);
        points.extend(differs(&self.known, &now));
        self.known = now;
        let concerns =
            |path: &Path| points.iter().any(|at| path.starts_with(at) || at.starts_with(path));
        let concerned = self.wanted.iter().filter(|(_, path)| concerns(path));
        let mut keys: Vec<usize> = concerned.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn list(&mut self) -> Vec<(u64, Box<Path>)> {
        let mut text = Vec::new();
        let read = self.file.rewind().and_then(|()| self.file.read_to_end(&mut text));
        if read.is_err() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&text);
        let digest = |line: &str| {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            hasher.finish()
        };
        let lines = text.lines().filter_map(|line| Some((line, parse(line)?)));
        lines.map(|(line, mount)| (digest(line), mount.point.into())).collect()
    }
}

/// One line of a mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The kernel's number of it, as in `stx_mnt_id` of statx(2).
    pub(crate) id: u64,
    /// The type of the file system.
    pub(crate) kind: String,
    /// What it is mounted from.
    pub(crate) origin: String,
    /// The file system, as `MAJOR:MINOR`.
    device: String,
    /// What of the file system is mounted.
    root: PathBuf,
    /// Where.
    pub(crate) point: PathBuf,
    /// Whether nothing can be written there.
    pub(crate) read_only: bool,
    /// The user who mounted it, as the kernel knows, and whose server answers there; nobody where root did.
    pub(crate) mounter: Option<Mounter>,
}

/// A user who mounted a file system, as fusermount(1) lets users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mounter {
    /// The user.
    pub(crate) uid: u32,
    /// The user's group.
    pub(crate) gid: u32,
}

/// Lists what is mounted where this process looks.
pub(crate) fn table() -> Vec<Mount> {
    read(OWN_TABLE)
}

/// Finds the mount that a path lies on; later ones lie over earlier ones.
pub(crate) fn of<'a>(table: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let over = table.iter().filter(|mount| path.starts_with(&mount.point));
    over.max_by_key(|mount| mount.point.components().count())
}

/// What a path of a mount table stands for, whatever it is called there: the file system, and the path in it.
pub(crate) fn place(table: &[Mount], path: &Path) -> Option<(String, PathBuf)> {
    let mount = of(table, path)?;
    let rest = path.strip_prefix(&mount.point).ok()?;
    // An empty rest would end the path in a slash.
    Some((mount.device.clone(), mount.root.join(rest).components().collect()))
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

/// Opens this process's own mount table, for [`read_from`] and for poll(2).
pub(in crate::os) fn open() -> std::io::Result<File> {
    File::open(OWN_TABLE)
}

/// Reads a mount table from its beginning; an empty one where that fails.
pub(in crate::os) fn read_from(mut file: &File) -> Vec<Mount> {
    let mut text = Vec::new();
    match file.rewind().and_then(|()| file.read_to_end(&mut text)) {
        Ok(_) => String::from_utf8_lossy(&text).lines().filter_map(parse).collect(),
        Err(_) => Vec::new(),
    }
}

fn read(path: impl AsRef<Path>) -> Vec<Mount> {
    let text = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(parse).collect()
}

/// Reads a line of `proc_pid_mountinfo(5)`.
pub(crate) fn parse(line: &str) -> Option<Mount> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [id, _, device, root, point, options, ..] = fields[..] else { return None };
    let [kind, origin, super_options] =
        *fields.iter().skip_while(|field| **field != "-").skip(1).collect::<Vec<_>>()
    else {
        return None;
    };
    let is_set = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        id: id.parse().ok()?,
        kind: (*kind).to_owned(),
        origin: (*origin).to_owned(),
        device: device.to_owned(),
        root: unescaped(root),
        point: unescaped(point),
        read_only: is_set(options) || is_set(super_options),
        mounter: mounter(kind, super_options),
    })
}

/// Finds who mounted a file system: the kernel names it for FUSE (`mount.fuse3(8)`); all others are root's.
fn mounter(kind: &str, options: &str) -> Option<Mounter> {
    let is_fuse = matches!(kind, "fuse" | "fuseblk") || kind.starts_with("fuse.");
    let id = |name| {
        let value = options.split(',').find_map(|option| option.strip_prefix(name));
        value.and_then(|value| value.parse().ok())
    };
    let mounter = Mounter { uid: id("user_id=")?, gid: id("group_id=")? };
    (is_fuse && mounter.uid != 0).then_some(mounter)
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
const SILENT: [u32; 10] = [
    0x6969,      // NFS
    0x6573_5546, // FUSE, virtiofs too
    0x0102_1997, // 9p
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB2
    0x00c3_6400, // CEPH
    0x5346_414f, // AFS
    0x786f_4256, // VirtualBox's shared folders
    0x7c7c_6673, // those of Parallels
    0x794c_7630, // overlay: what changes in a layer of it
];

/// Whether the file system of an open directory tells of changes; `path` is named in the error.
pub(crate) fn notifies(directory: impl AsFd, path: &Path) -> Result<bool, Error> {
    let stat = rustix::fs::fstatfs(directory)
        .map_err(|source| Error::new("look at the file system of", path, source))?;
    let magic = u32::try_from(i128::from(stat.f_type) & 0xffff_ffff).unwrap_or_default();
    Ok(!SILENT.contains(&magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_concerns_who_watches_at_it_above_it_or_below_it() {
        let scratch = tempfile::NamedTempFile::new().unwrap();
        let line = |id: u32, point: &str| {
            format!("{id} 1 98:0 / {point} rw,noatime - ext4 /dev/root rw\n")
        };
        let write = |lines: &[String]| std::fs::write(scratch.path(), lines.concat()).unwrap();
        let base = [line(1, "/"), line(2, "/proc")];
        write(&base);
        let file = File::open(scratch.path()).unwrap();
        let mut table = MountTable { file, known: Vec::new(), wanted: Vec::new() };
        table.known = table.list();
        for (key, path) in [(0, "/home/a/.claude"), (1, "/home/b/.claude"), (2, "/mnt/x")] {
            table.watch(Path::new(path), key);
        }
        for (point, concerned) in [
            ("/var/lib/docker/overlay2/1/merged", &[][..]),
            ("/home/a/.claude", &[0]),
            ("/home/a/.claude/.credentials.json", &[0]),
            ("/home/b", &[1]),
            ("/home", &[0, 1]),
            ("/home/bb", &[]),
        ] {
            write(&[&base[..], &[line(3, point)]].concat());
            assert_eq!(table.changed(), concerned, "{point} is mounted");
            assert_eq!(table.changed(), [0_usize; 0], "{point} stays");
            write(&base);
            assert_eq!(table.changed(), concerned, "{point} is unmounted");
        }
        table.release(1);
        write(&[&base[..], &[line(3, "/home")]].concat());
        assert_eq!(table.changed(), [0]);
    }

    #[test]
    fn reads_a_mount_table() {
        let line =
            r"36 35 98:0 /mnt\0401 /a\040b ro,noatime shared:1 - ext4 /dev/root rw,errors=continue";
        let mount = parse(line).unwrap();
        assert_eq!((mount.root.to_str(), mount.point.to_str()), (Some("/mnt 1"), Some("/a b")));
        assert_eq!((mount.id, &*mount.kind, &*mount.origin), (36, "ext4", "/dev/root"));
        assert!(mount.read_only);
        let root = Mount { point: PathBuf::from("/"), read_only: false, ..mount.clone() };
        let table = [root.clone(), mount.clone()];
        assert_eq!(of(&table, Path::new("/a b/c")), Some(&mount));
        assert_eq!(of(&table, Path::new("/a bc")), Some(&root));
        assert_eq!(parse("36 35"), None);
    }

    #[test]
    fn a_user_is_known_as_the_mounter_of_a_fuse_file_system_alone() {
        let mounter = |kind: &str, options: &str| {
            let line = format!("36 35 0:47 / /home/a rw,nosuid - {kind} /home/a {options}");
            parse(&line).unwrap().mounter.map(|mounter| (mounter.uid, mounter.gid))
        };
        let of = |uid: u32| format!("rw,user_id={uid},group_id=7,allow_other");
        for kind in ["fuse", "fuse.bindfs", "fuseblk"] {
            assert_eq!(mounter(kind, &of(1000)), Some((1000, 7)), "{kind}");
            assert_eq!(mounter(kind, &of(0)), None, "{kind}");
        }
        for kind in ["ext4", "nfs4", "cifs", "virtiofs", "fusectl"] {
            assert_eq!(mounter(kind, "rw,uid=1000"), None, "{kind}");
        }
        assert_eq!(mounter("cifs", &of(1000)), None);
    }
}
