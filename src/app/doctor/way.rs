//! The way to a file: where it leaves the folders of the user whose it is.

use std::path::Path;

use crate::domain::hints::files;
use crate::domain::shell::Hint;
use crate::os::fs::dir::Folder;

/// The command that gives the first thing on the way that is not its user's back to that user; the
/// one that shows the way where there is none.
pub(super) fn mend(path: &Path) -> Hint {
    let mut steps: Vec<&Path> = path.ancestors().collect();
    steps.reverse();
    steps.iter().find_map(|step| taken(step)).unwrap_or_else(|| files::show_way(path))
}

/// The command for one step, if that is another's in a user's own folder.
fn taken(step: &Path) -> Option<Hint> {
    let above = Folder::reach(step.parent()?).ok()?;
    let stat = above.stat(step.file_name()?.to_str()?).ok()??;
    let uid = above.identity.uid;
    let name = Path::new(".").join(step.file_name()?);
    let chown = || files::give_tree(&above.user(), &name);
    (uid != 0 && stat.st_uid != uid).then(|| above.only_here(chown()))
}
