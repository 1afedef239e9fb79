//! Hooks that are not run, since others could have written them.

use crate::app::doctor::{Finding, Patient};
use crate::app::status::admission;

/// Looks at the folder of the hooks, and at every program in it.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let refused = admission::hooks(&patient.places.config_dir).into_iter();
    let finding = |hook: admission::Refusal| {
        let meaning = format!("{} is not run: {}", hook.what, hook.why);
        Finding::error("hook-refused", meaning, hook.command)
    };
    refused.map(finding).collect()
}
