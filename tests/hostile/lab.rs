//! A scratch host: root's configuration and state, and the homes of two users without accounts.

#[path = "../support/yard.rs"]
mod yard;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

/// The user whose home is `home/a`.
pub(crate) const ALICE: u32 = 61421;

/// The user whose home is `home/b`.
pub(crate) const BOB: u32 = 61432;

/// What the units leave root: see `units/oauth-sync-renew.service`.
const CONFINED: [&str; 4] =
    ["setpriv", "--bounding-set=-all,+setuid,+setgid,+kill", "--inh-caps=-all", "--no-new-privs"];

/// How a program ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The scratch host; it is removed when dropped.
pub(crate) struct Lab {
    root: TempDir,
}

impl Lab {
    /// Makes `etc`, `state`, `run` (root's, 0700) and `home/a`, `home/b` (the users' own, 0755).
    pub(crate) fn new() -> Self {
        assert!(rustix::process::geteuid().is_root(), "these tests act as root for two users");
        let lab =
            Self { root: TempDir::with_prefix_in("oauth-sync-lab-", yard::parent()).unwrap() };
        lab.sh("chmod 755 . && mkdir -m 700 etc state run && mkdir -p home/a home/b");
        lab.sh(&format!("chown {ALICE}:{ALICE} home/a && chown {BOB}:{BOB} home/b"));
        lab
    }

    /// A path of this host.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Runs a shell script as root in the scratch host; panics if it fails.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> &Self {
        let status =
            Command::new("sh").args(["-ec", script]).current_dir(self.root.path()).status();
        assert!(status.unwrap().success(), "{script}");
        self
    }

    /// Runs a shell script as a user in the scratch host; panics if it fails.
    #[track_caller]
    pub(crate) fn as_user(&self, uid: u32, script: &str) -> &Self {
        let status = self.user_command(uid, script).status();
        assert!(status.unwrap().success(), "{script}");
        self
    }

    /// Prepares a shell script that runs as a user in the scratch host.
    pub(crate) fn user_command(&self, uid: u32, script: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args([&format!("--reuid={uid}"), &format!("--regid={uid}"), "--clear-groups"])
            .args(["--no-new-privs", "sh", "-ec", script])
            .current_dir(self.root.path());
        command
    }

    /// Writes a user's Claude login with `left` seconds to live; its tokens end in `tag`.
    pub(crate) fn login(&self, uid: u32, directory: &str, tag: &str, left: u64) -> &Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let expires_at = (now.as_secs() + left) * 1000;
        self.as_user(
            uid,
            &format!(
                "umask 077; mkdir -p {directory}; cat >{directory}/.credentials.json <<'END'\n\
                 {{\"claudeAiOauth\":{{\"accessToken\":\"sk-ant-oat01-test-access{tag}\",\
                 \"refreshToken\":\"sk-ant-ort01-test-refresh{tag}\",\"expiresAt\":{expires_at},\
                 \"scopes\":[\"user:inference\"],\"subscriptionType\":\"max\"}}}}\nEND"
            ),
        )
    }

    /// Writes the link of user `a` or `b`: the login and OpenClaw of that home, and these lines.
    pub(crate) fn link(&self, user: &str, lines: &str) -> &Self {
        let home = self.at("home").join(user);
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{0}/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"{0}/.openclaw\"\n{lines}",
            home.display()
        );
        self.configuration(user, &text)
    }

    /// Writes a configuration file, 0600.
    pub(crate) fn configuration(&self, name: &str, text: &str) -> &Self {
        let path = self.at("etc").join(format!("{name}.conf"));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        self
    }

    /// Prepares the program, with the units' capabilities.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CONFINED[0]);
        command.args(&CONFINED[1..]).arg(program());
        self.completed(command, arguments)
    }

    /// Runs the program to its end, with all that root has.
    pub(crate) fn unconfined(&self, arguments: &[&str]) -> Ran {
        ran(self.completed(Command::new(program()), arguments).output().unwrap())
    }

    pub(crate) fn completed(&self, mut command: Command, arguments: &[&str]) -> Command {
        for (option, directory) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.at(directory));
        }
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, with the units' capabilities.
    pub(crate) fn confined(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// Runs a shell script as root at a terminal of its own, and says what that showed.
    #[track_caller]
    pub(crate) fn at_a_terminal(&self, script: &str) -> String {
        fs::write(self.at("script"), script).unwrap();
        let mut command = Command::new("script");
        command.args(["-qec", "bash -e script", "/dev/null"]).current_dir(self.root.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Nothing is typed, and there is no end of the input either.
        let _typed = child.stdin.take();
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{script}: {}", ran.stdout);
        ran.stdout
    }

    /// Compiles one of the C programs beside this file, for everybody to run.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(name);
        let program = self.at(name.trim_end_matches(".c"));
        let status = Command::new("gcc").arg("-o").args([&program, &source]).status();
        assert!(status.unwrap().success(), "{name} compiles");
        program
    }

    /// Runs the program as [`Lab::confined`] does, with the scratch host's `fake` in place of `/usr/local/sbin`.
    pub(crate) fn inside(&self, arguments: &[&str]) -> Ran {
        self.inside_with(&[], arguments)
    }

    /// The same, with variables that are kept from whoever called it.
    pub(crate) fn inside_with(&self, kept: &[(&str, String)], arguments: &[&str]) -> Ran {
        let confined = self.command(arguments);
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-ec"]);
        command.arg("mount --bind \"$0\" /usr/local/sbin; exec \"$@\"").arg(self.at("fake"));
        command.arg(confined.get_program()).args(confined.get_args());
        command.envs(kept.iter().map(|(name, value)| (name, value)));
        ran(command.output().unwrap())
    }

    /// Runs the program as [`Lab::confined`] does, with the scratch host's `passwd` for the host's.
    pub(crate) fn with_passwd(&self, arguments: &[&str]) -> Ran {
        let confined = self.command(arguments);
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-ec"]);
        command.arg("mount --bind \"$0\" /etc/passwd; exec \"$@\"").arg(self.at("passwd"));
        command.arg(confined.get_program()).args(confined.get_args());
        ran(command.output().unwrap())
    }

    /// Reads a file; empty if there is none.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read(self.at(path))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// The program under test; another build of it shows what a case finds there.
pub(crate) fn program() -> std::ffi::OsString {
    let other = std::env::var_os("OAUTH_SYNC_BIN");
    other.unwrap_or_else(|| env!("CARGO_BIN_EXE_oauth-sync").into())
}

/// Waits until `condition` holds; says whether it did within `limit`.
pub(crate) fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !condition() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// What a finished program printed.
pub(crate) fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
