//! The agents of an OpenClaw: `agents/ID/agent` in its state folder, or wherever its configuration
//! puts them, each with stores of its own.
//!
//! They are opened by the rules of the state folder; of one that cannot be, it is said why.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::openclaw::variables::Named;
use crate::app::openclaw::{STORE_LIMIT, Variables};
use crate::domain::openclaw_config::OpenclawConfig;
use crate::os::error::Error;
use crate::os::fs::dir::{self, Folder, Seen};

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

/// How many agents are held open at once; each costs a few descriptors.
const BATCH: usize = 64;

/// From how many agents on a process that must not keep others waiting leaves them to another one.
const CROWD: usize = 2 * BATCH;

/// Agents whose directories can be opened, and why others cannot.
#[derive(Default)]
pub(crate) struct Batch {
    /// Those that can.
    pub(crate) agents: Vec<Agent>,
    /// Why others cannot.
    pub(crate) barred: Vec<Error>,
}

impl Batch {
    /// Says whether there is a store, or one that cannot be reached, which is not taken for one that is not there.
    pub(super) fn has_profiles(&self) -> bool {
        !self.barred.is_empty()
            || self.agents.iter().any(|agent| !matches!(agent.profiles, Ok(None)))
    }

    fn add(&mut self, directory: Result<Folder, Error>, known: &mut BTreeSet<(u64, u64)>) {
        match directory {
            Ok(directory) => match directory.key() {
                // Another name of the same directory.
                Ok(key) if !known.insert(key) => {}
                Ok(_) => self.agents.push(agent(directory)),
                Err(error) => self.barred.push(error),
            },
            Err(error) if error.is_absent() => {}
            Err(error) => self.barred.push(error),
        }
    }
}

/// Agents beyond the first batch, which are opened only while they are looked at.
#[derive(Default)]
pub(crate) struct Rest {
    roots: Option<Roots>,
    places: Vec<Place>,
    known: BTreeSet<(u64, u64)>,
    /// The names of those that are too many.
    pub(crate) beyond: Vec<String>,
}

impl Rest {
    /// Opens them, one batch after another.
    pub(crate) fn batches(&self) -> impl Iterator<Item = Batch> {
        let roots = self.roots.as_ref();
        let mut known = self.known.clone();
        let places = self.places.chunks(BATCH);
        places.filter_map(move |places| Some(roots?.open(places, &mut known)))
    }
}

/// Where an agent is.
enum Place {
    /// In the directory of this name in `agents`.
    Below(OsString),
    /// Where a text says; and what is said first if it cannot be there.
    Elsewhere(Named, String),
}

impl Place {
    /// Says whether it is among the last to be left out: the main agent, whose store others use too, and what
    /// is named on purpose.
    fn is_preferred(&self) -> bool {
        match self {
            Self::Below(name) => name == "main",
            Self::Elsewhere(..) => true,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Below(name) => name.to_string_lossy().into_owned(),
            Self::Elsewhere(named, _) => named.text.display().to_string(),
        }
    }
}

/// What agents are opened from.
struct Roots {
    state: Rc<Folder>,
    agents: Option<Folder>,
}

impl Roots {
    fn open(&self, places: &[Place], known: &mut BTreeSet<(u64, u64)>) -> Batch {
        let mut batch = Batch::default();
        for place in places {
            match (place, &self.agents) {
                (Place::Below(name), Some(agents)) => {
                    batch.add(enter(agents, &Path::new(name).join("agent")), known);
                }
                (Place::Below(_), None) => {}
                (Place::Elsewhere(named, what), _) => {
                    batch.add(elsewhere(&self.state, named, what), known);
                }
            }
        }
        batch
    }
}

/// The first agents, and the rest of at most `most`.
pub(super) fn all(
    state: &Rc<Folder>,
    config: &OpenclawConfig,
    variables: &Variables,
    most: usize,
) -> (Batch, Rest) {
    let agents = enter(state, Path::new("agents"));
    let (agents, names, unlisted) =
        match agents.and_then(|agents| agents.names().map(|names| (agents, names))) {
            Ok((agents, names)) => (Some(agents), names, None),
            Err(error) => (None, Vec::new(), Some(error).filter(|error| !error.is_absent())),
        };
    let mut places = places(names, config, variables);
    if places.len() > CROWD && dir::leave_to_another(&state.path, "too many agents") {
        return Default::default();
    }
    if places.len() > most {
        places.sort_by_key(|place| !place.is_preferred());
    }
    let beyond = places.split_off(places.len().min(most)).iter().map(Place::name).collect();
    let rest = places.split_off(places.len().min(BATCH));
    let roots = Roots { state: Rc::clone(state), agents };
    let mut known = BTreeSet::new();
    let mut first = roots.open(&places, &mut known);
    first.barred.extend(unlisted);
    (first, Rest { roots: Some(roots), places: rest, known, beyond })
}

fn places(below: Vec<OsString>, config: &OpenclawConfig, variables: &Variables) -> Vec<Place> {
    let below = below.into_iter().filter(|name| is_agent(name)).map(Place::Below);
    let configured = config.agents.iter().filter_map(|agent| {
        let dir = agent.dir.as_ref()?;
        let named = Named { path: variables.path(dir), text: dir.into() };
        let what = format!("the agent {} keeps its store there, but ", agent.id);
        Some(Place::Elsewhere(named, what))
    });
    let main = variables.agent_dir.clone();
    let main = main
        .map(|named| Place::Elsewhere(named, "OPENCLAW_AGENT_DIR leads there, but ".to_owned()));
    below.chain(configured).chain(main).collect()
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
        let what = "a symbolic link on its way is not followed: it is circular, or leads to the directory of another user; put the directory itself there";
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
