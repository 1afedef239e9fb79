//! Commands of container engines and compose, run in a project's directory by [`run_in`].
//!
//! [`run_in`]: crate::domain::hints::files::run_in

use std::path::Path;

use crate::domain::hints::files;
use crate::domain::shell::Hint;

/// The override that is made where there is none.
const OVERRIDE: &str = "compose.override.yaml";

/// A call of compose on a project: its name and its files, as far as compose would take others by itself.
pub(crate) fn compose(
    program: &'static str,
    name: Option<&str>,
    files: &[String],
    env_files: &[String],
) -> Hint {
    let call = Hint::new(program);
    let call = name.into_iter().fold(call, |call, name| call.then("--project-name").arg(name));
    let call = files.iter().fold(call, |call, file| call.then("-f").path(file));
    env_files.iter().fold(call, |call, file| call.then("--env-file").path(file))
}

/// Starts a service; `compose` is how compose is called.
pub(crate) fn up(compose: impl Into<Hint>, service: &str) -> Hint {
    compose.into().then("up -d").arg(service)
}

/// Makes a service's container anew, and no other one.
pub(crate) fn recreate(compose: impl Into<Hint>, service: &str) -> Hint {
    compose.into().then("up -d --no-deps --force-recreate").arg(service)
}

/// Builds a service's image.
pub(crate) fn build(compose: impl Into<Hint>, service: &str) -> Hint {
    compose.into().then("build").arg(service)
}

/// Has a call made in a container.
pub(crate) fn inside(engine: &'static str, container: &str, call: Hint) -> Hint {
    on_container(engine, "exec -it", container).followed_by(call)
}

/// Makes an override that hands a variable to a service, and starts it.
pub(crate) fn hand_over(compose: impl Into<Hint>, service: &str, key: &str) -> Hint {
    let lines = [
        "services:".to_owned(),
        format!("  {service}:"),
        "    environment:".to_owned(),
        format!("      {key}: ${{{key}}}"),
    ];
    let write = Hint::new("printf '%s\\n'").args(lines).then(">").then(OVERRIDE);
    write.and(up(compose, service))
}

/// Opens a compose file, and starts a service after that.
pub(crate) fn edit_and_up(compose: impl Into<Hint>, file: &Path, service: &str) -> Hint {
    files::edit(file).and(up(compose, service))
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
