//! `agents/ID/agent/auth-profiles.json`: the store of OpenClaw up to 2026.5, edited in place.
//!
//! Orders and cool-downs lie in the same file or, as the program of 2026.4.15 has it, in
//! `auth-state.json` beside it. What is said here of OpenClaw was read in the programs of
//! 2026.1.30, 2026.2.25 and 2026.4.15.

mod cooldown;
mod ranking;
mod store;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::domain::credential::Credential;
use crate::domain::oauth_json::is_blank;
use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::secret::Secret;
use crate::domain::sink::Held;
use crate::domain::splice::{self, Dialect, Malformed, Splice};
use crate::domain::time::Timestamp;

pub(crate) use cooldown::CoolDown;
use ranking::Ranking;
use store::{Kind, Profile, Store};

/// The profile that we add where OpenClaw has none that may carry the token.
pub(crate) const OWN_PROFILE: &str = "anthropic:oauth-sync";

/// How many profiles a store may have to be rewritten: a person keeps a handful, and each takes its
/// own edits.
const MOST_PROFILES: usize = 64;

/// As OpenClaw begins a store.
const EMPTY: &str = "{\n  \"version\": 1,\n  \"profiles\": {}\n}\n";

/// What the choice of a profile depends on, beside the store itself.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The present.
    pub(crate) now: Timestamp,
    /// What openclaw.json says.
    pub(crate) config: &'a OpenclawConfig,
    /// The text of the `auth-state.json` beside the store, if there is one.
    pub(crate) auth_state: Option<&'a str>,
    /// Tells the access tokens that we have carried.
    pub(crate) is_ours: &'a dyn Fn(&Secret) -> bool,
}

/// What an edit comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The new text of the store; `None` if it stays as it is.
    pub(crate) text: Option<String>,
    /// The new text of `auth-state.json`; `None` if it stays as it is.
    pub(crate) auth_state: Option<String>,
    /// The profile that carries the token.
    pub(crate) profile_id: String,
    /// The foreign profile that OpenClaw uses before it, if a person put it there; the profile's own
    /// id if openclaw.json gives it a `mode` that keeps OpenClaw from using it at all.
    pub(crate) hidden_by: Option<String>,
    /// Whether a cool-down was ended that the old token had caused.
    pub(crate) cleared_cooldown: bool,
    /// Whether it is known which profile OpenClaw uses: an order in the store says so, or else
    /// openclaw.json, if it is understood.
    pub(crate) is_order_known: bool,
}

/// Makes the store carry the credential's access token, as type `token` and without the refresh
/// token, so that OpenClaw never becomes a second refresher.
///
/// The profile is the one that OpenClaw's own order picks. Other profiles that hold a token of ours
/// get the new one too: OpenClaw takes profiles of a type in turn and would meet the old one.
pub(crate) fn edit(
    text: Option<&str>,
    context: &Context<'_>,
    credential: &Credential,
) -> Result<Edit, Malformed> {
    let mut files = Files::new(text, context.auth_state)?;
    let is_ours = |token: &Secret| *token == credential.access_token || (context.is_ours)(token);
    let ranking = Ranking { config: context.config, is_ours: &is_ours };
    let Renewed { store, picked, ids, mut cleared_cooldown } =
        files.renew_in_order(&ranking, credential, context.now)?;
    let is_copy =
        |p: &&Profile| ranking.may_rewrite(p) && ranking.is_ours(p) && !ids.contains(&p.id);
    let copies: Vec<&Profile> = store.profiles.iter().filter(is_copy).collect();
    let is_current = copies.is_empty() && picked.is_some();
    for copy in copies {
        cleared_cooldown |= files.renew(copy, credential, context.now)?;
    }
    if picked.is_none() {
        files.profiles.set(&["profiles", OWN_PROFILE], &fresh(credential))?;
        cleared_cooldown |= files.clear_cooldown(OWN_PROFILE, context.now)?;
    }

    let store = if is_current { store } else { files.store() };
    let first = ranking.first(&store);
    let mut hidden_by = first.filter(|first| !carries(first, credential)).map(|p| p.id.clone());
    let added = picked.is_none();
    let profile_id = picked.unwrap_or_else(|| OWN_PROFILE.to_owned());
    if first.is_none() || added && hidden_by.is_some() {
        files.put_first(&store, context.config, &profile_id)?;
        let store = files.store();
        let carried = ranking.first(&store).is_some_and(|first| carries(first, credential));
        hidden_by = (!carried).then(|| profile_id.clone());
    }
    let is_order_known = context.config.is_known || files.store().order.is_some();
    let auth_state = files.state.and_then(Splice::finish);
    let text = files.profiles.finish();
    Ok(Edit { text, auth_state, profile_id, hidden_by, cleared_cooldown, is_order_known })
}

