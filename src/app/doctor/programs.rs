//! Programs that root would have to run for a link, and does not.

use crate::app::doctor::{Case, Finding};
use crate::app::status::admission::{self, Refusal};

/// Looks at every program that the link needs.
pub(super) fn look(case: &Case<'_>) -> Vec<Finding> {
    let finding = |refusal: Refusal| {
        let meaning = format!("{}: {}", refusal.what, refusal.why);
        Finding::error("program-refused", meaning, refusal.command)
    };
    admission::programs(case.settings).into_iter().map(finding).collect()
}
