//! The method `cli` where the real CLI lives in a real container. Needs root for the engine, which
//! `tests/docker/engine` starts beside whatever else runs here.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::{Answer, Endpoint, MESSAGES, TOKEN};
use crate::oauth_sync::OauthSync;

/// The user in the container, by number also on the host.
const NODE: u32 = 1000;

/// A whole system in no image: all programs come from the host's `/usr`.
const IMAGE: &str = r#"
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"
mkdir -p usr etc tmp proc sys dev opt/claude opt/ca home/node/.claude data/claude
chmod 1777 tmp
for name in bin lib lib64 sbin; do ln -s usr/$name $name; done
printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >etc/passwd
printf '127.0.0.1 localhost\n' >etc/hosts
chown -R 1000:1000 home/node data/claude
tar -c . | docker import - oauth-sync-empty:1 >/dev/null
"#;

/// The variables that make docker talk to the tests' own engine; starts it and gives it the image.
pub(crate) fn engine() -> &'static [(String, String)] {
    static ENGINE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker/engine");
        must(Command::new(&tool).arg("start"));
        let told = must(Command::new(&tool).arg("env"));
        let words = told.split_whitespace().filter_map(|word| word.split_once('='));
        let variables: Vec<(String, String)> =
            words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        must(Command::new("sh").args(["-c", IMAGE]).envs(variables.clone()));
        variables
    })
}

#[track_caller]
pub(crate) fn must(command: &mut Command) -> String {
    let output = command.output().expect("the tool is there");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn docker(words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(words).envs(engine().iter().cloned()).stdin(Stdio::null());
    command
}

/// A container with the CLI and a login in a folder of the host.
struct Container {
    name: String,
    /// Where a container and the host both look: the endpoint's certificate may be read by all.
    _readable: TempDir,
}

impl Container {
    /// Runs one that sees the login at `config`, with these variables besides.
    fn run(claude: &Claude<'_>, endpoint: &Endpoint, config: &str, variables: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oauth-sync-test-{}-{count}", std::process::id());
        let readable = TempDir::new().expect("root may do that");
        fs::set_permissions(readable.path(), fs::Permissions::from_mode(0o755))
            .expect("root may do that");
        fs::copy(endpoint.certificate(), readable.path().join("ca.pem")).expect("root may do that");
        let installed = claude.program().parent().and_then(Path::parent).expect("root may do that");
        let own = claude.source().parent().expect("root may do that").to_owned();
        give(&own);
        let mount = |host: &Path, inside: &str| format!("{}:{inside}", host.display());
        let mounts = [
            mount(Path::new("/usr"), "/usr:ro"),
            mount(installed, "/opt/claude:ro"),
            mount(readable.path(), "/opt/ca:ro"),
            mount(&own, config),
        ];
        let proxy = format!("HTTPS_PROXY={}", endpoint.base_url());
        let trust = "NODE_EXTRA_CA_CERTS=/opt/ca/ca.pem";
        let mut words = vec!["run", "-d", "--network", "host", "--name", &name];
        words.extend(mounts.iter().flat_map(|mount| ["-v", mount]));
        let variables =
            [&[proxy.as_str(), trust, "PATH=/opt/claude/bin:/usr/bin"], variables].concat();
        words.extend(variables.iter().flat_map(|variable| ["-e", variable]));
        words.extend(["oauth-sync-empty:1", "/usr/bin/sleep", "100000"]);
        must(&mut docker(&words));
        Self { name, _readable: readable }
    }

    /// The commands that run in it.
    fn processes(&self) -> Vec<String> {
        let told = must(&mut docker(&["top", &self.name, "-o", "pid,comm"]));
        told.lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "-f", &self.name]).output();
    }
}

/// Gives the configuration folder to the container's user.
fn give(folder: &Path) {
    chown(folder, Some(NODE), Some(NODE)).expect("root may do that");
    for entry in fs::read_dir(folder).expect("root may do that") {
        chown(entry.expect("root may do that").path(), Some(NODE), Some(NODE))
            .expect("root may do that");
    }
    // The way there is a test's own folder.
    let home = folder.parent().expect("root may do that");
    fs::set_permissions(home, fs::Permissions::from_mode(0o755)).expect("root may do that");
}