/// A store has more profiles than are rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

/// The order of profiles that somebody has set; where nobody has, all of Anthropic's.
pub(crate) fn order(text: &str, context: &Context<'_>) -> Vec<String> {
    let Ok(root) = splice::read(text, Dialect::Json) else { return Vec::new() };
    let state = context.auth_state.and_then(|text| splice::read(text, Dialect::Json).ok());
    let store = Store::read(&root, &state.unwrap_or_default());
    let all = || {
        let own = store.profiles.iter().filter(|profile| profile.anthropic);
        own.map(|profile| profile.id.clone()).collect()
    };
    ranking::explicit(&store, context.config).unwrap_or_else(all)
}

/// Says which profile an edit would rewrite, and what it holds now.
pub(crate) fn held(text: &str, context: &Context<'_>) -> Result<Option<(String, Held)>, Crowded> {
    let Ok(root) = splice::read(text, Dialect::Json) else { return Ok(None) };
    let state = context.auth_state.and_then(|text| splice::read(text, Dialect::Json).ok());
    let store = Store::read(&root, &state.unwrap_or_default());
    if store.profiles.len() > MOST_PROFILES {
        return Err(Crowded);
    }
    let ranking = Ranking { config: context.config, is_ours: context.is_ours };
    let held = ranking.pick(&store).and_then(|profile| {
        let token = profile.token.clone()?;
        Some((profile.id.clone(), Held { token, expiry: profile.expiry }))
    });
    Ok(held)
}

/// Says whether OpenClaw may be living on this store: an anthropic profile that has not expired,
/// or one of ours. An API key proves nothing: it never expires and is left behind by an upgrade.
pub(crate) fn living(text: &str, now: Timestamp, is_ours: &dyn Fn(&Secret) -> bool) -> bool {
    let Some(profiles) = profiles(text) else { return false };
    let lives = |profile: &Profile| {
        let token = profile.token.as_ref();
        profile.anthropic
            && (token.is_some() && profile.expiry.is_none_or(|expiry| expiry > now)
                || token.is_some_and(is_ours))
    };
    profiles.iter().any(lives)
}

/// The cool-down of a profile, in the store or in the state beside it.
pub(crate) fn cool_down(
    text: &str,
    auth_state: Option<&str>,
    id: &str,
    now: Timestamp,
) -> Option<CoolDown> {
    let files = [auth_state, Some(text)].into_iter().flatten();
    let files = files.filter_map(|text| serde_json::from_slice(text.as_bytes()).ok());
    files.into_iter().find_map(|file: Value| cooldown::find(&file, id, now))
}

/// The refresh tokens of all profiles; each makes OpenClaw a second refresher.
pub(crate) fn refresh_tokens(text: &str) -> Vec<Secret> {
    let root: Value = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let profiles = root.get("profiles").and_then(Value::as_object).into_iter().flatten();
    let tokens = profiles.filter_map(|(_, profile)| profile.get("refresh")?.as_str());
    tokens.filter(|token| !token.is_empty()).map(Secret::new).collect()
}

/// Says whether every profile of the store is anthropic's and holds a token of ours.
pub(crate) fn only(text: &str, is_ours: &dyn Fn(&Secret) -> bool) -> bool {
    let Some(profiles) = profiles(text) else { return false };
    let ours = |profile: &Profile| profile.anthropic && profile.token.as_ref().is_some_and(is_ours);
    !profiles.is_empty() && profiles.iter().all(ours)
}

/// Reads the profiles of a store alone.
fn profiles(text: &str) -> Option<Vec<Profile>> {
    let root = splice::read(text, Dialect::Json).ok()?;
    Some(Store::read(&root, &Value::Null).profiles)
}

