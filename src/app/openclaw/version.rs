//! What names the version of an OpenClaw: files that it, or npm, leaves, and what it said itself.
//!
//! Nothing is run here; which of the witnesses is believed is decided in `domain::era`.

use std::path::{Path, PathBuf};

use crate::app::openclaw::{Agent, SIZE_LIMIT, stands};
use crate::domain::config::settings::Settings;
use crate::domain::era::{Evidence, Version, Witness};
use crate::domain::gateway::Ledger;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::os::fs::dir::Folder;
use crate::os::process::executables;
use crate::os::user::account;

/// Collects whatever names a version without running anything.
pub(super) fn found(
    settings: &Settings,
    state: Option<&Folder>,
    config: &OpenclawConfig,
    agent_has_sqlite: bool,
) -> Vec<Evidence> {
    let exact = |version, by| Evidence { version, at_least: false, by };
    let configured = settings.openclaw_version.as_deref().and_then(Version::parse);
    let shared = state.is_some_and(|state| stands(state, "state", "openclaw.sqlite"));
    let sqlite = shared || agent_has_sqlite;
    let mut evidence = Vec::new();
    evidence.extend(configured.map(|version| exact(version, Witness::Configured)));
    evidence.extend(config.last_touched.map(|version| exact(version, Witness::LastTouched)));
    evidence.extend(package(settings, state).map(|version| exact(version, Witness::Package)));
    if sqlite {
        evidence.push(Evidence {
            version: Version::SQLITE,
            at_least: true,
            by: Witness::SqliteStore,
        });
    }
    evidence
}

/// Says whether an agent has a store of its own that only newer versions make.
pub(super) fn has_sqlite(agent: &Agent) -> bool {
    agent.folder.stat("openclaw-agent.sqlite").is_ok_and(|stat| stat.is_some())
}

/// What the program, or the image, said when it was asked; a program that was replaced since then
/// says nothing.
pub(super) fn told(ledger: &Ledger) -> Option<Evidence> {
    let seen = ledger.version.as_ref()?;
    let by = match &seen.program {
        Some(path) if executables::key(Path::new(path)).as_ref() == Some(&seen.key) => {
            Witness::Program
        }
        Some(_) => return None,
        None if seen.key.is_empty() => Witness::Program,
        None => Witness::Image,
    };
    Some(Evidence { version: Version::parse(&seen.text)?, at_least: false, by })
}

/// Reads the version out of the program's own package.json: the compose folder's if there is one,
/// else wherever npm puts a global package on this host.
fn package(settings: &Settings, state: Option<&Folder>) -> Option<Version> {
    if settings.is_container() {
        return None;
    }
    if let Some(folder) = &settings.compose_dir {
        return package_version(folder);
    }
    let owner = state.and_then(|state| account::of(state.identity.uid));
    let home = owner.map(|owner| owner.home).into_iter();
    let of_user = home.flat_map(|home| executables::below_home(&home));
    let of_user = of_user.filter_map(|bin| {
        let is_in_modules = bin.ends_with("node_modules/.bin");
        Some(bin.ancestors().nth(if is_in_modules { 2 } else { 1 })?.to_owned())
    });
    let of_user = of_user.flat_map(|above| [above.join("lib"), above]);
    let of_host =
        ["/usr/lib", "/usr/local/lib", "/home/linuxbrew/.linuxbrew/lib"].map(PathBuf::from);
    let folders = of_user.chain(of_host).map(|lib| lib.join("node_modules/openclaw"));
    folders.filter_map(|folder| package_version(&folder)).max()
}

fn package_version(folder: &Path) -> Option<Version> {
    let seen = Folder::reach(folder).ok()?.read("package.json", SIZE_LIMIT).ok()??;
    let package: serde_json::Value = serde_json::from_slice(&seen.bytes).ok()?;
    let is_openclaw = package.get("name").is_some_and(|name| name == "openclaw");
    Version::parse(package.get("version").filter(|_| is_openclaw)?.as_str()?)
}
