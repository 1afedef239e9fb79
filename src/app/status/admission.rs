//! What root would not run for a link: said before it is needed, by `doctor` and `check`.

use std::path::Path;

use crate::app::gateway::backend::command;
use crate::app::gateway::backend::compose::project_files;
use crate::app::refresh::cli::locate;
use crate::domain::config::settings::{ClaudeCli, Command, Gateway, Method, Settings};
use crate::domain::hints::files;
use crate::domain::shell::Hint;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::exec_policy;
use crate::os::process::trust::{self, Remedy, Trust};

/// A program that is not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What it would be for: a key, or the program's own name.
    pub(crate) what: String,
    /// Why it is not run.
    pub(crate) why: String,
    /// The command that fixes it, or shows what is the matter.
    pub(crate) command: Hint,
}

/// Everything that this link needs and that is not run.
pub(crate) fn of_link(settings: &Settings) -> Vec<Refusal> {
    let hooks = settings.file.parent().into_iter().flat_map(hooks);
    programs(settings).into_iter().chain(hooks).collect()
}

/// The programs of this link alone that are not run.
pub(crate) fn programs(settings: &Settings) -> Vec<Refusal> {
    let all = commands(settings).chain(claude(settings)).chain(engine(settings));
    all.chain(compose(settings)).collect()
}

fn commands(settings: &Settings) -> impl Iterator<Item = Refusal> + '_ {
    let commands = [
        restart_command(settings),
        settings.recreate_idle_command.as_ref(),
        settings.openclaw_command.as_ref(),
    ];
    commands.into_iter().flatten().filter_map(|named| {
        let (why, hint) = command::refusal(settings, named)?;
        let command = hint.unwrap_or_else(|| show(Path::new(&named.words[0])));
        Some(Refusal { what: named.key.to_owned(), why, command })
    })
}

/// `GATEWAY_COMMAND`, where the link uses it.
pub(crate) fn restart_command(settings: &Settings) -> Option<&Command> {
    let restarts = match settings.gateway {
        Gateway::Command => true,
        Gateway::Auto => settings.compose_dir.is_none(),
        _ => false,
    };
    settings.gateway_command.as_ref().filter(|_| restarts)
}

/// The Claude CLI, for a login of root's.
fn claude(settings: &Settings) -> Option<Refusal> {
    let ClaudeCli::Host { path } = &settings.claude_cli else { return None };
    let folder = settings.claude_credentials.parent().filter(|_| {
        // Where another method renews, nobody is kept from a login.
        settings.refresh == [Method::Cli]
    })?;
    let user = locate::User::owning(&Folder::reach(folder).ok()?);
    let error = locate::refusal(path.as_deref(), &user)?;
    Some(of_error("claude", &error))
}

/// The container engine, for a compose project of root's, or a container that root's engine has.
fn engine(settings: &Settings) -> Option<Refusal> {
    let of_root = || settings.is_container().then_some(Path::new("/"));
    let folder = Folder::reach(of_root().or(settings.compose_dir.as_deref())?).ok()?;
    let program = settings.container_engine.program();
    let judged = exec_policy::judge(&folder.identity, program.as_ref(), environment::PATH.as_ref());
    judged.err().filter(|error| !error.is_absent()).map(|error| of_error(program, &error))
}

/// The files of a compose project of root's.
fn compose(settings: &Settings) -> Option<Refusal> {
    let error = project_files::refusal(settings.compose_dir.as_deref()?)?;
    Some(of_error("compose", &error))
}

/// The hooks of a configuration folder.
pub(crate) fn hooks(config_dir: &Path) -> Vec<Refusal> {
    let Ok(above) = Folder::reach(config_dir) else { return Vec::new() };
    let path = above.path.join("hooks.d");
    if let Ok(Trust::Unsafe(why, command)) = trust::folder(&above, "hooks.d") {
        return vec![hook(&path, why, command)];
    }
    let Ok(folder) = above.enter(Path::new("hooks.d")) else { return Vec::new() };
    let names = folder.names().unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let judged = names.filter(|name| trust::is_hook(name)).filter_map(|name| {
        let at = path.join(&name);
        match trust::program(&folder, &name) {
            Ok(Trust::Unsafe(why, command)) => Some(hook(&at, why, command)),
            Ok(Trust::Refused(error)) => Some(Refusal { what: named(&at), ..of_error("", &error) }),
            _ => None,
        }
    });
    judged.collect()
}

fn hook(path: &Path, why: &str, command: Remedy) -> Refusal {
    let command = command(path);
    Refusal { what: named(path), why: why.to_owned(), command }
}

fn named(path: &Path) -> String {
    format!("the hook '{}'", path.display())
}

fn of_error(what: &str, error: &Error) -> Refusal {
    let command = error.command().cloned().unwrap_or_else(|| show(&error.object));
    Refusal { what: what.to_owned(), why: error.to_string(), command }
}

/// Shows the owner and the mode of every component of a path (`namei(1)`).
fn show(path: &Path) -> Hint {
    let found = if path.is_absolute() {
        path.to_owned()
    } else {
        exec_policy::found(path.as_os_str(), environment::PATH.as_ref())
            .unwrap_or_else(|| path.to_owned())
    };
    files::show_way(&found)
}
