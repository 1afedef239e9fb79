//! The way to a file: where it leaves the folders of the user whose it is.

use std::path::Path;

use crate::domain::shell;
use crate::os::folder::Folder;

/// The command that gives the first thing on the way that is not its user's back to that user; the
/// one that shows the way where there is none.
pub(super) fn mend(path: &Path) -> String {
    let mut steps: Vec<&Path> = path.ancestors().collect();
    steps.reverse();
    steps
        .iter()
        .find_map(|step| taken(step))
        .unwrap_or_else(|| format!("namei -l {}", shell::path(path)))
}

/// The command for one step, if that is another's in a user's own folder.
fn taken(step: &Path) -> Option<String> {
    let above = Folder::reach(step.parent()?).ok()?;
    let stat = above.stat(step.file_name()?.to_str()?).ok()??;
    let owner = above.identity;
    let is_taken = owner.uid != 0 && stat.st_uid != owner.uid;
    is_taken.then(|| format!("chown -R {}:{} {}", owner.uid, owner.gid, shell::path(step)))
}
