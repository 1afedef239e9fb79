//! Installs the Claude CLI by npm, as the user whose login it is.

use std::path::Path;

use crate::app::error::Error;
use crate::app::refresh::cli::locate::User;
use crate::app::setup::sign_in;
use crate::domain::claude_cli::KEPT;
use crate::domain::config::settings::Settings;
use crate::os::event::signals::Deferral;
use crate::os::fs::dir::Folder;
use crate::os::process::command::Call;
use crate::os::process::executables;
use crate::os::user::account;
use crate::os::{environment, terminal};

/// The package, as npm knows it.
const PACKAGE: &str = "@anthropic-ai/claude-code";

/// Where npm puts programs of a user's own; it is among the folders that are looked into.
const PREFIX: &str = ".npm-global";

/// What would be run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The user's name.
    pub(crate) user: String,
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    owner: User,
    home: Folder,
}

/// Plans it for a link; `None` where there is no npm that the user may run.
pub(crate) fn plan(settings: &Settings) -> Result<Option<Plan>, Error> {
    let place = sign_in::reach(settings)?;
    let owner = User::owning(&place.folder);
    let Some(npm) = npm(&owner) else { return Ok(None) };
    let home = Folder::reach(&owner.home)?;
    let mut words = vec![npm, "install".to_owned(), "--global".to_owned()];
    if owner.identity.uid != 0 {
        words.push("--prefix".to_owned());
        words.push(owner.home.join(PREFIX).display().to_string());
    }
    words.push(PACKAGE.to_owned());
    Ok(Some(Plan { user: account::name(owner.identity.uid), words, owner, home }))
}

/// Runs it with the terminal that we have; only finding the CLI afterwards proves anything.
pub(crate) fn carry_out(plan: &Plan) -> Result<(), Error> {
    let mut call = Call::new(&plan.words, &plan.home, &plan.owner.identity)
        .env("HOME", &plan.owner.home)
        .env("PATH", path(&plan.owner));
    for name in KEPT.iter().chain(&["TERM"]) {
        if let Some(value) = environment::get(name) {
            call = call.env(*name, value);
        }
    }
    let signals = Deferral::prepare(&plan.home.path)?;
    // Ctrl-C is npm's: it takes back what it has begun.
    let waiting = signals.hold();
    terminal::run(&call, &waiting)?;
    Ok(())
}

/// Says whether there is an npm that the user may run.
pub(crate) fn has_npm(owner: &User) -> bool {
    npm(owner).is_some()
}

fn npm(owner: &User) -> Option<String> {
    let path = path(owner);
    let folders = path.split(':').map(Path::new).filter(|folder| folder.is_absolute());
    let mut folders = folders.map(|folder| folder.join("npm"));
    let npm = folders.find(|path| executables::is_runnable(&owner.identity, path))?;
    Some(npm.display().to_string())
}

/// Our own PATH before the user's: what the person at the terminal would run.
fn path(owner: &User) -> String {
    let own = environment::get("PATH").and_then(|path| path.into_string().ok()).unwrap_or_default();
    format!("{own}:{}", owner.path)
}
