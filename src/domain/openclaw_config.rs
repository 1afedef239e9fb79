//! OpenClaw's own `openclaw.json`: what it says about versions, profiles and their order.
//!
//! Here is what a configuration means (2026.1.30 to 2026.9.6); its text is read by `json5`, and
//! `include` puts the files together that it is made of.

pub(crate) mod include;

use std::collections::HashSet;

use serde_json::Value;

use crate::domain::era::Version;

/// Where a gateway listens that is not told otherwise.
const PORT: u16 = 18789;

/// What we need of `openclaw.json`; the default stands for a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenclawConfig {
    /// Whether it is known what the file says; where it is not, there is no version, order, profile
    /// or agent below that could be relied on.
    pub(crate) is_known: bool,
    /// `meta.lastTouchedVersion`: the version that last wrote the file.
    pub(crate) last_touched: Option<Version>,
    /// `auth.order` for anthropic, an empty one too: it means that no profile is used.
    pub(crate) order: Option<Vec<String>>,
    /// `auth.profiles`, in the order of the file.
    pub(crate) profiles: Vec<ConfiguredProfile>,
    /// Whether `models.providers.anthropic` stands there, which takes the built-in models away.
    pub(crate) has_anthropic_provider: bool,
    /// Where the gateway listens on loopback; `None` where it does not.
    pub(crate) gateway_port: Option<u16>,
    /// The agents, in the order of the file; none where it names none.
    pub(crate) agents: Vec<ConfiguredAgent>,
}

/// An agent that `openclaw.json` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfiguredAgent {
    /// Its id, as it is part of paths.
    pub(crate) id: String,
    /// Its `agentDir` as it is written, where it is not `agents/ID/agent` in the state directory.
    pub(crate) dir: Option<String>,
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
            is_known: true,
            last_touched: None,
            order: None,
            profiles: Vec::new(),
            has_anthropic_provider: false,
            gateway_port: Some(PORT),
            agents: Vec::new(),
        }
    }
}

impl OpenclawConfig {
    /// What a file says that cannot be understood.
    pub(crate) fn unknown() -> Self {
        Self { is_known: false, ..Self::default() }
    }

    /// Reads a whole configuration, with the files that it includes.
    pub(crate) fn read(root: &Value) -> Self {
        let touched = root.pointer("/meta/lastTouchedVersion").and_then(Value::as_str);
        let profiles = root.pointer("/auth/profiles").and_then(Value::as_object);
        let providers = root.pointer("/models/providers").and_then(Value::as_object);
        Self {
            is_known: true,
            last_touched: touched.and_then(Version::parse),
            order: root.pointer("/auth/order").and_then(anthropic_order),
            profiles: profiles.into_iter().flatten().map(configured).collect(),
            has_anthropic_provider: providers
                .is_some_and(|providers| providers.keys().any(|id| is_anthropic(id))),
            gateway_port: gateway_port(root),
            agents: agents(root),
        }
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

/// `agents.entries` as 2026.9 writes it, else `agents.list`; of agents with the same id the first.
fn agents(root: &Value) -> Vec<ConfiguredAgent> {
    let roster = root.get("agents");
    let entries = roster.and_then(|agents| agents.get("entries"));
    let named: Vec<(&str, &Value)> = if let Some(entries) = entries {
        let entries = entries.as_object().into_iter().flatten();
        entries.map(|(id, agent)| (id.as_str(), agent)).collect()
    } else {
        let list = roster.and_then(|agents| agents.get("list")?.as_array());
        let list = list.into_iter().flatten();
        list.map(|agent| (agent.get("id").and_then(Value::as_str).unwrap_or_default(), agent))
            .collect()
    };
    let (mut agents, mut ids) = (Vec::new(), HashSet::new());
    for (id, agent) in named.into_iter().filter(|(_, agent)| agent.is_object()) {
        let dir = agent.get("agentDir").and_then(Value::as_str).map(str::trim);
        let dir = dir.filter(|dir| !dir.is_empty()).map(str::to_owned);
        let agent = ConfiguredAgent { id: agent_id(id), dir };
        if ids.insert(agent.id.clone()) {
            agents.push(agent);
        }
    }
    agents
}

/// The id that OpenClaw makes of a name (`normalizeAgentId`).
fn agent_id(name: &str) -> String {
    let is_sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let name = name.trim().to_lowercase();
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && name.len() <= 64 && name.chars().all(is_sound) {
        return name;
    }
    let mut id = String::new();
    let mut was_sound = true;
    for c in name.chars() {
        match (is_sound(c), was_sound) {
            (true, _) => id.push(c),
            (false, true) => id.push('-'),
            (false, false) => {}
        }
        was_sound = is_sound(c);
    }
    let id: String = id.trim_matches('-').chars().take(64).collect();
    if id.is_empty() { "main".to_owned() } else { id }
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
    use crate::domain::json5;

    fn read(text: &str) -> OpenclawConfig {
        OpenclawConfig::read(&json5::read(text.as_bytes()).expect("it is JSON5").value)
    }

    #[test]
    fn agents_are_named_in_either_form() {
        let agents = |text| {
            let agents = read(text).agents.into_iter();
            agents.map(|agent| (agent.id, agent.dir.unwrap_or_default())).collect::<Vec<_>>()
        };
        let right = |ids: &[(&str, &str)]| {
            ids.iter().map(|(id, dir)| ((*id).to_owned(), (*dir).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            agents("{agents:{list:[{id:'a',agentDir:' ~/a '},{id:'main'},null,'x',{id:'A'}]}}"),
            right(&[("a", "~/a"), ("main", "")])
        );
        let both = "{agents:{entries:{ops:{agentDir:'/x'},main:{}},list:[{id:'a'}]}}";
        assert_eq!(agents(both), right(&[("ops", "/x"), ("main", "")]));
        assert_eq!(agents("{agents:{entries:{' My  Bot! ':{}}}}"), right(&[("my-bot", "")]));
        assert_eq!(agents("{agents:{list:[{}]}}"), right(&[("main", "")]));
        assert!(agents("{agents:{defaults:{}}}").is_empty());
    }

    #[test]
    fn a_gateway_on_loopback_has_a_port() {
        let port = |text| read(text).gateway_port;
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
        let config = read(TEXT);
        assert_eq!(config.last_touched, Version::parse("2026.2.25"));
        assert_eq!(
            config.order.as_deref(),
            Some(&["anthropic:default", "anthropic:key"].map(str::to_owned)[..])
        );
        let profile = config.profile("anthropic:default").expect("it is configured");
        assert!(profile.anthropic && profile.mode == "oauth");
        assert!(!config.profile("openai:default").expect("it is configured").anthropic);
        assert!(config.is_known && config.has_anthropic_provider);
    }

    #[test]
    fn says_nothing_of_what_is_not_there() {
        for text in ["{}", "{\"auth\": [], \"meta\": null, models: {providers: {}}}"] {
            assert_eq!(read(text), OpenclawConfig::default(), "{text}");
        }
    }
}
