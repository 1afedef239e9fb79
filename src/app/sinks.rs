//! Works out what every sink of a link has to hold.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::consent;
use crate::app::look::{Change, LockPlace, Look};
use crate::app::openclaw::{self, Agent, OpenClaw, SIZE_LIMIT};
use crate::app::report::{SinkReport, SinkState};
use crate::app::wanted::Wanted;
use crate::domain::auth_profiles::{self, Context};
use crate::domain::config::settings::{Settings, Sinks};
use crate::domain::credential::Credential;
use crate::domain::era::{self, Choice, Era, Trace};
use crate::domain::secret::Secret;
use crate::domain::sink::{Held, SinkKind};
use crate::domain::time::Timestamp;
use crate::domain::{envfile, oauth_json};
use crate::os::error::Error;
use crate::os::folder::{Folder, Seen};
use crate::os::foreign_lock::{self, Form};
use crate::os::stage;

/// Where the main agent lives in a state folder.
const MAIN_AGENT: &str = "agents/main/agent";

const PROFILES: &str = "auth-profiles.json";
const AUTH_STATE: &str = "auth-state.json";

/// OpenClaw's lock beside its profiles; a folder up to 2026.1.30, a file from 2026.2.17 on.
const PROFILES_LOCK: &str = "auth-profiles.json.lock";