/// Links the login to the CLI in a container.
fn link(claude: &Claude<'_>, endpoint: &Endpoint, container: &str, more: &str) -> OauthSync {
    let host = engine().iter().find(|(name, _)| name == "DOCKER_HOST");
    let host = host.map(|(_, host)| host.as_str()).unwrap_or_default();
    let settings = format!(
        "CLAUDE_CLI=\"container\"\nCLAUDE_CONTAINER=\"{container}\"\nDOCKER_HOST=\"{host}\"\n{more}"
    );
    OauthSync::new(claude, endpoint, "cli").with_container(&settings)
}

fn renewed(claude: &Claude<'_>, endpoint: &Endpoint) -> bool {
    let stored = claude.credentials();
    let grants = endpoint.grants();
    grants.len() == 1 && stored["claudeAiOauth"]["accessToken"] == grants[0].access_token
}

#[test]
fn the_login_is_renewed_by_its_own_user_past_another_base_url() {
    for version in ["2.1.197", "2.1.330"] {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let dead = "ANTHROPIC_BASE_URL=http://127.0.0.1:1";
        let stray = "CLAUDE_CODE_OAUTH_TOKEN=invented";
        let container = Container::run(&claude, &endpoint, "/home/node/.claude", &[dead, stray]);
        let sync = link(&claude, &endpoint, &container.name, "");
        let ran = sync.refresh(&[]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert!(renewed(&claude, &endpoint), "{version}");
        assert_eq!(endpoint.requests_to(TOKEN).len(), 1, "{version}");
        assert_eq!(endpoint.requests_to(MESSAGES).len(), 1, "{version}: not at the dead port");
        assert_eq!(claude.source().metadata().unwrap().uid(), NODE);
        assert_eq!(container.processes(), ["sleep"], "{version}");
        assert_eq!(sync.state()["nudge"], Value::Null);
    }
}

#[test]
fn what_hangs_in_the_container_is_ended_there() {
    let (endpoint, _folder) = endpoint();
    endpoint.always(MESSAGES, Answer::hang());
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
    // Another place than the user's own: the CLI has to be told.
    let container = Container::run(&claude, &endpoint, "/data/claude", &[]);
    let sync = link(&claude, &endpoint, &container.name, "CLAUDE_BASE_URL_OVERRIDE=\"no\"\n");
    let ran = sync.refresh(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(renewed(&claude, &endpoint));
    assert_eq!(container.processes(), ["sleep"]);
}

#[test]
fn what_is_wrong_with_the_container_is_told_with_the_command_that_helps() {
    let (endpoint, _folder) = endpoint();
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
    let before = claude.credentials();
    let container = Container::run(&claude, &endpoint, "/home/node/.claude", &["PATH=/usr/bin"]);
    let name = container.name.as_str();
    let told = |name: &str, more: &str| {
        let ran = link(&claude, &endpoint, name, more).refresh(&[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.stderr
    };
    let text = told(name, "");
    assert!(text.contains(&format!("there is no 'claude' in container '{name}'")), "{text}");
    must(&mut docker(&["pause", name]));
    let text = told(name, "");
    assert!(text.contains("is not running but paused"), "{text}");
    assert!(text.contains(&format!("docker unpause {name}")), "{text}");
    must(&mut docker(&["unpause", name]));
    must(&mut docker(&["stop", "-t", "0", name]));
    let text = told(name, "");
    assert!(text.contains("is not running but exited"), "{text}");
    assert!(text.contains(&format!("docker start {name}")), "{text}");
    let text = told("oauth-sync-nowhere", "");
    assert!(text.contains("there is no container 'oauth-sync-nowhere'"), "{text}");
    assert!(text.contains("docker ps --all"), "{text}");
    let nobody = PathBuf::from("/run/oauth-sync-no-engine.sock");
    let sync = OauthSync::new(&claude, &endpoint, "cli").with_container(&format!(
        "CLAUDE_CLI=\"container\"\nCLAUDE_CONTAINER=\"{name}\"\nDOCKER_HOST=\"unix://{}\"\n",
        nobody.display()
    ));
    let ran = sync.refresh(&[]);
    assert!(ran.stderr.contains("docker is down"), "{ran:?}");
    assert!(ran.stderr.contains("systemctl start docker"), "{ran:?}");
    assert_eq!((claude.credentials(), endpoint.requests().len()), (before, 0));
}
