//! Proves that a command has brought a gateway with the new token: by a process of the owner's that is
//! younger than the command, never by the exit status.

use std::path::Path;
use std::time::Duration;

use crate::app::gateway::job::Work;
use crate::app::gateway::verify::{self, Expected};
use crate::app::gateway::working_directory;
use crate::domain::gateway::Ending;
use crate::os::debounce;
use crate::os::process::proc_list::{Environment, Moment, Process};
use crate::os::user::identity::Identity;

/// How long a new process is waited for where there was one before: the command may not wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same where there was none: few commands start one then.
const GLANCE: Duration = Duration::from_secs(1);

/// How long it has to stay up before it counts as running.
const STEADY: Duration = Duration::from_secs(2);

/// What was known before a command.
pub(super) struct Before {
    moment: Moment,
    /// Whether a gateway of the link's was there to be restarted.
    is_there: bool,
}

/// Looks for the gateway before it is restarted.
pub(super) fn look(work: &Work<'_>) -> Before {
    let identity = work.openclaw.folder().map(|state| state.identity.clone());
    let is_gateway = |process: &Process| {
        is_gateway(process)
            && process.environment().is_some_and(|environment| {
                is_of(work, &environment) || environment.get(&work.settings.env_key).is_some()
            })
    };
    let is_there = identity.is_some_and(|own| Process::of_user(&own).any(|one| is_gateway(&one)));
    Before { moment: Moment::now(), is_there }
}

/// Says whether a gateway was shown that was started since then with what is expected, and stays up.
pub(super) fn proven(work: &mut Work<'_>, before: &Before) -> Result<bool, Ending> {
    let expected = Expected::of(work)?;
    if expected.is_later_than(before.moment.wall) {
        return Ok(false);
    }
    let Some(identity) = work.openclaw.folder().map(|state| state.identity.clone()) else {
        return Ok(false);
    };
    let (watch, mut pause) = (debounce::stopwatch(), debounce::pauses());
    let mut first: Option<(String, Duration)> = None;
    loop {
        let found = found(work, &identity, &expected, &before.moment);
        first = match (found, first) {
            (Some(pid), Some((known, since))) if pid == known => {
                if watch().saturating_sub(since) >= STEADY {
                    let process = Process::find(&known, &identity);
                    if matches!(expected, Expected::StateFile(_))
                        && !working_directory::leaves_it_to_ours(work, process.as_ref())?
                    {
                        return Ok(false);
                    }
                    return verify::environment_counts_for(work, &expected);
                }
                Some((known, since))
            }
            (Some(pid), _) => Some((pid, watch())),
            (None, _) => None,
        };
        let patience = if before.is_there { PATIENCE } else { GLANCE };
        // One that is started again and again is never steady.
        if watch() > patience && first.is_none() || watch() > patience + 2 * STEADY {
            return Ok(false);
        }
        pause();
    }
}

fn is_gateway(process: &Process) -> bool {
    process.words().join(" ").contains("gateway")
}

/// The oldest process that shows what is expected.
fn found(
    work: &Work<'_>,
    identity: &Identity,
    expected: &Expected,
    restart: &Moment,
) -> Option<String> {
    let shows = |process: &Process| {
        let Some(environment) = process.environment() else { return false };
        let own = environment.get(&work.settings.env_key);
        process.is_started_since(restart) == Some(true)
            && is_gateway(process)
            && match expected {
                Expected::Environment(token) => own.as_ref() == Some(token),
                Expected::StateFile(_) => own.is_none() && is_of(work, &environment),
                Expected::Start(_) => is_of(work, &environment),
            }
    };
    Process::of_user(identity).find(shows).map(|process| process.pid())
}

/// Says whether a process was started for the link's state directory.
fn is_of(work: &Work<'_>, environment: &Environment) -> bool {
    let Some(state) = work.openclaw.folder() else { return false };
    let path = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let named = path("OPENCLAW_STATE_DIR").map(|value| Path::new(value.expose()).to_owned());
    let home = path("OPENCLAW_HOME").or_else(|| path("HOME"));
    let usual = home.map(|value| Path::new(value.expose()).join(".openclaw"));
    named.or(usual) == Some(state.path.clone())
}
