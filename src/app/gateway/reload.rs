//! `openclaw secrets reload`: makes a running gateway read its stores and secret files again.

use crate::app::gateway::child::text;
use crate::app::gateway::work::Work;
use crate::domain::gateway::{Deed, Ending, masking, paste};

/// Reloads, and takes nothing for success but an answer without warnings.
pub(crate) fn reload(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let program = work.program()?;
    let ended = program.run(work, &["secrets", "reload", "--json"], Vec::new())?;
    let said = text(&ended.stdout);
    match paste::reloaded(&said) {
        Ok(()) => Ok(Ending::Done(Deed::Reloaded, None)),
        Err(why) => {
            let talk = masking::tail(&text(&ended.stderr), 1);
            let why = if ended.overdue { "it took too long".to_owned() } else { why };
            let why = masking::mask(&format!("secrets reload: {why} {talk}"), &[]);
            Err(Ending::Failed(why.trim().to_owned(), None))
        }
    }
}
