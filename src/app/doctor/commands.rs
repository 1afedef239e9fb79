//! Commands that 1.0.0 ran as root and that run as the owner of the state directory by now.

use crate::app::doctor::{Case, Finding};
use crate::app::status::once_root::{self, Doubt};

/// Looks at the commands that the link uses.
pub(super) fn look(case: &Case<'_>) -> Vec<Finding> {
    once_root::doubts(case.settings, &case.report.gateway).into_iter().map(finding).collect()
}

fn finding(doubt: Doubt) -> Finding {
    let make = if doubt.is_pressing { Finding::error } else { Finding::note };
    make("command-not-as-root", doubt.meaning, doubt.command)
}
