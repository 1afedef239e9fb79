//! The CLI's own locks, left behind or dated wrongly: each keeps every refresh away.

use std::path::Path;
use std::time::Duration;

use crate::app::doctor::{Case, Finding, Patient};
use crate::domain::hints::files;
use crate::domain::time::{Timestamp, in_words};
use crate::os::fs::dir::Folder;

/// A holder touches its lock every 5 seconds, and 60 seconds are the longest that any CLI waits
/// (2.1.330); twice that is nobody's.
const ABANDONED: Duration = Duration::from_secs(2 * 60);

/// Clocks of containers and file servers differ by less.
const FUTURE: Duration = Duration::from_secs(30);

/// Looks at the three locks of the source's folder.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>) -> Vec<Finding> {
    let Some(folder) = case.settings.claude_credentials.parent() else { return Vec::new() };
    let legacy = folder.file_name().zip(folder.parent());
    let legacy = legacy.map(|(name, above)| above.join(format!("{}.lock", name.to_string_lossy())));
    let inside = [".oauth_refresh.lock", ".storage-write.lock"].map(|name| folder.join(name));
    inside.into_iter().chain(legacy).filter_map(|lock| one(patient, &lock)).collect()
}

fn one(patient: &Patient<'_>, lock: &Path) -> Option<Finding> {
    let folder = Folder::reach(lock.parent()?).ok()?;
    let stat = folder.stat(lock.file_name()?.to_str()?).ok()??;
    let touched = Timestamp::of_seconds(stat.st_mtime);
    let command = files::remove_lock(lock).run_by(&patient.owner(&folder));
    let shown = lock.display();
    if touched > patient.now.after(FUTURE) {
        let meaning = format!(
            "the Claude CLI's lock '{shown}' is dated {touched}, in the future: it never counts as abandoned, and nothing is renewed"
        );
        return Some(Finding::error("cli-lock-future", meaning, command));
    }
    if touched.after(ABANDONED) < patient.now {
        let age = in_words(patient.now.left(touched));
        let meaning = format!(
            "the Claude CLI's lock '{shown}' was left behind {age} ago by a process that died: renewals wait for it"
        );
        return Some(Finding::warning("cli-lock-orphaned", meaning, command));
    }
    let (owner, wanted) = (stat.st_uid, folder.identity.uid);
    (owner != wanted).then(|| {
        let (owner, wanted) = (patient.name(owner), patient.name(wanted));
        let meaning = format!(
            "the Claude CLI's lock '{shown}' belongs to {owner}: {wanted}'s CLI cannot take it away, and nothing is renewed"
        );
        Finding::error("cli-lock-owner", meaning, command)
    })
}
