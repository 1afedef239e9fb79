//! A compose project that does not hand the variable to the gateway's container.

use crate::app::doctor::{Case, Finding, Patient};
use crate::app::report::SinkState;
use crate::domain::shell;
use crate::domain::sink::SinkKind;
use crate::os::folder::Folder;

/// The names of compose files and of those laid over them, in compose's own order.
const FILES: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// The most that is read of a compose file, in bytes.
const LIMIT: u64 = 1 << 20;

/// Looks for the variable in the project's files: a `.env` there is for the files, not for containers.
pub(super) fn look(_patient: &Patient<'_>, case: &Case<'_>) -> Option<Finding> {
    let folder = case.settings.compose_dir.as_deref()?;
    let of_project = case.report.sinks.iter().any(|sink| {
        let there = sink.path.as_deref().and_then(std::path::Path::parent) == Some(folder);
        sink.kind == SinkKind::Env && there && !matches!(sink.state, SinkState::Absent(_))
    });
    if !of_project {
        return None;
    }
    let open = Folder::reach(folder).ok()?;
    let texts = FILES.iter().filter_map(|name| open.read(name, LIMIT).ok().flatten());
    let texts: Vec<String> =
        texts.map(|seen| String::from_utf8_lossy(&seen.bytes).into_owned()).collect();
    let key = &case.settings.env_key;
    let handed = texts.iter().any(|text| text.contains(key.as_str()) || text.contains("env_file"));
    if texts.is_empty() || handed {
        return None;
    }
    let service = &case.settings.compose_service;
    let meaning = format!(
        "no compose file in '{}' hands {key} to {service}: the token is in the .env, but not in the container",
        folder.display()
    );
    let text = format!("services:\\n  {service}:\\n    environment:\\n      {key}: ${{{key}}}\\n");
    let command = format!(
        "cd {} && printf {} > compose.override.yaml && docker compose up -d {}",
        shell::path(folder),
        shell::quoted(&text),
        shell::quoted(service)
    );
    Some(Finding::error("variable-not-in-container", meaning, command))
}
