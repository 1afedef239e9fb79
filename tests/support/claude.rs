//! The real Claude CLI in a scratch home, its hosts answered by the endpoint.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::endpoint::{Endpoint, Grant};
use super::scratch::{Ran, Scratch, real, run};

/// Where the CLI keeps its credentials, below its home.
const CREDENTIALS: &str = ".claude/.credentials.json";

/// The facts speak of hangs of 90 s and more: those are to be seen as such.
const LIMIT: Duration = Duration::from_secs(60);

/// One version of the CLI and the home it runs in.
pub(crate) struct Claude<'a> {
    endpoint: &'a Endpoint,
    home: Scratch,
    program: PathBuf,
}

impl<'a> Claude<'a> {
    /// Prepares an empty home for the CLI of that version.
    pub(crate) fn version(version: &str, endpoint: &'a Endpoint) -> Self {
        let program = real(&format!("claude-{version}"), "claude");
        Self { endpoint, home: Scratch::new(), program }
    }

    /// Returns the program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the file of the credentials.
    pub(crate) fn source(&self) -> PathBuf {
        self.home.path().join(CREDENTIALS)
    }

    /// Returns what the CLI needs beside HOME and PATH to find the endpoint.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        let [proxy, certificate] = self.endpoint.environment();
        [proxy, certificate, ("DISABLE_AUTOUPDATER", "1".to_owned())]
    }

    /// Writes credentials with `left` seconds to their expiry.
    pub(crate) fn signed_in(self, pair: &Grant, left: i64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let now = i64::try_from(now.as_millis()).expect("milliseconds fit for ages");
        self.write(&json!({ "claudeAiOauth": {
            "accessToken": pair.access_token,
            "refreshToken": pair.refresh_token,
            "expiresAt": now + left * 1000,
            "scopes": ["user:inference", "user:mcp_servers", "user:profile", "user:sessions:claude_code"],
            "subscriptionType": "max",
            "rateLimitTier": "default_claude_max_5x",
        } }));
        self
    }

    /// Writes the file of the credentials.
    pub(crate) fn write(&self, credentials: &Value) {
        self.home.write(CREDENTIALS, &credentials.to_string());
    }

    /// Writes the file of the credentials, whatever it is.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) {
        self.write(&Value::Null);
        std::fs::write(self.source(), bytes).expect("the home is writable");
    }

    /// Reads the file of the credentials; null if it is absent or broken.
    pub(crate) fn credentials(&self) -> Value {
        serde_json::from_str(&self.home.read(CREDENTIALS)).unwrap_or_default()
    }

    /// Runs the CLI with nothing on stdin.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.home.command(&self.program, &self.environment());
        command.args(arguments);
        run(command, "", LIMIT)
    }
}
