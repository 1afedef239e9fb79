//! How the renewals went: one that could not be saved, and those that keep failing.

use crate::app::doctor::{Case, Finding};
use crate::domain::hints::ours;

/// Looks at the renewals since the last one that was proved.
pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let path = case.report.source_path.display();
    let command = ours::refresh_forced(&case.report.link);
    if let Some(why) = &case.renewals.cannot_save {
        let meaning = format!(
            "a renewed login for '{path}' cannot be saved and waits in the state directory: {why}"
        );
        let command = case.renewals.helps.clone().unwrap_or(command);
        return Some(Finding::error("renewal-unsaved", meaning, command));
    }
    // A rejection is no failure that another try could end.
    let (since, _) = case.renewals.failing.filter(|_| !case.renewals.rejected)?;
    let why = case.renewals.why.as_deref().unwrap_or("it is not known why");
    let meaning = format!("renewing the login in '{path}' has failed since {since}: {why}");
    Some(Finding::warning("renewal-failing", meaning, command))
}
