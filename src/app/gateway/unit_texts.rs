//! The texts of a unit, its own and those of its drop-ins, where systemd and Quadlet look for them.

use std::path::{Path, PathBuf};

use crate::domain::expand::specifiers;
use crate::os::folder::Folder;

/// The most that is read of a unit, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Where units of the host lie, the first wins (systemd.unit(5)).
const OF_HOST: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// Where units of all users lie.
const OF_USERS: [&str; 4] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
];

/// Where a user's own units lie, below the home.
const OWN: &str = ".config/systemd/user";

/// Where a user's own containers lie for Quadlet, below the home, and those of all users
/// (podman-systemd.unit(5)).
const OWN_CONTAINERS: &str = ".config/containers/systemd";
const CONTAINERS: &str = "/etc/containers/systemd/users";

/// A file that a unit is made of, with its text.
pub(super) type Text = (PathBuf, String);

/// Reads the files of a user's unit with that user's rights: the user's own, then those of the host.
pub(super) fn of_user(state: &Folder, homes: &[PathBuf], name: &str) -> Vec<Text> {
    let own = homes.iter().flat_map(|home| below(state, home, OWN, name));
    let mut found: Vec<Text> = own.collect();
    if found.is_empty() {
        found.extend(OF_USERS.iter().flat_map(|folder| of_folder(Path::new(folder), name)));
    }
    found
}

/// Reads the files of a unit of the host.
pub(super) fn of_host(name: &str) -> Vec<Text> {
    OF_HOST.iter().flat_map(|folder| of_folder(Path::new(folder), name)).collect()
}

/// Reads the file that Quadlet makes a user's unit of, and its drop-ins; none where it is no container's.
pub(super) fn of_container(state: &Folder, home: &Path, name: &str) -> Vec<Text> {
    let Some(stem) = name.strip_suffix(".service") else { return Vec::new() };
    let name = format!("{stem}.container");
    let mut found = below(state, home, OWN_CONTAINERS, &name);
    if found.is_empty() {
        let one = Path::new(CONTAINERS).join(state.identity.uid.to_string());
        let both = [one, PathBuf::from(CONTAINERS)];
        found.extend(both.iter().flat_map(|folder| of_folder(folder, &name)));
    }
    found
}

/// What stands below a home, with that home in the place of `%h`.
fn below(state: &Folder, home: &Path, folder: &str, name: &str) -> Vec<Text> {
    let read = |path: &Path| Some(state.read_through(path, LIMIT).ok()??.seen.bytes);
    let found = parts(&home.join(folder), name).into_iter();
    let found = found.filter_map(|path| Some((path.clone(), read(&path)?)));
    found.map(|(path, bytes)| (path, text(&bytes, home))).collect()
}

fn of_folder(folder: &Path, name: &str) -> Vec<Text> {
    let read = |path: &Path| {
        let folder = Folder::reach(path.parent()?).ok()?;
        Some(folder.read(path.file_name()?.to_str()?, LIMIT).ok()??.bytes)
    };
    let found = parts(folder, name).into_iter();
    let found = found.filter_map(|path| Some((path.clone(), read(&path)?)));
    found.map(|(path, bytes)| (path, text(&bytes, Path::new("/root")))).collect()
}

fn text(bytes: &[u8], home: &Path) -> String {
    specifiers(&String::from_utf8_lossy(bytes), home)
}

/// The unit's own file and its drop-ins in one directory, in their order.
fn parts(folder: &Path, name: &str) -> Vec<PathBuf> {
    let more = folder.join(format!("{name}.d"));
    let names = Folder::reach(&more).and_then(|folder| folder.names()).unwrap_or_default();
    let confs = names.into_iter().filter(|name| name.to_string_lossy().ends_with(".conf"));
    let confs = confs.map(|name| more.join(name));
    std::iter::once(folder.join(name)).chain(confs).collect()
}
