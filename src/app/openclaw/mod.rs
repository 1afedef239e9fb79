//! Looks at one OpenClaw: its state folder, agents, configuration and version.

mod agents;
mod configuration;
pub(crate) mod owners;
pub(crate) mod paste_consent;
mod variables;
mod version;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::app::context::Ground;
use crate::app::state::gateway_state;
use crate::domain::acceptance::Memory;
use crate::domain::auth_profiles;
use crate::domain::config::settings::{Settings, Sinks};
use crate::domain::era::{self, Era, Trace, Verdict};
use crate::domain::gateway::Ledger;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;

use agents::Rest;
pub(crate) use agents::{Agent, Batch, main_agent_path, make_main_agent};
pub(crate) use configuration::{ConfigFile, load, ways};
pub(crate) use variables::Variables;

/// The most that is read of openclaw.json, or of what a program says of itself, in bytes.
pub(crate) const SIZE_LIMIT: u64 = 4 << 20;

/// The most that is read of a file that a sync rewrites, in bytes: each edit of one parses it again,
/// and one user's file must not keep other users' links waiting.
pub(crate) const STORE_LIMIT: u64 = 256 << 10;

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
    /// The file that it stands in, if there is one.
    pub(crate) config_file: Option<ConfigFile>,
    /// Where it is told to look for its files.
    pub(crate) variables: Option<Variables>,
    /// Its agents that have a folder of their own, by name.
    pub(crate) agents: Vec<Agent>,
    /// Why agents' folders cannot be opened.
    pub(crate) barred: Vec<Error>,
    /// The agents beyond those, which are opened only while they are looked at.
    pub(crate) rest: Rest,
    /// Whether an agent has a store of its own.
    pub(crate) has_profiles: bool,
    /// Whether `credentials/oauth.json` stands there.
    pub(crate) has_oauth_json: bool,
    /// Which version it is.
    pub(crate) verdict: Verdict,
    /// Whether an unexpired profile, or one of ours, stands in a JSON store.
    pub(crate) has_living_profile: bool,
    /// What is known of its gateway.
    pub(crate) ledger: Ledger,
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
        let folder = state.as_ref().and_then(|state| state.as_ref().ok()).map(Rc::as_ref);
        let variables = folder.map(|state| Variables::find(settings, state));
        let reached = state.as_ref().and_then(|state| state.as_ref().ok()).zip(variables.as_ref());
        let (config, config_file) = reached
            .map(|(state, variables)| configuration::read(state, variables))
            .unwrap_or_default();
        let most = settings.max_agents;
        let (first, rest) = reached
            .map(|(state, variables)| agents::all(state, &config, variables, most))
            .unwrap_or_default();
        let has_oauth_json =
            folder.is_some_and(|folder| stands(folder, "credentials", "oauth.json"));
        let ledger = gateway_state::load(&ground.places.state_dir, &settings.name);
        let is_ours = |token: &Secret| memory.knows(ground.fingerprinter.of(token));
        let (mut has_profiles, mut has_sqlite, mut has_living_profile) = (false, false, false);
        let mut learn = |batch: &Batch| {
            has_profiles |= batch.has_profiles();
            has_sqlite |= batch.agents.iter().any(version::has_sqlite);
            let mut texts = batch.agents.iter().filter_map(Agent::profiles_text);
            has_living_profile |= texts.any(|text| auth_profiles::living(text, now, &is_ours));
        };
        learn(&first);
        rest.batches().for_each(|batch| learn(&batch));
        let Batch { agents, barred } = first;
        let mut evidence = version::found(settings, folder, &config, has_sqlite);
        evidence.extend(version::told(&ledger));
        let verdict = era::decide(&evidence);
        Self {
            state,
            config,
            config_file,
            variables,
            agents,
            barred,
            rest,
            has_profiles,
            has_oauth_json,
            verdict,
            has_living_profile,
            ledger,
        }
    }

    /// Looks at each of its agents.
    pub(crate) fn each_agent(&self, mut work: impl FnMut(&Agent)) {
        self.agents.iter().for_each(&mut work);
        self.rest.batches().for_each(|batch| batch.agents.iter().for_each(&mut work));
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
        if agents.is_empty() || agents.iter().any(|agent| agent.id == "main") {
            return vec![Some("main".to_owned())];
        }
        agents.iter().map(|agent| Some(agent.id.clone())).collect()
    }

    /// What the choice of sinks depends on.
    pub(crate) fn traces(&self, has_env_key: bool) -> Vec<Trace> {
        let traces = [
            (self.has_oauth_json, Trace::OauthJson),
            (self.has_profiles, Trace::AuthProfiles),
            (self.has_living_profile, Trace::LivingProfile),
            (has_env_key, Trace::EnvKey),
        ];
        traces.into_iter().filter_map(|(stands, trace)| stands.then_some(trace)).collect()
    }
}

fn stands(state: &Folder, below: &str, name: &str) -> bool {
    state
        .enter(Path::new(below))
        .and_then(|folder| folder.stat(name))
        .is_ok_and(|stat| stat.is_some())
}
