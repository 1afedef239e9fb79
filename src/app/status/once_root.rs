//! Commands that 1.0.0 ran as root and that run as the owner of the state directory by now.
//!
//! What needs root's rights fails as anybody else, perhaps in the night: until it has worked once, or its
//! `…_USER` says what is meant, people are told.

use std::path::Path;

use crate::app::gateway::backend::command;
use crate::app::status::admission::restart_command;
use crate::domain::config::settings::{Command, Settings};
use crate::domain::gateway::Ledger;
use crate::domain::hints::ours;
use crate::domain::shell::Hint;
use crate::os::fs::dir::Folder;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// A command of which nobody has said, or seen, that its user may do what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// What is the matter, and what follows from it.
    pub(crate) meaning: String,
    /// The command that makes it root's again.
    pub(crate) command: Hint,
    /// Whether 1.0.0 has seen to this gateway, so that there is something to lose.
    pub(crate) is_pressing: bool,
}

/// The commands of a link that are in doubt.
pub(crate) fn doubts(settings: &Settings, ledger: &Ledger) -> Vec<Doubt> {
    if Identity::own().uid != 0 || ledger.version_of_ours.is_some() {
        return Vec::new();
    }
    // OPENCLAW_COMMAND never ran as root for a user.
    let commands = [restart_command(settings), settings.recreate_idle_command.as_ref()];
    let commands = commands.into_iter().flatten();
    commands.filter_map(|command| doubt(settings, command, ledger)).collect()
}

fn doubt(settings: &Settings, command: &Command, ledger: &Ledger) -> Option<Doubt> {
    let user = command::identity(settings, command).ok().filter(|user| user.uid != 0)?;
    if command.is_decided || !was_roots(&command.words) {
        return None;
    }
    let (key, name) = (command.key, account::name(user.uid));
    let meaning = format!(
        "{key} runs as {name}, the owner of the state directory, where 1.0.0 ran it as root, and has not \
         worked as {name} yet: set {key}_USER to root, or to owner if {name} may do what it does"
    );
    let hint = ours::set(&settings.name, &format!("{key}_USER"), "root");
    Some(Doubt { meaning, command: hint, is_pressing: !ledger.history.is_empty() })
}

/// Says whether 1.0.0 ran it as root: where none of its words led to what somebody else owns.
fn was_roots(words: &[String]) -> bool {
    let paths = words.iter().map(Path::new).filter(|word| word.is_absolute());
    !paths.into_iter().any(|path| is_others(path).unwrap_or(false))
}

fn is_others(path: &Path) -> Option<bool> {
    let folder = Folder::reach(path.parent()?).ok()?;
    let stat = folder.stat(path.file_name()?.to_str()?).ok()??;
    Some(folder.identity.uid != 0 || stat.st_uid != 0)
}
