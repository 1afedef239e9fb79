//! What `check`, `metrics`, `status` and `doctor` have in common: every link as it stands, and judged.

use crate::app::error::Error;
use crate::app::ground::{self, Places};
use crate::app::health;
use crate::app::report::Report;
use crate::app::status;
use crate::domain::config::settings::Settings;
use crate::domain::health::Health;
use crate::domain::time::Timestamp;

/// All links at a moment.
pub(crate) struct Survey {
    /// The moment.
    pub(crate) now: Timestamp,
    /// The links, in the order of their files.
    pub(crate) links: Vec<Surveyed>,
}

/// A link at that moment.
pub(crate) struct Surveyed {
    /// What was configured.
    pub(crate) settings: Settings,
    /// What a sync would find.
    pub(crate) report: Report,
    /// How it fares.
    pub(crate) health: Health,
}

/// Looks at all links, or at the one named; changes nothing.
pub(crate) fn look(places: &Places, only: Option<&str>) -> Result<Survey, Error> {
    let settings = ground::links(&places.config_dir, only)?;
    let status = status::all(places, only)?;
    let now = status.now;
    let pairs = status.links.into_iter().filter_map(|report| {
        let settings = settings.iter().find(|settings| settings.name == report.link)?.clone();
        let health = health::of(&settings, &report, now);
        Some(Surveyed { settings, report, health })
    });
    Ok(Survey { now, links: pairs.collect() })
}
