//! Paths that our own units may not write: what lies outside their `ReadWritePaths=`.

use std::path::{Path, PathBuf};

use crate::app::doctor::{Finding, Patient};
use crate::domain::hints::host;
use crate::domain::order;
use crate::domain::shell::Hint;
use crate::domain::unit_paths::OF_HOST;

/// A unit of ours, and where it may write.
struct Unit {
    name: String,
    writable: Vec<PathBuf>,
}

/// Looks at every unit of ours that writes, with its drop-ins.
pub(super) fn look(patient: &Patient<'_>) -> Option<Finding> {
    let wanted = wanted(patient);
    let mut units = units(patient);
    let mut missing: Vec<PathBuf> = Vec::new();
    units.retain(|unit| {
        let lacks =
            |path: &&PathBuf| !unit.writable.iter().any(|writable| path.starts_with(writable));
        let lacking: Vec<PathBuf> = wanted.iter().filter(lacks).cloned().collect();
        missing.extend(lacking.iter().cloned());
        !lacking.is_empty()
    });
    order::sort_and_dedup(&mut missing);
    let first = missing.first()?.display().to_string();
    let meaning = format!(
        "'{first}' lies outside what the units may write (ReadWritePaths=): started by systemd, nothing is saved there"
    );
    Some(Finding::error("outside-sandbox", meaning, command(patient, &units, &missing)))
}

/// Every folder that is written to.
fn wanted(patient: &Patient<'_>) -> Vec<PathBuf> {
    let of_case = |case: &crate::app::doctor::Case<'_>| {
        let settings = case.settings;
        let sinks = case.report.sinks.iter().filter_map(|sink| sink.path.clone());
        let files = sinks.chain([settings.claude_credentials.clone()]);
        let folders = files.filter_map(|path| path.parent().map(Path::to_owned));
        folders.chain(settings.openclaw_state_dir.clone()).collect::<Vec<_>>()
    };
    let mut folders: Vec<PathBuf> = patient.cases.iter().flat_map(of_case).collect();
    order::sort_and_dedup(&mut folders);
    // A folder below another one needs no word of its own.
    folders.dedup_by(|below, above| below.starts_with(above));
    folders
}

fn units(patient: &Patient<'_>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for folder in OF_HOST.map(Path::new) {
        for name in patient.tree.names(folder) {
            let ours = name.starts_with("oauth-sync") && name.ends_with(".service");
            let known = units.iter().any(|unit| unit.name == name);
            let text = patient.tree.text(&folder.join(&name)).unwrap_or_default();
            if ours && !known && text.lines().any(|line| line.starts_with("ReadWritePaths=")) {
                let writable = writable(&text).chain(drop_ins(patient, &name)).collect();
                units.push(Unit { name, writable });
            }
        }
    }
    // Units that write nothing of a user's name only our own folders.
    units.retain(|unit| unit.writable.iter().any(|path| path == Path::new("/home")));
    units
}

fn drop_ins(patient: &Patient<'_>, unit: &str) -> Vec<PathBuf> {
    let folders = OF_HOST.map(|folder| Path::new(folder).join(format!("{unit}.d")));
    let files = folders
        .iter()
        .flat_map(|folder| patient.tree.names(folder).into_iter().map(|name| folder.join(name)));
    let texts = files.filter_map(|file| patient.tree.text(&file));
    texts.flat_map(|text| writable(&text).collect::<Vec<_>>()).collect()
}

fn writable(text: &str) -> impl Iterator<Item = PathBuf> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("ReadWritePaths="));
    let words = lines.flat_map(str::split_whitespace);
    words.map(|word| PathBuf::from(word.trim_start_matches(['-', '+'])))
}

/// Adds the paths by drop-ins; what systemd would read as more than a path goes in by hand.
fn command(patient: &Patient<'_>, units: &[Unit], missing: &[PathBuf]) -> Hint {
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    if !missing.iter().all(|path| is_bare(path)) {
        return host::edit_units(&names);
    }
    let folder = patient.tree.place(Path::new("/etc/systemd/system"));
    let paths = missing.iter().map(|path| format!("-{}", path.display()));
    let paths = paths.collect::<Vec<_>>().join(" ");
    host::add_writable(&names, &folder, &paths, patient.tree.is_host())
}

/// Says whether a unit file takes a path as it is: no blank, quote, specifier or escape.
fn is_bare(path: &Path) -> bool {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    path.to_str().is_some_and(|path| path.chars().all(is_bare))
}