/// What came of the renewal of the profile that the order picks.
struct Renewed {
    /// The store as it is now.
    store: Store,
    /// The profile that the order picks now, `None` if there is none to renew.
    picked: Option<String>,
    /// The profiles that were renewed on the way to it.
    ids: Vec<String>,
    cleared_cooldown: bool,
}

/// The store and the state beside it, under edit.
struct Files {
    profiles: Splice,
    state: Option<Splice>,
}

impl Files {
    fn new(text: Option<&str>, state: Option<&str>) -> Result<Self, Malformed> {
        let text = text.filter(|text| !is_blank(text)).unwrap_or(EMPTY);
        // OpenClaw passes over a state that it cannot read, and so do we.
        let state = state.and_then(|text| Splice::new(text, Dialect::Json).ok());
        Ok(Self { profiles: Splice::new(text, Dialect::Json)?, state })
    }

    fn store(&self) -> Store {
        let state = self.state.as_ref().and_then(|state| state.get(&[]));
        Store::read(&self.profiles.get(&[]).unwrap_or_default(), &state.unwrap_or_default())
    }

    /// Renews the profile that the order picks.
    fn renew_in_order(
        &mut self,
        ranking: &Ranking<'_>,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Renewed, Malformed> {
        let (mut ids, mut cleared_cooldown) = (Vec::new(), false);
        // A profile that becomes a token steps behind the oauth profiles that are left: they are
        // next, for one that has expired would stop OpenClaw where it stands.
        loop {
            let store = self.store();
            let stale = ranking
                .pick(&store)
                .filter(|picked| !carries(picked, credential) && !ids.contains(&picked.id));
            let Some(profile) = stale else {
                let picked = ranking.pick(&store).map(|picked| picked.id.clone());
                return Ok(Renewed { store, picked, ids, cleared_cooldown });
            };
            cleared_cooldown |= self.renew(profile, credential, now)?;
            ids.push(profile.id.clone());
        }
    }

    /// Turns a profile into one of type `token`; keys that are not named here stay.
    fn renew(
        &mut self,
        profile: &Profile,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<bool, Malformed> {
        let (id, splice) = (profile.id.as_str(), &mut self.profiles);
        splice.set(&["profiles", id, "type"], &json!("token"))?;
        splice.set(&["profiles", id, "token"], &json!(credential.access_token.expose()))?;
        splice.set(&["profiles", id, "expires"], &json!(credential.expiry.0))?;
        splice.remove(&["profiles", id, "access"])?;
        splice.remove(&["profiles", id, "refresh"])?;
        let changed = profile.token.as_ref() != Some(&credential.access_token);
        Ok(changed && self.clear_cooldown(id, now)?)
    }

    fn clear_cooldown(&mut self, id: &str, now: Timestamp) -> Result<bool, Malformed> {
        let mut cleared = cooldown::clear(&mut self.profiles, id, now)?;
        if let Some(state) = &mut self.state {
            cleared |= cooldown::clear(state, id, now)?;
        }
        Ok(cleared)
    }

    /// Puts a profile at the front of the order in force.
    ///
    /// An order in the store beats the one in openclaw.json; `openclaw models auth order set`
    /// writes it there too, and openclaw.json stays a person's.
    fn put_first(
        &mut self,
        store: &Store,
        config: &OpenclawConfig,
        id: &str,
    ) -> Result<(), Malformed> {
        let first = Value::from(id);
        match (&store.order, &mut self.state) {
            (Some(order), Some(state)) if order.in_state => {
                state.prepend(&["order", &order.key], &first)
            }
            (Some(order), _) => self.profiles.prepend(&["order", &order.key], &first),
            (None, _) => {
                let rest = ranking::configured(config).unwrap_or_default();
                let rest = rest.into_iter().filter(|other| other != id).map(Value::from);
                let order: Value = std::iter::once(first).chain(rest).collect();
                self.profiles.set(&["order", "anthropic"], &order)
            }
        }
    }
}

fn carries(profile: &Profile, credential: &Credential) -> bool {
    profile.kind == Kind::Token
        && profile.token.as_ref() == Some(&credential.access_token)
        && profile.expiry == Some(credential.expiry)
}

fn fresh(credential: &Credential) -> Value {
    json!({
        "type": "token",
        "provider": "anthropic",
        "token": credential.access_token.expose(),
        "expires": credential.expiry.0,
    })
}
