//! `refresh`: renews, then brings the sinks of what was renewed in step.

use crate::app::error::Error;
use crate::app::ground::Places;
use crate::app::refresh::{self, Conclusion, Options, Renewal};
use crate::app::{rounds, said, sync};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::os::journal;

/// Renews the sources of all links, or that of the one named.
pub(super) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: Options,
) -> Result<Exit, Error> {
    if options.dry_run {
        let renewals = refresh::all(places, only, options)?;
        render::renewals(&renewals);
        return Ok(Exit::of_renewals(&renewals));
    }
    if only.is_none() {
        // Before anything else: a request that comes from now on asks for the next run.
        rounds::begin(places)?;
    }
    let renewals = refresh::all(places, only, options)?;
    // A service that runs every half hour leaves it to the incidents to say so once and daily.
    let told = |renewal: &&Renewal| {
        journal::is_connected() && matches!(renewal.conclusion, Conclusion::NeedsPerson(_))
    };
    renewals.iter().filter(|renewal| !told(renewal)).for_each(Renewal::log);
    let renewed = renewals.iter().filter(|renewal| renewal.is_renewed());
    let mut exits = vec![Exit::of_renewals(&renewals)];
    for (renewal, link) in renewed.flat_map(|one| one.links.iter().map(move |link| (one, link))) {
        rounds::tell_of_renewal(places, renewal, link);
        let reports = sync::all(places, Some(link), sync::Options::default())?;
        reports.iter().for_each(said::all);
        exits.push(Exit::of_reports(&reports));
    }
    if only.is_none() {
        rounds::make(places)?;
    }
    Ok(Exit::gravest(exits))
}
