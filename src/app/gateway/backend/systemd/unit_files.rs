//! The texts of a unit, its own and those of its drop-ins, where systemd and Quadlet look for them, and the files
//! that it takes variables from.

use std::path::{Path, PathBuf};

use crate::app::gateway::backend::systemd::unit_environment::{Managers, Text, Value};
use crate::domain::expand::specifiers;
use crate::domain::secret::Secret;
use crate::domain::unit_paths::{self, is_conf};
use crate::domain::{glob, order, unit_text};
use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// The most that is read of a unit, and of a file with variables, in bytes.
const LIMIT: u64 = 64 * 1024;
const VALUES_LIMIT: u64 = 1 << 20;

/// Where a user's units lie besides the home, and below it: before those of all users, and after what root has set.
const OF_USERS: [&str; 2] = ["/etc/systemd/user", "/run/systemd/user"];
const OF_PACKAGES: [&str; 2] = ["/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];
const OWN_DATA: &str = ".local/share/systemd/user";

/// Where the containers of all users lie for Quadlet (podman-systemd.unit(5)).
const CONTAINERS: &str = "/etc/containers/systemd/users";

/// Where the variables of all user managers are set (environment.d(5)), and by PAM.
const VARIABLES: [&str; 4] = [
    "/etc/environment.d",
    "/run/environment.d",
    "/usr/local/lib/environment.d",
    "/usr/lib/environment.d",
];
const OF_PAM: &str = "/etc/environment";

/// Reads a unit's files as its manager does: a user's with that user's rights.
pub(crate) struct Reader {
    rights: Folder,
    /// What `%h` stands for.
    home: PathBuf,
}

impl Reader {
    /// Reads for the manager of whoever owns a state directory.
    pub(crate) fn of_user(state: &Folder, home: &Path) -> Option<Self> {
        let rights = Folder::reach(Path::new("/")).ok()?.with_rights_of(&state.identity);
        Some(Self { rights, home: home.to_owned() })
    }

    /// Reads for the host's manager; what users own on the way there, with their rights.
    pub(crate) fn of_host() -> Option<Self> {
        Some(Self { rights: Folder::reach(Path::new("/")).ok()?, home: PathBuf::from("/root") })
    }

    /// Reads the files that systemd says it has read.
    pub(crate) fn all(&self, paths: &[PathBuf]) -> Vec<Text> {
        let found = paths.iter().filter_map(|path| Some((path.clone(), self.text(path)?)));
        found.collect()
    }

    /// Reads a unit's own file and its drop-ins where they are in these directories: of those with the same name the
    /// first counts.
    fn search(&self, folders: &[PathBuf], name: &str) -> Vec<Text> {
        let mut own = folders.iter().map(|folder| folder.join(name));
        let own = own.find_map(|path| Some((path.clone(), self.text(&path)?)));
        let mut drop_ins: Vec<(String, PathBuf)> = Vec::new();
        for more in directories(name) {
            for folder in folders.iter().map(|folder| folder.join(&more)) {
                self.add_confs(&folder, &mut drop_ins);
            }
        }
        order::sort_by_key(&mut drop_ins, |(name, _)| name.clone());
        let drop_ins: Vec<PathBuf> = drop_ins.into_iter().map(|(_, path)| path).collect();
        own.into_iter().chain(self.all(&drop_ins)).collect()
    }

    /// Adds the `.conf` files of a directory whose names are not there yet.
    fn add_confs(&self, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
        for name in self.names(folder).into_iter().filter(|name| is_conf(name)) {
            if !found.iter().any(|(known, _)| *known == name) {
                let path = folder.join(&name);
                found.push((name, path));
            }
        }
    }

    /// What gives a variable its value in the files that a pattern names, the last first.
    pub(crate) fn value(&self, pattern: &Path, name: &str) -> Option<(PathBuf, Value)> {
        let mut files = glob::expand(pattern, |folder| self.names(folder)).into_iter().rev();
        files.find_map(|file| {
            let value = match self.bytes(&file, VALUES_LIMIT) {
                Ok(None) => return None,
                Ok(Some(bytes)) => Value::Known(unit_text::variable(&bytes, name)?),
                Err(_) => Value::Unreadable,
            };
            Some((file, value))
        })
    }

    /// What the files set that a user's manager reads its own variables from.
    pub(crate) fn managers(&self, name: &str) -> Option<Managers> {
        let mut files = Vec::new();
        for folder in
            [self.home.join(unit_paths::VARIABLES)].into_iter().chain(VARIABLES.map(PathBuf::from))
        {
            self.add_confs(&folder, &mut files);
        }
        order::sort_by_key(&mut files, |(name, _)| name.clone());
        let files =
            [PathBuf::from(OF_PAM)].into_iter().chain(files.into_iter().map(|(_, path)| path));
        let mut set = files.filter_map(|path| {
            let value = self.variable(&path, name).filter(|value| !value.is_empty())?;
            Some(Managers { value, path: Some(path) })
        });
        set.next_back()
    }

    fn variable(&self, path: &Path, name: &str) -> Option<Secret> {
        unit_text::variable(&self.bytes(path, VALUES_LIMIT).ok()??, name)
    }

    fn text(&self, path: &Path) -> Option<String> {
        let bytes = self.bytes(path, LIMIT).ok()??;
        Some(specifiers(&String::from_utf8_lossy(&bytes), &self.home))
    }

    fn bytes(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.rights.read_through(path, limit)?.map(|followed| followed.seen.bytes))
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let folder = Folder::reach(folder).map(|found| match self.rights.identity.uid {
            0 => found,
            _ => found.with_rights_of(&self.rights.identity),
        });
        let names = folder.map(|folder| folder.names_or_none()).unwrap_or_default();
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }
}

