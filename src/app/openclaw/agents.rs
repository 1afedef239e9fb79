//! The agents of an OpenClaw: `agents/ID/agent` in its state folder, or wherever its configuration
//! puts them, each with stores of its own.
//!
//! They are opened by the rules of the state folder; of one that cannot be, it is said why.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::openclaw::variables::Named;
use crate::app::openclaw::{STORE_LIMIT, Variables};
use crate::domain::openclaw_config::OpenclawConfig;
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
pub(super) fn all(
    state: &Folder,
    config: &OpenclawConfig,
    variables: &Variables,
) -> (Vec<Agent>, Vec<Error>) {
    let mut found = Found::default();
    let below = enter(state, Path::new("agents"));
    match below.and_then(|below| below.names().map(|names| (below, names))) {
        Ok((below, names)) => {
            for name in names.iter().filter(|name| is_agent(name)) {
                found.add(enter(&below, &Path::new(name).join("agent")));
            }
        }
        Err(error) if error.is_absent() => {}
        Err(error) => found.barred.push(error),
    }
    for (id, dir) in config.agents.iter().filter_map(|agent| Some((&agent.id, agent.dir.as_ref()?)))
    {
        let named = Named { path: variables.path(dir), text: dir.into() };
        found.add(elsewhere(state, &named, &format!("the agent {id} keeps its store there, but ")));
    }
    if let Some(named) = &variables.agent_dir {
        found.add(elsewhere(state, named, "OPENCLAW_AGENT_DIR leads there, but "));
    }
    (found.agents, found.barred)
}

#[derive(Default)]
struct Found {
    agents: Vec<Agent>,
    barred: Vec<Error>,
    known: Vec<Option<(u64, u64)>>,
}

impl Found {
    fn add(&mut self, folder: Result<Folder, Error>) {
        match folder {
            // Another name of the same folder.
            Ok(folder) if self.known.contains(&folder.key().ok()) => {}
            Ok(folder) => {
                self.known.push(folder.key().ok());
                self.agents.push(agent(folder));
            }
            Err(error) if error.is_absent() => {}
            Err(error) => self.barred.push(error),
        }
    }
}

/// Opens the directory of an agent that is named in a text: only one of the state directory's own
/// user, since anybody can write any name.
fn elsewhere(state: &Folder, named: &Named, what: &str) -> Result<Folder, Error> {
    let odd = |why: &str| Error::odd("open", &named.text, format!("{what}{why}"));
    let folder = Folder::reach(named.path.as_ref().map_err(|why| odd(why))?)?;
    if folder.identity.uid == state.identity.uid {
        return Ok(folder);
    }
    Err(odd("it belongs to another user than the state directory"))
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

/// Where the main agent keeps its stores.
pub(crate) fn main_agent_path(state: &Folder, variables: Option<&Variables>) -> PathBuf {
    let named = variables.and_then(|variables| variables.agent_dir.as_ref());
    let named = named.and_then(|named| named.path.as_ref().ok());
    named.cloned().unwrap_or_else(|| state.path.join("agents/main/agent"))
}

/// Makes the folder of the main agent, as its first turn would.
pub(crate) fn make_main_agent(
    state: &Folder,
    variables: Option<&Variables>,
) -> Result<Agent, Error> {
    if let Some(named) = variables.and_then(|variables| variables.agent_dir.as_ref()) {
        let path = named.path.as_ref().ok();
        let above = path.and_then(|path| path.parent()).unwrap_or(Path::new("/"));
        let above = Named { text: above.to_owned(), path: Ok(above.to_owned()) };
        let name = named.text.file_name().unwrap_or_default().to_string_lossy();
        return Ok(agent(elsewhere(state, &above, "")?.make(&name)?));
    }
    let make = |above: &Folder, name: &str| match enter(above, Path::new(name)) {
        Err(error) if error.is_absent() => above.make(name),
        other => other,
    };
    Ok(agent(make(&make(&make(state, "agents")?, "main")?, "agent")?))
}
