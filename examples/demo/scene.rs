//! What the demonstration and the figures both need: an invented login, a scratch installation of
//! `oauth-sync`, and its running `watch`. Nothing outside the scratch folder is touched.

use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

/// How long an access token lives.
pub(crate) const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// The release binary beside this driver: `target/release/oauth-sync`.
pub(crate) fn program() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).ok_or(io::ErrorKind::NotFound)?;
    let program = target.join("release/oauth-sync");
    if program.is_file() {
        return Ok(program);
    }
    let text = format!("'{}' is missing: run 'make build'", program.display());
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// An invented access token, as long as a real one.
pub(crate) fn token(kind: &str, number: u32) -> String {
    format!("{kind}-invented-{number:04}-{:x<80}", "")
}

/// The text of a credentials file as the Claude CLI writes it.
pub(crate) fn credentials(number: u32, lifetime: Duration) -> String {
    let expiry = milliseconds(SystemTime::now() + lifetime);
    let (access, refresh) = (token("access", number), token("refresh", number));
    format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"{refresh}","expiresAt":{expiry},"scopes":["user:inference","user:profile"],"subscriptionType":"max","rateLimitTier":"default_claude_max_20x"}}}}"#
    )
}

/// Milliseconds since 1970, the unit of every expiry in these files.
pub(crate) fn milliseconds(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// Writes a file and the folders to it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// An `auth-profiles.json` with one valid Anthropic profile and one of another provider.
pub(crate) fn profiles(number: u32) -> String {
    let expiry = milliseconds(SystemTime::now() + Duration::from_secs(3600));
    let access = token("access", number);
    format!(
        r#"{{
  "version": 1,
  "profiles": {{
    "anthropic:default": {{
      "type": "oauth",
      "provider": "anthropic",
      "access": "{access}",
      "refresh": "refresh-of-openclaw",
      "expires": {expiry}
    }},
    "openai:work": {{ "type": "api_key", "provider": "openai", "key": "not-ours" }}
  }}
}}
"#
    )
}

/// Where a scratch installation keeps its things.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    program: PathBuf,
    pub(crate) root: PathBuf,
    /// Locks and queues: on a host with systemd, in memory.
    pub(crate) run: PathBuf,
}

impl Installation {
    /// Prepares the folders below `root`.
    pub(crate) fn new(program: &Path, root: &Path) -> io::Result<Self> {
        for folder in ["etc", "state", "run"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let (root, run) = (root.to_owned(), root.join("run"));
        Ok(Self { program: program.to_owned(), root, run })
    }

    /// Writes the configuration of a link.
    pub(crate) fn configure(&self, link: &str, text: &str) -> io::Result<()> {
        write(&self.root.join("etc").join(format!("{link}.conf")), text)
    }

    /// Prepares a run of the program with nothing of the caller's environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().stdin(Stdio::null());
        let folders = ["etc", "state"].map(|folder| self.root.join(folder));
        command.arg("--config-dir").arg(&folders[0]).arg("--state-dir").arg(&folders[1]);
        command.arg("--run-dir").arg(&self.run);
        command
    }

    /// Starts `watch`, which runs no other program, and waits until it says that it is ready.
    pub(crate) fn watch(&self, stderr: Stdio, patience: Duration) -> io::Result<Watch> {
        let address = self.root.join("notify");
        let _ = fs::remove_file(&address);
        let socket = UnixDatagram::bind(&address)?;
        socket.set_read_timeout(Some(patience))?;
        let mut command = self.command(&["watch", "--delegate"]);
        let child = command.env("NOTIFY_SOCKET", &address).stderr(stderr).spawn()?;
        let watch = Watch { child };
        let mut buffer = [0u8; 1024];
        loop {
            let late = |_| io::Error::other("'oauth-sync watch' is not ready in time");
            let length = socket.recv(&mut buffer).map_err(late)?;
            if buffer[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
                return Ok(watch);
            }
        }
    }
}

/// A running `watch`; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) child: Child,
}

impl Watch {
    /// Asks it to end, as systemd does.
    pub(crate) fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}
