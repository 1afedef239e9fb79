//! Mounts in the way: a single file that is mounted by itself, and what cannot be written.

use std::path::{Path, PathBuf};

use crate::app::doctor::{Case, Finding};
use crate::domain::shell;
use crate::os::mounts::{self, Mount};

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
    Some(Finding::error("single-file-mount", meaning, format!("umount {}", shell::path(path))))
}

fn read_only(table: &[Mount], path: &Path) -> Option<Finding> {
    let mount = mounts::of(table, path).filter(|mount| mount.read_only)?;
    let meaning = format!(
        "'{}' lies on '{}', which is mounted read-only: nothing new can be saved there, and a renewal that cannot be saved loses the login",
        path.display(),
        mount.point.display()
    );
    let command = format!("mount -o remount,rw {}", shell::path(&mount.point));
    Some(Finding::error("read-only-mount", meaning, command))
}

/// A container that has the file, and not its folder, keeps the one that was there at its start.
fn elsewhere(case: &Case<'_>, source: &Path) -> Option<Finding> {
    let (id, place) = mounts::single_file_mounts(source).into_iter().next()?;
    let shown = place.display();
    let meaning = format!(
        "a container has '{}' mounted as the single file '{shown}' (process {id}): it keeps the old login when the file is replaced; mount the folder",
        source.display()
    );
    let command = match &case.settings.compose_dir {
        Some(folder) => format!(
            "cd {} && sed -i 's|/\\.credentials\\.json\\([:\"]\\)|\\1|g; s|/\\.credentials\\.json$||' *compose*.y*ml && docker compose up -d",
            shell::path(folder)
        ),
        None => format!("nsenter -t {id} -m umount {}", shell::path(&place)),
    };
    Some(Finding::warning("single-file-mount-in-container", meaning, command))
}
