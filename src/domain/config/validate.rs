//! Turns a file's entries into [`Settings`], or says everything that is wrong with them.

use std::path::PathBuf;

use crate::domain::config::fragment::{Fault, Fragment, Given};
use crate::domain::config::keys::{Preset, find};
use crate::domain::config::settings::{
    ClaudeCli, Command, Engine, Gateway, Method, NotifyFormat, Override, Recreate, Settings, Sinks,
    Webhook,
};
use crate::domain::config::values::{self, Checked};
use crate::domain::hints::ours;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;

/// Reads every value, fills in the defaults and checks that the keys agree with each other.
pub(super) fn validate(
    name: &str,
    file: PathBuf,
    fragment: &Fragment,
) -> Result<Settings, Vec<Fault>> {
    let mut reader = Reader { fragment, faults: Vec::new(), unsound: Vec::new() };
    let unreadable = fragment.entries.iter().filter(|entry| entry.given == Given::Unreadable);
    reader.unsound.extend(unreadable.map(|entry| entry.key));
    let settings = reader.settings(name, file);
    reader.refresh_agrees(&settings);
    reader.sinks_agree(&settings);
    reader.gateway_agrees(&settings);
    if reader.faults.is_empty() { Ok(settings) } else { Err(reader.faults) }
}

struct Reader<'a> {
    fragment: &'a Fragment,
    faults: Vec<Fault>,
    /// Keys whose value could not be used: nothing is concluded from them.
    unsound: Vec<&'static str>,
}

