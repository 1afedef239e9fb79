//! Commands that a configuration names: split into words, no shell, as the owner of what they run.

use std::path::Path;
use std::time::Duration;

use crate::app::gateway::child::{Place, text};
use crate::app::gateway::work::Work;
use crate::domain::gateway::{Deed, Ending, masking};
use crate::os::calm;
use crate::os::command::Ended;
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::identity::Identity;

/// How long `GATEWAY_COMMAND` may take.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Restarts the gateway by its command; that it exits with 0 proves nothing.
pub(crate) fn restart(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let words = work.settings.gateway_command.clone();
    let words = words.ok_or_else(|| Ending::deferred("GATEWAY_COMMAND is not set"))?;
    work.courtesy(&Identity::own())?;
    let watch = calm::stopwatch();
    let ended = run(&words, LIMIT)
        .map_err(|error| Ending::Deferred(error.to_string(), error.command().cloned()))?;
    if ended.is_success() {
        let took = u64::try_from(watch().as_millis()).unwrap_or(u64::MAX);
        return Ok(Ending::Done(Deed::RestartedUnproven, Some(took)));
    }
    let said = masking::tail(&masking::mask(&text(&ended.stderr), &[]), 3);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Err(Ending::Failed(format!("GATEWAY_COMMAND failed: {}{said}", ended.how()), None))
}

/// Runs a command that root's configuration names. Where a word of it leads into a user's folder it
/// runs as that user: root must run nothing that somebody else can change.
pub(crate) fn run(words: &[String], limit: Duration) -> Result<Ended, Error> {
    let mut identity = Identity::own();
    for word in words.iter().map(Path::new).filter(|word| word.is_absolute()) {
        let Some(owner) = owner(word) else { continue };
        if owner.uid == 0 || owner.uid == identity.uid {
            continue;
        }
        if identity.uid != 0 {
            let what = "its words belong to different users, so it is not clear as whom it may run";
            return Err(Error::odd("run", Path::new(&words[0]), what));
        }
        identity = owner;
    }
    let root = Folder::reach(Path::new("/"))?;
    Place::new(&root, &identity).run(words, limit)
}

/// Who can change what a path leads to.
fn owner(path: &Path) -> Option<Identity> {
    let folder = Folder::reach(path.parent()?).ok()?;
    let stat = folder.stat(path.file_name()?.to_str()?).ok()??;
    match (folder.identity.uid, stat.st_uid) {
        (0, 0) => Some(folder.identity),
        (0, other) => Some(Identity::of(other, stat.st_gid)),
        _ => Some(folder.identity),
    }
}
