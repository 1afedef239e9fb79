//! `openclaw secrets reload`: makes a running gateway read its stores and secret files again.

use crate::app::gateway::exec_context::text;
use crate::app::gateway::job::Work;
use crate::app::gateway::openclaw_cli::Program;
use crate::domain::gateway::{Deed, Ending, masking, paste};
use crate::os::net::probe;

/// Shows what OpenClaw's command line asks to be allowed, and how to allow it.
pub(crate) const APPROVE: &str = "openclaw devices approve --latest";

/// Says whether the gateway did not let the command line reload.
pub(crate) fn is_refused(ending: &Ending) -> bool {
    ending.why().is_some_and(paste::lacks_scope)
}

/// Reloads, and takes nothing for success but an answer without warnings.
pub(crate) fn reload(work: &mut Work<'_>) -> Result<Ending, Ending> {
    let program = work.program()?;
    let ended = program.run(work, &["secrets", "reload", "--json"], Vec::new())?;
    let said = text(&ended.stdout);
    match paste::reloaded(&said) {
        Ok(()) => Ok(Ending::Done(Deed::Reloaded, None)),
        // A process that starts reads everything anew.
        Err(_) if matches!(program, Program::Host(..)) && is_down(work) => {
            log::info!(
                "{}: the gateway does not run: it takes the token when it starts",
                work.settings.name
            );
            Ok(Ending::Done(Deed::Nothing, None))
        }
        Err(why) => {
            let talk = masking::tail(&text(&ended.stderr), 1);
            let why = if ended.overdue { "it took too long".to_owned() } else { why };
            let why = masking::mask(&format!("secrets reload: {why} {talk}"), &[]);
            let hint = paste::lacks_scope(&why).then(|| APPROVE.into());
            Err(Ending::Failed(why.trim().to_owned(), hint))
        }
    }
}

/// Says whether nobody listens where the gateway of this host would.
fn is_down(work: &Work<'_>) -> bool {
    work.openclaw.config.gateway_port.is_some_and(|port| probe::refuses("127.0.0.1", port))
}
