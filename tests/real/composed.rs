//! The real `OpenClaw` as a service of a compose project: its state directory is a folder of the host,
//! and its user is 1000. Needs root for the engine, which `tests/docker/engine` starts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::in_container::{engine, must};
use crate::link::Link;
use crate::openclaw::{OpenClaw, Turn};
use crate::{endpoint, token};

/// The user in the container, by number also on the host.
const NODE: u32 = 1000;

/// A project with the gateway as its only service; down when dropped.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(openclaw: &OpenClaw<'_>, certificate: &Path) -> Self {
        let folder = TempDir::with_prefix_in("oauth-sync-composed-", crate::yard::parent())
            .expect("a folder can be made");
        // The container's user has to read the certificate.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("root may do that");
        fs::copy(certificate, folder.path().join("ca.pem")).expect("root may do that");
        let package = openclaw.program().parent().and_then(Path::parent).expect("it has a folder");
        let package = package.canonicalize().expect("it is installed");
        let node = package.with_file_name("node");
        let mut variables = serde_json::Map::new();
        for (name, value) in openclaw.environment() {
            variables.insert(name.to_owned(), value.into());
        }
        for (name, value) in [
            ("NODE_EXTRA_CA_CERTS", "/opt/ca/ca.pem"),
            ("HOME", "/home/node"),
            ("PATH", "/opt/openclaw/bin:/usr/bin"),
        ] {
            variables.insert(name.to_owned(), value.into());
        }
        let mount = |host: &Path, inside: &str| format!("{}:{inside}", host.display());
        let service = json!({
            "image": "oauth-sync-empty:1",
            "user": format!("{NODE}:{NODE}"),
            "network_mode": "host",
            "environment": variables,
            "command": ["openclaw", "gateway", "run"],
            "volumes": [
                mount(Path::new("/usr"), "/usr:ro"),
                mount(&node.canonicalize().expect("it is installed"), "/opt/node:ro"),
                mount(&package, "/opt/openclaw:ro"),
                mount(folder.path(), "/opt/ca:ro"),
                mount(&openclaw.state(), "/home/node/.openclaw"),
            ],
        });
        let project = json!({ "services": { "openclaw-gateway": service } });
        fs::write(folder.path().join("compose.yaml"), project.to_string())
            .expect("the folder is there");
        Self { folder }
    }

    fn compose(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("compose").args(words).envs(engine().iter().cloned());
        command.current_dir(self.folder.path()).process_group(0);
        command
    }

    /// Waits until the gateway answers.
    #[track_caller]
    fn lives(&self, openclaw: &OpenClaw<'_>) {
        let start = Instant::now();
        while !openclaw.is_live() {
            let said = || self.compose(&["logs"]).output();
            assert!(start.elapsed() < Duration::from_secs(600), "{:?}", said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn id(&self) -> String {
        must(&mut self.compose(&["ps", "-q"])).trim().to_owned()
    }

    /// Has a turn in the gateway, asked for from within. OpenClaw refuses one that meets its own loading of
    /// plugins, before it asks for anything; such a turn is asked for again.
    fn turn(&self, openclaw: &OpenClaw<'_>) -> Turn {
        let words = ["exec", "-T", "openclaw-gateway", "openclaw", "agent", "--agent", "main"];
        let ask = || openclaw.turn_by(self.compose(&[&words[..], &["--message", "hi"]].concat()));
        let mut turn = ask();
        for _ in 0..40 {
            if !turn.ran.stderr.contains("generation was superseded") {
                break;
            }
            turn = ask();
        }
        turn
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-t", "0"]).output();
    }
}

fn give(path: &Path) {
    chown(path, Some(NODE), Some(NODE)).expect("root may do that");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("root may do that") {
            give(&entry.expect("root may do that").path());
        }
    }
}

#[test]
fn we_paste_into_a_running_2026_9_6_in_its_container() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    openclaw.configure("/logging", "file", "/tmp/openclaw.log".into());
    give(&openclaw.state());
    let project = Project::new(&openclaw, endpoint.certificate());
    must(&mut project.compose(&["up", "-d"]));
    project.lives(&openclaw);
    let container = project.id();
    let keys = format!("COMPOSE_DIR=\"{}\"", project.folder.path().display());
    let link = Link::with(&openclaw, &keys, engine());
    for name in ["A", "B"] {
        let said = link.carry(name);
        assert!(said.contains("uses it on its next turn"), "{said}");
        project.turn(&openclaw).used(&token(name));
    }
    assert_eq!(project.id(), container, "nothing is recreated");
    assert!(!openclaw.state().join(".env").exists());
}

#[test]
fn a_2026_6_1_that_refuses_to_reload_is_recreated() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.6.1", &endpoint);
    openclaw.configure("/logging", "file", "/tmp/openclaw.log".into());
    give(&openclaw.state());
    let project = Project::new(&openclaw, endpoint.certificate());
    must(&mut project.compose(&["up", "-d"]));
    project.lives(&openclaw);
    // The first call decides what the device of its command line may do: this one reads.
    must(&mut project.compose(&[
        "exec",
        "-T",
        "openclaw-gateway",
        "openclaw",
        "gateway",
        "call",
        "health",
    ]));
    let container = project.id();
    let keys = format!("COMPOSE_DIR=\"{}\"", project.folder.path().display());
    let link = Link::with(&openclaw, &keys, engine());
    let said = link.carry("A");
    assert!(said.contains("openclaw devices approve --latest"), "{said}");
    assert!(said.contains("the gateway was recreated and uses the new token"), "{said}");
    assert_ne!(project.id(), container);
    project.lives(&openclaw);
    project.turn(&openclaw).used(&token("A"));
}
