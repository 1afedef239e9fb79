//! What `check`, `metrics`, `status` and `doctor` have in common: every link as it stands, and judged.

use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::report::Report;
use crate::app::status::liveness;
use crate::app::status::{self, Ahead, LinkStatus};
use crate::domain::config::Problem;
use crate::domain::config::settings::Settings;
use crate::domain::health::Health;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;

/// All links at a moment.
pub(crate) struct Survey {
    /// The moment.
    pub(crate) now: Timestamp,
    /// The links that are sound, in the order of their files.
    pub(crate) links: Vec<Surveyed>,
    /// What is wrong with the configuration of others.
    pub(crate) faults: Vec<Problem>,
    /// What is wrong with the service itself, whatever its links are like.
    pub(crate) service: Vec<Trouble>,
}

/// A link at that moment.
pub(crate) struct Surveyed {
    /// What was configured.
    pub(crate) settings: Settings,
    /// What a sync would find.
    pub(crate) report: Report,
    /// What lies ahead of it, and how its renewals went.
    pub(crate) ahead: Ahead,
    /// How it fares.
    pub(crate) health: Health,
}

/// Looks at all links, or at the one named; changes nothing. Any fault of the configuration is an error.
pub(crate) fn look(places: &Places, only: Option<&str>) -> Result<Survey, Error> {
    context::links(&places.config_dir, only)?;
    sound(places, only)
}

/// Looks at the links that are sound, or at the one named; faults of others are told beside them.
pub(crate) fn sound(places: &Places, only: Option<&str>) -> Result<Survey, Error> {
    let (settings, mut faults) = context::sound_links(&places.config_dir, only)?;
    if only.is_some() {
        faults.clear();
    }
    let status = status::look(places, &settings)?;
    let (now, mut links) = (status.now, Vec::new());
    for LinkStatus { report, ahead, health } in status.links {
        // A configuration that changed in between is read anew by the next look.
        let Some(settings) = settings.iter().find(|settings| settings.name == report.link) else {
            continue;
        };
        links.push(Surveyed { settings: settings.clone(), report, ahead, health });
    }
    Ok(Survey { now, links, faults, service: liveness::troubles(places, only) })
}
