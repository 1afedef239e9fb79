//! What is known of the Claude CLI: how it is called so that it renews and does little else.
//!
//! Seen on 2.1.197 and 2.1.330 run against a stub, and on the option lists of 1.0.44, 1.0.128 and
//! 2.0.76. It renews in its last 5 minutes only, and `-p` with a prompt is the one call that waits
//! for the renewal to be saved in every version.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::credential;
use crate::domain::time::Timestamp;

/// The renewing call's arguments; short ones as `-p ""` can lose the login in some versions.
pub(crate) const PROMPT: [&str; 2] = ["-p", "say ok"];

/// The arguments that ask how Claude is signed in. In its last 5 minutes the CLI renews for them.
pub(crate) const STATUS: [&str; 3] = ["auth", "status", "--json"];

/// The first version that is known to tell when the login itself ends.
const TELLS_LOGIN_END: Version = Version([2, 1, 330]);

/// The base URL of the model that the CLI has by itself.
pub(crate) const BASE_URL: &str = "https://api.anthropic.com";

/// The variable that names another base URL.
pub(crate) const BASE_URL_VARIABLE: &str = "ANTHROPIC_BASE_URL";

/// What `expiresAt` is set to, from now: inside the CLI's window of 300 s in every version, still
/// living for everybody who reads it.
pub(crate) const NUDGE: Duration = Duration::from_secs(240);

/// How many calls an hour there may be: each costs a model call.
const RUNS_AN_HOUR: usize = 3;

const HOUR: Duration = Duration::from_secs(3600);

/// Variables given to every call.
///
/// Safe mode leaves out hooks, MCP servers and plugins, not the `env` of the settings nor the
/// login; versions that do not know it ignore it, while an unknown option would stop them.
pub(crate) const GIVEN: [(&str, &str); 3] = [
    ("DISABLE_AUTOUPDATER", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_SAFE_MODE", "1"),
];

/// Variables that make the CLI use another login or provider; empty counts as unset.
pub(crate) const EMPTIED: [&str; 6] = [
    "CLAUDE_CODE_OAUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
];

/// Variables kept from our own environment: the way to the server, and whom to trust on it.
pub(crate) const KEPT: [&str; 15] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_SYSTEM_CA",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LANG",
    "LC_ALL",
    "TZ",
];

/// A version of the CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) [u32; 3]);

impl Version {
    /// Reads `2.1.330`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let version = Self([parts.next()??, parts.next()??, parts.next()??]);
        parts.next().is_none().then_some(version)
    }

    /// Reads it from where the native installer puts a version: `.../versions/2.1.330`.
    pub(crate) fn of_path(real: &Path) -> Option<Self> {
        let named = real.parent()?.file_name()? == "versions";
        if named { Self::parse(real.file_name()?.to_str()?) } else { None }
    }

    /// Reads it from a `package.json`, if that is the CLI's.
    pub(crate) fn of_package(text: &str) -> Option<Self> {
        let package: Value = serde_json::from_slice(text.as_bytes()).ok()?;
        let own = package["name"].as_str()?.starts_with("@anthropic-ai/claude-code");
        if own { Self::parse(package["version"].as_str()?) } else { None }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The options that keep hooks and MCP servers from starting and transcripts from piling up, as far
/// as the version is known to have them.
pub(crate) fn options(version: Option<Version>, base_url: bool) -> Vec<String> {
    let knows = |since| version.is_some_and(|version| version >= Version(since));
    let mut options = Vec::new();
    if knows([1, 0, 44]) {
        options.push("--strict-mcp-config".to_owned());
    }
    if knows([1, 0, 128]) {
        let mut settings = json!({ "disableAllHooks": true });
        if base_url {
            settings["env"] = json!({ BASE_URL_VARIABLE: BASE_URL });
        }
        options.extend(["--settings".to_owned(), settings.to_string()]);
    }
    if knows([2, 0, 76]) {
        options.push("--no-session-persistence".to_owned());
    }
    options
}

/// Returns whether a CLI of this version can tell when the login itself ends.
pub(crate) fn tells_login_end(version: Option<Version>) -> bool {
    version.is_some_and(|version| version >= TELLS_LOGIN_END)
}

/// Reads from the answer to [`STATUS`] when the login itself ends.
pub(crate) fn login_end(answer: &[u8]) -> Option<Timestamp> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    credential::instant(answer.get("loginExpiresAt")?).filter(|end| end.0 > 0)
}

/// The arguments that sign in: a command of its own since 2.1, the CLI's own prompt before.
pub(crate) fn sign_in(version: Option<Version>) -> &'static [&'static str] {
    if version.is_some_and(|version| version < Version([2, 1, 0])) {
        &["/login"]
    } else {
        &["auth", "login"]
    }
}

/// When the CLI may be called again, if that is not now; `runs` are its calls, the newest last.
pub(crate) fn runs_allowed_at(runs: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    // One from the time to come is of a clock that was wrong: it must not stop us for ever.
    let recent = |run: &&Timestamp| **run > now.before(HOUR) && **run <= now;
    let first = runs.iter().rev().filter(recent).nth(RUNS_AN_HOUR - 1);
    first.map(|first| first.after(HOUR))
}

/// Notes a call that is about to be made, and forgets those that do not count any more.
pub(crate) fn note_run(runs: &mut Vec<Timestamp>, now: Timestamp) {
    runs.push(now);
    let excess = runs.len().saturating_sub(RUNS_AN_HOUR);
    runs.drain(..excess);
}

/// The variable in the `env` of a `settings.json` that keeps the CLI from renewing, if there is one.
///
/// Unlike the environment it cannot be emptied from outside in every version.
pub(crate) fn blocker(settings: &str) -> Option<&'static str> {
    let [token, _, _, providers @ ..] = EMPTIED;
    if !text_of(settings, token)?.is_empty() {
        return Some(token);
    }
    let on = |name: &&str| {
        !matches!(text_of(settings, name).as_deref(), None | Some("" | "0" | "false"))
    };
    providers.into_iter().find(on)
}

/// Says whether the `env` of a `settings.json` names another base URL.
pub(crate) fn names_base_url(settings: &str) -> bool {
    text_of(settings, BASE_URL_VARIABLE).is_some_and(|url| is_other(&url))
}

/// Says whether a base URL is another than the CLI's own.
pub(crate) fn is_other(url: &str) -> bool {
    let url = url.trim_end_matches('/');
    !url.is_empty() && url != BASE_URL
}

/// Sums up what the CLI said in words that hold nothing of it: it may quote what is secret.
pub(crate) fn cause(said: &str) -> Option<&'static str> {
    let known = [
        ("could not be refreshed", "the server did not renew the login"),
        ("OAuth token has expired", "the server did not renew the login"),
        ("Not logged in", "it reported \"not logged in\""),
        ("rate limit", "rate limited"),
        ("429", "rate limited"),
        ("Connection error", "it could not reach the server"),
        ("ENOTFOUND", "it could not reach the server"),
        ("ECONNREFUSED", "it could not reach the server"),
        ("certificate", "it does not trust the server's certificate"),
        ("unknown option", "it does not know one of our options"),
    ];
    known.into_iter().find_map(|(sign, cause)| said.contains(sign).then_some(cause))
}

/// A variable in the `env` of a `settings.json`; `None` if that is no settings file.
fn text_of(settings: &str, name: &str) -> Option<String> {
    let settings: Value = serde_json::from_slice(settings.as_bytes()).ok()?;
    Some(match &settings["env"][name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

#[cfg(test)]
#[path = "claude_cli/tests.rs"]
mod tests;
