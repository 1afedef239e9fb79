//! Shows the state of every link and changes nothing.

use crate::app::apart;
use crate::app::error::Error;
use crate::app::examination;
use crate::app::ground::{self, Ground, Places};
use crate::app::incident::{self, People};
use crate::app::liveness;
use crate::app::prospect::{self, Prospect};
use crate::app::report::{Files, Report};
use crate::app::sync;
use crate::app::unwritten;
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;
use crate::os::clock;
use crate::os::folder;

/// The state of the links at a moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// The moment.
    pub(crate) now: Timestamp,
    /// What a sync would find now.
    pub(crate) links: Vec<Report>,
    /// What lies ahead of each of them, in the same order.
    pub(crate) ahead: Vec<Ahead>,
    /// What is wrong with the service itself.
    pub(crate) service: Vec<Trouble>,
}

/// What lies ahead of a link.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// The login's end and the incidents.
    pub(crate) people: People,
    /// The next renewal and the last ones.
    pub(crate) prospect: Prospect,
}

/// Looks at all links, or at the one named; any fault of the configuration is an error.
pub(crate) fn all(places: &Places, only: Option<&str>) -> Result<Status, Error> {
    apart::begin(places, only);
    let links = look(places, &ground::links(&places.config_dir, only)?)?;
    Ok(Status { service: liveness::troubles(places, only), ..links })
}

/// Looks at these links, and not at the service.
pub(crate) fn look(places: &Places, settings: &[Settings]) -> Result<Status, Error> {
    let now = clock::now();
    let ground = Ground::look(places)?;
    let doubtful: Vec<_> = settings
        .iter()
        .filter_map(|link| Some((link.clone(), examination::may_hang(&ground, link)?)))
        .collect();
    let apart: Vec<Settings> = doubtful.iter().map(|(link, _)| link.clone()).collect();
    let silent = apart::silent(places, &apart)?;
    let (mut links, mut ahead) = (Vec::new(), Vec::new());
    for settings in settings {
        let place = doubtful.iter().find(|(link, _)| link.name == settings.name);
        let look = || one(&ground, settings, now);
        let (report, of_it) = match place {
            None => look(),
            Some((_, refused)) if silent.contains(&settings.name) => {
                let error = apart::failure(refused.clone()).into();
                let mut report = Report::failed(settings, &error, now);
                report.files = Files::Silent(refused.path.clone());
                let ahead = of(&ground, settings, &mut report, now);
                (report, ahead)
            }
            Some(_) => {
                let (mut report, ahead) = folder::waiting(look);
                report.files = Files::Answered;
                (report, ahead)
            }
        };
        links.push(report);
        ahead.push(of_it);
    }
    Ok(Status { now, links, ahead, service: Vec::new() })
}

/// Looks at a link whose files answer.
pub(crate) fn one(ground: &Ground, settings: &Settings, now: Timestamp) -> (Report, Ahead) {
    let mut report = sync::dry(ground, settings);
    report.as_it_stands();
    unwritten::recall(&ground.places, &mut report);
    let ahead = of(ground, settings, &mut report, now);
    (report, ahead)
}

/// What lies ahead of a link, as far as it is known.
fn of(ground: &Ground, settings: &Settings, report: &mut Report, now: Timestamp) -> Ahead {
    let people = incident::look(ground, settings, report, now);
    let people = people.unwrap_or_else(|error| {
        report.trouble(&error);
        People::default()
    });
    let prospect = prospect::of(ground, settings, report, now);
    Ahead { people, prospect }
}
