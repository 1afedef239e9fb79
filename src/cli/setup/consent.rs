//! The one consent: OpenClaw's own command loses the comments in openclaw.json.

use crate::app::context::Ground;
use crate::app::error::Error;
use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::paste_consent;
use crate::cli::setup::ask::Said;
use crate::cli::setup::{Guide, Turn};
use crate::os::clock;

/// Asks for it where the token is carried by `paste-token` and nobody has agreed yet.
pub(super) fn comments(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(settings) = guide.settings() else { return Ok(Guide::without_link()) };
    let ground = Ground::look(guide.places)?;
    let memory = ground.remember(&settings)?;
    let claw = OpenClaw::look(&settings, &ground, &memory, clock::now());
    if !claw.is_pasted(&settings) {
        Guide::found("the token is carried by files alone");
        return Ok(Turn::Pass);
    }
    let waits = paste_consent::missing(&claw, &ground, &guide.name);
    let Some(why) = waits.as_ref().and_then(|ending| ending.why()) else {
        Guide::found("the token is carried by OpenClaw's own command");
        return Ok(Turn::Pass);
    };
    Guide::found(why);
    Guide::found(
        "without your consent the token goes into .env, and the gateway is restarted for it",
    );
    match guide.ask.may_costly("Agree, with a copy kept beside it?") {
        Said::Yes => {
            paste_consent::give(guide.places, &guide.name, why)?;
            Guide::found("agreed");
            Ok(Turn::Next)
        }
        other => Ok(other.into()),
    }
}
