//! Every key of a configuration file, in the order in which a person meets them.
//!
//! The manual page and the sample configuration are checked against this table.

/// What holds where a key is unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    /// A value, as it could stand in the file.
    Value(&'static str),
    /// Something that depends on other keys or on the host; said in words.
    Made(&'static str),
    /// Nothing.
    Unset,
    /// The key has to be set.
    Required,
}

/// A key, and what a person has to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its name, as it stands in the file.
    pub(crate) name: &'static str,
    /// What holds where it is unset.
    pub(crate) preset: Preset,
    /// What it says, in one sentence.
    pub(crate) about: &'static str,
}

impl Key {
    /// Says what holds where the key is unset; empty where that is nothing.
    pub(crate) fn preset_text(&self) -> &'static str {
        match self.preset {
            Preset::Value(text) | Preset::Made(text) => text,
            Preset::Unset | Preset::Required => "",
        }
    }
}

const fn key(name: &'static str, preset: Preset, about: &'static str) -> Key {
    Key { name, preset, about }
}

use Preset::{Made, Required, Unset, Value};

/// All keys.
#[rustfmt::skip] // one key, one block
pub(crate) const KEYS: [Key; 40] = [
    key("CLAUDE_CREDENTIALS", Required,
        "The credentials file that Claude's sign-in wrote, usually ~/.claude/.credentials.json of its user, as an absolute path."),
    key("MAX_CREDENTIALS_SIZE", Value("8M"),
        "The largest credentials file that is read, between 64K and 64M; a sync uses about four times as much memory meanwhile, a renewal up to seven times."),
    key("CLAUDE_CLI", Value("host"),
        "Where the Claude CLI runs: on this host, in a container, or none."),
    key("CLAUDE_CLI_PATH", Made("found again at each run"),
        "The Claude CLI's program on this host, for one that is not found by itself."),
    key("CLAUDE_CONTAINER", Unset,
        "The name of the container in which the Claude CLI runs."),
    key("CLAUDE_BASE_URL_OVERRIDE", Value("auto"),
        "Whether the CLI talks to Anthropic directly: yes, no, or auto for only when its container names another base URL."),
    key("CONTAINER_ENGINE", Value("docker"),
        "The program that runs containers here: docker or podman."),
    key("DOCKER_HOST", Unset,
        "The socket of the container engine, for one that is not the engine's own default."),
    key("REFRESH", Value("cli api"),
        "The methods of renewal in the order in which they are tried, cli and api, or off."),
    key("REFRESH_MARGIN", Value("90m"),
        "How long before the access token ends it is renewed, between 1m and 24h."),
    key("RENEWED_BY", Unset,
        "The host that renews this login and hands its access token on; nothing is renewed here then, and messages name that host."),
    key("PAUSE", Unset,
        "What rests and until when, as oauth-sync pause writes it: nothing for all or renew or sync, then until TIME or forever."),
    key("OPENCLAW_STATE_DIR", Unset,
        "OpenClaw's state directory, usually ~/.openclaw of its user, as an absolute path."),
    key("OPENCLAW_CONFIG_PATH", Made("what the .env in OPENCLAW_STATE_DIR says, else openclaw.json there"),
        "OpenClaw's configuration file, for one that is given it by the variable of this name."),
    key("OPENCLAW_INCLUDE_ROOTS", Made("what the .env in OPENCLAW_STATE_DIR says"),
        "Where files may be that the configuration includes, besides its own directory: absolute paths with colons between them."),
    key("OPENCLAW_AGENT_DIR", Made("what the .env in OPENCLAW_STATE_DIR says, else agents/main/agent there"),
        "The directory of the main agent's store, for an OpenClaw that is given it by the variable of this name."),
    key("OPENCLAW_VERSION", Value("auto"),
        "OpenClaw's version, for one that is not found out by itself."),
    key("OPENCLAW_COMMAND", Made("the host's openclaw, or the one in the container of COMPOSE_DIR or CONTAINER_NAME"),
        "The command that runs openclaw, split into words without a shell."),
    key("OPENCLAW_COMMAND_USER", Made("the owner of OPENCLAW_STATE_DIR"),
        "The user as whom OPENCLAW_COMMAND runs: owner, that of OPENCLAW_STATE_DIR, or root, for a command that nobody but root can change."),
    key("SINKS", Value("auto"),
        "Where the token is carried to: auto, none, or a list of oauth-json, auth-profiles, env, secret-file and paste-token."),
    key("MAX_AGENTS", Value("1000"),
        "How many of OpenClaw's agents get the token, between 1 and 100000; those beyond it are named."),
    key("OAUTH_JSON", Made("credentials/oauth.json in OPENCLAW_STATE_DIR"),
        "The file of the sink oauth-json."),
    key("ENV_FILE", Made(".env in COMPOSE_DIR if there is one, else in OPENCLAW_STATE_DIR"),
        "The file of the sink env."),
    key("ENV_KEY", Value("ANTHROPIC_OAUTH_TOKEN"),
        "The variable that carries the token in the sink env."),
    key("SECRET_FILE", Made("oauth-sync.json in OPENCLAW_STATE_DIR"),
        "The file of the sink secret-file."),
    key("GATEWAY", Value("auto"),
        "What runs OpenClaw's gateway: auto, compose, container, systemd-user, systemd, command or none."),
    key("CONTAINER_NAME", Unset,
        "The name of the container that runs the gateway, for one that no compose project of this host made: it is restarted where that helps, and never recreated."),
    key("COMPOSE_DIR", Unset,
        "The directory of the compose project that runs the gateway."),
    key("COMPOSE_SERVICE", Value("openclaw-gateway"),
        "The gateway's service in that project."),
    key("COMPOSE_RECREATE", Value("service"),
        "What is recreated for a new token: the service alone, or the whole project by down and up."),
    key("GATEWAY_COMMAND", Unset,
        "The command that restarts the gateway where GATEWAY is command, split into words without a shell."),
    key("GATEWAY_COMMAND_USER", Made("the owner of OPENCLAW_STATE_DIR"),
        "The user as whom GATEWAY_COMMAND runs: owner, that of OPENCLAW_STATE_DIR, or root, for a command that nobody but root can change."),
    key("RECREATE_QUIET_HOURS", Unset,
        "Local hours in which the gateway is not recreated while the old token still lives, as in 23:00-07:00."),
    key("RECREATE_IDLE_COMMAND", Unset,
        "A command that exits 0 when the gateway may be recreated, split into words without a shell."),
    key("RECREATE_IDLE_COMMAND_USER", Made("the owner of OPENCLAW_STATE_DIR"),
        "The user as whom RECREATE_IDLE_COMMAND runs: owner, that of OPENCLAW_STATE_DIR, or root, for a command that nobody but root can change."),
    key("NOTIFY_WEBHOOK", Unset,
        "The address that is notified when action is required, or several, with blanks between them; they are treated as secrets and never shown."),
    key("NOTIFY_FORMAT", Value("auto"),
        "The form of that message: slack (Mattermost too), ntfy, discord, telegram, gotify, matrix, json for the event itself, or auto for the one that the address suggests; or one word for each address."),
    key("TOKEN_URL", Value("https://platform.claude.com/v1/oauth/token"),
        "The token endpoint of the method api; https only."),
    key("CLIENT_ID", Value("9d1c250a-e61b-44d9-88ed-5944d1962f5e"),
        "The OAuth client that the login belongs to."),
    key("USER_AGENT", Made("oauth-sync and its version"),
        "The User-Agent header of the method api."),
];

/// Finds a key by its exact name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Finds the word that a mistyped one was probably meant to be.
pub(crate) fn did_you_mean<'a>(
    typed: &str,
    words: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_ascii_uppercase();
    // A third of the letters wrong is still a typing error; more is another word.
    let limit = (typed.len() / 3).max(1);
    let near =
        words.map(|word| (strsim::osa_distance(&typed, &word.to_ascii_uppercase()), word)).min()?;
    (near.0 <= limit).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_stands_once_and_is_one_sentence() {
        for (at, key) in KEYS.iter().enumerate() {
            assert!(!KEYS[..at].iter().any(|other| other.name == key.name), "{}", key.name);
            assert!(key.about.ends_with('.') && !key.about.contains(". "), "{}", key.name);
            assert_eq!(find(key.name), Some(key));
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let names = || KEYS.iter().map(|key| key.name);
        for (typed, meant) in [
            ("CLAUDE_CREDENTAILS", Some("CLAUDE_CREDENTIALS")),
            ("openclaw_state", Some("OPENCLAW_STATE_DIR")),
            ("SINK", Some("SINKS")),
            ("GATEWAYS", Some("GATEWAY")),
            ("PASSWORD", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(typed, names()), meant, "{typed}");
        }
    }
}
