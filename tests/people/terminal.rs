//! A real terminal: tmux, with one program in it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::bed::{Bed, eventually};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A terminal of its own; it goes with the value.
pub(crate) struct Terminal {
    socket: String,
    status: PathBuf,
}

impl Terminal {
    /// Runs the binary, and then stays until it goes.
    pub(crate) fn run(bed: &Bed, size: (usize, usize), env: &[&str], args: &[&str]) -> Self {
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let socket = format!("oauth-sync-{}-{count}", std::process::id());
        let status = bed.at(&format!("status-{count}"));
        let quoted: Vec<String> = bed.args(args).iter().map(|word| format!("'{word}'")).collect();
        let line = format!(
            "trap : INT; env {} {}; echo $? >{}; exec sleep 600",
            env.join(" "),
            quoted.join(" "),
            status.display()
        );
        let this = Self { socket, status };
        let (width, height) = (size.0.to_string(), size.1.to_string());
        let new = ["-u", "new-session", "-d", "-x", &width, "-y", &height];
        let mut command = this.command(&new);
        command.arg(line).env("HOME", bed.at("home")).env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR").env_remove("LC_ALL").env("LANG", "C.UTF-8");
        assert!(command.status().expect("tmux is installed").success());
        this
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket, "-f", "/dev/null"]).args(args);
        command
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> String {
        let ran = self.command(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// Waits until something is on the screen, and gives all of it.
    #[track_caller]
    pub(crate) fn shows(&self, part: &str) -> String {
        let shown = eventually(|| self.screen().contains(part));
        let screen = self.screen();
        assert!(shown, "'{part}' never came up:\n{screen}");
        screen
    }

    /// Presses keys, by tmux's names for them.
    pub(crate) fn keys(&mut self, keys: &[&str]) {
        let mut command = self.command(&["send-keys"]);
        assert!(command.args(keys).status().unwrap().success());
    }

    /// Types an answer to the question that comes up.
    #[track_caller]
    pub(crate) fn answers(&mut self, question: &str, answer: &str) -> String {
        let screen = self.shows(question);
        // Literally: some words are names of keys.
        assert!(self.command(&["send-keys", "-l", answer]).status().unwrap().success());
        self.keys(&["Enter"]);
        screen
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32) {
        let mut status = String::new();
        eventually(|| {
            status = std::fs::read_to_string(&self.status).unwrap_or_default();
            status.ends_with('\n')
        });
        assert_eq!(status.trim(), code.to_string(), "{}", self.screen());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}
