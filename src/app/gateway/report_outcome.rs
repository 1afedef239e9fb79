//! Says how it ended, and leaves it for the hooks.

use crate::app::context::Ground;
use crate::app::notify::event::Event;
use crate::domain::gateway::{Deed, Ending, Missing, UNPROVEN};
use crate::domain::messages;
use crate::os::journal::{below, detail};

/// Leaves what was done, or could not be done, for the hooks.
pub(super) fn tell_hooks(ground: &Ground, link: &str, ending: &Ending, before: Option<&str>) {
    let (event, text) = match ending {
        Ending::Done(Deed::Nothing | Deed::NothingUnproven, _) => return,
        Ending::Done(deed, _) => (deed.name(), format!("the gateway was {}", deed.name())),
        Ending::Failed(why, _) if Some(why.as_str()) != before => ("gateway-failed", why.clone()),
        _ => return,
    };
    if let Err(error) = Event::deed(event, link, text, None).leave(&ground.places.run_dir) {
        log::warn!("{link}: {error}: hooks were not notified");
    }
}

/// Says how it ended; a wait that goes on is no news.
pub(super) fn say(link: &str, ending: &Ending, before: Option<&str>, hidden: bool) {
    let hint = below(ending.hint());
    match ending {
        Ending::Done(Deed::Nothing, _) => detail!("{link}: the gateway needs nothing"),
        Ending::Done(Deed::NothingUnproven, _) => {
            log::info!("{link}: the gateway was started with the new token; {UNPROVEN}");
        }
        Ending::Done(deed, _) if deed.is_unproven() => {
            log::info!("{link}: the gateway was {}; {UNPROVEN}", deed.name());
        }
        Ending::Done(deed, Some(gap)) => {
            log::info!(
                "{link}: the gateway was {} and uses the new token; it was gone for {gap} ms",
                deed.name()
            );
        }
        // That it is hidden was said, with the command that helps.
        Ending::Done(Deed::Pasted, None) if hidden => detail!("{link}: the token was pasted"),
        Ending::Done(Deed::Pasted, None) => {
            log::info!("{link}: the token was handed to OpenClaw, which uses it on its next turn");
        }
        Ending::Done(deed, None) => log::info!("{link}: the gateway was {}", deed.name()),
        _ if ending.why() == before => {
            detail!("{link}: the gateway still waits: {}", ending.why().unwrap_or_default());
        }
        Ending::PutOff(why, _) => log::info!("{link}: the gateway is recreated later: {why}"),
        // That was said with what follows from it.
        Ending::NotFound(Missing::Gateway(_), why, _) => detail!("{link}: {why}"),
        Ending::Deferred(why, _) | Ending::NotFound(_, why, _) => {
            let id = messages::id("gateway-deferred");
            log::warn!(MESSAGE_ID = id, link, hint; "{link}: the gateway keeps its old token: {why}");
        }
        Ending::Failed(why, _) => {
            let id = messages::id("gateway-failed");
            log::error!(MESSAGE_ID = id, link, hint; "{link}: the gateway is not as it should be: {why}");
        }
    }
}
