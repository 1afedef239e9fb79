//! The machine: its clock, its disk, its timer and what its agents hold.

#[path = "../support/yard.rs"]
mod yard;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::endpoint::Endpoint;
use crate::judge::Judge;
use crate::watcher::Watcher;

pub(crate) const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far ahead of the real clock the month begins, so that no moment of it has passed.
const HEADWAY: i64 = 2 * DAY;

/// How long a login lives: of the notices before its end the first comes 7 days before; `MONTH_DAYS` makes it a
/// whole month.
pub(crate) fn days() -> i64 {
    std::env::var("MONTH_DAYS").map_or(9, |days| days.parse().unwrap())
}

/// A scratch machine; `now` is the true time, which the endpoint goes by, all in ms.
pub(crate) struct World {
    root: TempDir,
    pub(crate) endpoint: Endpoint,
    pub(crate) judge: Judge,
    /// When the login ends.
    pub(crate) login_end: i64,
    /// What the hook has heard, and when.
    pub(crate) heard: Vec<(i64, String)>,
    /// True time ahead of the real clock.
    ahead: i64,
    /// The machine's clock ahead of true time.
    skew: i64,
    watcher: Option<Watcher>,
    begun: Instant,
    runs: usize,
    troubles: [usize; 2],
}

impl World {
    pub(crate) fn new(watches: bool) -> Self {
        let root = TempDir::with_prefix_in("oauth-sync-month.", yard::parent()).unwrap();
        let endpoint = Endpoint::start(root.path());
        let mut world = Self {
            endpoint,
            judge: Judge::default(),
            login_end: epoch_ms() + HEADWAY + days() * DAY,
            heard: Vec::new(),
            ahead: HEADWAY,
            skew: 0,
            watcher: None,
            begun: Instant::now(),
            runs: 0,
            troubles: [0; 2],
            root,
        };
        for folder in ["home/.claude", "home/.openclaw", "etc/hooks.d", "run"] {
            fs::create_dir_all(world.at(folder)).unwrap();
        }
        world.set_clock();
        world.configure();
        world.write_login(8 * HOUR);
        world.timer();
        if watches {
            world.watcher = Some(Watcher::start(world.command("watch")));
            world.rest();
        }
        world
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn configure(&self) {
        let mut text = String::new();
        for (key, value) in [
            ("CLAUDE_CREDENTIALS", self.source().display().to_string()),
            ("OPENCLAW_STATE_DIR", self.at("home/.openclaw").display().to_string()),
            ("OPENCLAW_VERSION", "2026.2.25".to_owned()),
            ("SINKS", "env".to_owned()),
            ("GATEWAY", "none".to_owned()),
            ("REFRESH", "api".to_owned()),
            ("TOKEN_URL", self.endpoint.token_url()),
        ] {
            writeln!(text, "{key}=\"{value}\"").unwrap();
        }
        fs::write(self.at("etc/default.conf"), text).unwrap();
        let hook = self.at("etc/hooks.d/hear");
        let heard = self.at("heard");
        fs::write(
            &hook,
            format!("#!/bin/sh\necho \"$OAUTH_SYNC_EVENT\" >> '{}'\n", heard.display()),
        )
        .unwrap();
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A new sign-in, good for as long.
    pub(crate) fn sign_in(&mut self) {
        self.login_end = self.now() + days() * DAY;
        self.write_login(8 * HOUR);
    }

    fn write_login(&mut self, left: i64) {
        let pair = self.endpoint.sign_in();
        let end = self.now() + left;
        self.judge.knows(&pair.access_token, end);
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{}","refreshToken":"{}","expiresAt":{end},"refreshTokenExpiresAt":{},"scopes":["user:inference"],"subscriptionType":"max"}}}}"#,
            pair.access_token, pair.refresh_token, self.login_end
        );
        fs::write(self.at("new"), text).unwrap();
        fs::set_permissions(self.at("new"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(self.at("new"), self.source()).unwrap();
    }

    fn source(&self) -> PathBuf {
        self.at("home/.claude/.credentials.json")
    }

    pub(crate) fn flag(&self) -> PathBuf {
        self.at("home/.openclaw/REAUTH_NEEDED")
    }

    /// The true time.
    pub(crate) fn now(&self) -> i64 {
        epoch_ms() + self.ahead
    }

    /// How long the test has been running.
    pub(crate) fn took(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Lets the time come, while agents use what is in the sink.
    pub(crate) fn go_to(&mut self, moment: i64) {
        let now = self.now();
        if moment <= now {
            return;
        }
        // A login that is over can be renewed by nobody.
        let token = self.in_sink();
        self.judge.used(&token, now, moment.min(self.login_end));
        self.ahead += moment - now;
        self.set_clock();
    }

    /// Sleeps: time passes, nothing runs, agents neither; the watcher wakes with the machine.
    pub(crate) fn sleep(&mut self, span: i64) {
        self.troubles[0] += 1;
        self.ahead += span;
        self.set_clock();
        self.wake();
    }

    /// Sets the machine's clock, which tells the watcher; never further from the truth than 20 minutes.
    pub(crate) fn step(&mut self, by: i64) {
        self.troubles[1] += 1;
        self.skew = by;
        self.set_clock();
        self.wake();
    }

    fn set_clock(&self) {
        let ahead = self.ahead + self.skew;
        let file = self.at("clock.new");
        fs::write(&file, format!("+{}.{:03}\n", ahead / 1000, ahead % 1000)).unwrap();
        fs::rename(file, self.at("clock")).unwrap();
    }

    /// The moment that the watcher waits for, in true time.
    pub(crate) fn armed(&self) -> Option<i64> {
        Some(self.watcher.as_ref()?.armed()? - self.skew)
    }

    /// When the token that agents use is to be renewed.
    pub(crate) fn due(&self) -> i64 {
        self.judge.ends(&self.in_sink()) - 90 * MINUTE
    }

    /// Wakes the watcher, as its timer and a set clock do.
    fn wake(&mut self) {
        self.watcher.iter().for_each(Watcher::wake);
        self.rest();
    }

    /// Lets the watcher do what is due; without one its queue of messages is served as systemd would.
    pub(crate) fn rest(&mut self) {
        if let Some(watcher) = &self.watcher {
            let queues = [self.at("run/refresh.d"), self.at("run/notify.d")];
            watcher.rest(&queues, || self.now() + self.skew);
        } else if !is_empty(&self.at("run/notify.d")) {
            self.run("notify");
        }
        self.look();
    }

    /// Waits until something has come true.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "it never came true that {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.rest();
    }

    /// The timer's run.
    pub(crate) fn timer(&mut self) {
        self.run("refresh");
        self.rest();
    }

    fn run(&mut self, command: &str) {
        self.runs += 1;
        let output = self.command(command).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("sk-ant-"), "a token was said: {said}");
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3 | 75)), "{command}: {code:?}: {said}");
        self.look();
    }

    /// Takes note of what happened.
    fn look(&mut self) {
        self.judge.granted(&self.endpoint.grants(), self.now());
        let heard = fs::read_to_string(self.at("heard")).unwrap_or_default();
        for line in heard.lines().skip(self.heard.len()) {
            self.heard.push((self.now(), line.to_owned()));
        }
    }

    /// The token that agents use.
    pub(crate) fn in_sink(&self) -> String {
        let text = fs::read_to_string(self.at("home/.openclaw/.env")).unwrap();
        text.trim_end().strip_prefix("ANTHROPIC_OAUTH_TOKEN=").unwrap().trim_matches('"').to_owned()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oauth-sync"));
        for (option, folder) in
            [("--config-dir", "etc"), ("--state-dir", "lib"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.at(folder));
        }
        let talk = fs::OpenOptions::new().create(true).append(true).open(self.at("talk")).unwrap();
        command
            .arg(name)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.at("home"))
            .env("SSL_CERT_FILE", self.endpoint.certificate())
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME_TIMESTAMP_FILE", self.at("clock"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(talk);
        command
    }

    pub(crate) fn summary(&self) -> String {
        let [sleeps, steps] = self.troubles;
        format!(
            "{} runs of the timer, {} renewals of {} requests, {sleeps} suspends, {steps} clock steps, {} ms without a valid token, {:.0?} in all",
            self.runs,
            self.endpoint.grants().len(),
            self.endpoint.requests().len(),
            self.judge.dead_ms(),
            self.took()
        )
    }

    /// Fails if a token is in what we keep or say, besides the login and the sink themselves.
    pub(crate) fn no_token_is_kept(&self) {
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path != self.source() && path != self.at("home/.openclaw/.env") {
                    let text = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&text);
                    assert!(!text.contains("sk-ant-"), "{}", path.display());
                }
            }
        }
    }
}

/// The library of Debian's `libfaketime`, for programs with threads.
fn faketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    library
        .into_iter()
        .find(|path| path.exists())
        .expect("faketime is missing: apt-get install faketime")
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

pub(crate) fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
