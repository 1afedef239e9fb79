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
///
/// The command replaces the whole order, so the others keep their places behind it: OpenClaw goes on to them.
pub(crate) fn put_first<'a>(profile: &str, order: impl IntoIterator<Item = &'a String>) -> Hint {
    let command = Hint::new("openclaw models auth order set --provider anthropic").arg(profile);
    let others = order.into_iter().filter(|other| *other != profile);
    others.fold(command, Hint::arg)
}

/// Has a call made in a container of the project in whose directory it is run.
pub(crate) fn in_service(compose: impl Into<Hint>, service: &str, call: Hint) -> Hint {
    compose.into().then("exec").arg(service).followed_by(call)
}

/// Has a call made by the command that the configuration names.
pub(crate) fn by_command(words: &[String], call: Hint) -> Hint {
    call.instead_of("openclaw", words)
}
