//! Shows the state of every link and changes nothing.

use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::incident::{self, People};
use crate::app::prospect::{self, Prospect};
use crate::app::report::Report;
use crate::app::sync;
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::os::clock;

/// The state of the links at a moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// The moment.
    pub(crate) now: Timestamp,
    /// What a sync would find now.
    pub(crate) links: Vec<Report>,
    /// What lies ahead of each of them, in the same order.
    pub(crate) ahead: Vec<Ahead>,
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
    of(places, &ground::links(&places.config_dir, only)?)
}

/// Looks at these links.
pub(crate) fn of(places: &Places, settings: &[Settings]) -> Result<Status, Error> {
    let now = clock::now();
    let ground = Ground::look(places)?;
    let mut links = sync::dry(&ground, settings);
    for report in &mut links {
        report.as_it_stands();
    }
    let ahead = settings.iter().zip(&mut links).map(|(settings, report)| {
        let people = incident::look(&ground, settings, report, now);
        let people = people.unwrap_or_else(|error| {
            report.trouble(&error);
            People::default()
        });
        let prospect = prospect::of(&ground, settings, report, now);
        Ahead { people, prospect }
    });
    let ahead = ahead.collect();
    Ok(Status { now, links, ahead })
}
