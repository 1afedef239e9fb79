//! Calls of OpenClaw's own command.

use crate::domain::shell::Hint;

/// Imports and renames files that OpenClaw has retired.
pub(crate) fn doctor() -> Hint {
    Hint::new("openclaw doctor --fix")
}

/// Judges openclaw.json.
pub(crate) fn validate() -> Hint {
    Hint::new("openclaw config validate")
}

/// Shows the profiles.
pub(crate) fn status() -> Hint {
    Hint::new("openclaw models status")
}

/// Lists the profiles.
pub(crate) fn list_profiles() -> Hint {
    Hint::new("openclaw models auth list")
}

/// Puts a profile first.
pub(crate) fn put_first(profile: &str) -> Hint {
    Hint::new("openclaw models auth order set --provider anthropic").arg(profile)
}

/// Has a call made in a container of the project in whose directory it is run.
pub(crate) fn in_service(compose: impl Into<Hint>, service: &str, call: Hint) -> Hint {
    compose.into().then("exec").arg(service).followed_by(call)
}

/// Has a call made by the command that the configuration names.
pub(crate) fn by_command(words: &[String], call: Hint) -> Hint {
    call.instead_of("openclaw", words)
}
