//! What an administrator has set on a file or its directory so that nobody, root included, can replace it.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::IFlags;

use crate::domain::shell::Hint;
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};

/// Names the attribute of chattr(1) that keeps a file from being replaced, and the command that takes it off.
pub(crate) fn barrier(folder: &Folder, name: &str, old: Option<&Seen>) -> Option<Error> {
    let path = folder.path.join(name);
    let of_file = old.and_then(|old| attribute(&old.fd)).map(|found| (found, path.clone()));
    let directory = || {
        let _acting = folder.acting().ok()?;
        folder.readable().ok()
    };
    let of_directory = || Some((attribute(&directory()?)?, folder.path.clone()));
    let ((what, letter), object) = of_file.or_else(of_directory)?;
    let is_file = object == path;
    let what = if is_file {
        format!("it is {what} (chattr +{letter})")
    } else {
        format!("its directory is {what} (chattr +{letter})")
    };
    Some(Error::odd("write", &path, what).hint(command(letter, &object)))
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

fn command(letter: char, object: &Path) -> Hint {
    Hint::new(if letter == 'i' { "chattr -i" } else { "chattr -a" }).path(object)
}
