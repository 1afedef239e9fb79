//! `gateway`: carries out what is queued, and takes the one consent that it may wait for.

use crate::app::child::separate;
use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::gateway::{self, Closing, Haste};
use crate::app::openclaw::paste_consent;
use crate::app::state::gateway_state;
use crate::app::status::health_file;
use crate::app::sync::Options;
use crate::cli::exit::Exit;
use crate::os::clock;

/// Sees to the gateways.
pub(crate) fn carry_out(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    separate::begin(places);
    let closings = gateway::run(places, only, Haste::Joined)?;
    publish_silent(places, &closings);
    let waits = waiting(places, only);
    if closings.is_empty() && waits == Exit::Done {
        return context::absent_link(&places.config_dir, only).map_or(Ok(Exit::Done), Err);
    }
    Ok(Exit::gravest([Exit::of_closings(&closings), waits]))
}

/// Publishes which gateways' links did not answer; nobody else looks at those.
pub(crate) fn publish_silent(places: &Places, closings: &[Closing]) {
    let silent = closings.iter().filter(|closing| closing.is_silent);
    silent.for_each(|closing| health_file::failure(places, &closing.link, clock::now()));
}

/// Takes the consent where the first paste waits for it, and pastes at once.
pub(crate) fn agree(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    let agreed = paste_consent::give_where_missing(places, only)?;
    for (link, loss) in &agreed {
        log::info!("{link}: agreed: {loss}; a copy is kept beside it");
    }
    if agreed.is_empty() {
        log::info!("nothing waits for a consent");
        return Ok(Exit::Done);
    }
    crate::cli::sync(places, only, Options::default(), false)
}

/// Notes the consent, and leaves everything else to the services.
pub(crate) fn agree_ahead(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    for link in paste_consent::give_ahead(places, only)? {
        log::info!(
            "{link}: agreed: OpenClaw may rewrite openclaw.json, and a copy is kept beside it"
        );
    }
    Ok(Exit::Done)
}

/// Deferred if a gateway still needs something, for which its moment has not come.
fn waiting(places: &Places, only: Option<&str>) -> Exit {
    let links = gateway_state::links(&places.state_dir);
    let waits = |link: &String| {
        let chosen = only.is_none_or(|only| only == link);
        chosen && gateway_state::load(&places.state_dir, link).pending.is_some()
    };
    if links.iter().any(waits) { Exit::Deferred } else { Exit::Done }
}
