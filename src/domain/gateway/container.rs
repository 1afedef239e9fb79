//! A container as the engine's `inspect` shows it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// Where OpenClaw's gateway listens inside its container.
const PORT: &str = "18789/tcp";

/// A container, as far as a recreate depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its id, all 64 digits.
    pub(crate) id: String,
    /// Its image's id.
    pub(crate) image: String,
    /// The name under which the image was asked for.
    pub(crate) tag: String,
    /// Whether its process runs; not while it waits to be started again.
    pub(crate) running: bool,
    /// With what it ended last.
    pub(crate) exit_code: i64,
    /// When its process started.
    pub(crate) started: Option<Timestamp>,
    /// The environment that its process was started with.
    pub(crate) environment: Vec<(String, Secret)>,
    /// What compose wrote onto it.
    pub(crate) project: Project,
    /// Where the gateway's port is published on this host.
    pub(crate) published: Option<(String, u16)>,
    /// The version that its image names.
    pub(crate) version: Option<String>,
    /// Its name, without the slash.
    pub(crate) name: String,
    /// What of the host is mounted in it.
    pub(crate) mounts: Vec<Mount>,
    /// Whether it is root on the host anyway: it has all rights, the engine's socket, or all files.
    pub(crate) is_roots_equal: bool,
}

/// A directory or a file of the host in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is on the host.
    pub(crate) host: PathBuf,
    /// Whether the container may write there.
    pub(crate) is_writable: bool,
}

/// Labels that compose gives a container and never an image: an image that has them makes every
/// container of it look like a project's.
const OF_CONTAINERS: [&str; 5] = [
    "com.docker.compose.project.working_dir",
    "com.docker.compose.project.config_files",
    "com.docker.compose.project.environment_file",
    "com.docker.compose.container-number",
    "com.docker.compose.oneoff",
];

/// Says whether an image has labels that only compose gives, and only to containers.
pub(crate) fn poses_as_composed(labels: &Value) -> bool {
    OF_CONTAINERS.iter().any(|label| labels.get(label).is_some())
}

/// A compose project, as its labels tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// Its name.
    pub(crate) name: String,
    /// The service that the container belongs to.
    pub(crate) service: String,
    /// Its folder.
    pub(crate) folder: String,
    /// Its configuration files, in their order.
    pub(crate) files: Vec<String>,
    /// The env files named on the command line; none where compose took `.env` by itself.
    pub(crate) env_files: Vec<String>,
    /// The names of all of the container's labels.
    pub(crate) labels: Vec<String>,
}

impl Project {
    /// Where a file is that compose keeps relative to the project's folder.
    pub(crate) fn at(&self, file: &str) -> PathBuf {
        Path::new(&self.folder).join(file)
    }
}

impl Container {
    /// Reads what `inspect` prints: a list of containers. Those that are not understood are left out.
    pub(crate) fn read_all(json: &[u8]) -> Vec<Self> {
        let root: Value = serde_json::from_slice(json).unwrap_or_default();
        root.as_array().into_iter().flatten().filter_map(Self::read).collect()
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let truth = |pointer: &str| value.pointer(pointer).and_then(Value::as_bool) == Some(true);
        let label = |name: &str| value.pointer("/Config/Labels")?.get(name)?.as_str();
        let compose = |name: &str| label(&format!("com.docker.compose.{name}"));
        let list = |name: &str| {
            let words = compose(name).unwrap_or_default().split(',');
            words.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let labels = value.pointer("/Config/Labels").and_then(Value::as_object);
        let owned = |name: &str| compose(name).unwrap_or_default().to_owned();
        let environment = value.pointer("/Config/Env").and_then(Value::as_array);
        let pairs = environment.into_iter().flatten().filter_map(Value::as_str);
        Some(Self {
            id: text("/Id")?.to_owned(),
            image: text("/Image")?.to_owned(),
            tag: text("/Config/Image").unwrap_or_default().to_owned(),
            running: truth("/State/Running") && !truth("/State/Restarting"),
            exit_code: value.pointer("/State/ExitCode").and_then(Value::as_i64).unwrap_or(0),
            started: text("/State/StartedAt").and_then(Timestamp::parse),
            environment: pairs.filter_map(variable).collect(),
            project: Project {
                name: owned("project"),
                service: owned("service"),
                folder: owned("project.working_dir"),
                files: list("project.config_files"),
                env_files: list("project.environment_file"),
                labels: labels.map(|all| all.keys().cloned().collect()).unwrap_or_default(),
            },
            published: value.pointer("/NetworkSettings/Ports").and_then(published),
            version: label("org.opencontainers.image.version").map(str::to_owned),
            name: text("/Name").unwrap_or_default().trim_start_matches('/').to_owned(),
            mounts: mounts(value).collect(),
            is_roots_equal: truth("/HostConfig/Privileged") || rules_the_host(value),
        })
    }

    /// The value of a variable in its environment; an empty one counts.
    pub(crate) fn variable(&self, name: &str) -> Option<&Secret> {
        self.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Everything in its environment that must not be shown.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let is_secret = |name: &str| {
            ["TOKEN", "KEY", "SECRET", "PASS", "COOKIE", "CREDENTIAL"]
                .iter()
                .any(|word| name.to_ascii_uppercase().contains(word))
        };
        let secret = self.environment.iter().filter(|(name, _)| is_secret(name));
        secret.map(|(_, value)| value.clone()).collect()
    }
}

fn variable(pair: &str) -> Option<(String, Secret)> {
    let (name, value) = pair.split_once('=')?;
    Some((name.to_owned(), Secret::new(value)))
}

fn mounts(value: &Value) -> impl Iterator<Item = Mount> {
    let all = value.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|mount| {
        let host = mount.get("Source")?.as_str().filter(|source| source.starts_with('/'))?;
        let is_writable = mount.get("RW").and_then(Value::as_bool).unwrap_or(true);
        Some(Mount { host: PathBuf::from(host), is_writable })
    })
}

fn rules_the_host(value: &Value) -> bool {
    mounts(value).any(|Mount { host, is_writable }| {
        let is_socket = host.ends_with("docker.sock") || host.ends_with("podman.sock");
        is_socket || is_writable && host == Path::new("/")
    })
}

/// The gateway's own port, or the only one.
fn published(ports: &Value) -> Option<(String, u16)> {
    let ports = ports.as_object()?;
    let mut bound = ports.iter().filter(|(_, places)| places.as_array().is_some());
    let places = match ports.get(PORT) {
        Some(places) => places,
        None => bound.next().filter(|_| bound.next().is_none())?.1,
    };
    let place = places.as_array()?.first()?;
    let host = place.get("HostIp").and_then(Value::as_str).unwrap_or_default();
    let host = if matches!(host, "" | "0.0.0.0" | "::") { "127.0.0.1" } else { host };
    let port = place.get("HostPort")?.as_str()?.parse().ok()?;
    Some((host.to_owned(), port))
}
