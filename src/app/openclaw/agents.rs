//! The agents of an OpenClaw: `agents/ID/agent` in its state folder, each with stores of its own.
//!
//! They are opened by the rules of the state folder; of one that cannot be, it is said why.

use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use crate::app::openclaw::STORE_LIMIT;
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};

/// An agent of OpenClaw.
pub(crate) struct Agent {
    /// `agents/ID/agent`.
    pub(crate) folder: Rc<Folder>,
    /// Its `auth-profiles.json`, or why it cannot be read.
    pub(crate) profiles: Result<Option<Rc<Seen>>, Error>,
    /// Its `auth-state.json`.
    pub(crate) auth_state: Option<Rc<Seen>>,
}

impl Agent {
    /// The text of its profiles, if it is text.
    pub(crate) fn profiles_text(&self) -> Option<&str> {
        let seen = self.profiles.as_ref().ok()?.as_ref()?;
        std::str::from_utf8(&seen.bytes).ok()
    }
}

/// Every agent whose folder can be opened, and why others cannot.
pub(super) fn all(state: &Folder) -> (Vec<Agent>, Vec<Error>) {
    let all = enter(state, Path::new("agents"));
    let (all, names) = match all.and_then(|all| all.names().map(|names| (all, names))) {
        Ok(found) => found,
        Err(error) if error.is_absent() => return (Vec::new(), Vec::new()),
        Err(error) => return (Vec::new(), vec![error]),
    };
    let (mut agents, mut barred, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for name in names.iter().filter(|name| is_agent(name)) {
        match enter(&all, &Path::new(name).join("agent")) {
            // Another name of the same folder.
            Ok(folder) if known.contains(&folder.key().ok()) => {}
            Ok(folder) => {
                known.push(folder.key().ok());
                agents.push(agent(folder));
            }
            Err(error) if error.is_absent() => {}
            Err(error) => barred.push(error),
        }
    }
    (agents, barred)
}

/// OpenClaw's names have no control characters; in a message they would forge lines.
fn is_agent(name: &OsStr) -> bool {
    !name.to_string_lossy().chars().any(char::is_control)
}

/// Opens a folder of OpenClaw's; one that lies elsewhere, behind a symbolic link, is reached by the
/// same rules as the state folder itself.
fn enter(above: &Folder, below: &Path) -> Result<Folder, Error> {
    let entered = above.enter(below);
    if !entered.as_ref().is_err_and(Error::is_link) {
        return entered;
    }
    let path = above.path.join(below);
    Folder::reach(&path).map_err(|error| {
        let what = "a symbolic link on its way is not followed: it turns in a circle, or leads to the folder of another user; put the folder itself there";
        if error.is_link() { Error::odd("open", &path, what) } else { error }
    })
}

fn agent(folder: Folder) -> Agent {
    let profiles = folder.read("auth-profiles.json", STORE_LIMIT).map(|seen| seen.map(Rc::new));
    let auth_state = folder.read("auth-state.json", STORE_LIMIT).ok().flatten().map(Rc::new);
    Agent { folder: Rc::new(folder), profiles, auth_state }
}

/// Makes the folder of the main agent, as its first turn would.
pub(crate) fn make_main_agent(state: &Folder) -> Result<Agent, Error> {
    let make = |above: &Folder, name: &str| match enter(above, Path::new(name)) {
        Err(error) if error.is_absent() => above.make(name),
        other => other,
    };
    Ok(agent(make(&make(&make(state, "agents")?, "main")?, "agent")?))
}
