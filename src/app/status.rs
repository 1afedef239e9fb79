//! Shows the state of every link and changes nothing.

use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::incident::{self, People};
use crate::app::prospect::{self, Prospect};
use crate::app::report::Report;
use crate::app::sync::{self, Options};
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::os::clock;

/// The state of the links at a moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// The moment.
    pub(crate) now: Timestamp,
    /// The links.
    pub(crate) links: Vec<Link>,
}

/// The state of a link.
#[derive(Debug)]
pub(crate) struct Link {
    /// What a sync would find now.
    pub(crate) report: Report,
    /// The login's end and the incidents.
    pub(crate) people: People,
    /// The next renewal and the last ones.
    pub(crate) prospect: Prospect,
}

/// Looks at all links, or at the one named.
pub(crate) fn all(places: &Places, only: Option<&str>) -> Result<Status, Error> {
    let now = clock::now();
    let ground = Ground::look(places)?;
    let links = ground::links(&places.config_dir, only)?;
    let links = links.iter().map(|settings| link(&ground, settings, now));
    Ok(Status { now, links: links.collect::<Result<_, _>>()? })
}

fn link(ground: &Ground, settings: &Settings, now: Timestamp) -> Result<Link, Error> {
    let mut report = sync::link(ground, settings, Options { dry_run: true, force: false }, now)?;
    report.as_it_stands();
    let people = incident::look(ground, settings, &report, now)?;
    let prospect = prospect::of(ground, settings, &report, now);
    Ok(Link { report, people, prospect })
}
