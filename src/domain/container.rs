//! What `docker inspect` tells of a container, as far as it matters to a call in it.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A container as its engine describes it. Its environment holds secrets, so it shows nothing of it.
pub(crate) struct Container {
    /// `running`, `exited`, `paused`, `created`, ...
    pub(crate) status: String,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
}

/// A folder of the host, or a file, as the container sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    source: PathBuf,
    destination: PathBuf,
    writable: bool,
}

/// Where a path of the host lies in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The path there.
    pub(crate) path: PathBuf,
    /// Whether it is mounted so that it can be written.
    pub(crate) writable: bool,
}

impl Container {
    /// Reads the engine's answer for one container.
    pub(crate) fn parse(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let container = answer.get(0)?;
        let status = container["State"]["Status"].as_str()?.to_owned();
        let environment = container["Config"]["Env"].as_array().into_iter().flatten();
        let environment = environment
            .filter_map(|line| line.as_str()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mounts = container["Mounts"].as_array().into_iter().flatten();
        let mounts = mounts.filter_map(mount).collect();
        Some(Self { status, environment, mounts })
    }

    /// A variable of the container's own environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where a path of the host lies in it, by the mount nearest to the path.
    pub(crate) fn inside(&self, path: &Path) -> Option<Inside> {
        let near = |mount: &&Mount| mount.source.components().count();
        let covering = self.mounts.iter().filter(|mount| path.starts_with(&mount.source));
        let mount = covering.max_by_key(near)?;
        let rest = path.strip_prefix(&mount.source).ok()?;
        // An empty rest would end the path in a slash.
        let path = mount.destination.join(rest).components().collect();
        Some(Inside { path, writable: mount.writable })
    }
}

fn mount(mount: &Value) -> Option<Mount> {
    Some(Mount {
        source: mount["Source"].as_str().filter(|source| source.starts_with('/'))?.into(),
        destination: mount["Destination"].as_str()?.into(),
        writable: mount["RW"].as_bool().unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = br#"[{"State":{"Status":"running"},
        "Config":{"Env":["PATH=/usr/bin","ANTHROPIC_BASE_URL=http://proxy:1/?a=b","EMPTY"]},
        "Mounts":[
          {"Type":"bind","Source":"/srv/claw","Destination":"/data","RW":false},
          {"Type":"volume","Source":"/srv/claw/.claude","Destination":"/home/node/.claude","RW":true},
          {"Type":"tmpfs","Source":"","Destination":"/tmp","RW":true}]}]"#;

    #[test]
    fn the_nearest_mount_tells_the_path_inside() {
        let container = Container::parse(ANSWER).unwrap();
        let inside = |path: &str| container.inside(Path::new(path));
        let found = inside("/srv/claw/.claude/.credentials.json").unwrap();
        assert_eq!(found.path, Path::new("/home/node/.claude/.credentials.json"));
        assert!(found.writable);
        assert_eq!(inside("/srv/claw/x").map(|found| found.writable), Some(false));
        assert_eq!(inside("/srv/claws/x"), None);
        assert_eq!(container.variable("ANTHROPIC_BASE_URL"), Some("http://proxy:1/?a=b"));
        assert_eq!(container.status, "running");
    }

    #[test]
    fn an_answer_without_a_container_is_none() {
        assert!(Container::parse(b"[]").is_none() && Container::parse(b"Error").is_none());
    }
}