impl Reader<'_> {
    /// Reads all keys; where a value is at fault, something stands in for it that is never used.
    fn settings(&mut self, name: &str, file: PathBuf) -> Settings {
        let state_dir = self.read("OPENCLAW_STATE_DIR", values::path);
        let below = |path: &str| state_dir.as_ref().map(|folder| folder.join(path));
        Settings {
            name: name.to_owned(),
            file,
            claude_credentials: self.credentials(),
            max_credentials_size: self
                .read("MAX_CREDENTIALS_SIZE", values::size)
                .unwrap_or_default(),
            claude_cli: self.claude_cli(),
            base_url_override: self.choice("CLAUDE_BASE_URL_OVERRIDE", &OVERRIDES),
            container_engine: self.choice("CONTAINER_ENGINE", &ENGINES),
            docker_host: self.read("DOCKER_HOST", values::socket),
            refresh: self.refresh(),
            refresh_margin: self.read("REFRESH_MARGIN", values::margin).unwrap_or_default(),
            renewed_by: self.read("RENEWED_BY", values::host),
            pause: self.read("PAUSE", values::pause),
            openclaw_config_path: self.read("OPENCLAW_CONFIG_PATH", values::path),
            openclaw_include_roots: self
                .read("OPENCLAW_INCLUDE_ROOTS", values::paths)
                .unwrap_or_default(),
            openclaw_agent_dir: self.read("OPENCLAW_AGENT_DIR", values::path),
            openclaw_version: self.read("OPENCLAW_VERSION", values::version).flatten(),
            openclaw_command: self.command("OPENCLAW_COMMAND", "OPENCLAW_COMMAND_USER"),
            sinks: self.read("SINKS", values::sinks).unwrap_or(Sinks::Auto),
            oauth_json: self
                .read("OAUTH_JSON", values::path)
                .or_else(|| below("credentials/oauth.json")),
            env_file: self.read("ENV_FILE", values::path),
            env_key: self.read("ENV_KEY", values::variable).unwrap_or_default(),
            secret_file: self
                .read("SECRET_FILE", values::path)
                .or_else(|| below("oauth-sync.json")),
            openclaw_state_dir: state_dir,
            gateway: self.choice("GATEWAY", &GATEWAYS),
            container_name: self.read("CONTAINER_NAME", values::container),
            compose_dir: self.read("COMPOSE_DIR", values::path),
            compose_service: self.read("COMPOSE_SERVICE", values::container).unwrap_or_default(),
            compose_recreate: self.choice("COMPOSE_RECREATE", &RECREATES),
            gateway_command: self.command("GATEWAY_COMMAND", "GATEWAY_COMMAND_USER"),
            recreate_idle_command: self
                .command("RECREATE_IDLE_COMMAND", "RECREATE_IDLE_COMMAND_USER"),
            recreate_quiet_hours: self.read("RECREATE_QUIET_HOURS", values::quiet_hours),
            max_agents: self.read("MAX_AGENTS", values::agents).unwrap_or_default(),
            notify_webhooks: self.webhooks(),
            token_url: self.read("TOKEN_URL", values::token_url).unwrap_or_default(),
            client_id: self.read("CLIENT_ID", values::header).unwrap_or_default(),
            user_agent: self.read("USER_AGENT", values::header),
        }
    }

    fn command(&mut self, key: &'static str, user: &'static str) -> Option<Command> {
        let as_root = self.read(user, values::command_user);
        let words = self.read(key, values::command)?;
        Some(Command { key, words, as_root: as_root == Some(true), is_decided: as_root.is_some() })
    }

    fn credentials(&mut self) -> PathBuf {
        let key = "CLAUDE_CREDENTIALS";
        if !self.is_set(key) {
            let hint = "write CLAUDE_CREDENTIALS=\"/home/USER/.claude/.credentials.json\", or let 'oauth-sync detect --write' do it";
            self.faults.push(Fault::gap(1, format!("{key} is not set")).hint(hint));
        }
        self.read(key, values::path).unwrap_or_default()
    }

    fn claude_cli(&mut self) -> ClaudeCli {
        let path = self.read("CLAUDE_CLI_PATH", values::path);
        let name = self.read("CLAUDE_CONTAINER", values::container);
        let place =
            self.choice("CLAUDE_CLI", &["host", "container", "none"].map(|word| (word, word)));
        if !self.is_set("CLAUDE_CLI") && self.is_set("CLAUDE_CONTAINER") {
            let hint = "write CLAUDE_CLI=\"container\"";
            self.fault("CLAUDE_CONTAINER", "CLAUDE_CONTAINER is set, but CLAUDE_CLI is not", hint);
        }
        if place == "container" && !self.is_set("CLAUDE_CONTAINER") {
            let hint = "write CLAUDE_CONTAINER=\"NAME\", the name that the engine's ps shows";
            self.fault("CLAUDE_CLI", "CLAUDE_CLI 'container' needs CLAUDE_CONTAINER", hint);
        }
        match place {
            "container" => ClaudeCli::Container { name: name.unwrap_or_default() },
            "none" => ClaudeCli::None,
            _ => ClaudeCli::Host { path },
        }
    }

    /// Reads the methods; without a CLI, `cli` drops out of those that are tried in turn.
    fn refresh(&mut self) -> Vec<Method> {
        let mut methods = self.read("REFRESH", values::methods).unwrap_or_default();
        if self.is_set("RENEWED_BY") && !self.is_set("REFRESH") {
            methods.clear();
        }
        if self.text("CLAUDE_CLI") == Some("none") && methods.len() > 1 {
            methods.retain(|method| *method != Method::Cli);
        }
        methods
    }

    fn refresh_agrees(&mut self, settings: &Settings) {
        if settings.renewed_by.is_some() && !settings.refresh.is_empty() {
            let hint = "write REFRESH=\"off\", or leave it out";
            self.fault(
                "REFRESH",
                "REFRESH would renew here what another host renews (RENEWED_BY)",
                hint,
            );
        }
        if settings.claude_cli == ClaudeCli::None && settings.refresh.contains(&Method::Cli) {
            let hint = "write REFRESH=\"api\", or REFRESH=\"off\"";
            self.fault("REFRESH", "REFRESH 'cli' needs a CLI, but CLAUDE_CLI is none", hint);
        }
    }

    fn sinks_agree(&mut self, settings: &Settings) {
        let keys = ["SINKS", "OPENCLAW_STATE_DIR", "OAUTH_JSON", "ENV_FILE", "SECRET_FILE"];
        if settings.openclaw_state_dir.is_some()
            || self.unsound.iter().any(|key| keys.contains(key))
        {
            return;
        }
        let env = settings.env_file.is_none().then_some("OPENCLAW_STATE_DIR or ENV_FILE");
        let needs = |kind| match kind {
            SinkKind::OauthJson if settings.oauth_json.is_some() => None,
            SinkKind::OauthJson => Some("OPENCLAW_STATE_DIR or OAUTH_JSON"),
            SinkKind::SecretFile if settings.secret_file.is_some() => None,
            SinkKind::SecretFile => Some("OPENCLAW_STATE_DIR or SECRET_FILE"),
            SinkKind::Env => env,
            SinkKind::AuthProfiles | SinkKind::PasteToken => Some("OPENCLAW_STATE_DIR"),
        };
        let named: Vec<(&str, Option<&str>)> = match &settings.sinks {
            Sinks::Auto => vec![("auto", env)],
            Sinks::Listed(kinds) => kinds.iter().map(|kind| (kind.name(), needs(*kind))).collect(),
        };
        for (word, needed) in named {
            if let Some(needed) = needed {
                let hint = "SINKS=\"none\" keeps the login alive and carries it nowhere";
                let cause = format!("SINKS '{word}' needs {needed}");
                self.faults.push(Fault::gap(self.line("SINKS"), cause).hint(hint));
            }
        }
    }

    fn gateway_agrees(&mut self, settings: &Settings) {
        if settings.is_container() && settings.compose_dir.is_some() {
            let hint = ours::set(&settings.name, "COMPOSE_DIR", "");
            let cause = "CONTAINER_NAME names a gateway beside the one of COMPOSE_DIR";
            self.fault("CONTAINER_NAME", cause, hint);
        }
        let needed = match settings.gateway {
            Gateway::Command => "GATEWAY_COMMAND",
            Gateway::Compose => "COMPOSE_DIR",
            Gateway::Container => "CONTAINER_NAME",
            _ => return,
        };
        if !self.is_set(needed) {
            let word = self.text("GATEWAY").unwrap_or_default().to_owned();
            let hint = ours::write_or_auto(needed);
            self.fault("GATEWAY", &format!("GATEWAY '{word}' needs {needed}"), hint);
        }
    }

    /// Gives the text of a key: as configured, else its preset value.
    fn text(&self, key: &str) -> Option<&str> {
        match self.fragment.entry(key).map(|entry| &entry.given) {
            Some(Given::Text(text)) => Some(text),
            Some(Given::Unreadable) => None,
            Some(Given::Nothing) | None => match find(key).map(|key| key.preset) {
                Some(Preset::Value(text)) => Some(text),
                _ => None,
            },
        }
    }

    fn is_set(&self, key: &str) -> bool {
        self.fragment.entry(key).is_some_and(|entry| entry.given != Given::Nothing)
    }

    fn read<T>(&mut self, key: &'static str, check: impl Fn(&str) -> Checked<T>) -> Option<T> {
        let text = self.text(key)?;
        match check(text) {
            Ok(value) => Some(value),
            Err(why) => {
                let cause = format!("{key}{} {why}", shown(key, text));
                self.faults.push(Fault::new(self.line(key), cause));
                self.unsound.push(key);
                None
            }
        }
    }

    /// Reads one of `words`; the first stands in for a value at fault.
    fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> T {
        self.read(key, |text| values::choice(text, words)).unwrap_or(words[0].1)
    }

    /// Reads the addresses, each with its form: one word is that of all.
    fn webhooks(&mut self) -> Vec<Webhook> {
        let addresses = self.read("NOTIFY_WEBHOOK", values::webhooks).unwrap_or_default();
        let formats = self.read("NOTIFY_FORMAT", |text| values::choices(text, &FORMATS));
        let formats = formats.unwrap_or_else(|| vec![NotifyFormat::Auto]);
        if formats.len() > 1 && formats.len() != addresses.len() {
            let (words, count) = (formats.len(), addresses.len());
            let cause =
                format!("NOTIFY_FORMAT has {words} words, and NOTIFY_WEBHOOK {count} addresses");
            self.fault("NOTIFY_FORMAT", &cause, "write one word for all, or one for each address");
        }
        let formats = formats.iter().chain(std::iter::repeat(&formats[0]));
        let all = addresses.into_iter().zip(formats);
        all.map(|(address, format)| Webhook { address, format: *format }).collect()
    }

    fn line(&self, key: &str) -> usize {
        self.fragment.entry(key).map_or(1, |entry| entry.line)
    }

    fn fault(&mut self, key: &str, cause: &str, hint: impl Into<Hint>) {
        self.faults.push(Fault::new(self.line(key), cause).hint(hint));
    }
}

