//! What a store holds, as OpenClaw makes sense of it when it loads the file.

use serde_json::Value;

use crate::domain::oauth_json::instant;
use crate::domain::openclaw_config::{anthropic_order, is_anthropic};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The types of credential, in the order in which OpenClaw prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Oauth,
    Token,
    ApiKey,
}

/// One profile of a store.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) id: String,
    pub(super) anthropic: bool,
    pub(super) kind: Kind,
    /// Whether its secret is a `SecretRef` (`tokenRef`, `keyRef`), which a person has set up.
    pub(super) by_reference: bool,
    /// The access token, however the type calls it.
    pub(super) token: Option<Secret>,
    pub(super) expiry: Option<Timestamp>,
    /// Whether OpenClaw would use its API key.
    pub(super) has_key: bool,
    /// In ms; OpenClaw takes the profile of a type that it has not used for the longest.
    pub(super) last_used: i64,
}

/// Anthropic's order, as one of the two files has it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) ids: Vec<String>,
    /// The key under `order`, which need not be in lower case.
    pub(super) key: String,
    pub(super) in_state: bool,
}

/// A store with its state.
pub(super) struct Store {
    pub(super) profiles: Vec<Profile>,
    pub(super) order: Option<Order>,
}

impl Store {
    /// Reads a store from `auth-profiles.json` and `auth-state.json`; of what both say the latter
    /// counts.
    pub(super) fn read(root: &Value, state: &Value) -> Self {
        let last_used = |id: &str| {
            let usage = [state, root].into_iter().find_map(|file| file.get("usageStats")?.get(id));
            usage.and_then(|usage| instant(usage.get("lastUsed")?)).map_or(0, |used| used.0)
        };
        let profiles = root.get("profiles").and_then(Value::as_object).into_iter().flatten();
        let profiles = profiles.filter_map(|(id, entry)| profile(id, entry, last_used(id)));
        let order = order(state, true).or_else(|| order(root, false));
        Self { profiles: profiles.collect(), order }
    }

    pub(super) fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }
}

/// An empty order is none: OpenClaw drops it at load.
fn order(file: &Value, in_state: bool) -> Option<Order> {
    let orders = file.get("order")?;
    let key = orders.as_object()?.keys().find(|provider| is_anthropic(provider))?.clone();
    let ids = anthropic_order(orders).filter(|ids| !ids.is_empty())?;
    Some(Order { ids, key, in_state })
}

/// Reads an entry; `None` for what OpenClaw passes over.
fn profile(id: &str, entry: &Value, last_used: i64) -> Option<Profile> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    // 2026.4.15 takes `mode` for a missing `type`.
    let kind = match entry.get("type").map_or_else(|| text("mode"), Value::as_str)? {
        "oauth" => Kind::Oauth,
        "token" => Kind::Token,
        "api_key" => Kind::ApiKey,
        _ => return None,
    };
    let provider = text("provider").filter(|provider| !provider.trim().is_empty())?;
    let (value, reference) = match kind {
        Kind::Oauth => ("access", ""),
        Kind::Token => ("token", "tokenRef"),
        Kind::ApiKey => ("key", "keyRef"),
    };
    // 2026.4.15 also takes a reference in the place of the value.
    let is_reference = |key: &str| entry.get(key).is_some_and(Value::is_object);
    let by_reference = kind != Kind::Oauth && (is_reference(reference) || is_reference(value));
    let secret = text(value).or_else(|| text("apiKey").filter(|_| kind == Kind::ApiKey));
    let secret = secret.filter(|secret| !secret.trim().is_empty());
    let is_key = kind == Kind::ApiKey;
    Some(Profile {
        id: id.to_owned(),
        anthropic: is_anthropic(provider),
        kind,
        by_reference,
        token: secret.filter(|_| !is_key).map(Secret::new),
        expiry: entry.get("expires").and_then(instant),
        has_key: is_key && (secret.is_some() || by_reference),
        last_used,
    })
}
