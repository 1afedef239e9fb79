//! What containers know: mounts, environment and compose labels, as `docker inspect` tells them.
//!
//! Nothing is run inside a container.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::app::detect::{claws, logins};
use crate::domain::gateway::masking;
use crate::domain::order;
use crate::os::command::Call;
use crate::os::environment;
use crate::os::folder::Folder;
use crate::os::identity::Identity;

/// How long an engine may take to answer; one that is slower is passed over.
const LIMIT: Duration = Duration::from_secs(10);

/// The most that is read of an engine's answer, in bytes.
const ANSWER_LIMIT: usize = 8 << 20;

/// A container as its engine describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    /// The engine that runs it.
    pub(crate) engine: &'static str,
    /// Its name, without the slash.
    pub(crate) name: String,
    /// The image's name.
    pub(crate) image: String,
    /// What the host's folders are called inside.
    pub(crate) mounts: Vec<Mount>,
    /// Its environment, `NAME=VALUE`.
    environment: Vec<String>,
    /// Compose's labels: working folder and service.
    pub(crate) compose: Option<(PathBuf, String)>,
    /// Whether its engine is the host's own, or ours: not another user's, named by `DOCKER_HOST`.
    is_ours: bool,
    /// Where its writable layer is on the host, if the engine says so.
    layer: Option<PathBuf>,
}

/// A mount of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is on the host.
    pub(crate) host: PathBuf,
    /// Where it is inside.
    pub(crate) inside: PathBuf,
    /// Whether the container may write there.
    pub(crate) writable: bool,
}

impl Container {
    /// The value of a variable of its environment, an empty one too.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
    }

    /// Where a path of the container is on the host; `None` if it is in its writable layer.
    pub(crate) fn on_host(&self, inside: &Path) -> Option<(PathBuf, &Mount)> {
        let mounts = self.mounts.iter().filter(|mount| inside.starts_with(&mount.inside));
        let mount = mounts.max_by_key(|mount| mount.inside.components().count())?;
        let below = inside.strip_prefix(&mount.inside).ok()?;
        let host =
            if below.as_os_str().is_empty() { mount.host.clone() } else { mount.host.join(below) };
        Some((host, mount))
    }

    /// Where a path of the writable layer, which goes with the container, is on the host.
    pub(crate) fn in_layer(&self, inside: &Path) -> Option<PathBuf> {
        Some(self.layer.as_ref()?.join(inside.strip_prefix("/").ok()?))
    }

    /// Whether it has this very login and this very state folder as its own, by its mounts.
    ///
    /// That is proof only where nobody but us, or root, answers for the engine.
    pub(super) fn has_both(&self, login: &Path, claw: &Path) -> bool {
        let is_login =
            |inside: PathBuf| self.on_host(&inside).is_some_and(|(host, _)| host == login);
        let login_folders = self.variable("CLAUDE_CONFIG_DIR").map(PathBuf::from).into_iter();
        let login_folders =
            login_folders.chain(self.homes().into_iter().map(|home| home.join(".claude")));
        self.is_ours
            && login_folders.map(|folder| folder.join(logins::FILE)).any(is_login)
            && claws::of_container(self).any(|host| host == claw)
    }

    /// Whether its name or its image's says that it is there for Claude's sake.
    pub(crate) fn looks_like_claudes(&self) -> bool {
        self.name.contains("claude") || self.image.contains("claude")
    }

    /// The home folders that its user may have.
    pub(crate) fn homes(&self) -> Vec<PathBuf> {
        let own = self.variable("HOME").map(PathBuf::from);
        let mut homes: Vec<PathBuf> =
            own.into_iter().chain(["/home/node", "/root"].map(PathBuf::from)).collect();
        homes.dedup();
        homes
    }
}

/// What the engines of a host tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The containers of those that answer, running or not.
    pub(crate) containers: Vec<Container>,
    /// Those that are there and do not answer, and why.
    pub(crate) silent: Vec<(&'static str, String)>,
}

/// Asks every engine.
pub(crate) fn all() -> Told {
    let mut told = Told::default();
    for engine in ["docker", "podman"] {
        match of_engine(engine) {
            Ok(containers) => told.containers.extend(containers),
            Err(why) => told.silent.push((engine, why)),
        }
    }
    told
}

fn of_engine(engine: &'static str) -> Result<Vec<Container>, String> {
    let Some(ids) = ask(engine, &["ps", "-a", "-q", "--no-trunc"])? else {
        return Ok(Vec::new());
    };
    let ids: Vec<&str> = ids.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<&str> = ["inspect", "--type", "container"].into_iter().chain(ids).collect();
    Ok(ask(engine, &words)?.map(|text| read(engine, &text)).unwrap_or_default())
}

