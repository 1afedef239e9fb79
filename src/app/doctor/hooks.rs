//! Hooks that are not run, since others could have written them.

use std::path::Path;

use crate::app::doctor::{Finding, Patient};
use crate::domain::shell::Hint;
use crate::os::folder::Folder;
use crate::os::trust::{self, Trust};

/// Looks at the folder of the hooks, and at every program in it.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let Ok(above) = Folder::reach(&patient.places.config_dir) else { return Vec::new() };
    let path = above.path.join("hooks.d");
    if let Ok(Trust::Unsafe(why, command)) = trust::folder(&above, "hooks.d") {
        return vec![refused(&path, why, command)];
    }
    let Ok(folder) = above.enter(Path::new("hooks.d")) else { return Vec::new() };
    let names = folder.names().unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let judged = names.filter_map(|name| match trust::program(&folder, &name) {
        Ok(Trust::Unsafe(why, command)) => Some(refused(&path.join(name), why, command)),
        _ => None,
    });
    judged.collect()
}

fn refused(path: &Path, why: &str, command: &'static str) -> Finding {
    let meaning = format!("the hook '{}' is not run: {why}", path.display());
    Finding::warning("hook-refused", meaning, Hint::new(command).path(path))
}
