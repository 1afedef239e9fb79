//! OpenClaw's own `openclaw.json`: what it says about versions, profiles and their order.
//!
//! JSON5 with comments is what OpenClaw reads (2026.1.30 to 2026.9.6). Files that it includes
//! (`$include`) are not followed.

use serde_json::Value;

use crate::domain::era::Version;
use crate::domain::splice::{self, Dialect, Malformed};

/// Where a gateway listens that is not told otherwise.
const PORT: u16 = 18789;

/// What we need of `openclaw.json`; the default stands for a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenclawConfig {
    /// `meta.lastTouchedVersion`: the version that last wrote the file.
    pub(crate) last_touched: Option<Version>,
    /// `auth.order` for anthropic, an empty one too: it means that no profile is used.
    pub(crate) order: Option<Vec<String>>,
    /// `auth.profiles`, in the order of the file.
    pub(crate) profiles: Vec<ConfiguredProfile>,
    /// Whether it has comments, which every write by OpenClaw loses.
    pub(crate) has_comments: bool,
    /// Whether `models.providers.anthropic` stands there, which takes the built-in models away.
    pub(crate) has_anthropic_provider: bool,
    /// Where the gateway listens on loopback; `None` where it does not.
    pub(crate) gateway_port: Option<u16>,
    /// The agents' names; nothing where the file names none.
    pub(crate) agents: Vec<String>,
}

/// What `openclaw.json` says about one profile; the secret itself is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfiguredProfile {
    /// The profile's id.
    pub(crate) id: String,
    /// Whether the profile is said to be anthropic's.
    pub(crate) anthropic: bool,
    /// The `mode` that the credential's type must match; empty if it is missing.
    pub(crate) mode: String,
}

impl Default for OpenclawConfig {
    fn default() -> Self {
        Self {
            last_touched: None,
            order: None,
            profiles: Vec::new(),
            has_comments: false,
            has_anthropic_provider: false,
            gateway_port: Some(PORT),
            agents: Vec::new(),
        }
    }
}

impl OpenclawConfig {
    /// Reads the file's text.
    pub(crate) fn read(text: &str) -> Result<Self, Malformed> {
        let root = splice::read(text, Dialect::Json5)?;
        let touched = root.pointer("/meta/lastTouchedVersion").and_then(Value::as_str);
        let profiles = root.pointer("/auth/profiles").and_then(Value::as_object);
        let providers = root.pointer("/models/providers").and_then(Value::as_object);
        Ok(Self {
            last_touched: touched.and_then(Version::parse),
            order: root.pointer("/auth/order").and_then(anthropic_order),
            profiles: profiles.into_iter().flatten().map(configured).collect(),
            has_comments: splice::has_comments(text),
            has_anthropic_provider: providers
                .is_some_and(|providers| providers.keys().any(|id| is_anthropic(id))),
            gateway_port: gateway_port(&root),
            agents: agents(&root),
        })
    }

    /// What is said about the profile `id`.
    pub(crate) fn profile(&self, id: &str) -> Option<&ConfiguredProfile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }
}

/// Says whether a provider's id is anthropic's, as `normalizeProviderId` sees it.
pub(crate) fn is_anthropic(provider: &str) -> bool {
    provider.trim().eq_ignore_ascii_case("anthropic")
}

/// Picks anthropic's list out of an `order` object: the first key that means anthropic counts.
pub(crate) fn anthropic_order(orders: &Value) -> Option<Vec<String>> {
    let list = orders.as_object()?.iter().find(|(provider, _)| is_anthropic(provider))?.1;
    let ids = list.as_array()?.iter().filter_map(Value::as_str).map(|id| id.trim().to_owned());
    Some(ids.filter(|id| !id.is_empty()).collect())
}

