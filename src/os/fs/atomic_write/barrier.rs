//! What an administrator has set on a file or its directory so that nobody, root included, can replace it.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::IFlags;

use crate::domain::hints::files;
use crate::os::error::Error;
use crate::os::fs::dir::{Folder, Seen};

/// Names the attribute of chattr(1) that keeps a file from being replaced, and the command that takes it off.
pub(crate) fn barrier(folder: &Folder, name: &str, old: Option<&Seen>) -> Option<Error> {
    let path = folder.path.join(name);
    let of_file = old.and_then(|old| attribute(&old.fd)).map(|found| (found, Some(name)));
    let directory = || {
        let _acting = folder.acting().ok()?;
        folder.readable().ok()
    };
    let of_directory = || Some((attribute(&directory()?)?, None));
    let ((what, letter), name) = of_file.or_else(of_directory)?;
    let whose = if name.is_some() { "it" } else { "its directory" };
    let what = format!("{whose} is {what} (chattr +{letter})");
    let object = name.map_or(PathBuf::from("."), |name| Path::new(".").join(name));
    let command = folder.only_here(files::take_attribute(letter, &object));
    Some(Error::odd("write", &path, what).hint(command))
}

fn attribute(fd: &impl AsFd) -> Option<(&'static str, char)> {
    // Where the file system has no such attributes, none is in the way.
    let flags = rustix::fs::ioctl_getflags(fd).ok()?;
    if flags.contains(IFlags::IMMUTABLE) {
        Some(("immutable", 'i'))
    } else {
        flags.contains(IFlags::APPEND).then_some(("append-only", 'a'))
    }
}
