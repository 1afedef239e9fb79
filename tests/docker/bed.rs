//! A compose project, a Claude login and a link between them, in a scratch folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{port, token};

/// The services of an ordinary project; PORT is filled in.
pub(crate) const PLAIN: &str = "services:
  openclaw-gateway:
    image: openclaw:local
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}
    ports: ['127.0.0.1:PORT:18789']
  second:
    image: openclaw:local
  third:
    image: openclaw:local
";

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// A project and its link.
pub(crate) struct Bed {
    folder: TempDir,
    pub(crate) project: String,
    pub(crate) port: u16,
    /// Which options compose is called with to bring the project up.
    options: Vec<String>,
    lifetime: Duration,
    variables: Vec<(String, String)>,
}

/// The variables that make docker talk to the tests' own engine; starts it.
fn engine() -> &'static [(String, String)] {
    static ENGINE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let tool =
            |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker").join(name);
        must(Command::new(tool("engine")).arg("start"));
        let told = must(Command::new(tool("engine")).arg("env"));
        let words = told.split_whitespace().filter_map(|word| word.split_once('='));
        let variables: Vec<(String, String)> =
            words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        must(Command::new(tool("image")).arg("load").envs(variables.clone()));
        variables
    })
}

/// Runs a tool that has to succeed.
#[track_caller]
fn must(command: &mut Command) -> String {
    let output = command.output().expect("the tool is there");
    assert!(output.status.success(), "{command:?}: {}", both(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn both(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

impl Bed {
    /// A project of three services, up with the token `old`.
    pub(crate) fn up() -> Self {
        let bed = Self::new();
        bed.write("compose.yml", PLAIN);
        bed.dotenv(&token("old"));
        bed.start();
        bed
    }

    /// An empty project's folder and a link to it.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = TempDir::with_prefix_in("oauth-sync-docker-", crate::yard::parent())
            .expect("a folder can be made");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let bed = Self {
            folder,
            project: format!("bed{}x{count}", std::process::id()),
            port: port::free(),
            options: Vec::new(),
            lifetime: Duration::from_secs(8 * 3600),
            variables: engine().to_vec(),
        };
        for name in ["etc", "claude", "claw", "project"] {
            fs::create_dir(bed.path(name)).expect("it is new");
        }
        bed.configure("");
        bed
    }

    /// Names options of compose's own, for a project that is more than one file in one folder.
    pub(crate) fn with_options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Lets tokens live so long from now on.
    pub(crate) fn living(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    /// Sets a variable of the program's own environment.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the link's configuration.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"env\"\nCOMPOSE_DIR=\"{}\"\n{more}\n",
            self.path("claude/.credentials.json").display(),
            self.path("claw").display(),
            self.path("project").display(),
        );
        fs::write(self.path("etc/default.conf"), text).expect("the folder is there");
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let text = text.replace("PORT", &self.port.to_string());
        fs::write(self.path("project").join(name), text).expect("the folder is there");
    }

    pub(crate) fn dotenv(&self, token: &str) {
        self.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={token}\n"));
    }

    /// Gives Claude's login a new token, as the CLI does: by rename.
    pub(crate) fn rotate(&self, token: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let login = json!({ "claudeAiOauth": {
            "accessToken": token,
            "refreshToken": format!("refresh-{token}"),
            "expiresAt": u64::try_from((now + self.lifetime).as_millis()).expect("it fits"),
            "scopes": ["user:inference"],
        } });
        let (new, path) = (self.path("claude/new"), self.path("claude/.credentials.json"));
        fs::write(&new, login.to_string()).expect("the folder is there");
        fs::rename(new, path).expect("the folder is there");
    }

    /// Calls compose on the project.
    #[track_caller]
    pub(crate) fn compose(&self, words: &[&str]) -> String {
        let mut command = self.docker();
        command.args(["compose", "-p", &self.project]).args(&self.options).args(words);
        must(command.current_dir(self.path("project")))
    }

    #[track_caller]
    pub(crate) fn start(&self) {
        self.compose(&["up", "-d"]);
        self.wait_for("the gateway answers", || self.get("/healthz").is_some());
    }

    pub(crate) fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.envs(self.variables.clone());
        command
    }

    /// A call of the program.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oauth-sync"));
        command.envs(self.variables.clone()).args(words);
        for (option, name) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.path(name));
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let output = self.program(words).output().expect("the program is built");
        Ran { code: output.status.code(), stderr: both(&output) }
    }

    /// The containers' ids by their services.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        let format = "{{.Label \"com.docker.compose.service\"}} {{.ID}}";
        let label = format!("label=com.docker.compose.project={}", self.project);
        let told = must(self.docker().args([
            "ps",
            "-a",
            "--no-trunc",
            "--filter",
            &label,
            "--format",
            format,
        ]));
        let pairs = told.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(service, id)| (service.to_owned(), id.to_owned())).collect()
    }

    /// The gateway's container.
    #[track_caller]
    pub(crate) fn gateway(&self) -> String {
        self.ids().remove("openclaw-gateway").expect("the gateway's container stands")
    }

    /// Asks the gateway over HTTP; `None` while it does not answer.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        tcp.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(tcp, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// Panics unless the gateway says that it was started with this token.
    #[track_caller]
    pub(crate) fn uses(&self, token: &str) {
        let told = self.get("/env").unwrap_or_default();
        assert!(told.contains(token), "it does not use {token}: {told}");
    }

    /// What is remembered of the gateway.
    pub(crate) fn ledger(&self) -> Value {
        let text = fs::read_to_string(self.path("state/gateway/default.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// When a container died, in ms, by the engine's own record between two moments in s.
    #[track_caller]
    pub(crate) fn died(&self, container: &str, since: u64, until: u64) -> u64 {
        let (id, since) = (format!("container={container}"), format!("--since={since}"));
        let mut command = self.docker();
        command.args(["events", "--filter", &id, "--filter", "event=die", &since]);
        let told = must(command.args([&format!("--until={until}"), "--format={{.TimeNano}}"]));
        let nanos: Option<u64> = told.lines().next().and_then(|line| line.parse().ok());
        nanos.expect("the engine has seen it die") / 1_000_000
    }

    /// Lets a retry be due at once.
    pub(crate) fn hurry(&self) {
        let mut ledger = self.ledger();
        ledger["pending"]["next_try"] = Value::Null;
        let path = self.path("state/gateway/default.json");
        fs::write(path, ledger.to_string()).expect("the folder is there");
    }

    #[track_caller]
    #[expect(clippy::unused_self, reason = "it is the bed that is waited for")]
    pub(crate) fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(180);
        while !holds() {
            assert!(Instant::now() < end, "it never came true that {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let ids: Vec<String> = self.ids().into_values().collect();
        let _ = self.docker().args(["rm", "-f"]).args(ids).output();
        let _ =
            self.docker().args(["network", "rm", &format!("{}_default", self.project)]).output();
    }
}
