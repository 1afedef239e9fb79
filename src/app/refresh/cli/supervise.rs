//! Stays with a running CLI: looks at the file all the time, and ends the program only when that can
//! cost nothing, or when there is nothing left to wait for.

use std::time::Duration;

use rustix::process::Signal;

use crate::app::refresh::credentials_file::{Place, Reading};
use crate::domain::credential::{Content, Credential};
use crate::os::event::dir_watch::Vigil;
use crate::os::event::signals::Waiting;
use crate::os::process::command::{Ended, Running, Step};

/// How long it may take until the file changes: the renewal alone may take 30 s, the waits for its
/// locks 10 s, the question for the account as long again. Killed before, it would lose the login.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// How long it may go on after the file changed: the answer of the model takes about 2 s, and where
/// the model cannot be reached it hangs for ever.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// How long it has from TERM to KILL. 2.1.330 saves after a TERM too, within the 30 s of its request.
const LAST_WAIT: Duration = Duration::from_secs(60);

/// How often the file is looked at without an event, for file systems that tell of none.
const COMPARE: Duration = Duration::from_secs(2);

/// What can be sent a signal on the CLI's behalf.
pub(crate) trait Reach {
    /// Sends it to the CLI and all that it started.
    fn signal(&self, running: &Running, signal: Signal);
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Attended {
    /// How it ended; `None` if it is still there after KILL.
    pub(crate) ended: Option<Ended>,
    /// Whether it was asked to end.
    pub(crate) asked: bool,
}

/// Waits until the CLI has ended, with or without our help.
pub(crate) fn attend(
    mut running: Running,
    reach: &dyn Reach,
    (file, before): (&Place, &Credential),
    waiting: &Waiting<'_>,
) -> std::io::Result<Attended> {
    // Without it the file is compared every 2 s, which is enough.
    let mut vigil = Vigil::over(&file.folder).ok();
    let (mut limit, mut asked) = (PATIENCE, None);
    let (mut changed, mut told) = (false, false);
    loop {
        if !changed && has_changed(file, before) {
            changed = true;
            limit = running.age() + AFTERWARDS;
        }
        if waiting.asked() && !told {
            told = true;
            log::info!("ends once Claude CLI has: killed in a renewal it would lose the login");
        }
        if running.age() >= limit {
            let Some((signal, wait)) = next(asked) else {
                return Ok(Attended { ended: None, asked: true });
            };
            reach.signal(&running, signal);
            (asked, limit) = (Some(signal), running.age() + wait);
        }
        let span = COMPARE.min(limit.saturating_sub(running.age()));
        match running.wait(vigil.as_ref().map(Vigil::fd), span)? {
            Step::Ended => break,
            Step::Woken => vigil.iter_mut().for_each(Vigil::forget),
            Step::Time => {}
        }
    }
    // What it started is of no use any more, and its id is still its own.
    running.signal(Signal::TERM);
    Ok(Attended { ended: Some(running.finish()?), asked: asked.is_some() })
}

/// What is sent after what was sent so far, and how long that may take to help.
fn next(sent: Option<Signal>) -> Option<(Signal, Duration)> {
    match sent {
        None => Some((Signal::TERM, LAST_WAIT)),
        Some(Signal::TERM) => Some((Signal::KILL, AFTERWARDS)),
        Some(_) => None,
    }
}

/// Says whether the file holds another access token, or none any more.
fn has_changed(file: &Place, before: &Credential) -> bool {
    match file.read() {
        Ok(Some(Reading { content: Content::Login(now) | Content::Static(now), .. })) => {
            now.access_token != before.access_token
        }
        Ok(Some(Reading { content: Content::Blanked, .. })) => true,
        _ => false,
    }
}
