//! `openclaw models auth paste-token`: how it is called, and what OpenClaw says of it afterwards.
//!
//! The forms were read from OpenClaw 2026.9.6; what an older one leaves out counts as unsaid.

use serde_json::Value;

use crate::domain::auth_profiles::OWN_PROFILE;
use crate::domain::openclaw_config::is_anthropic;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// How many of a token's last letters `models status` shows.
const SHOWN: usize = 8;

/// What OpenClaw says about our profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadBack {
    /// Whether it holds this very token, as far as its last letters tell.
    pub(crate) holds: bool,
    /// The profile that OpenClaw uses first, where that is not ours.
    pub(crate) hidden_by: Option<String>,
    /// The profiles in the order in which OpenClaw uses them.
    pub(crate) order: Vec<String>,
    /// Whether OpenClaw does not use it for the moment, and until when where it says so.
    pub(crate) cools_down: bool,
}

impl ReadBack {
    /// What holds for two agents.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            holds: self.holds && other.holds,
            order: if self.hidden_by.is_some() { self.order } else { other.order },
            hidden_by: self.hidden_by.or(other.hidden_by),
            cools_down: self.cools_down || other.cools_down,
        }
    }
}

/// The arguments that paste a token which ends at `expiry`; the token itself goes to its input.
/// Where there are several agents OpenClaw wants to be told for which.
pub(crate) fn arguments(expiry: Timestamp, now: Timestamp, agent: Option<&str>) -> Vec<String> {
    let span = format!("{}s", expiry.left(now).as_secs().max(1));
    let mut words = vec!["models", "auth"];
    // Before the command: behind it 2026.6.1 does not know the option.
    words.extend(agent.into_iter().flat_map(|agent| ["--agent", agent]));
    words.extend(["paste-token", "--provider", "anthropic"]);
    words.extend(["--profile-id", OWN_PROFILE, "--expires-in", &span]);
    words.into_iter().map(str::to_owned).collect()
}

/// Reads `models status --json`; `None` if it is not that.
pub(crate) fn read_back(json: &str, token: &Secret) -> Option<ReadBack> {
    // Warnings may stand before it.
    let root: Value = serde_json::from_slice(&json.as_bytes()[json.find('{')?..]).ok()?;
    let auth = root.get("auth")?;
    let ours = |provider: &&Value| {
        provider.get("provider").and_then(Value::as_str).is_some_and(is_anthropic)
    };
    let providers = |pointer: &str| {
        auth.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter(ours)
    };
    let labels = providers("/providers")
        .filter_map(|provider| provider.pointer("/profiles/labels")?.as_array());
    let own = format!("{OWN_PROFILE}=token:");
    let shown = labels.flatten().filter_map(Value::as_str).find_map(|label| {
        let rest = label.strip_prefix(&own)?;
        Some(rest.split(' ').next().unwrap_or_default().to_owned())
    });
    let end = last_letters(token.expose());
    let effective = providers("/oauth/providers")
        .find_map(|provider| provider.get("effectiveProfiles")?.as_array().cloned());
    let id = |profile: &Value| Some(profile.get("profileId")?.as_str()?.to_owned());
    let order: Vec<String> = effective.iter().flatten().filter_map(id).collect();
    let unusable = auth.get("unusableProfiles").and_then(Value::as_array);
    let cools = |profile: &Value| {
        let id = profile.get("profileId").or_else(|| profile.get("id")).and_then(Value::as_str);
        id == Some(OWN_PROFILE)
    };
    Some(ReadBack {
        holds: shown.is_some_and(|shown| shown.ends_with(&end)),
        hidden_by: order.first().filter(|id| *id != OWN_PROFILE).cloned(),
        order,
        cools_down: unusable.into_iter().flatten().any(cools),
    })
}

/// Reads from `models status --json` whether OpenClaw takes Anthropic's credential from its environment,
/// and from no profile; `None` if it does not say.
pub(crate) fn uses_environment(json: &str) -> Option<bool> {
    let root: Value = serde_json::from_slice(&json.as_bytes()[json.find('{')?..]).ok()?;
    let providers = root.pointer("/auth/providers")?.as_array()?;
    let ours = providers.iter().find(|provider| {
        provider.get("provider").and_then(Value::as_str).is_some_and(is_anthropic)
    });
    Some(ours?.pointer("/effective/kind")?.as_str()? == "env")
}

fn last_letters(token: &str) -> String {
    let start = token.len().saturating_sub(SHOWN);
    token.get(start..).unwrap_or(token).to_owned()
}

/// Reads `secrets reload --json`: `Ok` if nothing was amiss, else what it says.
pub(crate) fn reloaded(json: &str) -> Result<(), String> {
    let start = json.find('{').ok_or_else(|| "it answered nothing".to_owned())?;
    let root: Value = serde_json::from_slice(&json.as_bytes()[start..])
        .map_err(|_| "its answer is no JSON".to_owned())?;
    if root.get("ok") == Some(&Value::Bool(false)) {
        let message = root.pointer("/error/message").and_then(Value::as_str);
        return Err(message.unwrap_or("it refused").lines().next().unwrap_or_default().to_owned());
    }
    match root.get("warningCount").and_then(Value::as_u64) {
        Some(0) => Ok(()),
        Some(count) => Err(format!("it answered with {count} warnings and keeps the old token")),
        None => Err("it did not report whether there were warnings".to_owned()),
    }
}

/// Says whether a gateway refused a call because the command line's device may not do so much.
///
/// Such a device is approved unasked, but only for what it asks first: a turn, which is less than a
/// reload. From 2026.8.1 on one that knows the gateway's token gets more unasked too.
pub(crate) fn lacks_scope(said: &str) -> bool {
    said.contains("pairing required") || said.contains("scope upgrade")
}
