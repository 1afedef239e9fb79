//! What lies ahead of a link: when its login is to be renewed, and how the last tries went.

use crate::app::ground::Ground;
use crate::app::report::Report;
use crate::domain::config::settings::Settings;
use crate::domain::incident::Renewals;
use crate::domain::schedule::{self, Need, Terms};
use crate::domain::time::Timestamp;

/// The folder in the state folder that holds how the renewals of each source went.
pub(crate) const FOLDER: &str = "sources";

/// What lies ahead.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prospect {
    /// When `refresh` has something to do; in the past if it has now.
    pub(crate) due: Option<Timestamp>,
    /// How the renewals went.
    pub(crate) renewals: Renewals,
    /// How long before its end the access token is to be renewed.
    pub(crate) margin: std::time::Duration,
}

/// Looks ahead.
pub(crate) fn of(
    _ground: &Ground,
    settings: &Settings,
    report: &Report,
    now: Timestamp,
) -> Prospect {
    let terms = Terms { margin: settings.refresh_margin, lifetime: None, expiry: None };
    let margin = schedule::margin(terms.margin, terms.lifetime);
    let due = match schedule::decide(&report.source, terms, now) {
        _ if settings.refresh.is_empty() => None,
        Need::Fresh(due) => Some(due),
        Need::Due | Need::Expired => Some(now),
        Need::Blanked | Need::Static | Need::Absent | Need::Unusable => None,
    };
    Prospect { due, renewals: Renewals::default(), margin }
}
