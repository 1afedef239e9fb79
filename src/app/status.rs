//! Shows the state of every link and changes nothing.

use crate::app::error::Error;
use crate::app::ground::Places;
use crate::app::report::Report;
use crate::app::sync::{self, Options};
use crate::domain::time::Timestamp;
use crate::os::clock;

/// The state of the links at a moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// The moment.
    pub(crate) now: Timestamp,
    /// What a sync would find now.
    pub(crate) links: Vec<Report>,
}

/// Looks at all links, or at the one named.
pub(crate) fn all(places: &Places, only: Option<&str>) -> Result<Status, Error> {
    let now = clock::now();
    let mut links = sync::all(places, only, Options { dry_run: true, force: false })?;
    for report in &mut links {
        report.as_it_stands();
    }
    Ok(Status { now, links })
}
