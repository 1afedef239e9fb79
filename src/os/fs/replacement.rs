//! Replacing files of users, several at once, or writing over those in place that cannot be replaced.
//!
//! All temp files are written, all are flushed, all are renamed, then the directories are flushed, so
//! that ten files cost little more than one.

use crate::os::error::Error;
use crate::os::fs::atomic_write::{NotRenamed, Replacement, Written, flush, rename, settle, write};
use crate::os::fs::dir::Folder;
use crate::os::fs::in_place::{self, Keep};

/// Replaces all of `parts`; calls `meanwhile` once, while the disk writes the new texts and every old one is
/// still in its place. One result for each part, in their order.
///
/// With `over`, what cannot be replaced by a file that is no more open is written over in place, and a mount point if
/// that is asked for.
pub(crate) fn replace_all<'a>(
    parts: impl IntoIterator<Item = Replacement<'a>>,
    over: Option<Keep<'_>>,
    meanwhile: impl FnOnce(),
) -> Vec<Result<(), Error>> {
    let written: Vec<_> = parts.into_iter().map(write).collect();
    meanwhile();
    let place = |part: Written<'a>| rename(&part).or_else(|why| write_in_place(&part, over, why));
    settle(flush(written).into_iter().map(|part| part.and_then(place)).collect())
}

/// Writes a file in place that cannot be replaced; one that is not there yet is made under its own name.
fn write_in_place<'a>(
    written: &Written<'a>,
    over: Option<Keep<'_>>,
    why: NotRenamed,
) -> Result<&'a Folder, Error> {
    let Replacement { folder, name, bytes, old } = written.part;
    let over = match why {
        NotRenamed::Failed(_) => None,
        NotRenamed::Refused(_) => over,
        NotRenamed::MountPoint => over.filter(|keep| keep.mounts_too && old.is_some()),
    };
    match (over, old) {
        (Some(keep), Some(old)) => keep.write(folder, name, old, bytes)?,
        (Some(_), None) => in_place::make(folder, name, bytes)?,
        (None, _) => return Err(why.error(written)),
    }
    Ok(folder)
}
