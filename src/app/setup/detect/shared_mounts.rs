//! What one container mounts together: a login and the state directory of an `OpenClaw`.

use std::path::PathBuf;

use crate::app::setup::detect::containers::Container;
use crate::app::setup::detect::{logins, openclaws};

/// The logins and the state folders that it has both as its own, by its mounts, each with each.
///
/// That is proof only where nobody but us, or root, answers for the engine.
pub(super) fn logins_with_openclaws(container: &Container) -> Vec<(PathBuf, PathBuf)> {
    if !container.is_ours() {
        return Vec::new();
    }
    let told = container.as_told_by_its_maker();
    let login_folders = told.variable("CLAUDE_CONFIG_DIR").map(PathBuf::from).into_iter();
    let login_folders =
        login_folders.chain(told.homes().into_iter().map(|home| home.join(".claude")));
    let logins = login_folders
        .filter_map(|folder| told.on_host(&folder.join(logins::FILE)).map(|(host, _)| host));
    let claws: Vec<PathBuf> = openclaws::of_container(&told).collect();
    logins.flat_map(|login| claws.iter().map(move |claw| (login.clone(), claw.clone()))).collect()
}
