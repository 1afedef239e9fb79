//! Where the scratch directories of the tests lie.

use std::path::PathBuf;

/// For root below directories that root alone can write: root runs no program that lies elsewhere.
pub(crate) fn parent() -> PathBuf {
    let is_root = rustix::process::geteuid().is_root();
    if is_root { PathBuf::from("/var/cache") } else { std::env::temp_dir() }
}
