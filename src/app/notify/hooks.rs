//! The executables in `hooks.d` of the configuration directory.

use std::path::Path;
use std::time::Duration;

use log::Level;

use crate::app::notify::event::Event;
use crate::app::notify::webhook::with_notice;
use crate::domain::gateway::masking;
use crate::domain::hints::files;
use crate::domain::messages;
use crate::domain::webhook;
use crate::os::clock;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::process::command::Call;
use crate::os::process::trust::{self, Trust};
use crate::os::user::identity::Identity;

/// How long a hook may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a hook's last words are cut to, in characters.
const WORDS: usize = 200;

/// The hooks of the configuration directory.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    folder: Option<Folder>,
    /// Those that may be run.
    names: Vec<String>,
    /// Those that are not run until somebody has changed that.
    refused: Vec<String>,
    /// Whether the directory could be read.
    are_known: bool,
}

impl Hooks {
    /// Finds the hooks; those that others could have written are left out, and logged at this level.
    pub(super) fn find(config_dir: &Path, level: Level) -> Self {
        Self::look(config_dir, level).unwrap_or_else(|error| {
            log::log!(level, MESSAGE_ID = messages::id("hook-refused"); "{error}: no hook is run");
            Self::default()
        })
    }

    fn look(config_dir: &Path, level: Level) -> Result<Self, Error> {
        let none = || Self { are_known: true, ..Self::default() };
        let parent = match Folder::reach(config_dir) {
            Err(error) if error.is_absent() => return Ok(none()),
            other => other?,
        };
        let path = parent.path.join("hooks.d");
        match trust::folder(&parent, "hooks.d")? {
            Trust::Runs => {}
            Trust::NotExecutable => return Ok(none()),
            Trust::Refused(error) => return Err(error),
            Trust::Unsafe(why, command) => {
                log::log!(
                    level,
                    MESSAGE_ID = messages::id("hook-refused"),
                    hint = command(&path).to_string();
                    "no hook in '{}' is run: {why}",
                    path.display()
                );
                return Ok(Self::default());
            }
        }
        let folder = parent.enter(Path::new("hooks.d"))?;
        let mut hooks = none();
        let names = folder.names()?.into_iter().filter_map(|name| name.into_string().ok());
        for name in names.filter(|name| trust::is_hook(name)) {
            match may_run(&folder, &name, level) {
                Some(true) => hooks.names.push(name),
                Some(false) => hooks.refused.push(name),
                None => {}
            }
        }
        Ok(Self { folder: Some(folder), ..hooks })
    }

    /// The names of all, in their order: one that is refused now is tried again as one that failed.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(&self.refused)
    }

    /// Returns whether there is no such hook any more.
    pub(super) fn lacks(&self, name: &String) -> bool {
        self.are_known && !self.all().any(|hook| hook == name)
    }

    /// Logs that one failed; one that is refused was named already.
    pub(super) fn say_failed(&self, name: &String, why: &str) {
        let Some(folder) = self.folder.as_ref().filter(|_| self.names.contains(name)) else {
            return;
        };
        let (id, path) = (messages::id("hook-failed"), folder.path.join(name));
        log::warn!(MESSAGE_ID = id; "the hook '{}' failed: {why}", path.display());
    }

    /// Runs one of them.
    ///
    /// # Errors
    /// In words fit for a message, if it did not succeed.
    pub(super) fn run(&self, name: &String, event: &Event) -> Result<(), String> {
        match &self.folder {
            Some(folder) if self.names.contains(name) => {
                one(folder, &folder.path.join(name), event)
            }
            _ => Err("it is not run: others than root could have written it".to_owned()),
        }
    }
}

/// Returns whether a hook may be run; `None` for what is no hook.
fn may_run(folder: &Folder, name: &str, level: Level) -> Option<bool> {
    let path = folder.path.join(name);
    match trust::program(folder, name) {
        Ok(Trust::Runs) => Some(true),
        Ok(Trust::NotExecutable) => {
            detail!("'{}' is not executable, so it is no hook", path.display());
            None
        }
        Ok(Trust::Unsafe(why, command)) => {
            log::log!(
                level,
                MESSAGE_ID = messages::id("hook-refused"),
                hint = command(&path).to_string();
                "the hook '{}' is not run: {why}",
                path.display()
            );
            Some(false)
        }
        Ok(Trust::Refused(error)) => {
            let show = || files::show_way(&path);
            log::log!(
                level,
                MESSAGE_ID = messages::id("hook-refused"),
                hint = error.command().cloned().unwrap_or_else(show).to_string();
                "{error}: this hook is not run"
            );
            Some(false)
        }
        Err(error) => {
            log::log!(level, MESSAGE_ID = messages::id("hook-refused"); "{error}: this hook is not run");
            Some(false)
        }
    }
}

fn one(folder: &Folder, path: &Path, event: &Event) -> Result<(), String> {
    let own = Identity::own();
    let input = with_notice(event, clock::now(), webhook::event).into_bytes();
    let mut call = Call::new([path], folder, &own)
        .input(input)
        .env("PATH", environment::path())
        .env("OAUTH_SYNC_EVENT", &event.name)
        .env("OAUTH_SYNC_LINK", &event.link)
        .env("OAUTH_SYNC_EXPIRES_AT", event.expires_at.as_deref().unwrap_or_default())
        .env("OAUTH_SYNC_MERGED", event.merged.to_string())
        .env("OAUTH_SYNC_MESSAGE", &event.message);
    for name in ["HOME", "LANG"] {
        if let Some(value) = environment::get(name) {
            call = call.env(name, value);
        }
    }
    let ended = call.run(LIMIT).map_err(|error| error.to_string())?;
    if ended.overdue {
        return Err(format!("it took longer than {} s and was ended", LIMIT.as_secs()));
    }
    if ended.is_success() {
        return Ok(());
    }
    let said = masking::mask(&String::from_utf8_lossy(&ended.stderr), &[]);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().take(WORDS).collect();
    Err(if last.is_empty() { ended.how() } else { format!("{}: {last}", ended.how()) })
}
