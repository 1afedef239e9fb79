//! The host's folders, or a tree that stands for them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use crate::domain::detection::Control;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::user::account::{self, Outsider};

/// The most that is read of a unit, a compose file or a crontab, in bytes.
const TEXT_LIMIT: u64 = 256 * 1024;

/// How many links may lead from one to the next.
const LINK_LIMIT: u32 = 8;

/// The device and inode of a directory.
pub(super) type Key = (u64, u64);

/// Where the search begins.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: Option<PathBuf>,
}

impl Tree {
    /// The host itself, or the tree at `root`.
    pub(crate) fn new(root: Option<&Path>) -> Self {
        Self { root: root.map(Path::to_owned) }
    }

    /// Whether this is the host itself, whose programs may be asked.
    pub(crate) fn is_host(&self) -> bool {
        self.root.is_none()
    }

    /// Where a path of the host lies; a link of the tree's that begins at `/` means the tree's own.
    pub(crate) fn place(&self, path: &Path) -> PathBuf {
        let Some(root) = &self.root else { return path.to_owned() };
        let names = |path: &Path| {
            let below = path.strip_prefix("/").unwrap_or(path);
            below.components().rev().map(|name| name.as_os_str().to_owned()).collect::<Vec<_>>()
        };
        let (mut place, mut left, mut links) = (root.clone(), names(path), 0);
        while let Some(name) = left.pop() {
            place.push(name);
            let aim = rustix::fs::readlink(&place, Vec::new()).ok();
            let aim = aim.map(|aim| PathBuf::from(OsString::from_vec(aim.into_bytes())));
            if let Some(aim) = aim.filter(|aim| aim.is_absolute() && links < LINK_LIMIT) {
                links += 1;
                left.extend(names(&aim));
                place.clone_from(root);
            }
        }
        place
    }

    /// Opens a folder of the host; `None` if it is not there or its owner may not.
    pub(crate) fn folder(&self, path: &Path) -> Option<Folder> {
        Folder::reach(&self.place(path)).ok()
    }

    /// Every directory once, by its own name rather than by a link's, with whose files name it; a home's
    /// own needs nobody's word.
    pub(crate) fn once_each(
        &self,
        named: impl Iterator<Item = (PathBuf, Option<u32>)>,
    ) -> Vec<(PathBuf, Vec<u32>)> {
        let mut all: Vec<(bool, PathBuf, Option<u32>)> = named
            .map(|(path, by)| {
                let real = self.folder(&path).and_then(|folder| self.real(&folder));
                (real.as_ref().is_some_and(|real| *real != path), path, by)
            })
            .collect();
        all.sort();
        all.dedup();
        let mut once: Vec<(PathBuf, Vec<u32>, bool)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (_, path, by) in all {
            let key = self.key(&path);
            let known = key.and_then(|key| places.get(&key).copied());
            // Equal paths stand side by side.
            let known =
                known.or_else(|| once.len().checked_sub(1).filter(|at| once[*at].0 == path));
            if let Some(known) = known {
                once[known].1.extend(by);
                once[known].2 |= by.is_none();
            } else {
                places.extend(key.map(|key| (key, once.len())));
                once.push((path, by.into_iter().collect(), by.is_none()));
            }
        }
        let settled =
            |(path, by, is_homes): (_, _, bool)| (path, if is_homes { Vec::new() } else { by });
        once.into_iter().map(settled).collect()
    }

    /// The device and inode of a directory that can be opened.
    pub(super) fn key(&self, path: &Path) -> Option<Key> {
        self.folder(path)?.key().ok()
    }

    /// Whether two paths lead to one directory.
    pub(crate) fn is_same(&self, one: &Path, other: &Path) -> bool {
        one == other || self.key(one).is_some_and(|one| self.key(other) == Some(one))
    }

    /// Reads a text file of the host.
    pub(crate) fn text(&self, path: &Path) -> Option<String> {
        text_in(&self.folder(path.parent()?)?, path.file_name()?.to_str()?)
    }

