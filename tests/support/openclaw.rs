//! The real `OpenClaw` in a scratch home: single turns, commands, a gateway.
//! What token it uses is read where it cannot be mistaken, at the endpoint.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::process::{Signal, kill_process_group};
use serde_json::{Value, json};

use super::endpoint::{Endpoint, MESSAGES};
use super::port;
use super::scratch::{Ran, Scratch, group, real, run};

/// The slowest turn seen took over 180 s on two cores that eight others shared.
const LIMIT: Duration = Duration::from_secs(400);
/// Between two looks at the gateway's health.
const PAUSE: Duration = Duration::from_millis(100);

/// A turn with the model: the access tokens it came with, and how it ended.
#[derive(Debug)]
pub(crate) struct Turn {
    /// One for each request that reached the Messages API.
    pub(crate) tokens: Vec<String>,
    pub(crate) ran: Ran,
}

impl Turn {
    /// Panics unless every request, and at least one, carried this token.
    #[track_caller]
    pub(crate) fn used(&self, token: &str) {
        let all = !self.tokens.is_empty() && self.tokens.iter().all(|used| used == token);
        assert!(all, "not with {token}: {self:#?}");
    }

    /// Panics if a request reached the Messages API.
    #[track_caller]
    pub(crate) fn sent_nothing(&self) {
        assert!(self.tokens.is_empty(), "{self:#?}");
    }
}

/// One version of `OpenClaw` and the home it runs in.
pub(crate) struct OpenClaw<'a> {
    endpoint: &'a Endpoint,
    home: Scratch,
    program: PathBuf,
    port: u16,
    gateway: Option<Child>,
}

impl<'a> OpenClaw<'a> {
    /// Prepares a home whose `Anthropic` provider is the endpoint.
    pub(crate) fn version(version: &str, endpoint: &'a Endpoint) -> Self {
        let program = real(&format!("openclaw-{version}"), "openclaw");
        let (home, port) = (Scratch::new(), port::free());
        let this = Self { endpoint, home, program, port, gateway: None };
        let log = this.home.path().join("openclaw.log");
        let mut config = json!({
            "gateway": {
                "mode": "local",
                "bind": "loopback",
                "port": port,
                "auth": { "mode": "token", "token": "invented-gateway-token" },
            },
            "logging": { "file": log },
            "agents": { "defaults": {
                "model": { "primary": "anthropic/claude-opus-4-6" },
                "skipBootstrap": true,
            } },
            "models": { "providers": { "anthropic": {
                "baseUrl": endpoint.base_url(),
                "api": "anthropic-messages",
                "models": [],
            } } },
        });
        if version.starts_with("2026.2.") {
            // Its plugins are compiled at first use, which takes 40 s. Later
            // ones have the provider itself in a plugin.
            config["plugins"] = json!({ "enabled": false });
        }
        this.write("openclaw.json", &config.to_string());
        this
    }

