//! Whether a gateway may lose its conversations now, or somewhat later.

use std::time::Duration;

use crate::app::gateway::backend::command as configured;
use crate::app::gateway::job::Work;
use crate::domain::gateway::{Ending, UNUSABLE_IDLE_COMMAND};
use crate::os::clock;
use crate::os::user::identity::Identity;

/// How often an OpenClaw that is busy is asked again.
const BUSY: Duration = Duration::from_secs(60);

/// How long the idle command may think.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// Refuses while quiet hours last or OpenClaw is busy, but never in the last 10 minutes of the old
/// token, nor where its end is not known.
pub(crate) fn ask(work: &Work<'_>, _identity: &Identity) -> Result<(), Ending> {
    let now = clock::now();
    let Some(bound) = work.pending().bound(now) else { return Ok(()) };
    if let Some(hours) = work.settings.recreate_quiet_hours
        && let Some(end) = hours.end(now, &clock::zone())
    {
        let until = end.min(bound);
        return Err(Ending::PutOff(format!("it is quiet hours until {until}"), until));
    }
    let Some(command) = &work.settings.recreate_idle_command else { return Ok(()) };
    match configured::run(work.settings, command, IDLE_LIMIT) {
        Ok(ended) if ended.is_success() => Ok(()),
        Ok(_) => {
            let until = now.after(BUSY).min(bound);
            let why = format!("the gateway is busy, which may put it off until {bound}");
            Err(Ending::PutOff(why, until))
        }
        // It may be busy all the same: nobody has said that it is idle.
        Err((why, hint)) => Err(Ending::Deferred(format!("{UNUSABLE_IDLE_COMMAND}: {why}"), hint)),
    }
}
