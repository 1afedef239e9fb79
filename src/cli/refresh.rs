//! `refresh`: renews, then brings the sinks of what was renewed in step.

use crate::app::error::Error;
use crate::app::ground::Places;
use crate::app::refresh::{self, Options, Renewal};
use crate::app::{said, sync};
use crate::cli::exit::Exit;
use crate::cli::render;

/// Renews the sources of all links, or that of the one named.
pub(super) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: Options,
) -> Result<Exit, Error> {
    let renewals = refresh::all(places, only, options)?;
    if options.dry_run {
        render::renewals(&renewals);
        return Ok(Exit::of_renewals(&renewals));
    }
    renewals.iter().for_each(Renewal::log);
    let renewed = renewals.iter().filter(|renewal| renewal.is_renewed());
    let mut exits = vec![Exit::of_renewals(&renewals)];
    for link in renewed.flat_map(|renewal| &renewal.links) {
        let reports = sync::all(places, Some(link), sync::Options::default())?;
        reports.iter().for_each(said::all);
        exits.push(Exit::of_reports(&reports));
    }
    Ok(Exit::gravest(exits))
}
