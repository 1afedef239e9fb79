//! A link as it was configured: every value read, bounded and complete.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::pause::{Activity, Pause};
use crate::domain::quiet_hours::QuietHours;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;

/// Everything that one configuration file says, with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The link's name: the file's, without `.conf`.
    pub(crate) name: String,
    /// The configuration file.
    pub(crate) file: PathBuf,
    /// The source.
    pub(crate) claude_credentials: PathBuf,
    /// The most that is read of it, in bytes; 64 KiB to 64 MiB.
    pub(crate) max_credentials_size: u64,
    /// Where the Claude CLI runs.
    pub(crate) claude_cli: ClaudeCli,
    /// Whether the CLI talks to Anthropic directly.
    pub(crate) base_url_override: Override,
    /// What runs containers.
    pub(crate) container_engine: Engine,
    /// The engine's socket, where it is not the engine's own default.
    pub(crate) docker_host: Option<String>,
    /// The methods of renewal, in turn; none means off.
    pub(crate) refresh: Vec<Method>,
    /// How long before its end the access token is renewed; 1 minute to 24 hours.
    pub(crate) refresh_margin: Duration,
    /// The host that renews this login, if that is another one.
    pub(crate) renewed_by: Option<String>,
    /// What rests, and until when.
    pub(crate) pause: Option<Pause>,
    /// OpenClaw's state directory.
    pub(crate) openclaw_state_dir: Option<PathBuf>,
    /// OpenClaw's configuration file, where it is not in the state directory.
    pub(crate) openclaw_config_path: Option<PathBuf>,
    /// Where included configuration files may be, besides the configuration's own folder.
    pub(crate) openclaw_include_roots: Vec<PathBuf>,
    /// The folder of the main agent's store, where it is not in the state directory.
    pub(crate) openclaw_agent_dir: Option<PathBuf>,
    /// OpenClaw's version; none: to be found out.
    pub(crate) openclaw_version: Option<String>,
    /// How to run `openclaw`.
    pub(crate) openclaw_command: Option<Command>,
    /// Where the token is carried to.
    pub(crate) sinks: Sinks,
    /// The file of `oauth-json`: as configured, else in the state directory.
    pub(crate) oauth_json: Option<PathBuf>,
    /// The file of `env`, only as configured: the default depends on what is on the disk.
    pub(crate) env_file: Option<PathBuf>,
    /// The variable that `env` sets.
    pub(crate) env_key: String,
    /// The file of `secret-file`: as configured, else in the state directory.
    pub(crate) secret_file: Option<PathBuf>,
    /// What runs the gateway.
    pub(crate) gateway: Gateway,
    /// The container that the gateway runs in, where it is not a compose project's.
    pub(crate) container_name: Option<String>,
    /// The compose project's folder.
    pub(crate) compose_dir: Option<PathBuf>,
    /// The gateway's service in it.
    pub(crate) compose_service: String,
    /// How much of the project is recreated.
    pub(crate) compose_recreate: Recreate,
    /// What restarts the gateway; set where `gateway` is `Command`.
    pub(crate) gateway_command: Option<Command>,
    /// What exits 0 when the gateway may be recreated.
    pub(crate) recreate_idle_command: Option<Command>,
    /// When the gateway is not recreated while the old token lives.
    pub(crate) recreate_quiet_hours: Option<QuietHours>,
    /// How many agents get the token.
    pub(crate) max_agents: usize,
    /// Where people are told that they must act.
    pub(crate) notify_webhooks: Vec<Webhook>,
    /// The token endpoint, always `https://`.
    pub(crate) token_url: String,
    /// The OAuth client of the login.
    pub(crate) client_id: String,
    /// The `User-Agent` of the method `api`; none: this program's own.
    pub(crate) user_agent: Option<String>,
}

impl Settings {
    /// The pause that lasts at `now`.
    pub(crate) fn pause_at(&self, now: Timestamp) -> Option<Pause> {
        self.pause.filter(|pause| pause.lasts(now))
    }

    /// The pause of `activity` that lasts at `now`.
    pub(crate) fn paused(&self, activity: Activity, now: Timestamp) -> Option<Pause> {
        self.pause.filter(|pause| pause.covers(activity, now))
    }

    /// Says whether the gateway is the container that `CONTAINER_NAME` names.
    pub(crate) fn is_container(&self) -> bool {
        let may_be = matches!(self.gateway, Gateway::Auto | Gateway::Container);
        may_be && self.container_name.is_some()
    }

    /// The methods of renewal that may be tried at `now`.
    pub(crate) fn methods(&self, now: Timestamp) -> &[Method] {
        if self.paused(Activity::Renew, now).is_some() { &[] } else { &self.refresh }
    }
}

/// A command, and as whom it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The key that names it.
    pub(crate) key: &'static str,
    /// Its words; never empty.
    pub(crate) words: Vec<String>,
    /// Whether root is asked for; else it runs as the owner of the state folder.
    pub(crate) as_root: bool,
    /// Whether the configuration says as whom it runs, and does not leave it to the default.
    pub(crate) is_decided: bool,
}

/// Where the Claude CLI runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClaudeCli {
    /// On this host; without a path it is looked for at each run.
    Host {
        /// The program.
        path: Option<PathBuf>,
    },
    /// In a container.
    Container {
        /// The container's name.
        name: String,
    },
    /// Nowhere that we may use.
    None,
}

/// Whether the CLI's base URL is overridden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    /// When the container's environment names another one.
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

/// A program that runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

impl Engine {
    /// The program's name.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// A method of renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// The Claude CLI renews.
    Cli,
    /// The token endpoint is asked directly.
    Api,
}

/// Where the token is carried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sinks {
    /// What OpenClaw's era reads.
    Auto,
    /// These, in the order configured; none of them keeps only the login alive.
    Listed(Vec<SinkKind>),
}

/// What runs the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// Whatever is found.
    Auto,
    /// A service of a compose project.
    Compose,
    /// A container that somebody else made.
    Container,
    /// A unit of the owner's systemd.
    SystemdUser,
    /// A unit of the host's systemd.
    Systemd,
    /// A command restarts it.
    Command,
    /// Nothing that we should touch.
    None,
}

/// How much of a compose project is recreated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recreate {
    /// The service alone.
    Service,
    /// All of it, by `down` and `up -d`.
    Project,
}

/// Where people are told, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    /// The address, which is a secret as a whole.
    pub(crate) address: Secret,
    /// The form of what it gets.
    pub(crate) format: NotifyFormat,
}

/// The form of a webhook's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotifyFormat {
    /// What the address suggests.
    Auto,
    /// Slack's JSON; Mattermost reads it too.
    Slack,
    /// ntfy's plain text and headers.
    Ntfy,
    /// Discord's JSON.
    Discord,
    /// `sendMessage` of Telegram's Bot API.
    Telegram,
    /// Gotify's JSON.
    Gotify,
    /// A message to a room of Matrix that is not encrypted.
    Matrix,
    /// A JSON of our own, which programs can rely on.
    Json,
}
