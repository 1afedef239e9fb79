//! A home of a test's own, and real programs run in it with nothing of the
//! caller's: no environment, no home, no end of time.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tempfile::TempDir;

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` when a signal ended it, also that of the time limit.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Returns a program that `tests/real/fetch` has installed; panics if it has not.
pub(crate) fn real(folder: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // As in tests/real/fetch.
    let is_root = rustix::process::geteuid().is_root();
    let default = if is_root { "/var/cache/oauth-sync-real" } else { "target/real" };
    let real = env::var_os("OAUTH_SYNC_REAL_DIR").unwrap_or_else(|| default.into());
    let path = root.join(real).join(folder).join("bin").join(program);
    assert!(path.exists(), "'{}' is missing: run tests/real/fetch", path.display());
    path
}

/// A scratch home; it is removed when dropped.
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// Makes an empty home with a folder for temporary files.
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix_in("oauth-sync-real-", crate::yard::parent())
            .expect("a folder can be made");
        let scratch = Self { folder };
        scratch.refuse_a_real_home();
        scratch.make_folder(&scratch.path().join("tmp"));
        scratch
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, 0600, and the folders to it, 0700.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.below(path);
        self.make_folder(path.parent().expect("it lies below the home"));
        // By rename, as the real writers do: some programs read at any time.
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&new);
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the home is writable");
        fs::rename(&new, &path).expect("both lie in one folder");
    }

    /// Reads a file; an empty text if there is none.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.below(path)).unwrap_or_default()
    }

    /// Prepares a program: its environment is this home and what is given.
    pub(crate) fn command<K, V>(&self, program: &Path, environment: &[(K, V)]) -> Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.refuse_a_real_home();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", self.path().join("tmp"))
            .env("PATH", "/usr/bin:/bin")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .process_group(0);
        command
    }

    fn below(&self, path: &str) -> PathBuf {
        let mut components = Path::new(path).components();
        let inside = components.all(|component| matches!(component, Component::Normal(_)));
        assert!(inside, "'{path}' leaves the scratch home");
        self.path().join(path)
    }

    fn make_folder(&self, folder: &Path) {
        assert!(folder.starts_with(self.path()), "'{}' is not scratch", folder.display());
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.expect("the home is writable");
    }

    /// These tests write credentials: never where a person's could be.
    fn refuse_a_real_home(&self) {
        let path = self.path().canonicalize().expect("it was just made");
        let named = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"oauth-sync-real-"));
        let home = env::home_dir().unwrap_or_default();
        let real = [".claude", ".openclaw"].iter().any(|name| path.starts_with(home.join(name)));
        assert!(named && !real && path != home, "'{}' is not scratch", path.display());
    }
}

/// Runs a program to its end, or ends it and all it started at `limit`.
pub(crate) fn run(mut command: Command, stdin: &str, limit: Duration) -> Ran {
    // Files, not pipes: a grandchild that stays could hold a pipe open.
    let scratch = || tempfile::tempfile().expect("a file can be made");
    let (mut input, mut output, mut errors) = (scratch(), scratch(), scratch());
    input.write_all(stdin.as_bytes()).and_then(|()| input.rewind()).expect("it is writable");
    let share = |file: &File| file.try_clone().expect("a descriptor is free");
    command.stdin(if stdin.is_empty() { Stdio::null() } else { input.into() });
    command.stdout(share(&output)).stderr(share(&errors));
    let mut child = command.spawn().expect("the program starts");
    let group = group(&child);
    let (ended, end) = mpsc::channel();
    let waiting = thread::spawn(move || {
        // Seen, not reaped: until the group is ended its number must stay taken.
        waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok();
        ended.send(()).ok();
    });
    end.recv_timeout(limit).ok();
    // Whatever it left running goes with it.
    kill_process_group(group, Signal::KILL).ok();
    waiting.join().ok();
    let status = child.wait().ok();
    Ran {
        code: status.and_then(|status| status.code()),
        stdout: text(&mut output),
        stderr: text(&mut errors),
    }
}

/// Returns the process group that `Scratch::command` gave a child.
pub(crate) fn group(child: &Child) -> Pid {
    let number = i32::try_from(child.id()).expect("process ids are small");
    Pid::from_raw(number).expect("a child is never process 0")
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("it is readable");
    String::from_utf8_lossy(&bytes).into_owned()
}
