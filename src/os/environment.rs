//! The environment variables that the program heeds, and the `PATH` that it gives to others.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where hosts have their programs: the usual directories, and those of snaps and of `NixOS`.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin:/var/lib/snapd/snap/bin:/run/current-system/sw/bin";

/// Reads a variable; one that is empty counts as unset.
pub(crate) fn get(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Our own `PATH`; where we have none, that of this host.
pub(crate) fn path() -> OsString {
    get("PATH").unwrap_or_else(|| PATH.into())
}

/// Reads a variable that names one folder.
///
/// systemd separates several with colons (systemd.exec(5), `STATE_DIRECTORY`); the first counts.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let value = get(name)?.into_string().ok()?;
    value.split(':').next().map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Completes a path that was given relative to the working folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
