//! A scratch login, its configuration and its endpoint, and the real binary run over them.

#[path = "../support/yard.rs"]
mod yard;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::geteuid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::endpoint::{Endpoint, Grant};

/// The binary under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_oauth-sync");

pub(crate) struct Rig {
    root: TempDir,
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Grant,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Rig {
    /// A login whose access token has so many minutes left.
    pub(crate) fn new(minutes_left: i64) -> Self {
        let root = TempDir::with_prefix_in("oauth-sync-refresh.", yard::parent()).unwrap();
        let endpoint = Endpoint::start(root.path());
        let login = endpoint.sign_in();
        let rig = Self { root, endpoint, login };
        for folder in ["home/.claude", "etc", "state", "run"] {
            fs::create_dir_all(rig.at(folder)).unwrap();
        }
        rig.write_source(&rig.login.access_token, &rig.login.refresh_token, minutes_left);
        rig.configure(&rig.endpoint.token_url());
        rig
    }

    pub(crate) fn configure(&self, token_url: &str) {
        let source = self.source();
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\nGATEWAY=\"none\"\nREFRESH=\"api\"\nTOKEN_URL=\"{token_url}\"\n",
            source.display()
        );
        let path = self.at("etc/default.conf");
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.at("home/.claude/.credentials.json")
    }

    /// Writes a file as Claude does, with keys that nobody knows and another login beside.
    pub(crate) fn write_source(&self, access: &str, refresh: &str, minutes_left: i64) {
        let expiry = now_ms() + minutes_left * 60_000;
        let expiry = if access.is_empty() { 0 } else { expiry };
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"{refresh}","expiresAt":{expiry},"scopes":["user:inference","user:profile"],"subscriptionType":"max","odd":1e3}},"mcpOAuth":{{"x|1":{{"accessToken":"\u0041"}}}},"organizationUuid":"o"}}"#
        );
        fs::write(self.source(), text).unwrap();
        fs::set_permissions(self.source(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn login_in_file(&self) -> Value {
        let text = fs::read_to_string(self.source()).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["claudeAiOauth"].clone()
    }

    pub(crate) fn access(&self) -> String {
        self.login_in_file()["accessToken"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn refresh_token(&self) -> String {
        self.login_in_file()["refreshToken"].as_str().unwrap_or_default().to_owned()
    }

    /// Says whether the file holds the pair that the endpoint granted last.
    pub(crate) fn holds_last_grant(&self) -> bool {
        let grants = self.endpoint.grants();
        let Some(last) = grants.last() else { return false };
        (self.access(), self.refresh_token())
            == (last.access_token.clone(), last.refresh_token.clone())
    }

    /// The command, with an environment of its own.
    pub(crate) fn command(&self, before: &[&str], args: &[&str]) -> Command {
        let mut words: Vec<&str> = before.to_vec();
        words.push(PROGRAM);
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["--config-dir", self.at("etc").to_str().unwrap()])
            .args(["--state-dir", self.at("state").to_str().unwrap()])
            .args(["--run-dir", self.at("run").to_str().unwrap()])
            .arg("-v")
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.at("home"))
            .env("SSL_CERT_FILE", self.endpoint.certificate())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `refresh` and looks for tokens in what it says.
    pub(crate) fn refresh(&self, args: &[&str]) -> Ran {
        let args = [&["refresh"], args].concat();
        self.ran(self.command(&[], &args).output().unwrap())
    }

    #[expect(clippy::needless_pass_by_value, reason = "what was said is looked at once")]
    pub(crate) fn ran(&self, output: Output) -> Ran {
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("sk-ant-"), "a token was said: {said}");
        let _ = self;
        Ran { code: output.status.code(), said }
    }

    /// Makes what a killed run left in the CLI's locks old enough to be cleared away, and takes back
    /// the wait after failures.
    pub(crate) fn let_time_pass(&self) {
        let past = SystemTime::now() - Duration::from_secs(120);
        for lock in [
            "home/.claude/.oauth_refresh.lock",
            "home/.claude.lock",
            "home/.claude/.storage-write.lock",
        ] {
            if let Ok(folder) = fs::File::open(self.at(lock)) {
                folder.set_modified(past).unwrap();
            }
        }
    }

    /// Gives the login to a user who is not root, as whom modes count; who that is.
    pub(crate) fn give_away(&self) -> u32 {
        const USER: u32 = 65_534;
        if geteuid().is_root() {
            for path in ["home", "home/.claude", "home/.claude/.credentials.json"] {
                chown(self.at(path), Some(USER), Some(USER)).unwrap();
            }
            fs::set_permissions(self.at(""), fs::Permissions::from_mode(0o755)).unwrap();
        }
        USER
    }

    /// The events that wait for hooks and webhook, the oldest first.
    pub(crate) fn events(&self) -> Vec<Value> {
        let folder = self.at("run/notify.d");
        let read = |name: &String| fs::read_to_string(folder.join(name)).unwrap();
        let texts = names(&folder).iter().map(read).collect::<Vec<_>>();
        texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The state file of the only source.
    pub(crate) fn state(&self) -> Value {
        let text = fs::read_to_string(self.state_file(".json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn history(&self) -> Value {
        let text = fs::read_to_string(self.state_file(".history.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or(json!([]))
    }

    pub(crate) fn has(&self, suffix: &str) -> bool {
        self.state_file(suffix).exists()
    }

    pub(crate) fn state_file(&self, suffix: &str) -> PathBuf {
        let key = key(&self.at("home/.claude"), ".credentials.json");
        self.at(&format!("state/sources/{key}{suffix}"))
    }

    /// Nothing of ours or of the CLI's is left beside the source.
    pub(crate) fn is_tidy(&self) -> bool {
        names(&self.at("home/.claude")) == [".credentials.json"]
            && names(&self.at("home")) == [".claude"]
            && !self.has(".answer")
            && !self.has(".kept")
    }

    /// No file but the source holds a token.
    pub(crate) fn assert_no_token_elsewhere(&self) {
        for folder in ["state", "state/sources", "state/links", "run", "etc", "home"] {
            for name in names(&self.at(folder)) {
                let path = self.at(folder).join(&name);
                let bytes = fs::read(&path).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains("sk-ant-"), "a token is in {}", path.display());
            }
        }
    }
}

/// What the state of the file `name` in `folder` is kept under.
pub(crate) fn key(folder: &Path, name: &str) -> String {
    use std::os::unix::fs::MetadataExt;
    let stat = fs::metadata(folder).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let first = u64::from_be_bytes(digest.as_ref()[..8].try_into().unwrap());
    format!("{:x}-{:x}-{first:016x}", stat.dev(), stat.ino())
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
