//! `refresh`: renews, then brings the sinks of what was renewed up to date.

use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::refresh::{self, Conclusion, Options, Renewal};
use crate::app::report::log_dedup;
use crate::app::setup::detect::first;
use crate::app::status::health_file;
use crate::app::watch::maintenance;
use crate::app::{examination, sync};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::domain::config::Problem;
use crate::os::{clock, journal};

/// Renews the sources of all links, or that of the one named.
///
/// With `attend` the incidents of the one named go on too, as those of all do. With `unattended` nobody looks on: a host without a link is looked at for one, and none is no
/// fault.
pub(super) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: Options,
    (unattended, attend): (bool, bool),
) -> Result<Exit, Error> {
    separate::begin(places);
    let may_hang = |ground: &_, link: &_| examination::may_hang(ground, link).is_some();
    if options.dry_run {
        let (renewals, problems) = refresh::all(places, only, (options, &may_hang), &|_| ())?;
        let renewals: Vec<Renewal> = renewals.into_iter().map(|(renewal, ())| renewal).collect();
        output::renewals(&renewals);
        return Ok(Exit::gravest([Exit::of_renewals(&renewals), faults(problems)]));
    }
    if only.is_none() {
        maintenance::begin(places);
    }
    if unattended && !first::is_linked(places)? {
        return Ok(Exit::Done);
    }
    let (renewals, problems) =
        refresh::all(places, only, (options, &may_hang), &|one| follow(places, one, unattended))?;
    let (renewals, brought): (Vec<Renewal>, Vec<Vec<Exit>>) = renewals.into_iter().unzip();
    let mut exits = vec![Exit::of_renewals(&renewals), faults(problems)];
    exits.extend(brought.into_iter().flatten());
    if only.is_none() || attend {
        maintenance::make(places, only)?;
    }
    Ok(Exit::gravest(exits))
}

/// Says what became of a source, and brings the sinks of its links up to date where it was renewed.
fn follow(places: &Places, renewal: &Renewal, unattended: bool) -> Vec<Exit> {
    let is_service = unattended || journal::is_connected();
    // A service that runs every half hour leaves it to the incidents to say so once and daily.
    let told = journal::is_connected() && matches!(renewal.conclusion, Conclusion::NeedsPerson(_));
    let is_told = told || (is_service && renewal.is_idle());
    if !is_told {
        renewal.log();
    }
    if matches!(renewal.conclusion, Conclusion::Silent(_)) {
        renewal.links.iter().for_each(|link| health_file::failure(places, link, clock::now()));
    }
    if !renewal.is_renewed() {
        return Vec::new();
    }
    let bring = |link: &String| {
        maintenance::tell_of_renewal(places, renewal, link);
        bring(places, link)
    };
    renewal.links.iter().map(bring).collect()
}

/// Brings the sinks of one link up to date; what keeps it from that keeps it from no other.
pub(crate) fn bring(places: &Places, link: &str) -> Exit {
    match sync::named(places, link) {
        Ok(reports) => {
            reports.iter().for_each(log_dedup::all);
            Exit::of_reports(&reports)
        }
        Err(error) => {
            output::failure(&error);
            Exit::of_error(&error)
        }
    }
}

/// Says the faults of the configuration, for which no other link has to wait.
fn faults(problems: Vec<Problem>) -> Exit {
    if problems.is_empty() {
        return Exit::Done;
    }
    output::failure(&Error::Configuration(problems));
    Exit::Usage
}
