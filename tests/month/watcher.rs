//! A running `watch` under a clock that the test moves.
//!
//! Its timer is the kernel's and knows nothing of the moved clock: the test reads the moment that it
//! was armed for from /proc/PID/fdinfo, and sends SIGHUP when that moment has come.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::world::{epoch_ms, is_empty};

/// How long it may take to do what is due.
const LIMIT: Duration = Duration::from_secs(180);

/// What is due within this time, in ms, is a part of what it does now: it tries again what was busy.
const SOON: i64 = 3000;

pub(crate) struct Watcher {
    child: Child,
}

impl Watcher {
    pub(crate) fn start(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// The moment of the wall clock that its timer was armed for; before that it takes no signal.
    pub(crate) fn armed(&self) -> Option<i64> {
        let pid = self.child.id();
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let timer = fds.filter_map(Result::ok).find(|entry| {
            fs::read_link(entry.path()).is_ok_and(|aim| aim.ends_with("anon_inode:[timerfd]"))
        })?;
        let path = format!("/proc/{pid}/fdinfo/{}", timer.file_name().to_str()?);
        let text = fs::read_to_string(path).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("it_value: ("))?;
        let (seconds, nanos) = value.trim_end_matches(')').split_once(", ")?;
        let left = seconds.parse::<i64>().ok()? * 1000 + nanos.parse::<i64>().ok()? / 1_000_000;
        (left > 0).then(|| epoch_ms() + left)
    }

    /// Wakes it, as its timer would.
    pub(crate) fn wake(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// Waits until it sleeps with these queues empty and nothing due soon, by the clock that it is shown;
    /// what is due soon is waited for.
    pub(crate) fn rest(&self, queues: &[PathBuf], shown: impl Fn() -> i64) {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 3 {
            thread::park_timeout(Duration::from_millis(3));
            let left = self.armed().map(|moment| moment - shown());
            let full = queues.iter().find(|queue| !is_empty(queue));
            let full = full.map(|queue| format!("'{}' is not empty", queue.display()));
            let busy = full.or_else(|| self.stirs());
            if busy.is_none() && left.is_some_and(|left| left <= 0) {
                self.wake();
            }
            let soon = left.is_none_or(|left| left < SOON);
            let why = busy.or_else(|| soon.then(|| format!("its timer has {left:?} ms left")));
            quiet = if why.is_none() { quiet + 1 } else { 0 };
            let why = why.filter(|_| begun.elapsed() >= LIMIT);
            assert_eq!(why, None, "it does not come to rest");
        }
    }

    /// What shows that it does not sleep.
    fn stirs(&self) -> Option<String> {
        let pid = self.child.id();
        let read =
            |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let (stat, status) = (read("stat"), read("status"));
        let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let children = read(&format!("task/{pid}/children"));
        let is_pending = |line: &&str| {
            let is_mask = line.starts_with("ShdPnd:") || line.starts_with("SigPnd:");
            is_mask && !line.ends_with("0000000000000000")
        };
        if !state.starts_with("S ") {
            Some(format!("its state is '{}'", state.chars().take(1).collect::<String>()))
        } else if !status.lines().any(|line| line == "Threads:\t1") {
            Some("it has further threads".to_owned())
        } else if !children.trim().is_empty() {
            Some(format!("it has the children {children}"))
        } else {
            status.lines().find(is_pending).map(|line| format!("signals wait: {line}"))
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Asked, not killed: libfaketime then takes its shared memory away.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let begun = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < LIMIT {
            thread::park_timeout(Duration::from_millis(3));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
