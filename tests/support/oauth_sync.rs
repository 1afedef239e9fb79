//! The program under test, linked to a scratch login of the real Claude CLI.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use super::claude::Claude;
use super::endpoint::Endpoint;
use super::scratch::Ran;

/// Between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(50);

/// A configuration, a state folder and a run folder of a test's own.
pub(crate) struct OauthSync {
    folder: TempDir,
    home: PathBuf,
    environment: Vec<(&'static str, String)>,
    settings: String,
    wrapper: &'static [&'static str],
    begun: i64,
}

/// Leaves root the three capabilities that the unit leaves it.
const CONFINED: [&str; 2] = ["/usr/bin/setpriv", "--bounding-set=-all,+setuid,+setgid,+kill"];

impl OauthSync {
    /// Links the login of `claude`, renewed by these methods.
    pub(crate) fn new(claude: &Claude<'_>, endpoint: &Endpoint, methods: &str) -> Self {
        let folder = TempDir::with_prefix_in("oauth-sync-ours-", crate::yard::parent())
            .expect("a folder can be made");
        let source = claude.source();
        let home = source.parent().and_then(Path::parent).expect("it lies in a home").to_owned();
        let mut environment = endpoint.environment().to_vec();
        let certificate = endpoint.certificate().display().to_string();
        environment.push(("SSL_CERT_FILE", certificate));
        environment.push(("NO_PROXY", "localhost".to_owned()));
        let settings = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nCLAUDE_CLI_PATH=\"{}\"\nSINKS=\"none\"\nGATEWAY=\"none\"\nTOKEN_URL=\"{}\"\n",
            source.display(),
            claude.program().display(),
            endpoint.token_url()
        );
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let begun = i64::try_from(now.as_millis()).expect("milliseconds fit for ages");
        let this = Self { folder, home, environment, settings, wrapper: &[], begun };
        for name in ["etc", "state", "run"] {
            fs::create_dir(this.at(name)).expect("the folder is writable");
        }
        // As systemd makes it: nobody else may enter.
        fs::set_permissions(this.at("state"), PermissionsExt::from_mode(0o700))
            .expect("it is ours");
        this.with(methods)
    }

    /// Changes the methods.
    pub(crate) fn with(self, methods: &str) -> Self {
        let text = format!("{}REFRESH=\"{methods}\"\n", self.settings);
        fs::write(self.at("etc/default.conf"), text).expect("the folder is writable");
        self
    }

    /// Takes the CLI's path out of the configuration, which is written anew.
    pub(crate) fn finding_claude_itself(mut self) -> Self {
        let lines = self.settings.split_inclusive('\n');
        self.settings = lines.filter(|line| !line.starts_with("CLAUDE_CLI_PATH")).collect();
        self.with("cli")
    }

    /// Adds lines to the configuration in place of the CLI's path, which is written anew.
    pub(crate) fn with_container(self, lines: &str) -> Self {
        let mut this = self.finding_claude_itself();
        this.settings.push_str(lines);
        this.with("cli")
    }

    /// Carries the token to the `oauth.json` of an `OpenClaw` that reads it.
    pub(crate) fn with_oauth_json(mut self) -> Self {
        fs::create_dir(self.at("openclaw")).expect("the folder is writable");
        let more = format!(
            "OPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\n",
            self.at("openclaw").display()
        );
        self.settings = self.settings.replace("SINKS=\"none\"", "SINKS=\"oauth-json\"") + &more;
        self.with("cli")
    }

    /// Names another program as the CLI, below its own folder; renewed by these methods.
    pub(crate) fn with_cli(mut self, name: &str, methods: &str) -> (Self, PathBuf) {
        let path = self.at(name);
        let lines = self.settings.split_inclusive('\n');
        self.settings = lines.filter(|line| !line.starts_with("CLAUDE_CLI_PATH")).collect();
        let _ = writeln!(self.settings, "CLAUDE_CLI_PATH=\"{}\"", path.display());
        (self.with(methods), path)
    }

    /// What that file holds; null if there is none.
    pub(crate) fn oauth_json(&self) -> Value {
        let text = fs::read_to_string(self.at("openclaw/credentials/oauth.json"));
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
    }

    /// Runs it as its unit does: as root, but with no more than it needs.
    pub(crate) fn confined(self) -> Self {
        Self { wrapper: &CONFINED, ..self }
    }

    /// Leaves the CLI no way to any server; the program itself reaches the endpoint without a proxy.
    pub(crate) fn with_dead_proxy(self) -> Self {
        let mut this = self.without("HTTPS_PROXY");
        this.environment.push(("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()));
        this
    }

    /// Takes a variable out of its environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self
    }

    /// When the test began, in ms.
    pub(crate) fn begun(&self) -> i64 {
        self.begun
    }

    /// The home of the login.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The program with its folders and this environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_oauth-sync");
        let mut words = self.wrapper.iter().copied().chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words);
        for (option, name) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.at(name));
        }
        command
            .args(arguments)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", "/usr/bin:/bin")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `refresh`; panics if it says a token.
    pub(crate) fn refresh(&self, arguments: &[&str]) -> Ran {
        let arguments = [&["refresh"], arguments].concat();
        let ended = self.command(&arguments).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Ran {
            code: ended.status.code(),
            stdout: text(&ended.stdout),
            stderr: text(&ended.stderr),
        };
        assert!(!ran.stdout.contains("sk-ant-") && !ran.stderr.contains("sk-ant-"), "{ran:?}");
        self.assert_no_token_kept();
        ran
    }

    /// Panics if a token stands in anything that the program keeps for itself.
    pub(crate) fn assert_no_token_kept(&self) {
        let mut folders: Vec<PathBuf> = ["etc", "state", "run"].map(|name| self.at(name)).into();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                    continue;
                }
                // A run may be at work on what it has just read; that one is looked at when it is done.
                let text = fs::read(&path).unwrap_or_default();
                let is_answer = path.extension().is_some_and(|ending| ending == "answer");
                let holds = text.windows(7).any(|piece| piece == b"sk-ant-");
                assert!(is_answer || !holds, "a token is in '{}'", path.display());
            }
        }
    }

    /// The names of the events that wait for hooks and webhook, the oldest first.
    pub(crate) fn events(&self) -> Vec<String> {
        let entries = fs::read_dir(self.at("run/notify.d")).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        let texts = paths.iter().filter_map(|path| fs::read_to_string(path).ok());
        let name = |text: String| {
            let event: Value = serde_json::from_str(&text).unwrap_or_default();
            event["name"].as_str().unwrap_or_default().to_owned()
        };
        texts.map(name).collect()
    }

    /// What `status --json` says of the link.
    pub(crate) fn status(&self) -> Value {
        let ended = self.command(&["status", "--json"]).output().expect("the program starts");
        let status: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        status["links"][0].clone()
    }

    /// What is remembered of the source; null if there is nothing.
    pub(crate) fn state(&self) -> Value {
        let names = fs::read_dir(self.at("state/sources")).into_iter().flatten().flatten();
        let mut files = names.map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".history.json")
        });
        let text = files.next().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Counts the running programs whose home is that of the login.
    pub(crate) fn processes(&self) -> usize {
        let mark = format!("HOME={}", self.home.display());
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let environments = pids.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
        let ours =
            |bytes: &Vec<u8>| bytes.split(|byte| *byte == 0).any(|line| line == mark.as_bytes());
        environments.filter(ours).count()
    }

    /// Waits until none of them runs.
    pub(crate) fn wait_for_no_process(&self, limit: Duration) {
        let begun = Instant::now();
        while self.processes() > 0 {
            assert!(begun.elapsed() < limit, "there are processes after {limit:?}");
            thread::sleep(PAUSE);
        }
    }

    /// A path in its folder.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}
