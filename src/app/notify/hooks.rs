//! The executables in `hooks.d` of the configuration folder.

use std::path::Path;
use std::time::Duration;

use crate::app::event::Event;
use crate::domain::hints::files;
use crate::domain::messages;
use crate::os::command::Call;
use crate::os::environment;
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::identity::Identity;
use crate::os::journal::detail;
use crate::os::trust::{self, Trust};

/// How long a hook may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a hook's last words are cut to, in characters.
const WORDS: usize = 200;

/// The hooks that may be run.
#[derive(Debug)]
pub(super) struct Hooks {
    folder: Option<Folder>,
    names: Vec<String>,
}

impl Hooks {
    /// Finds the hooks; those that others could have written are said and left out.
    pub(super) fn find(config_dir: &Path) -> Self {
        match Self::look(config_dir) {
            Ok(Some((folder, names))) => Self { folder: Some(folder), names },
            Ok(None) => Self { folder: None, names: Vec::new() },
            Err(error) => {
                log::error!(MESSAGE_ID = messages::id("hook-refused"); "{error}: no hook is run");
                Self { folder: None, names: Vec::new() }
            }
        }
    }

    fn look(config_dir: &Path) -> Result<Option<(Folder, Vec<String>)>, Error> {
        let parent = match Folder::reach(config_dir) {
            Err(error) if error.is_absent() => return Ok(None),
            other => other?,
        };
        let path = parent.path.join("hooks.d");
        match trust::folder(&parent, "hooks.d")? {
            Trust::Runs => {}
            Trust::NotExecutable => return Ok(None),
            Trust::Refused(error) => return Err(error),
            Trust::Unsafe(why, command) => {
                log::error!(
                    MESSAGE_ID = messages::id("hook-refused"),
                    hint = command(&path).to_string();
                    "no hook in '{}' is run: {why}",
                    path.display()
                );
                return Ok(None);
            }
        }
        let folder = parent.enter(Path::new("hooks.d"))?;
        let names = folder.names()?.into_iter().filter_map(|name| name.into_string().ok());
        let names = names.filter(|name| trust::is_hook(name) && may_run(&folder, name)).collect();
        Ok(Some((folder, names)))
    }

    /// Runs them one after another.
    pub(super) fn run(&self, event: &Event) {
        let Some(folder) = &self.folder else { return };
        for name in &self.names {
            let path = folder.path.join(name);
            if let Err(why) = one(folder, &path, event) {
                log::warn!(MESSAGE_ID = messages::id("hook-failed"); "the hook '{}' failed: {why}", path.display());
            }
        }
    }
}

fn may_run(folder: &Folder, name: &str) -> bool {
    let path = folder.path.join(name);
    match trust::program(folder, name) {
        Ok(Trust::Runs) => true,
        Ok(Trust::NotExecutable) => {
            detail!("'{}' is not executable, so it is no hook", path.display());
            false
        }
        Ok(Trust::Unsafe(why, command)) => {
            log::error!(
                MESSAGE_ID = messages::id("hook-refused"),
                hint = command(&path).to_string();
                "the hook '{}' is not run: {why}",
                path.display()
            );
            false
        }
        Ok(Trust::Refused(error)) => {
            let show = || files::show_way(&path);
            log::error!(
                MESSAGE_ID = messages::id("hook-refused"),
                hint = error.command().cloned().unwrap_or_else(show).to_string();
                "{error}: this hook is not run"
            );
            false
        }
        Err(error) => {
            log::error!(MESSAGE_ID = messages::id("hook-refused"); "{error}: this hook is not run");
            false
        }
    }
}

fn one(folder: &Folder, path: &Path, event: &Event) -> Result<(), String> {
    let own = Identity::own();
    let mut call = Call::new([path], folder, &own)
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
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().take(WORDS).collect();
    Err(if last.is_empty() { ended.how() } else { format!("{}: {last}", ended.how()) })
}
