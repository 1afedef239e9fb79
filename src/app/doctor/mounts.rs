//! Mounts in the way: a single file that is mounted by itself, and what cannot be written.

use std::path::{Path, PathBuf};

use crate::app::doctor::{Case, Finding};
use crate::domain::hints::{engines, files};
use crate::os::fs::dir::Folder;
use crate::os::fs::mounts::{self, Mount};

/// Looks at what the link's files are mounted on.
pub(super) fn look(case: &Case<'_>) -> Vec<Finding> {
    let table = mounts::table();
    let source = &case.settings.claude_credentials;
    let sinks: Vec<PathBuf> =
        case.report.sinks.iter().filter_map(|sink| sink.path.clone()).collect();
    let mut findings: Vec<Finding> = std::iter::once(source)
        .chain(&sinks)
        .filter_map(|path| single(&table, path).or_else(|| read_only(&table, path)))
        .collect();
    findings.extend(elsewhere(case, source));
    findings.dedup();
    findings
}

fn single(table: &[Mount], path: &Path) -> Option<Finding> {
    table.iter().find(|mount| mount.point == path)?;
    let meaning = format!(
        "'{}' is mounted by itself: a new file cannot take its place, and what else has it mounted keeps the old one",
        path.display()
    );
    let folder = Folder::reach(path.parent()?).ok()?;
    let name = Path::new(".").join(path.file_name()?);
    let command = folder.only_here(files::unmount(&name));
    Some(Finding::error("single-file-mount", meaning, command))
}

fn read_only(table: &[Mount], path: &Path) -> Option<Finding> {
    let mount = mounts::of(table, path).filter(|mount| mount.read_only)?;
    let meaning = format!(
        "'{}' lies on '{}', which is mounted read-only: nothing new can be saved there, and a renewal that cannot be saved loses the login",
        path.display(),
        mount.point.display()
    );
    let here = Folder::reach(&mount.point).ok();
    let command = match here.filter(|folder| folder.identity.uid != 0) {
        Some(folder) => folder.only_here(files::make_writable_here()),
        None => files::make_writable(&mount.point),
    };
    Some(Finding::error("read-only-mount", meaning, command))
}

/// A container that has the file, and not its folder, keeps the one that was there at its start.
fn elsewhere(case: &Case<'_>, source: &Path) -> Option<Finding> {
    let (id, place) = mounts::single_file_mounts(source).into_iter().next()?;
    let shown = place.display();
    let meaning = format!(
        "a container has '{}' mounted as the single file '{shown}' (process {id}): it keeps the old login when the file is replaced; mount the directory",
        source.display()
    );
    let command = match &case.settings.compose_dir {
        Some(folder) => {
            let owner = Folder::reach(folder).ok()?.user();
            files::run_in(folder, engines::mount_directory()).run_by(&owner)
        }
        None => files::show_mount_of_process(id, &place),
    };
    Some(Finding::warning("single-file-mount-in-container", meaning, command))
}
