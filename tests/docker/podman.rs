//! Podman, root's own, where `CONTAINER_ENGINE` says so: in a mount namespace with folders of its own,
//! so that nothing of it is left on this host.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::token;

/// The namespace: no overlay, no limits that a container which runs tests may not set.
const PRIVATE: &str = r#"
set -e
mount --make-rprivate /
mkdir -p /etc/containers /etc/cni /run/netns /run/containers /run/libpod /var/lib/cni /var/lib/containers
for folder in /etc/containers /etc/cni /run/netns /run/containers /run/libpod /var/lib/cni; do
    mount -t tmpfs none "$folder"
done
mkdir -p "$1/graph"
mount --bind "$1/graph" /var/lib/containers
cat >/etc/containers/containers.conf <<CONF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
CONF
printf '[storage]\ndriver = "vfs"\ngraphroot = "/var/lib/containers"\nrunroot = "/run/containers"\n' \
    >/etc/containers/storage.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
echo ready
exec sleep 100000
"#;

const PROJECT: &str = "services:
  openclaw-gateway:
    image: localhost/openclaw:local
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}
  second:
    image: localhost/openclaw:local
";

/// A Podman of its own with the gateway's image, and a link.
pub(crate) struct Bed {
    folder: TempDir,
    holder: Child,
}

impl Bed {
    /// With a project that podman-compose has brought up.
    fn up() -> Self {
        let bed = Self::new("COMPOSE_DIR=\"PROJECT\"\nCONTAINER_ENGINE=\"podman\"\n");
        fs::write(bed.path("project/compose.yml"), PROJECT).expect("the folder is there");
        let old = format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old"));
        fs::write(bed.path("project/.env"), old).expect("the folder is there");
        run(bed.within("podman-compose").args(["up", "-d"]));
        bed
    }

    /// With these lines in its link, in which `PROJECT` is the project's folder.
    pub(crate) fn new(lines: &str) -> Self {
        let folder = TempDir::with_prefix_in("oauth-sync-podman-", crate::yard::parent())
            .expect("a folder can be made");
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", PRIVATE, "sh"]).arg(folder.path()).stdout(Stdio::piped());
        let mut holder = command.spawn().expect("util-linux is there");
        let mut ready = [0u8; 5];
        let told = holder.stdout.as_mut().map(|out| out.read_exact(&mut ready));
        assert!(told.is_some_and(|told| told.is_ok()) && &ready == b"ready");
        let bed = Self { folder, holder };
        for name in ["etc", "claude", "claw", "project"] {
            fs::create_dir(bed.path(name)).expect("it is new");
        }
        let (image, archive) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker/image"), bed.path("image"));
        run(Command::new(image).arg("save").arg(&archive));
        run(bed.within("podman").arg("load").arg("-i").arg(&archive));
        let conf = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"env\"\n{}",
            bed.path("claude/.credentials.json").display(),
            bed.path("claw").display(),
            lines.replace("PROJECT", &bed.path("project").display().to_string()),
        );
        fs::write(bed.path("etc/default.conf"), conf).expect("the folder is there");
        bed
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program in the namespace, which starts in the project's folder.
    pub(crate) fn within(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--wdns", "--target"]).arg(self.holder.id().to_string());
        // --wdns changes the folder after the namespace, whose mounts are others.
        command.args(["--", "env", "-C"]).arg(self.path("project")).arg(program);
        command
    }

    pub(crate) fn sync(&self) -> (Option<i32>, String) {
        let mut command = self.within(env!("CARGO_BIN_EXE_oauth-sync"));
        for (option, name) in
            [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
        {
            command.arg(option).arg(self.path(name));
        }
        let output = command.arg("sync").output().expect("the program is built");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The container of a service, as podman shows it.
    fn container(&self, service: &str) -> Value {
        let label = format!("label=com.docker.compose.service={service}");
        let id = run(self.within("podman").args(["ps", "-q", "--no-trunc", "--filter", &label]));
        let shown = run(self.within("podman").args(["inspect", "--type", "container", id.trim()]));
        let all: Value = serde_json::from_str(&shown).expect("it is JSON");
        all[0].clone()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.within("podman").args(["rm", "-f", "-t", "0", "-a"]).output();
        let _ = self.within("podman").args(["network", "prune", "-f"]).output();
        let _ = self.holder.kill().and_then(|()| self.holder.wait());
    }
}

#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("the tool is there");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn rotate(bed: &Bed, token: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let end = (now + Duration::from_secs(8 * 3600)).as_millis();
    let end = u64::try_from(end).expect("it fits");
    let login = json!({ "accessToken": token, "refreshToken": "refresh", "expiresAt": end });
    let (new, path) = (bed.path("claude/new"), bed.path("claude/.credentials.json"));
    fs::write(&new, json!({ "claudeAiOauth": login }).to_string()).expect("the folder is there");
    fs::rename(new, path).expect("the folder is there");
}

#[test]
fn podman_recreates_the_gateway_alone_by_podman_compose() {
    let bed = Bed::up();
    let (gateway, second) = (bed.container("openclaw-gateway"), bed.container("second"));
    rotate(&bed, &token("new"));
    let (code, said) = bed.sync();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the gateway was recreated and uses the new token"), "{said}");
    assert!(!said.contains("sk-ant"), "{said}");
    let new = bed.container("openclaw-gateway");
    assert_ne!(gateway["Id"], new["Id"]);
    assert_eq!(second["Id"], bed.container("second")["Id"]);
    let variables = new["Config"]["Env"].as_array().expect("it has an environment");
    let holds = format!("ANTHROPIC_OAUTH_TOKEN={}", token("new"));
    assert!(variables.iter().any(|variable| *variable == holds), "it was started with another");
    let ledger = fs::read_to_string(bed.path("state/gateway/default.json")).unwrap_or_default();
    let ledger: Value = serde_json::from_str(&ledger).expect("it is JSON");
    assert_eq!(ledger["pending"], Value::Null, "{ledger}");
    // Asked of the program in the container: the image of the tests names it, so exec is not needed.
    assert_eq!(ledger["version"]["text"], "2026.2.25", "{ledger}");
    assert!(bed.sync().1.is_empty(), "the same token again");
}