    /// Lists the names in a folder of the host.
    pub(crate) fn names(&self, path: &Path) -> Vec<String> {
        let names = self.folder(path).map(|folder| folder.names_or_none()).unwrap_or_default();
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// The same of a directory that a user may have filled; `None` where there are more than `most`.
    pub(crate) fn few_names(&self, path: &Path, most: usize) -> Option<Vec<String>> {
        let names = self.folder(path).map(|folder| folder.few_names(most));
        let names = names.and_then(Result::ok).unwrap_or_else(|| Some(Vec::new()))?.into_iter();
        Some(names.filter_map(|name| name.into_string().ok()).collect())
    }

    /// Says whether something of this name is in a folder of the host.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let parent = path.parent().and_then(|parent| self.folder(parent));
        parent.is_some_and(|folder| folder.stat(name).is_ok_and(|stat| stat.is_some()))
    }

    /// Who could put something else at a path: the owners of its components, as it is named and as
    /// its links lead on.
    pub(crate) fn control(&self, path: &Path) -> Result<Control, Error> {
        let mut steps = self.steps(path)?;
        let folder = self.folder(path).or_else(|| self.folder(path.parent()?));
        let real = folder.and_then(|folder| self.real(&folder));
        let is_elsewhere = |real: &&PathBuf| *real != path && Some(&***real) != path.parent();
        if let Some(real) = real.as_ref().filter(is_elsewhere) {
            steps.extend(self.steps(real)?);
        }
        let owners: Vec<u32> = steps.iter().map(|(stat, _)| stat.st_uid).collect();
        let is_directory =
            |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let is_shared = steps.iter().any(|(stat, is_shared)| *is_shared && is_directory(stat));
        let control = Control { is_shared, ..Control::of(&owners) };
        let home = real.filter(|_| control.uids == [0]).and_then(|real| self.home_around(&real));
        Ok(Control { home, ..control })
    }

    /// The account's home that a path without links lies in.
    fn home_around(&self, path: &Path) -> Option<PathBuf> {
        let accounts = account::parse(&self.text(Path::new("/etc/passwd"))?).into_iter();
        let homes = accounts.map(|account| account.home).filter(|home| home.parent().is_some());
        let real = homes.filter_map(|home| self.real(&self.folder(&home)?));
        real.filter(|home| path.starts_with(home)).max_by_key(|home| home.components().count())
    }

    /// What stands at each step of a path, and whether others than its owner and root can write it.
    fn steps(&self, path: &Path) -> Result<Vec<(Stat, bool)>, Error> {
        let mut steps = Vec::new();
        let mut above: Option<PathBuf> = None;
        for step in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if let (Some(above), Some(name)) =
                (&above, step.file_name().and_then(|name| name.to_str()))
            {
                let folder = Folder::reach(&self.place(above))?;
                steps.extend(folder.stat_shared(name, |stat| self.outsider(stat))?);
            }
            above = Some(step.to_owned());
        }
        Ok(steps)
    }

    /// A folder's path on the host without links.
    fn real(&self, folder: &Folder) -> Option<PathBuf> {
        let real = folder.real_path().ok()?;
        match &self.root {
            Some(root) => {
                let root = std::fs::canonicalize(root).ok()?;
                Some(Path::new("/").join(real.strip_prefix(root).ok()?))
            }
            None => Some(real),
        }
    }

    /// Who is in the group of a file besides its owner and root.
    fn outsider(&self, stat: &Stat) -> Outsider {
        account::outsider_besides(stat.st_gid, stat.st_uid, |path| self.text(path))
    }

    /// Who could put something at a path that need not be there yet.
    pub(crate) fn control_to_be(&self, path: &Path) -> Result<Control, Error> {
        match (self.control(path), path.parent()) {
            (Err(error), Some(parent)) if error.is_absent() => self.control_to_be(parent),
            (control, _) => control,
        }
    }
}

/// Reads a text file in a folder.
pub(super) fn text_in(folder: &Folder, name: &str) -> Option<String> {
    let seen = folder.read(name, TEXT_LIMIT).ok()??;
    String::from_utf8(seen.bytes).ok()
}
