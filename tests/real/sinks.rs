//! The token that `oauth-sync sync` carries is the one that the real `OpenClaw` sends.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::openclaw::OpenClaw;
use crate::turns::{PROFILES, profiles};
use crate::{endpoint, token};

/// A link from an invented login to a real `OpenClaw`.
struct Link {
    folder: TempDir,
}

impl Link {
    fn new(openclaw: &OpenClaw<'_>, keys: &str) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("etc")).expect("a folder can be made");
        std::fs::create_dir(at("claude")).expect("a folder can be made");
        let text = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\n{keys}",
            at("claude/.credentials.json").display(),
            openclaw.state().display(),
        );
        std::fs::write(at("etc/default.conf"), text).expect("a file can be written");
        Self { folder }
    }

    /// Renews the login as the CLI does, by rename.
    fn sign_in(&self, name: &str, hours: i64) {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is after 1970");
        let expiry =
            i64::try_from(now.as_millis()).expect("it is not that late") + hours * 3_600_000;
        let login =
            json!({ "accessToken": token(name), "refreshToken": "refresh", "expiresAt": expiry });
        let folder = self.folder.path().join("claude");
        let text = json!({ "claudeAiOauth": login }).to_string();
        std::fs::write(folder.join("new"), text).expect("a file can be written");
        std::fs::rename(folder.join("new"), folder.join(".credentials.json"))
            .expect("it can be renamed");
    }

    fn sync(&self) -> (Option<i32>, String) {
        let at = |name: &str| self.folder.path().join(name);
        let ran = Command::new(env!("CARGO_BIN_EXE_oauth-sync"))
            .env_clear()
            .arg("--config-dir")
            .arg(at("etc"))
            .arg("--state-dir")
            .arg(at("state"))
            .arg("--run-dir")
            .arg(at("run"))
            .arg("sync")
            .output()
            .expect("oauth-sync runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    }

    fn synced(&self, name: &str, hours: i64) {
        self.sign_in(name, hours);
        let (code, said) = self.sync();
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains(&token(name)[..20]), "a token is shown");
    }
}

#[test]
fn in_2026_2_25_the_first_sync_seeds_it_and_the_next_renews_its_profile() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let link = Link::new(&openclaw, "OPENCLAW_VERSION=\"2026.2.25\"\nGATEWAY=\"none\"\n");
    link.synced("A", 6);
    openclaw.turn().used(&token("A"));
    assert!(Path::new(&openclaw.state().join(PROFILES)).exists(), "it imported the login");
    link.synced("B", 7);
    openclaw.turn().used(&token("B"));
    let store: Value = serde_json::from_str(&openclaw.read(PROFILES)).expect("it is JSON");
    let profile = &store["profiles"]["anthropic:default"];
    assert_eq!((&profile["type"], &profile["refresh"]), (&json!("token"), &Value::Null));
}

#[test]
fn in_2026_2_25_the_env_file_carries_it() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let link = Link::new(&openclaw, "SINKS=\"env\"\nGATEWAY=\"none\"\n");
    for (name, hours) in [("A", 6), ("B", 7)] {
        link.synced(name, hours);
        openclaw.turn().used(&token(name));
    }
}

#[test]
fn in_2026_4_15_a_renewed_profile_counts_after_a_reload_and_in_a_new_process() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.4.15", &endpoint);
    openclaw.write(PROFILES, &profiles(&token("old")));
    let link = Link::new(&openclaw, "OPENCLAW_VERSION=\"2026.4.15\"\nGATEWAY=\"none\"\n");
    link.synced("A", 6);
    openclaw.turn().used(&token("A"));
    openclaw.start_gateway();
    link.synced("B", 7);
    let ran = openclaw.run(&["secrets", "reload"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_the_env_file_carries_it() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "SINKS=\"env\"\nGATEWAY=\"none\"\n");
    for (name, hours) in [("A", 6), ("B", 7)] {
        link.synced(name, hours);
        openclaw.turn().used(&token(name));
    }
}

/// The one block of commands of a document.
fn text_of_block(document: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).expect("it is there");
    let (_, block) = text.split_once("```sh\n").expect("it has one");
    block.split("```").next().unwrap_or_default().to_owned()
}

#[test]
fn in_2026_9_6_a_secret_file_carries_it_after_a_reload() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    // As field-mapping.md has people type it.
    let line = text_of_block("docs/field-mapping.md");
    let home = openclaw.state().parent().expect("it lies in a home").display().to_string();
    let typed = line.replace('~', &home);
    let words: Vec<&str> = typed.split_whitespace().skip(1).collect();
    let ran = openclaw.run(&words, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let reference = json!({ "source": "file", "provider": "oauthsync", "id": "/anthropic/access" });
    openclaw.configure("/models/providers/anthropic", "apiKey", reference);
    let keys = "OPENCLAW_VERSION=\"2026.9.6\"\nSINKS=\"secret-file\"\nGATEWAY=\"none\"\n";
    let link = Link::new(&openclaw, keys);
    link.synced("A", 6);
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    link.synced("B", 7);
    let ran = openclaw.run(&["secrets", "reload", "--json"], "");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!(told["warningCount"], 0, "{ran:?}");
    openclaw.turn_via_gateway().used(&token("B"));
}

#[test]
fn in_2026_9_6_the_stores_that_break_it_are_refused_even_when_listed() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old")));
    let keys =
        "OPENCLAW_VERSION=\"2026.9.6\"\nSINKS=\"oauth-json auth-profiles env\"\nGATEWAY=\"none\"\n";
    let link = Link::new(&openclaw, keys);
    link.sign_in("A", 6);
    let (code, said) = link.sync();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("oauth-json") && said.contains("use paste-token"), "{said}");
    assert!(!openclaw.state().join("credentials/oauth.json").exists());
    assert!(!openclaw.state().join(PROFILES).exists());
    openclaw.turn().used(&token("A"));
}

#[test]
fn in_2026_2_25_a_store_that_is_asked_for_counts_before_the_first_turn() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.2.25", &endpoint);
    let keys = "OPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"auth-profiles\"\nGATEWAY=\"none\"\n";
    let link = Link::new(&openclaw, keys);
    link.synced("A", 6);
    openclaw.turn().used(&token("A"));
    link.synced("B", 7);
    openclaw.turn().used(&token("B"));
}
