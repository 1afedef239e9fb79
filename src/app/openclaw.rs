//! Looks at one OpenClaw: its state folder, agents, configuration and version.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::app::gateway::{ledger, program};
use crate::app::ground::Ground;
use crate::domain::acceptance::Memory;
use crate::domain::auth_profiles;
use crate::domain::config::settings::{Settings, Sinks};
use crate::domain::era::{self, Era, Evidence, Trace, Verdict, Version, Witness};
use crate::domain::gateway::Ledger;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};

/// The most that is read of a store or of openclaw.json, in bytes.
pub(crate) const SIZE_LIMIT: u64 = 4 << 20;

/// How often a program that does not tell its version is asked again.
const ASK_INTERVAL: Duration = Duration::from_secs(86_400);

/// The names that the configuration has had, the newest first (2026.2.25).
pub(crate) const CONFIGURATIONS: [&str; 4] =
    ["openclaw.json", "clawdbot.json", "moldbot.json", "moltbot.json"];

/// An OpenClaw as it stands.
pub(crate) struct OpenClaw {
    /// The state folder, or why it cannot be reached; none if no such folder is configured.
    pub(crate) state: Option<Result<Rc<Folder>, Error>>,
    /// What openclaw.json says; nothing where there is none.
    pub(crate) config: OpenclawConfig,
    /// Its agents that have a folder of their own, by name.
    pub(crate) agents: Vec<Agent>,
    /// Why agents' folders cannot be opened.
    pub(crate) barred: Vec<Error>,
    /// Whether `credentials/oauth.json` stands there.
    pub(crate) has_oauth_json: bool,
    /// Which version it is.
    pub(crate) verdict: Verdict,
    /// Whether an unexpired profile, or one of ours, stands in a JSON store.
    pub(crate) has_living_profile: bool,
    /// What is known of its gateway.
    pub(crate) ledger: Ledger,
}

/// An agent of OpenClaw.
pub(crate) struct Agent {
    /// `agents/ID/agent`.
    pub(crate) folder: Rc<Folder>,
    /// Its `auth-profiles.json`, or why it cannot be read.
    pub(crate) profiles: Result<Option<Rc<Seen>>, Error>,
    /// Its `auth-state.json`.
    pub(crate) auth_state: Option<Rc<Seen>>,
}

impl OpenClaw {
    /// Looks at the OpenClaw of a link.
    pub(crate) fn look(
        settings: &Settings,
        ground: &Ground,
        memory: &Memory,
        now: Timestamp,
    ) -> Self {
        let state =
            settings.openclaw_state_dir.as_deref().map(|path| Folder::reach(path).map(Rc::new));
        let folder = state.as_ref().and_then(|state| state.as_deref().ok());
        let config = folder.and_then(configuration).unwrap_or_default();
        let (agents, barred) = folder.map(agents).unwrap_or_default();
        let has_oauth_json =
            folder.is_some_and(|folder| stands(folder, "credentials", "oauth.json"));
        let ledger = ledger::load(&ground.places.state_dir, &settings.name);
        let mut evidence = evidence(settings, folder, &config, &agents);
        evidence.extend(told(&ledger));
        let is_ours = |token: &Secret| memory.knows(ground.fingerprinter.of(token));
        let has_living_profile = agents
            .iter()
            .filter_map(Agent::profiles_text)
            .any(|text| auth_profiles::living(text, now, &is_ours));
        let verdict = era::decide(&evidence);
        Self { state, config, agents, barred, has_oauth_json, verdict, has_living_profile, ledger }
    }

    /// The state folder, if it could be reached.
    pub(crate) fn folder(&self) -> Option<&Rc<Folder>> {
        self.state.as_ref().and_then(|state| state.as_ref().ok())
    }

    /// Says whether the program should be asked for its version: nothing else tells it for sure, and
    /// it was not asked today.
    pub(crate) fn wants_version(&self, settings: &Settings, now: Timestamp) -> bool {
        let asked = self.ledger.asked.is_some_and(|asked| now < asked.after(ASK_INTERVAL));
        let used = settings.sinks != Sinks::Listed(Vec::new());
        used && !asked && !self.verdict.program_says && self.folder().is_some()
    }

    /// Says whether its token is carried by `paste-token`.
    pub(crate) fn is_pasted(&self, settings: &Settings) -> bool {
        match &settings.sinks {
            Sinks::Auto => matches!(self.verdict.era, Era::Imported | Era::Guarded),
            Sinks::Listed(kinds) => kinds.contains(&SinkKind::PasteToken),
        }
    }

    /// The agents that a token is pasted for, by name where OpenClaw wants to be told: the main one,
    /// whose profiles the others use too; where there is none, each of them.
    pub(crate) fn owners(&self) -> Vec<Option<String>> {
        let agents = &self.config.agents;
        let several = agents.len() > 1 || agents.is_empty() && self.agents.len() > 1;
        if !several {
            return vec![None];
        }
        if agents.is_empty() || agents.iter().any(|agent| agent == "main") {
            return vec![Some("main".to_owned())];
        }
        agents.iter().cloned().map(Some).collect()
    }

