//! `gateway`: carries out what is queued, and takes the one consent that it may wait for.

use crate::app::consent;
use crate::app::error::Error;
use crate::app::gateway::{self, Haste};
use crate::app::ground::Places;
use crate::app::ledger;
use crate::app::sync::Options;
use crate::cli::exit::Exit;

/// Sees to the gateways; with `consent`, where the first paste waited for it, at once.
pub(crate) fn carry_out(places: &Places, only: Option<&str>, consent: bool) -> Result<Exit, Error> {
    if !consent {
        let closings = gateway::run(places, only, Haste::Joined)?;
        return Ok(Exit::gravest([Exit::of_closings(&closings), waiting(places, only)]));
    }
    let agreed = consent::give_where_missing(places, only)?;
    for link in &agreed {
        log::info!(
            "{link}: agreed: OpenClaw may rewrite openclaw.json, and a copy is kept beside it"
        );
    }
    if agreed.is_empty() {
        log::info!("nothing waits for a consent");
        return Ok(Exit::Done);
    }
    crate::cli::sync(places, only, Options::default(), false)
}

/// Deferred if a gateway still needs something, for which its moment has not come.
fn waiting(places: &Places, only: Option<&str>) -> Exit {
    let links = ledger::links(&places.state_dir);
    let waits = |link: &String| {
        let chosen = only.is_none_or(|only| only == link);
        chosen && ledger::load(&places.state_dir, link).pending.is_some()
    };
    if links.iter().any(waits) { Exit::Deferred } else { Exit::Done }
}