/// Quotes a value for a message, unless it could hold a secret.
fn shown(key: &str, text: &str) -> String {
    let secret = ["NOTIFY_WEBHOOK", "CLIENT_ID", "USER_AGENT"].contains(&key)
        || key.ends_with("_COMMAND")
        || text.contains("://");
    let long = text.chars().count() > 60 || text.chars().any(char::is_control);
    if secret || long { String::new() } else { format!(" '{text}'") }
}

const OVERRIDES: [(&str, Override); 3] =
    [("auto", Override::Auto), ("yes", Override::Yes), ("no", Override::No)];
const ENGINES: [(&str, Engine); 2] = [("docker", Engine::Docker), ("podman", Engine::Podman)];
const GATEWAYS: [(&str, Gateway); 7] = [
    ("auto", Gateway::Auto),
    ("compose", Gateway::Compose),
    ("container", Gateway::Container),
    ("systemd-user", Gateway::SystemdUser),
    ("systemd", Gateway::Systemd),
    ("command", Gateway::Command),
    ("none", Gateway::None),
];
const RECREATES: [(&str, Recreate); 2] =
    [("service", Recreate::Service), ("project", Recreate::Project)];
const FORMATS: [(&str, NotifyFormat); 8] = [
    ("auto", NotifyFormat::Auto),
    ("slack", NotifyFormat::Slack),
    ("ntfy", NotifyFormat::Ntfy),
    ("discord", NotifyFormat::Discord),
    ("telegram", NotifyFormat::Telegram),
    ("gotify", NotifyFormat::Gotify),
    ("matrix", NotifyFormat::Matrix),
    ("json", NotifyFormat::Json),
];
