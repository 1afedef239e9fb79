//! Whether a gateway may lose its conversations now, or somewhat later.

use std::time::Duration;

use crate::app::gateway::backend::command as configured;
use crate::app::gateway::exec_context::{Place, text};
use crate::app::gateway::job::Work;
use crate::domain::config::settings::QuietHours;
use crate::domain::gateway::{Ending, UNUSABLE_IDLE_COMMAND};
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::fs::dir::Folder;
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
        && let Some(end) = quiet_until(hours, now)
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

/// When the quiet hours end that last now.
fn quiet_until(hours: QuietHours, now: Timestamp) -> Option<Timestamp> {
    let minute = local_minute()?;
    if !hours.contains(minute) {
        return None;
    }
    let left = (u64::from(hours.to) + 1440 - u64::from(minute)) % 1440;
    let into_minute = u64::try_from(now.0.rem_euclid(60_000)).unwrap_or(0);
    Some(now.after(Duration::from_millis(left * 60_000 - into_minute)))
}

/// The minute of the local day; asked of date(1), which knows the time zone's rules.
fn local_minute() -> Option<u16> {
    let (root, own) = (Folder::reach(std::path::Path::new("/")).ok()?, Identity::own());
    let ended = Place::new(&root, &own).run(["date", "+%H %M"], Duration::from_secs(10)).ok()?;
    let said = text(&ended.stdout);
    let mut numbers = said.split_whitespace().map(|word| word.parse::<u16>().ok());
    Some(numbers.next()?? * 60 + numbers.next()??)
}
