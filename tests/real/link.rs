//! A link from an invented Claude login to one of the real programs.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::openclaw::OpenClaw;
use crate::token;

/// A Claude login and a link from it to one of the real programs.
pub(crate) struct Link {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Link {
    /// To a program of this host.
    pub(crate) fn new(openclaw: &OpenClaw, more: &str) -> Self {
        let state = openclaw.state();
        let home = state.parent().expect("it lies in a home");
        let variables = openclaw.environment();
        let variables: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let command = format!(
            "OPENCLAW_COMMAND=\"/usr/bin/env HOME={} {} {}\"",
            home.display(),
            variables.join(" "),
            openclaw.program().display(),
        );
        Self::with(openclaw, &format!("{command}\n{more}"), &[])
    }

    /// To one that is found as the configuration says, with more variables for our own program.
    pub(crate) fn with(openclaw: &OpenClaw, more: &str, variables: &[(String, String)]) -> Self {
        let folder = TempDir::with_prefix_in("oauth-sync-real-", crate::yard::parent())
            .expect("a folder can be made");
        let link = Self { folder, variables: variables.to_vec() };
        for name in ["etc", "claude"] {
            std::fs::create_dir(link.path(name)).expect("it is new");
        }
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\n{more}\n",
            link.path("claude/.credentials.json").display(),
            openclaw.state().display(),
        );
        std::fs::write(link.path("etc/default.conf"), text).expect("the folder is there");
        link
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Rotates the token, and lets the program carry it.
    #[track_caller]
    pub(crate) fn carry(&self, name: &str) -> String {
        self.rotate(name);
        let (code, said) = self.run(&["sync"]);
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// Gives the login a new token, as the CLI does: by rename.
    pub(crate) fn rotate(&self, name: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let end =
            u64::try_from((now + Duration::from_secs(8 * 3600)).as_millis()).expect("it fits");
        let login = json!({ "claudeAiOauth": {
            "accessToken": token(name), "refreshToken": "refresh", "expiresAt": end,
        } });
        let new = self.path("claude/new");
        std::fs::write(&new, login.to_string()).expect("the folder is there");
        std::fs::rename(new, self.path("claude/.credentials.json")).expect("the folder is there");
    }

    /// The command that the doctor prints for this finding, if it finds it.
    pub(crate) fn prescribed(&self, id: &str) -> Option<String> {
        let (_, said) = self.run(&["doctor", "--json"]);
        let end = said.rfind('}').expect("it is JSON");
        let report: Value = serde_json::from_str(&said[..=end]).expect("it is JSON");
        let findings = report["findings"].as_array().expect("there is a list");
        let found = findings.iter().find(|finding| finding["id"] == id)?;
        found["command"].as_str().map(str::to_owned)
    }

    /// Runs the program to its end: its status, and what it said without a token in it.
    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oauth-sync"));
        command.args(words).envs(self.variables.iter().cloned());
        for (option, name) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.path(name));
        }
        let output = command.output().expect("the program is built");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("sk-ant"), "{said}");
        (output.status.code(), said)
    }
}