/// Looks at every sink of a link.
pub(crate) fn look(settings: &Settings, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Vec<Look> {
    if settings.sinks == Sinks::Listed(Vec::new()) {
        return Vec::new();
    }
    let env = EnvPlace::find(settings, openclaw, wanted.may_write);
    let has_key = env.as_ref().is_some_and(|env| env.has_key(&settings.env_key));
    let mut traces = openclaw.traces(has_key);
    if is_barred(settings, openclaw, wanted) {
        traces.push(Trace::PasteBarred);
    }
    let choices = match &settings.sinks {
        Sinks::Auto => era::auto_sinks(&openclaw.verdict, &traces),
        Sinks::Listed(kinds) => {
            kinds.iter().map(|kind| Choice { kind: *kind, may_create: true }).collect()
        }
    };
    let mut looks = Vec::new();
    for choice in choices {
        let kind = choice.kind;
        if let Some(why) = era::refusal(openclaw.verdict.era, kind, &traces) {
            let state = SinkState::Refused(format!("{why} ({})", openclaw.verdict.because));
            looks.push(Look::settled(kind, path_of(kind, settings), state));
            continue;
        }
        match kind {
            SinkKind::OauthJson => {
                looks.extend(json(kind, settings.oauth_json.as_deref(), choice, wanted));
            }
            SinkKind::SecretFile => {
                looks.extend(json(kind, settings.secret_file.as_deref(), choice, wanted));
            }
            SinkKind::AuthProfiles => looks.extend(profiles(openclaw, choice, wanted)),
            SinkKind::Env => {
                looks.extend(env.as_ref().map(|env| env.look(settings, choice, wanted)));
            }
            SinkKind::PasteToken => looks.push(pasted(openclaw, wanted)),
        }
    }
    looks
}

/// Says whether nothing can be pasted, so that `env` has to carry the token.
fn is_barred(settings: &Settings, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> bool {
    let barred = openclaw.ledger.paste.as_ref().is_some_and(|paste| paste.barred.is_some());
    let waits = || consent::missing(openclaw, wanted.ground, &settings.name).is_some();
    matches!(openclaw.verdict.era, Era::Imported | Era::Guarded) && (barred || waits())
}

/// The profile in OpenClaw's own database, as OpenClaw described it last.
fn pasted(openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let known = openclaw.ledger.paste.clone().unwrap_or_default();
    let mark = wanted.credential().map(|credential| wanted.ground.mark(credential));
    let mark = mark.or(wanted.memory.accepted).map(|mark| mark.fingerprint);
    let state = match (known.fingerprint.is_some() && known.fingerprint == mark, known.barred) {
        (true, None) => match known.hidden_by {
            Some(other) => {
                SinkState::Hidden(format!("OpenClaw uses the profile {other} before it"))
            }
            None => SinkState::InStep,
        },
        // Another sink carries the token until then.
        (_, Some(why)) => SinkState::Absent(why),
        (_, None) => SinkState::Stale(None),
    };
    Look::settled(SinkKind::PasteToken, None, state).expiring(known.expiry)
}

/// Why OpenClaw does not read the environment now: a living profile comes before it.
pub(crate) fn env_is_hidden(openclaw: &OpenClaw, now: Timestamp) -> Option<&'static str> {
    match openclaw.verdict.era {
        Era::Live | Era::Snapshot if openclaw.has_living_profile => {
            Some("OpenClaw uses the profile in auth-profiles.json before it")
        }
        Era::Imported | Era::Guarded => {
            let living = openclaw.ledger.paste.as_ref().is_some_and(|paste| {
                paste.barred.is_none() && paste.expiry.is_some_and(|expiry| expiry > now)
            });
            living.then_some("OpenClaw uses the pasted profile before it")
        }
        _ => None,
    }
}

/// Calls an `env` unused that a profile keeps from use.
pub(crate) fn hide(sinks: &mut [SinkReport], openclaw: &OpenClaw, now: Timestamp) {
    let Some(why) = env_is_hidden(openclaw, now) else { return };
    let in_step =
        |sink: &&mut SinkReport| sink.kind == SinkKind::Env && sink.state == SinkState::InStep;
    for sink in sinks.iter_mut().filter(in_step) {
        sink.state = SinkState::Unused(why.to_owned());
    }
}

fn path_of(kind: SinkKind, settings: &Settings) -> Option<PathBuf> {
    match kind {
        SinkKind::OauthJson => settings.oauth_json.clone(),
        SinkKind::SecretFile => settings.secret_file.clone(),
        _ => None,
    }
}

/// A sink that is one JSON file of its own.
fn json(kind: SinkKind, path: Option<&Path>, choice: Choice, wanted: &Wanted<'_>) -> Option<Look> {
    let file = match File::open(path?, choice.may_create, wanted.may_write) {
        Ok(Some(file)) => file,
        Ok(None) if choice.may_create && wanted.would_make(path?) => {
            return Some(Look::to_be_made(kind, path?.to_owned()));
        }
        Ok(None) => {
            return Some(Look::settled(
                kind,
                path.map(Path::to_owned),
                absent("there is no such file"),
            ));
        }
        Err(error) => return Some(Look::failed(kind, path?.to_owned(), &error)),
    };
    let edit = |text: Option<&str>, credential: &Credential| {
        oauth_json::edit(text, credential).map_err(|fault| fault.to_string())
    };
    if file.old.is_none() && !choice.may_create {
        return Some(Look::settled(kind, Some(file.path()), absent("there is no such file")));
    }
    Some(file.compare(kind, oauth_json::held, edit, wanted))
}

fn absent(why: &str) -> SinkState {
    SinkState::Absent(why.to_owned())
}

/// Every agent's store; an agent without one of its own uses the main agent's.
fn profiles(openclaw: &OpenClaw, choice: Choice, wanted: &Wanted<'_>) -> Vec<Look> {
    let kind = SinkKind::AuthProfiles;
    if let Some(Err(error)) = &openclaw.state {
        return vec![Look::failed(kind, error.object.clone(), error)];
    }
    let stores = openclaw.agents.iter().filter(|agent| !matches!(agent.profiles, Ok(None)));
    let barred =
        openclaw.barred.iter().map(|error| Look::failed(kind, error.object.clone(), error));
    let looks: Vec<Look> =
        stores.map(|agent| profile(agent, openclaw, wanted)).chain(barred).collect();
    if let (true, true, Some(Ok(state))) = (looks.is_empty(), choice.may_create, &openclaw.state) {
        return vec![first_profile(state, openclaw, wanted)];
    }
    if looks.is_empty() {
        let why = "no agent has an auth-profiles.json yet: OpenClaw makes one on its first turn";
        return vec![Look::settled(kind, None, absent(why))];
    }
    looks
}

/// The main agent's store, where there is none yet; the other agents read it as a base of theirs.
fn first_profile(state: &Folder, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let kind = SinkKind::AuthProfiles;
    let path = state.path.join(MAIN_AGENT).join(PROFILES);
    if wanted.credential().is_none() {
        return Look::settled(kind, Some(path), absent("there is no such file"));
    }
    if !wanted.may_write {
        return Look::to_be_made(kind, path);
    }
    match openclaw::make_main_agent(state) {
        Ok(agent) => profile(&agent, openclaw, wanted),
        Err(error) => Look::failed(kind, path, &error),
    }
}

fn profile(agent: &Agent, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let kind = SinkKind::AuthProfiles;
    let path = agent.folder.path.join(PROFILES);
    let tag = wanted.ground.lock_tag();
    if wanted.may_write {
        for name in [PROFILES, AUTH_STATE] {
            let _ = stage::sweep(&agent.folder, name);
        }
        foreign_lock::clear_ours(&agent.folder, PROFILES_LOCK, tag);
    }
    if let Err(error) = &agent.profiles {
        return Look::failed(kind, path, error);
    }
    let text = agent.profiles_text();
    if text.is_none() && !matches!(agent.profiles, Ok(None)) {
        let error = Error::odd("read", &path, "it is not UTF-8 text");
        return Look::failed(kind, path, &error);
    }
    let is_ours = |token: &Secret| wanted.memory.knows(wanted.ground.fingerprinter.of(token));
    let auth_state =
        agent.auth_state.as_ref().and_then(|seen| std::str::from_utf8(&seen.bytes).ok());
    let context =
        Context { now: wanted.now, config: &openclaw.config, auth_state, is_ours: &is_ours };
    let held = text.and_then(|text| auth_profiles::held(text, &context)).map(|(_, held)| held);
    let Some(credential) = wanted.credential() else {
        return compared(kind, path, held.as_ref(), wanted);
    };
    let edit = match auth_profiles::edit(text, &context, credential) {
        Ok(edit) => edit,
        Err(fault) => return malformed(kind, path, &fault.to_string()),
    };
    let expiry = held.and_then(|held| held.expiry);
    if let (Some(other), None) = (&edit.hidden_by, &edit.text) {
        let why = format!("OpenClaw uses the profile {other} before it");
        return Look::settled(kind, Some(path), SinkState::Stale(Some(why))).expiring(expiry);
    }
    let files = [(PROFILES, edit.text, true), (AUTH_STATE, edit.auth_state, false)];
    let changes: Vec<Change> = files
        .into_iter()
        .filter_map(|(name, text, store)| {
            let old = if store {
                agent.profiles.as_ref().ok()?.clone()
            } else {
                agent.auth_state.clone()
            };
            Some(Change {
                folder: Rc::clone(&agent.folder),
                name: name.to_owned(),
                text: text?,
                old,
            })
        })
        .collect();
    if changes.is_empty() {
        return Look::settled(kind, Some(path), SinkState::InStep).expiring(expiry);
    }
    let form = openclaw.lock_form();
    let lock = LockPlace { folder: Rc::clone(&agent.folder), name: PROFILES_LOCK, form, tag };
    Look::stale(kind, path, changes).expiring(expiry).locked_by(lock)
}

impl OpenClaw {
    fn lock_form(&self) -> Form {
        let first_file_lock = era::Version::parse("2026.2.1");
        match self.verdict.version {
            Some(version) if Some(version) < first_file_lock => Form::Folder,
            _ => Form::File,
        }
    }
}

/// The `.env` of a link.
struct EnvPlace {
    path: PathBuf,
    file: Result<Option<File>, Error>,
    /// Whether it may be made where there is none: a compose `.env` never is.
    may_make: bool,
}

impl EnvPlace {
    fn find(settings: &Settings, openclaw: &OpenClaw, may_write: bool) -> Option<Self> {
        let (path, may_make) = match (&settings.env_file, &settings.compose_dir) {
            (Some(path), _) => {
                (path.clone(), settings.openclaw_state_dir.as_deref() == path.parent())
            }
            (None, Some(folder)) if has_env(folder) => (folder.join(".env"), false),
            _ => (openclaw.folder()?.path.join(".env"), true),
        };
        let file = File::open(&path, false, may_write);
        Some(Self { path, file, may_make })
    }

    fn has_key(&self, key: &str) -> bool {
        let Ok(Some(file)) = &self.file else { return false };
        file.text().is_ok_and(|text| text.is_some_and(|text| envfile::has(text, key)))
    }

    fn look(&self, settings: &Settings, choice: Choice, wanted: &Wanted<'_>) -> Look {
        let kind = SinkKind::Env;
        let settled = |state| Look::settled(kind, Some(self.path.clone()), state);
        let file = match &self.file {
            Ok(Some(file)) => file,
            Ok(None) => return settled(absent("its folder does not exist")),
            Err(error) => return Look::failed(kind, self.path.clone(), error),
        };
        if file.old.is_none() && !(self.may_make && choice.may_create) {
            return settled(absent("there is no such file, and none is made here"));
        }
        if !choice.may_create && !self.has_key(&settings.env_key) {
            return settled(absent("the key does not stand there, and OpenClaw does not need it"));
        }
        let held = |text: &str| {
            envfile::get(text, &settings.env_key).map(|token| Held { token, expiry: None })
        };
        let edit = |text: Option<&str>, credential: &Credential| {
            envfile::set(text.unwrap_or_default(), &settings.env_key, &credential.access_token)
                .map_err(|refusal| refusal.to_string())
        };
        file.compare(kind, held, edit, wanted)
    }
}

fn has_env(folder: &Path) -> bool {
    Folder::reach(folder).and_then(|folder| folder.stat(".env")).is_ok_and(|stat| stat.is_some())
}

/// One file that is a sink by itself.
struct File {
    folder: Rc<Folder>,
    name: String,
    old: Option<Rc<Seen>>,
}

impl File {
    /// Reads the file; `None` if its folder does not exist and is not to be made.
    fn open(path: &Path, may_make: bool, may_write: bool) -> Result<Option<Self>, Error> {
        let (Some(parent), Some(name)) =
            (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::odd("open", path, "it names no file"));
        };
        let folder = match Folder::reach(parent) {
            Ok(folder) => folder,
            Err(error) if error.is_absent() && may_make && may_write => {
                let (Some(above), Some(last)) =
                    (parent.parent(), parent.file_name().and_then(|name| name.to_str()))
                else {
                    return Err(error);
                };
                Folder::reach(above)?.make(last)?
            }
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        };
        if may_write {
            // A killed run may have left a token there.
            let _ = stage::sweep(&folder, name);
        }
        let old = folder.read(name, SIZE_LIMIT)?.map(Rc::new);
        Ok(Some(Self { folder: Rc::new(folder), name: name.to_owned(), old }))
    }

    fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    fn text(&self) -> Result<Option<&str>, Error> {
        let text = self.old.as_ref().map(|seen| std::str::from_utf8(&seen.bytes)).transpose();
        text.map_err(|_| Error::odd("read", &self.path(), "it is not UTF-8 text"))
    }

    /// Compares what it holds with what it should, and works out the new text.
    fn compare(
        &self,
        kind: SinkKind,
        held: impl Fn(&str) -> Option<Held>,
        edit: impl Fn(Option<&str>, &Credential) -> Result<Option<String>, String>,
        wanted: &Wanted<'_>,
    ) -> Look {
        let path = self.path();
        let text = match self.text() {
            Ok(text) => text,
            Err(error) => return Look::failed(kind, path, &error),
        };
        let holds = text.and_then(held);
        let Some(credential) = wanted.credential() else {
            return compared(kind, path, holds.as_ref(), wanted);
        };
        let expiry = holds.and_then(|held| held.expiry);
        match edit(text, credential) {
            Ok(None) => Look::settled(kind, Some(path), SinkState::InStep).expiring(expiry),
            Ok(Some(text)) => {
                let (folder, name) = (Rc::clone(&self.folder), self.name.clone());
                let change = Change { folder, name, text, old: self.old.clone() };
                Look::stale(kind, path, vec![change]).expiring(expiry)
            }
            Err(fault) => malformed(kind, path, &fault),
        }
    }
}

/// Where nothing may be passed on, a sink is in step if it holds what was passed on last.
fn compared(kind: SinkKind, path: PathBuf, held: Option<&Held>, wanted: &Wanted<'_>) -> Look {
    let Some(held) = held else {
        return Look::settled(kind, Some(path), absent("it holds no token"));
    };
    let mark = wanted.ground.fingerprinter.of(&held.token);
    let last = wanted.memory.accepted.is_some_and(|accepted| accepted.fingerprint == mark);
    let state = if last { SinkState::InStep } else { SinkState::Stale(None) };
    Look::settled(kind, Some(path), state).expiring(held.expiry)
}

fn malformed(kind: SinkKind, path: PathBuf, fault: &str) -> Look {
    let error = Error::odd("edit", &path, fault);
    Look::failed(kind, path, &error)
}