    /// What the choice of sinks depends on.
    pub(crate) fn traces(&self, has_env_key: bool) -> Vec<Trace> {
        let profiles = self.agents.iter().any(|agent| !matches!(agent.profiles, Ok(None)));
        let traces = [
            (self.has_oauth_json, Trace::OauthJson),
            (profiles, Trace::AuthProfiles),
            (self.has_living_profile, Trace::LivingProfile),
            (has_env_key, Trace::EnvKey),
        ];
        traces.into_iter().filter_map(|(stands, trace)| stands.then_some(trace)).collect()
    }
}

impl Agent {
    /// The text of its profiles, if it is text.
    pub(crate) fn profiles_text(&self) -> Option<&str> {
        let seen = self.profiles.as_ref().ok()?.as_ref()?;
        std::str::from_utf8(&seen.bytes).ok()
    }
}

fn configuration(state: &Folder) -> Option<OpenclawConfig> {
    let seen =
        CONFIGURATIONS.iter().find_map(|name| state.read(name, SIZE_LIMIT).ok().flatten())?;
    OpenclawConfig::read(std::str::from_utf8(&seen.bytes).ok()?).ok()
}

/// Every agent whose folder can be opened, and why others cannot.
fn agents(state: &Folder) -> (Vec<Agent>, Vec<Error>) {
    let all = enter(state, Path::new("agents"));
    let (all, names) = match all.and_then(|all| all.names().map(|names| (all, names))) {
        Ok(found) => found,
        Err(error) if error.is_absent() => return (Vec::new(), Vec::new()),
        Err(error) => return (Vec::new(), vec![error]),
    };
    let (mut agents, mut barred, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for name in names.iter().filter(|name| is_agent(name)) {
        match enter(&all, &Path::new(name).join("agent")) {
            // Another name of the same folder.
            Ok(folder) if !known.insert(folder.key().ok()) => {}
            Ok(folder) => agents.push(agent(folder)),
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
    let profiles = folder.read("auth-profiles.json", SIZE_LIMIT).map(|seen| seen.map(Rc::new));
    let auth_state = folder.read("auth-state.json", SIZE_LIMIT).ok().flatten().map(Rc::new);
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

fn stands(state: &Folder, below: &str, name: &str) -> bool {
    state
        .enter(Path::new(below))
        .and_then(|folder| folder.stat(name))
        .is_ok_and(|stat| stat.is_some())
}

/// Collects whatever names a version without running anything.
fn evidence(
    settings: &Settings,
    state: Option<&Folder>,
    config: &OpenclawConfig,
    agents: &[Agent],
) -> Vec<Evidence> {
    let exact = |version, by| Evidence { version, at_least: false, by };
    let configured = settings.openclaw_version.as_deref().and_then(Version::parse);
    let shared = state.is_some_and(|state| stands(state, "state", "openclaw.sqlite"));
    let own =
        |agent: &Agent| agent.folder.stat("openclaw-agent.sqlite").is_ok_and(|stat| stat.is_some());
    let sqlite = shared || agents.iter().any(own);
    let mut evidence = Vec::new();
    evidence.extend(configured.map(|version| exact(version, Witness::Configured)));
    evidence.extend(config.last_touched.map(|version| exact(version, Witness::LastTouched)));
    evidence.extend(package(settings, state).map(|version| exact(version, Witness::Package)));
    if sqlite {
        evidence.push(Evidence {
            version: Version::SQLITE,
            at_least: true,
            by: Witness::SqliteStore,
        });
    }
    evidence
}

/// What the program, or the image, said when it was asked; a program that was replaced since then
/// says nothing.
fn told(ledger: &Ledger) -> Option<Evidence> {
    let seen = ledger.version.as_ref()?;
    let by = match &seen.program {
        Some(path) if program::key(Path::new(path)).as_ref() == Some(&seen.key) => Witness::Program,
        Some(_) => return None,
        None if seen.key.is_empty() => Witness::Program,
        None => Witness::Image,
    };
    Some(Evidence { version: Version::parse(&seen.text)?, at_least: false, by })
}

/// Reads the version out of the program's own package.json: the compose folder's if there is one,
/// else wherever npm puts a global package on this host.
fn package(settings: &Settings, state: Option<&Folder>) -> Option<Version> {
    if let Some(folder) = &settings.compose_dir {
        return package_version(folder);
    }
    let owner = state.and_then(|state| crate::os::account::of(state.identity.uid));
    let home = owner.map(|owner| owner.home).into_iter();
    let of_user = home.flat_map(|home| {
        [".npm-global/lib", ".local/lib", ".openclaw/lib"].map(|lib| home.join(lib))
    });
    let of_host = ["/usr/lib", "/usr/local/lib"].map(PathBuf::from);
    let folders = of_user.chain(of_host).map(|lib| lib.join("node_modules/openclaw"));
    folders.filter_map(|folder| package_version(&folder)).max()
}

fn package_version(folder: &Path) -> Option<Version> {
    let seen = Folder::reach(folder).ok()?.read("package.json", SIZE_LIMIT).ok()??;
    let package: serde_json::Value = serde_json::from_slice(&seen.bytes).ok()?;
    let is_openclaw = package.get("name").is_some_and(|name| name == "openclaw");
    Version::parse(package.get("version").filter(|_| is_openclaw)?.as_str()?)
}
