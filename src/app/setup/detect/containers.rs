//! What containers know: mounts, environment and compose labels, as `docker inspect` tells them.
//!
//! Nothing is run inside a container.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::domain::gateway::{container, masking};
use crate::domain::order;
use crate::os::environment;
use crate::os::fs::dir::Folder;
use crate::os::process::command::{Call, Ended};
use crate::os::process::engine_variables;
use crate::os::user::identity::Identity;

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
    /// What of it the image sets; all of it, where the image is not known.
    of_image: Vec<String>,
    /// Compose's labels: working folder and service.
    pub(crate) compose: Option<(PathBuf, String)>,
    /// Whether its engine is the host's own, or ours: not another user's, or another host's, which the
    /// environment names.
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

    /// Whether nobody but us, or root, answers for its engine.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Without the variables of its image: whoever built that does not say whose is what.
    pub(super) fn as_told_by_its_maker(&self) -> Self {
        let environment = self.environment.iter().filter(|one| !self.of_image.contains(one));
        Self { environment: environment.cloned().collect(), ..self.clone() }
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
    let Some(text) = ask(engine, &words)? else { return Ok(Vec::new()) };
    let values = values(&text);
    let mut ids: Vec<&str> = values.iter().filter_map(image).collect();
    order::sort_and_dedup(&mut ids);
    let words: Vec<&str> = ["image", "inspect"].into_iter().chain(ids).collect();
    // It shows those that are there, and fails for the others.
    let images = call(engine, &words)?.and_then(|ended| String::from_utf8(ended.stdout).ok());
    Ok(read(engine, &text, &images.unwrap_or_default()))
}

fn values(text: &str) -> Vec<Value> {
    serde_json::from_slice(text.as_bytes()).unwrap_or_default()
}

/// The id of a container's image.
fn image(container: &Value) -> Option<&str> {
    container.get("Image")?.as_str()
}

/// Reads what `inspect` of an engine prints of containers and of their images; running containers come
/// first, and Claude's own.
pub(crate) fn read(engine: &'static str, text: &str, images: &str) -> Vec<Container> {
    let (mut values, images) = (values(text), values(images));
    let runs = |value: &Value| value.pointer("/State/Running").and_then(Value::as_bool);
    order::sort_by_key(&mut values, |value| runs(value) != Some(true));
    let mut all: Vec<Container> =
        values.iter().filter_map(|value| container(engine, value, &images)).collect();
    order::sort_by_key(&mut all, |container| !container.looks_like_claudes());
    all
}

/// Asks an engine; `None` if there is none of that name.
fn ask(engine: &str, words: &[&str]) -> Result<Option<String>, String> {
    let Some(ended) = call(engine, words)? else { return Ok(None) };
    if !ended.is_success() {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let said = masking::tail(&masking::mask(&said, &[]), 1);
        return Err(format!("it does not answer: {}: {said}", ended.how()));
    }
    String::from_utf8(ended.stdout).map(Some).map_err(|_| "its answer is no text".to_owned())
}

fn call(engine: &str, words: &[&str]) -> Result<Option<Ended>, String> {
    let folder = Folder::reach(Path::new("/")).map_err(|error| error.to_string())?;
    let identity = Identity::own();
    let argv = std::iter::once(engine).chain(words.iter().copied());
    let mut call = Call::new(argv, &folder, &identity).env("PATH", environment::PATH);
    call.environment.extend(engine_variables::all(&identity));
    if identity.uid == 0 {
        // The daemon of this host, whatever the configuration of its command has as the current one.
        call = call.env("DOCKER_CONTEXT", "default");
    }
    call.output_limit = ANSWER_LIMIT;
    match call.run(LIMIT) {
        Err(error) if error.is_absent() => Ok(None),
        other => other.map(Some).map_err(|error| error.to_string()),
    }
}

fn container(engine: &'static str, value: &Value, images: &[Value]) -> Option<Container> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let label =
        |name: &str| value.pointer("/Config/Labels")?.get(name)?.as_str().map(str::to_owned);
    let made_of = images.iter().find(|one| {
        let id = one.get("Id").and_then(Value::as_str);
        id.is_some() && id == image(value)
    });
    let environment = environment(value);
    let of_image = made_of.map_or_else(|| environment.clone(), self::environment);
    let labels = made_of.and_then(|made_of| made_of.pointer("/Config/Labels"));
    let is_composed = made_of.is_some() && !labels.is_some_and(container::poses_as_composed);
    let mounts =
        value.get("Mounts").and_then(Value::as_array).into_iter().flatten().filter_map(mount);
    let folder = label("com.docker.compose.project.working_dir").map(PathBuf::from);
    Some(Container {
        engine,
        name: text("/Name")?.trim_start_matches('/').to_owned(),
        image: text("/Config/Image").unwrap_or_default(),
        mounts: mounts.collect(),
        environment,
        of_image,
        compose: folder.zip(label("com.docker.compose.service")).filter(|_| is_composed),
        is_ours: ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST"]
            .iter()
            .all(|name| environment::get(name).is_none()),
        layer: text("/GraphDriver/Data/UpperDir").map(PathBuf::from),
    })
}

/// The variables of a container or an image.
fn environment(value: &Value) -> Vec<String> {
    let all = value.pointer("/Config/Env").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
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
            {"Name": "/oc-gateway-1", "Image": "i", "State": {"Running": true}, "Config": {
                "Image": "openclaw:local", "Env": ["HOME=/home/node", "ANTHROPIC_BASE_URL=http://proxy"],
                "Labels": {"com.docker.compose.project.working_dir": "/opt/oc",
                    "com.docker.compose.service": "openclaw-gateway"}},
             "GraphDriver": {"Data": {"UpperDir": "/var/lib/docker/o/diff"}},
             "Mounts": [{"Source": "/srv/home", "Destination": "/home/node", "RW": true},
                {"Source": "/srv/state", "Destination": "/home/node/.openclaw", "RW": false}]}]"#;
        let all = read("podman", text, r#"[{"Id": "i"}]"#);
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
        assert!(read("docker", "", "").is_empty() && read("docker", "{}", "").is_empty());
    }
}
