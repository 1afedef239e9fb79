//! Replaces a file that other programs read while it is written, as `node_exporter`'s textfile collector does.

use std::path::Path;

use crate::app::error::Error;
use crate::os;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// Replaces the file at `path` by one that everybody may read.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let path = os::environment::absolute(path);
    let (Some(folder), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(os::error::Error::odd("write", &path, "it names no file").into());
    };
    // Debian's: root's own folder in the home of the user that its programs run as.
    let folder = Folder::reach(folder)?.in_roots_own()?;
    atomic_write::replace(&folder, name, text.as_bytes(), Durability::Lazy)?;
    // A new file is private until here; its numbers are no secret, and the collector is another user.
    Ok(folder.set_mode(name, 0o644)?)
}
