//! A running `watch` under a clock that the test moves.
//!
//! Its timer is the kernel's and knows nothing of the moved clock: the test reads the moment that it
//! was armed for from /proc/PID/fdinfo, and sends SIGHUP when that moment has come.

use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::world::epoch_ms;

/// How long it may take to do what is due.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) struct Watcher {
    child: Child,
}

impl Watcher {
    pub(crate) fn start(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// The moment of the wall clock that its timer was armed for.
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
        Some(epoch_ms() + left)
    }

    /// Wakes it, as its timer would.
    pub(crate) fn wake(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// Waits until it sleeps with all done that is due.
    pub(crate) fn rest(&self, is_idle: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 3 {
            assert!(begun.elapsed() < LIMIT, "it does not come to rest");
            thread::park_timeout(Duration::from_millis(3));
            quiet = if is_idle(self) && self.sleeps() { quiet + 1 } else { 0 };
        }
    }

    fn sleeps(&self) -> bool {
        let pid = self.child.id();
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let pending = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pending = pending
            .lines()
            .filter(|line| line.starts_with("ShdPnd:") || line.starts_with("SigPnd:"));
        state.contains(") S ")
            && children.is_ok_and(|children| children.trim().is_empty())
            && pending.into_iter().all(|line| line.ends_with("0000000000000000"))
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