/// Reads what `inspect` of an engine prints; running containers come first, and Claude's own.
pub(crate) fn read(engine: &'static str, text: &str) -> Vec<Container> {
    let mut values: Vec<Value> = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let runs = |value: &Value| value.pointer("/State/Running").and_then(Value::as_bool);
    order::sort_by_key(&mut values, |value| runs(value) != Some(true));
    let mut all: Vec<Container> =
        values.iter().filter_map(|value| container(engine, value)).collect();
    order::sort_by_key(&mut all, |container| !container.looks_like_claudes());
    all
}

/// Asks an engine; `None` if there is none of that name.
fn ask(engine: &str, words: &[&str]) -> Result<Option<String>, String> {
    let folder = Folder::reach(Path::new("/")).map_err(|error| error.to_string())?;
    let identity = Identity::own();
    let argv = std::iter::once(engine).chain(words.iter().copied());
    let mut call = Call::new(argv, &folder, &identity).env("PATH", environment::PATH);
    for name in ["DOCKER_HOST", "DOCKER_CONFIG", "HOME", "XDG_RUNTIME_DIR"] {
        if let Some(value) = environment::get(name) {
            call = call.env(name, value);
        }
    }
    call.output_limit = ANSWER_LIMIT;
    let ended = match call.run(LIMIT) {
        Err(error) if error.is_absent() => return Ok(None),
        other => other.map_err(|error| error.to_string())?,
    };
    if !ended.is_success() {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let said = masking::tail(&masking::mask(&said, &[]), 1);
        return Err(format!("it does not answer: {}: {said}", ended.how()));
    }
    String::from_utf8(ended.stdout).map(Some).map_err(|_| "its answer is no text".to_owned())
}

fn container(engine: &'static str, value: &Value) -> Option<Container> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let label =
        |name: &str| value.pointer("/Config/Labels")?.get(name)?.as_str().map(str::to_owned);
    let environment = value.pointer("/Config/Env").and_then(Value::as_array);
    let environment =
        environment.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let mounts =
        value.get("Mounts").and_then(Value::as_array).into_iter().flatten().filter_map(mount);
    let folder = label("com.docker.compose.project.working_dir").map(PathBuf::from);
    Some(Container {
        engine,
        name: text("/Name")?.trim_start_matches('/').to_owned(),
        image: text("/Config/Image").unwrap_or_default(),
        mounts: mounts.collect(),
        environment: environment.collect(),
        compose: folder.zip(label("com.docker.compose.service")),
        is_ours: environment::get("DOCKER_HOST").is_none(),
        layer: text("/GraphDriver/Data/UpperDir").map(PathBuf::from),
    })
}

fn mount(value: &Value) -> Option<Mount> {
    let path = |key: &str| value.get(key).and_then(Value::as_str).map(PathBuf::from);
    let writable = value.get("RW").and_then(Value::as_bool).unwrap_or(true);
    Some(Mount { host: path("Source")?, inside: path("Destination")?, writable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_tells_where_a_path_is() {
        let text = r#"[{"Name": "/off", "State": {"Running": false}},
            {"Name": "/oc-gateway-1", "State": {"Running": true}, "Config": {
                "Image": "openclaw:local", "Env": ["HOME=/home/node", "ANTHROPIC_BASE_URL=http://proxy"],
                "Labels": {"com.docker.compose.project.working_dir": "/opt/oc",
                    "com.docker.compose.service": "openclaw-gateway"}},
             "GraphDriver": {"Data": {"UpperDir": "/var/lib/docker/o/diff"}},
             "Mounts": [{"Source": "/srv/home", "Destination": "/home/node", "RW": true},
                {"Source": "/srv/state", "Destination": "/home/node/.openclaw", "RW": false}]}]"#;
        let all = read("podman", text);
        let (gateway, last) = (&all[0], &all[1]);
        assert_eq!((last.name.as_str(), last.in_layer(Path::new("/x"))), ("off", None));
        let at = |inside: &str| gateway.on_host(Path::new(inside)).map(|(host, _)| host);
        assert_eq!(at("/home/node/.openclaw"), Some(PathBuf::from("/srv/state")));
        assert_eq!(at("/home/node/.claude/x"), Some(PathBuf::from("/srv/home/.claude/x")));
        assert_eq!(at("/root/.claude"), None);
        let layer = PathBuf::from("/var/lib/docker/o/diff/root/.claude");
        assert_eq!(gateway.in_layer(Path::new("/root/.claude")), Some(layer));
        assert_eq!(gateway.variable("ANTHROPIC_BASE_URL"), Some("http://proxy"));
        let compose = (PathBuf::from("/opt/oc"), "openclaw-gateway".to_owned());
        assert_eq!((gateway.engine, gateway.compose.clone()), ("podman", Some(compose)));
    }

    #[test]
    fn an_answer_that_is_no_list_tells_of_no_container() {
        assert!(read("docker", "").is_empty() && read("docker", "{}").is_empty());
    }
}
