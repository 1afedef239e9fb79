//! The agents' stores, `auth-profiles.json`, each with the `auth-state.json` beside it.
//!
//! What is edited in them is decided in `domain`; here they are opened, swept and locked.

use std::rc::Rc;

use crate::app::openclaw::{self, Agent, OpenClaw};
use crate::app::report::SinkState;
use crate::app::sync::sink_plan::{Change, LockPlace, Look};
use crate::app::sync::target::Wanted;
use crate::domain::auth_profiles::{self, Context, Crowded};
use crate::domain::era::{self, Choice};
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::os::error::Error;
use crate::os::fs::atomic_write;
use crate::os::fs::dir::Folder;
use crate::os::lock::openclaw_lock::{self, Form};

const PROFILES: &str = "auth-profiles.json";
const AUTH_STATE: &str = "auth-state.json";

/// Why nobody can say that the token is used.
const UNKNOWN_ORDER: &str =
    "openclaw.json is not understood, so it is not known which profile OpenClaw uses";

/// OpenClaw's lock beside its profiles; a folder up to 2026.1.30, a file from 2026.2.17 on.
const PROFILES_LOCK: &str = "auth-profiles.json.lock";

/// Every agent's store; an agent without one of its own uses the main agent's.
pub(super) fn look(openclaw: &OpenClaw, choice: Choice, wanted: &Wanted<'_>) -> Vec<Look> {
    let kind = SinkKind::AuthProfiles;
    if let Some(Err(error)) = &openclaw.state {
        return vec![Look::failed(kind, error.object.clone(), error)];
    }
    let looks = of_agents(&openclaw.agents, &openclaw.barred, openclaw, wanted);
    if openclaw.has_profiles {
        return looks;
    }
    if let (true, true, Some(Ok(state))) = (looks.is_empty(), choice.may_create, &openclaw.state) {
        return vec![first_profile(state, openclaw, wanted)];
    }
    if looks.is_empty() {
        let why = "no agent has an auth-profiles.json yet: OpenClaw makes one on its first turn";
        return vec![Look::absent(kind, None, why)];
    }
    looks
}

/// The stores of some agents, and why those of others cannot be looked at.
pub(super) fn of_agents(
    agents: &[Agent],
    barred: &[Error],
    openclaw: &OpenClaw,
    wanted: &Wanted<'_>,
) -> Vec<Look> {
    let kind = SinkKind::AuthProfiles;
    let stores = agents.iter().filter(|agent| !matches!(agent.profiles, Ok(None)));
    let barred = barred.iter().map(|error| Look::failed(kind, error.object.clone(), error));
    stores.map(|agent| profile(agent, openclaw, wanted)).chain(barred).collect()
}

/// The main agent's store, where there is none yet; the other agents read it as a base of theirs.
fn first_profile(state: &Folder, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let kind = SinkKind::AuthProfiles;
    let variables = openclaw.variables.as_ref();
    let path = openclaw::main_agent_path(state, variables).join(PROFILES);
    if wanted.credential().is_none() {
        return Look::absent(kind, Some(path), "there is no such file");
    }
    if !wanted.may_write {
        return Look::to_be_made(kind, path);
    }
    match openclaw::make_main_agent(state, variables) {
        Ok(agent) => profile(&agent, openclaw, wanted),
        Err(error) => Look::failed(kind, path, &error),
    }
}

/// Looks at one agent's store.
fn profile(agent: &Agent, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let kind = SinkKind::AuthProfiles;
    let path = agent.folder.path.join(PROFILES);
    let tag = wanted.ground.lock_tag();
    if wanted.may_write {
        for name in [PROFILES, AUTH_STATE] {
            let _ = atomic_write::sweep(&agent.folder, name);
        }
        openclaw_lock::clear_ours(&agent.folder, PROFILES_LOCK, tag);
    }
    let stored = match &agent.profiles {
        Ok(stored) => stored,
        Err(error) => return Look::failed(kind, path, error),
    };
    let text = agent.profiles_text();
    if text.is_none() && stored.is_some() {
        let error = Error::odd("read", &path, "it is not UTF-8 text");
        return Look::failed(kind, path, &error);
    }
    let is_ours = |token: &Secret| wanted.memory.knows(wanted.ground.fingerprinter.of(token));
    let auth_state =
        agent.auth_state.as_ref().and_then(|seen| std::str::from_utf8(&seen.bytes).ok());
    let context =
        Context { now: wanted.now, config: &openclaw.config, auth_state, is_ours: &is_ours };
    let held = match text.map_or(Ok(None), |text| auth_profiles::held(text, &context)) {
        Ok(held) => held.map(|(_, held)| held),
        Err(Crowded) => {
            return Look::malformed(kind, path, "it has too many profiles");
        }
    };
    let Some(credential) = wanted.credential() else {
        return wanted.compared(kind, path, held.as_ref());
    };
    let edit = match auth_profiles::edit(text, &context, credential) {
        Ok(edit) => edit,
        Err(fault) => return Look::malformed(kind, path, &fault.to_string()),
    };
    let expiry = held.and_then(|held| held.expiry);
    let doubt = (!edit.is_order_known).then_some(UNKNOWN_ORDER);
    if let (Some(other), None) = (&edit.hidden_by, &edit.text) {
        let why = format!("OpenClaw uses the profile {other} before it");
        return Look::settled(kind, Some(path), SinkState::Stale(Some(why))).expiring(expiry);
    }
    let files = [(PROFILES, edit.text, stored), (AUTH_STATE, edit.auth_state, &agent.auth_state)];
    let changes: Vec<Change> = files
        .into_iter()
        .filter_map(|(name, text, old)| {
            let (folder, name) = (Rc::clone(&agent.folder), name.to_owned());
            Some(Change { folder, name, bytes: text?.into_bytes(), old: old.clone() })
        })
        .collect();
    if changes.is_empty() {
        return Look::settled(kind, Some(path), SinkState::InStep).expiring(expiry).doubted(doubt);
    }
    let form = lock_form(openclaw);
    let lock = LockPlace { folder: Rc::clone(&agent.folder), name: PROFILES_LOCK, form, tag };
    Look::stale(kind, path, changes).expiring(expiry).doubted(doubt).locked_by(lock)
}

/// What OpenClaw's lock is, by its version.
fn lock_form(openclaw: &OpenClaw) -> Form {
    let first_file_lock = era::Version::parse("2026.2.1");
    match openclaw.verdict.version {
        Some(version) if Some(version) < first_file_lock => Form::Folder,
        _ => Form::File,
    }
}