/// Reads the files of a user's unit, with that user's rights.
pub(crate) fn of_user(state: &Folder, homes: &[PathBuf], name: &str) -> Vec<Text> {
    let found = homes.iter().filter_map(|home| {
        let below = |folders: &[&str]| folders.iter().map(|one| home.join(one)).collect();
        let all: [Vec<PathBuf>; 4] = [
            below(&[unit_paths::UNITS]),
            OF_USERS.map(PathBuf::from).to_vec(),
            below(&[OWN_DATA]),
            OF_PACKAGES.map(PathBuf::from).to_vec(),
        ];
        let texts = Reader::of_user(state, home)?.search(&all.concat(), name);
        (!texts.is_empty()).then_some(texts)
    });
    found.flatten().collect()
}

/// Reads the files of a unit of the host.
pub(crate) fn of_host(name: &str) -> Vec<Text> {
    let reader = Reader::of_host();
    reader
        .map(|reader| reader.search(&unit_paths::OF_HOST.map(PathBuf::from), name))
        .unwrap_or_default()
}

/// Reads the file that Quadlet makes a user's unit of, and its drop-ins; none where it is no container's.
pub(crate) fn of_container(state: &Folder, home: &Path, name: &str) -> Vec<Text> {
    let Some(stem) = name.strip_suffix(".service") else { return Vec::new() };
    let one = Path::new(CONTAINERS).join(state.identity.uid.to_string());
    let folders = [home.join(unit_paths::CONTAINERS), one, PathBuf::from(CONTAINERS)];
    let reader = Reader::of_user(state, home);
    let name = format!("{stem}.container");
    reader.map(|reader| reader.search(&folders, &name)).unwrap_or_default()
}

/// The directories of a unit's drop-ins: its own, those of the names that it begins with, those of its type.
fn directories(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
    let dashes = stem.rmatch_indices('-').map(|(at, _)| format!("{}.{kind}.d", &stem[..=at]));
    let own = std::iter::once(format!("{name}.d"));
    own.chain(dashes).chain([format!("{kind}.d")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_lie_where_systemd_looks() {
        let all = ["a-b-c.service.d", "a-b-.service.d", "a-.service.d", "service.d"];
        assert_eq!(directories("a-b-c.service"), all);
        assert_eq!(directories("openclaw.container"), ["openclaw.container.d", "container.d"]);
    }
}