    /// Returns the state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join(".openclaw")
    }

    /// Returns the program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns what `OpenClaw` needs beside HOME and PATH to stay on loopback.
    pub(crate) fn environment(&self) -> [(&'static str, String); 9] {
        let [proxy, certificate] = self.endpoint.environment();
        let on = || "1".to_owned();
        [
            proxy,
            certificate,
            ("NODE_USE_ENV_PROXY", on()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
            ("OPENCLAW_NO_RESPAWN", on()),
            ("OPENCLAW_SKIP_BROWSER_CONTROL_SERVER", on()),
            ("OPENCLAW_SKIP_CANVAS_HOST", on()),
            ("OPENCLAW_SKIP_CHANNELS", on()),
            ("OPENCLAW_SKIP_CRON", on()),
        ]
    }

    /// Writes a file below the state folder, 0600, by rename.
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.home.write(&format!(".openclaw/{path}"), text);
    }

    /// Reads a file below the state folder; an empty text if there is none.
    pub(crate) fn read(&self, path: &str) -> String {
        self.home.read(&format!(".openclaw/{path}"))
    }

    /// Changes a value of openclaw.json, named by its JSON pointer's parent
    /// and key.
    pub(crate) fn configure(&self, parent: &str, key: &str, value: Value) {
        let mut config: Value =
            serde_json::from_str(&self.read("openclaw.json")).expect("it is JSON");
        config.pointer_mut(parent).expect("the parent is there")[key] = value;
        self.write("openclaw.json", &config.to_string());
    }

    /// Puts a comment into openclaw.json, as a person would; returns the text with it.
    pub(crate) fn comment(&self) -> String {
        let text = self.read("openclaw.json").replacen('{', "{ // mine\n", 1);
        self.write("openclaw.json", &text);
        text
    }

    /// Makes it take its key from `oauth-sync.json` in the state directory.
    pub(crate) fn read_key_from_secret_file(&self) {
        let file = self.state().join("oauth-sync.json");
        let provider = json!({ "source": "file", "path": file, "mode": "json" });
        self.configure("", "secrets", json!({ "providers": { "oauthsync": provider } }));
        let key = json!({ "source": "file", "provider": "oauthsync", "id": "/anthropic/access" });
        self.configure("/models/providers/anthropic", "apiKey", key);
    }

    /// Runs `openclaw` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.home.command(&self.program, &self.environment());
        command.args(arguments);
        run(command, stdin, LIMIT)
    }

    /// Has one turn in a process of its own.
    pub(crate) fn turn(&self) -> Turn {
        self.turn_of("main")
    }

    /// Has one turn of this agent in a process of its own.
    pub(crate) fn turn_of(&self, agent: &str) -> Turn {
        self.observe(&["agent", "--local", "--agent", agent, "--message", "hi"])
    }

    /// Has one turn in the running gateway.
    pub(crate) fn turn_via_gateway(&self) -> Turn {
        assert!(self.gateway.is_some(), "no gateway runs");
        self.observe(&["agent", "--agent", "main", "--message", "hi"])
    }

    /// Starts the gateway and waits until it says that it lives.
    pub(crate) fn start_gateway(&mut self) {
        // 2026.9.6 gives up where a child of its own takes 5 s to start, as on a busy host; its unit
        // would start it again.
        let begun = Instant::now();
        let mut tries = (0..20).take_while(|tried| *tried < 3 || begun.elapsed() < 2 * LIMIT);
        let lives = tries.any(|_| self.start_once());
        assert!(lives, "no gateway: {}", self.home.read("gateway.log"));
    }

    fn start_once(&mut self) -> bool {
        self.stop_gateway();
        let log = File::create(self.home.path().join("gateway.log")).expect("the home is writable");
        let errors = log.try_clone().expect("a descriptor is free");
        let mut command = self.home.command(&self.program, &self.environment());
        command.args(["gateway", "run"]).stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = self.gateway.insert(command.spawn().expect("the program starts"));
        let start = Instant::now();
        while child.try_wait().is_ok_and(|end| end.is_none()) && start.elapsed() < LIMIT {
            if is_live(self.port) {
                return true;
            }
            thread::sleep(PAUSE);
        }
        false
    }

    /// Ends the gateway and all it started.
    pub(crate) fn stop_gateway(&mut self) {
        if let Some(mut child) = self.gateway.take() {
            kill_process_group(group(&child), Signal::KILL).ok();
            child.wait().ok();
        }
    }

    fn observe(&self, arguments: &[&str]) -> Turn {
        let mut command = self.home.command(&self.program, &self.environment());
        command.args(arguments);
        self.turn_by(command)
    }

    /// Has a turn by a command of one's own.
    pub(crate) fn turn_by(&self, command: Command) -> Turn {
        let before = self.endpoint.requests_to(MESSAGES).len();
        let ran = run(command, "", LIMIT);
        let requests = self.endpoint.requests_to(MESSAGES);
        let tokens = requests[before..].iter().map(|request| request.bearer().to_owned());
        Turn { tokens: tokens.collect(), ran }
    }

    /// Says whether the gateway answers that it lives.
    pub(crate) fn is_live(&self) -> bool {
        is_live(self.port)
    }
}

fn is_live(port: u16) -> bool {
    let ask = || -> io::Result<String> {
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        tcp.set_read_timeout(Some(Duration::from_secs(5)))?;
        tcp.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

impl Drop for OpenClaw<'_> {
    fn drop(&mut self) {
        self.stop_gateway();
    }
}
