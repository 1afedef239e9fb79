//! Commands of container engines and compose, run in a project's directory by [`run_in`].
//!
//! [`run_in`]: crate::domain::hints::files::run_in

use std::path::Path;

use crate::domain::hints::files;
use crate::domain::shell::Hint;

/// The override that is made where there is none.
const OVERRIDE: &str = "compose.override.yaml";

/// Starts a service; `compose` is how compose is called.
pub(crate) fn up(compose: &'static str, service: &str) -> Hint {
    Hint::new(compose).then("up -d").arg(service)
}

/// Builds a service's image.
pub(crate) fn build(compose: &'static str, service: &str) -> Hint {
    Hint::new(compose).then("build").arg(service)
}

/// Makes an override that hands a variable to a service, and starts it.
pub(crate) fn hand_over(service: &str, key: &str) -> Hint {
    let lines = [
        "services:".to_owned(),
        format!("  {service}:"),
        "    environment:".to_owned(),
        format!("      {key}: ${{{key}}}"),
    ];
    let write = Hint::new("printf '%s\\n'").args(lines).then(">").then(OVERRIDE);
    write.and(up("docker compose", service))
}

/// Opens a compose file, and starts a service after that.
pub(crate) fn edit_and_up(file: &Path, service: &str) -> Hint {
    files::edit(file).and(up("docker compose", service))
}

/// Mounts the login's directory instead of the file, and starts the project.
pub(crate) fn mount_directory() -> Hint {
    Hint::new(
        "sed -i 's|/\\.credentials\\.json\\([:\"]\\)|\\1|g; s|/\\.credentials\\.json$||' ./*compose*.y*ml && docker compose up -d",
    )
}

/// Shows what a container wrote.
pub(crate) fn logs(engine: &'static str, container: &str) -> Hint {
    Hint::new(engine).then("logs").arg(container)
}

/// A call of an engine about one container: `start`, `unpause`.
pub(crate) fn on_container(engine: &'static str, verb: &'static str, container: &str) -> Hint {
    Hint::new(engine).then(verb).arg(container)
}

/// Lists all containers.
pub(crate) fn list(engine: &'static str) -> Hint {
    Hint::new(engine).then("ps --all")
}

/// Installs the Claude CLI in a container.
pub(crate) fn install_claude(engine: &'static str, container: &str) -> Hint {
    on_container(engine, "exec", container).then("npm install -g @anthropic-ai/claude-code")
}

/// Says that the engine is missing.
pub(crate) fn install(engine: &'static str) -> Hint {
    Hint::new("put").then(engine).then("onto this host, or set CLAUDE_CLI=\"host\"")
}