/// `agents.list`, and `agents.entries` as 2026.9 writes it.
fn agents(root: &Value) -> Vec<String> {
    let list = root.pointer("/agents/list").and_then(Value::as_array).into_iter().flatten();
    let listed = list.filter_map(|agent| Some(agent.get("id")?.as_str()?.to_owned()));
    let entries = root.pointer("/agents/entries").and_then(Value::as_object).into_iter().flatten();
    listed.chain(entries.map(|(id, _)| id.clone())).collect()
}

/// The port on loopback; what listens on one address of a network, or elsewhere, is not seen there.
fn gateway_port(root: &Value) -> Option<u16> {
    let gateway = root.get("gateway");
    let word = |key: &str| gateway?.get(key)?.as_str();
    let elsewhere =
        word("mode") == Some("remote") || matches!(word("bind"), Some("tailnet" | "custom"));
    let port = gateway.and_then(|gateway| gateway.get("port")).and_then(Value::as_u64);
    let port = port.map_or(Some(PORT), |port| u16::try_from(port).ok());
    port.filter(|_| !elsewhere)
}

fn configured((id, profile): (&String, &Value)) -> ConfiguredProfile {
    let text = |key| profile.get(key).and_then(Value::as_str).unwrap_or_default();
    ConfiguredProfile {
        id: id.clone(),
        anthropic: is_anthropic(text("provider")),
        mode: text("mode").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_named_in_either_form() {
        let agents = |text| OpenclawConfig::read(text).unwrap().agents;
        assert_eq!(agents("{agents:{list:[{id:'a'},{id:'main'}]}}"), ["a", "main"]);
        assert_eq!(agents("{agents:{entries:{ops:{},main:{}}}}"), ["ops", "main"]);
        assert!(agents("{agents:{defaults:{}}}").is_empty());
    }

    #[test]
    fn a_gateway_on_loopback_has_a_port() {
        let port = |text| OpenclawConfig::read(text).unwrap().gateway_port;
        assert_eq!(port("{}"), Some(18789));
        assert_eq!(port("{gateway:{port:1234,bind:'lan'}}"), Some(1234));
        assert_eq!(port("{gateway:{port:1234,bind:'tailnet'}}"), None);
        assert_eq!(port("{gateway:{mode:'remote'}}"), None);
    }

    /// As OpenClaw 2026.2.25 writes it after `configure`, with a person's hand over it.
    const TEXT: &str = r#"{
  // my gateway
  "meta": { "lastTouchedVersion": "2026.2.25", "lastTouchedAt": "2026-02-26T09:12:44.310Z" },
  auth: {
    profiles: {
      "anthropic:default": { provider: "anthropic", mode: "oauth" },
      "openai:default": { provider: 'openai', mode: 'api_key' },
    },
    order: { Anthropic: ["anthropic:default", " anthropic:key "] },
  },
  models: { providers: { anthropic: { baseUrl: "https://api.anthropic.com/v1", models: [] } } },
}
"#;

    #[test]
    fn reads_what_a_person_and_openclaw_wrote() {
        let config = OpenclawConfig::read(TEXT).expect("it is JSON5");
        assert_eq!(config.last_touched, Version::parse("2026.2.25"));
        assert_eq!(
            config.order.as_deref(),
            Some(&["anthropic:default", "anthropic:key"].map(str::to_owned)[..])
        );
        let profile = config.profile("anthropic:default").expect("it is configured");
        assert!(profile.anthropic && profile.mode == "oauth");
        assert!(!config.profile("openai:default").expect("it is configured").anthropic);
        assert!(config.has_comments && config.has_anthropic_provider);
    }

    #[test]
    fn says_nothing_of_what_is_not_there() {
        for text in ["{}", "{\"auth\": [], \"meta\": null, models: {providers: {}}}"] {
            assert_eq!(OpenclawConfig::read(text), Ok(OpenclawConfig::default()), "{text}");
        }
    }

    #[test]
    fn names_the_place_of_what_it_cannot_read() {
        let error = OpenclawConfig::read("{\n  meta: {,}\n}");
        assert_eq!(error, Err(Malformed { line: 2, column: 10 }));
    }
}
