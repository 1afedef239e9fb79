//! What makes a running gateway use a new token.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::openclaw::OpenClaw;
use crate::turns::{PROFILES, profiles};
use crate::{endpoint, token};

#[test]
fn in_2026_2_25_a_changed_profile_is_enough() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.2.25", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write(PROFILES, &profiles(&token("B")));
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_4_15_a_changed_profile_needs_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write(PROFILES, &profiles(&token("B")));
    openclaw.turn_via_gateway().used(&token("A"));
    let ran = openclaw.run(&["secrets", "reload"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_a_secret_file_needs_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let file = openclaw.state().join("oauth-sync.json");
    let provider = json!({ "source": "file", "path": file, "mode": "json" });
    openclaw.configure("", "secrets", json!({ "providers": { "oauthsync": provider } }));
    let reference = json!({ "source": "file", "provider": "oauthsync", "id": "/anthropic/access" });
    openclaw.configure("/models/providers/anthropic", "apiKey", reference);
    let secret = |name| json!({ "anthropic": { "access": token(name) } }).to_string();
    openclaw.write("oauth-sync.json", &secret("A"));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    openclaw.write("oauth-sync.json", &secret("B"));
    let ran = openclaw.run(&["secrets", "reload", "--json"], "");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(told["warningCount"], 0, "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_a_pasted_token_is_used_at_once() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let paste = |openclaw: &OpenClaw, name: &str| {
        let profile = ["--provider", "anthropic", "--profile-id", "anthropic:oauth-sync"];
        let arguments = [&["models", "auth", "paste-token"], &profile[..], &["--expires-in", "8h"]];
        let ran = openclaw.run(&arguments.concat(), &format!("{}\n", token(name)));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    paste(&openclaw, "A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    paste(&openclaw, "B");
    openclaw.turn_via_gateway().used(&token("B"));
}

/// A Claude login and a link from it to one of the real programs.
struct Link {
    folder: TempDir,
}

impl Link {
    fn new(openclaw: &OpenClaw, more: &str) -> Self {
        let folder = TempDir::with_prefix("oauth-sync-real-").expect("a folder can be made");
        let link = Self { folder };
        for name in ["etc", "claude"] {
            std::fs::create_dir(link.path(name)).expect("it is new");
        }
        let state = openclaw.state();
        let home = state.parent().expect("it lies in a home");
        let variables = openclaw.environment();
        let variables: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_COMMAND=\"/usr/bin/env HOME={} {} {}\"\n{more}\n",
            link.path("claude/.credentials.json").display(),
            state.display(),
            home.display(),
            variables.join(" "),
            openclaw.program().display(),
        );
        std::fs::write(link.path("etc/default.conf"), text).expect("the folder is there");
        link
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Rotates the token, and lets the program carry it.
    #[track_caller]
    fn carry(&self, name: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let end =
            u64::try_from((now + Duration::from_secs(8 * 3600)).as_millis()).expect("it fits");
        let login = json!({ "claudeAiOauth": {
            "accessToken": token(name), "refreshToken": "refresh", "expiresAt": end,
        } });
        let new = self.path("claude/new");
        std::fs::write(&new, login.to_string()).expect("the folder is there");
        std::fs::rename(new, self.path("claude/.credentials.json")).expect("the folder is there");
        let (code, said) = self.sync();
        assert_eq!(code, Some(0), "{said}");
        said
    }

    fn sync(&self) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oauth-sync"));
        command.arg("sync");
        for (option, name) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.path(name));
        }
        let output = command.output().expect("the program is built");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("sk-ant"), "{said}");
        (output.status.code(), said)
    }
}

#[test]
fn we_paste_into_a_running_2026_9_6_and_its_next_turn_uses_it() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "");
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let said = link.carry("B");
    assert!(said.contains("uses it on its next turn"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
    assert!(!openclaw.state().join(".env").exists());
}

#[test]
fn we_keep_the_comments_of_2026_9_6_until_somebody_consents() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let text = openclaw.read("openclaw.json").replacen('{', "{ // mine\n", 1);
    openclaw.write("openclaw.json", &text);
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    link.carry("A");
    assert_eq!(openclaw.read("openclaw.json"), text);
    assert!(openclaw.read(".env").contains(&token("A")));
    openclaw.turn().used(&token("A"));
    std::fs::write(link.path("state/consent-default"), "").expect("the folder is there");
    link.carry("B");
    assert_eq!(openclaw.read("openclaw.json.before-oauth-sync"), text);
    openclaw.turn().used(&token("B"));
}

#[test]
fn we_reload_the_secret_file_of_a_running_2026_9_6() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let file = openclaw.state().join("oauth-sync.json");
    let provider = json!({ "source": "file", "path": file, "mode": "json" });
    openclaw.configure("", "secrets", json!({ "providers": { "oauthsync": provider } }));
    let reference = json!({ "source": "file", "provider": "oauthsync", "id": "/anthropic/access" });
    openclaw.configure("/models/providers/anthropic", "apiKey", reference);
    let link = Link::new(&openclaw, "SINKS=\"secret-file\"");
    openclaw
        .write("oauth-sync.json", &json!({ "anthropic": { "access": token("A") } }).to_string());
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let said = link.carry("B");
    assert!(said.contains("reloaded"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn we_reload_the_profiles_of_a_running_2026_4_15() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("A")));
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let link = Link::new(&openclaw, "");
    let said = link.carry("B");
    assert!(said.contains("reloaded"), "{said}");
    openclaw.turn_via_gateway().used(&token("B"));
}
