//! Containers as their engines describe them, over a scratch tree that stands for the host.
#![expect(clippy::disallowed_methods, reason = "a test makes the files that it is about")]

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::detection::Cli;

const LOGIN: &str = r#"{"claudeAiOauth":{"accessToken":"access-A","refreshToken":"refresh-A","expiresAt":4102444800000,"scopes":["user:inference"]}}"#;

/// A host with one container more at each call of `container`.
struct Host {
    root: tempfile::TempDir,
    containers: Vec<containers::Container>,
}

impl Host {
    fn new() -> Self {
        let host = Self { root: tempfile::tempdir().unwrap(), containers: Vec::new() };
        host.file("etc/passwd", "root:x:0:0::/root:/bin/sh\n").file("root/.profile", "")
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn container(self, engine: &'static str, name: &str, rest: &str) -> Self {
        self.container_of(engine, name, rest, r#"{"Id": "i"}"#)
    }

    /// The same of an image of which this is known.
    fn container_of(mut self, engine: &'static str, name: &str, rest: &str, image: &str) -> Self {
        let text = format!(
            r#"[{{"Name": "/{name}", "Image": "i", "State": {{"Running": true}}, {rest}}}]"#
        );
        let read = containers::read(engine, &text, &format!("[{image}]"));
        assert_eq!(read.len(), 1, "{text}");
        self.containers.extend(read);
        self
    }

    fn detect(&self) -> Detection {
        within(&Tree::new(Some(self.root.path())), &self.containers)
    }

    /// What would be written unasked, as `KEY=VALUE` lines.
    fn written(&self) -> Vec<String> {
        let detection = self.detect();
        let best = detection.unasked().unwrap_or_else(|why| panic!("{why}"));
        let answers = write::answers(&detection, best);
        answers.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }
}

fn mount(host: &str, inside: &str, writable: bool) -> String {
    format!(r#"{{"Source": "{host}", "Destination": "{inside}", "RW": {writable}}}"#)
}

const VOLUME: &str = "var/lib/docker/volumes/home/_data";

#[test]
fn a_named_volume_holds_both() {
    let volume = mount(&format!("/{VOLUME}"), "/home/node", true);
    let rest = format!(
        r#""Config": {{"Image": "openclaw:local", "Labels": {{"com.docker.compose.project.working_dir": "/opt/oc",
        "com.docker.compose.service": "gateway"}}}}, "Mounts": [{volume}]"#
    );
    let host = Host::new()
        .file(&format!("{VOLUME}/.claude/.credentials.json"), LOGIN)
        .file(&format!("{VOLUME}/.openclaw/openclaw.json"), "{}")
        .file("opt/oc/compose.yaml", "services:\n  gateway:\n")
        .container("docker", "oc-gateway-1", &rest);
    let written = host.written();
    let expected = [
        format!("CLAUDE_CREDENTIALS=/{VOLUME}/.claude/.credentials.json"),
        format!("OPENCLAW_STATE_DIR=/{VOLUME}/.openclaw"),
        "CLAUDE_CLI=container".to_owned(),
        "CLAUDE_CONTAINER=oc-gateway-1".to_owned(),
        "COMPOSE_DIR=/opt/oc".to_owned(),
        "COMPOSE_SERVICE=gateway".to_owned(),
    ];
    assert_eq!(written, expected);
}

#[test]
fn podman_is_written_down() {
    let mounts = [("/srv/c", "/root/.claude"), ("/root/.openclaw", "/root/.openclaw")];
    let mounts = mounts.map(|(host, inside)| mount(host, inside, true)).join(",");
    let rest = format!(r#""Config": {{}}, "Mounts": [{mounts}]"#);
    let host = Host::new()
        .file("srv/c/.credentials.json", LOGIN)
        .file("root/.openclaw/openclaw.json", "{}")
        .container("podman", "claude", &rest);
    let written = host.written();
    assert_eq!(written[2..4], ["CLAUDE_CLI=container", "CLAUDE_CONTAINER=claude"]);
    assert_eq!(written[4], "CONTAINER_ENGINE=podman");
}

#[test]
fn a_container_that_no_project_of_this_host_made_is_named() {
    let volume = mount("/root/.openclaw", "/home/node/.openclaw", true);
    let host = || {
        let host = Host::new().file("root/.openclaw/openclaw.json", "{}");
        host.file("root/.claude/.credentials.json", LOGIN)
    };
    let rest = |labels: &str| {
        format!(
            r#""Config": {{"Image": "openclaw", "Labels": {{{labels}}}}}, "Mounts": [{volume}]"#
        )
    };
    let elsewhere = r#""com.docker.compose.project.working_dir": "/data/compose/7",
        "com.docker.compose.service": "gateway""#;
    let of_gateway = |host: &Host| {
        let keys = ["CONTAINER_", "COMPOSE_"];
        let written = host.written().into_iter();
        written.filter(|one| keys.iter().any(|key| one.starts_with(key))).collect::<Vec<_>>()
    };
    for labels in ["", elsewhere] {
        let docker = host().container("docker", "claw", &rest(labels));
        assert_eq!(of_gateway(&docker), ["CONTAINER_NAME=claw"], "{labels}");
    }
    let podman = host().container("podman", "claw", &rest(""));
    assert_eq!(of_gateway(&podman), ["CONTAINER_NAME=claw", "CONTAINER_ENGINE=podman"]);
    let two = host().container("docker", "one", &rest("")).container("docker", "two", &rest(""));
    assert!(of_gateway(&two).is_empty(), "nobody knows which of them");
    let here = host().file("data/compose/7/compose.yaml", "services:\n  gateway:\n");
    let here = here.container("docker", "claw", &rest(elsewhere));
    assert!(!of_gateway(&here).contains(&"CONTAINER_NAME=claw".to_owned()));
}

#[test]
fn a_container_of_quadlets_is_the_gateways_unit() {
    let container = "root/.config/containers/systemd/openclaw.container";
    let host = Host::new()
        .file("root/.openclaw/openclaw.json", "{}")
        .file("root/.openclaw-work/openclaw.json", "{}")
        .file(container, "[Container]\nImage=localhost/openclaw:local\n");
    let claws = host.detect().findings.claws;
    let unit = |state_dir: &str| {
        let found = claws.iter().find(|claw| claw.state_dir == Path::new(state_dir));
        found.and_then(|claw| claw.unit.clone())
    };
    assert_eq!(unit("/root/.openclaw"), Some(("openclaw.service".to_owned(), true)));
    assert_eq!(unit("/root/.openclaw-work"), None);
}

#[test]
fn environments_of_containers_name_folders() {
    let mounts = [mount("/srv/c", "/c", true), mount("/srv/o", "/data/o", true)].join(",");
    let rest = format!(
        r#""Config": {{"Env": ["CLAUDE_CONFIG_DIR=/c/deep", "OPENCLAW_CONFIG_PATH=/data/o/a/openclaw.json",
        "OPENCLAW_HOME=/data/o/b", "ANTHROPIC_BASE_URL=http://proxy"]}}, "Mounts": [{mounts}]"#
    );
    let host = Host::new()
        .file("srv/c/deep/.credentials.json", LOGIN)
        .file("srv/o/a/openclaw.json", "{}")
        .file("srv/o/b/.openclaw/openclaw.json", "{}")
        .container("docker", "box", &rest);
    let found = host.detect().findings;
    assert_eq!(found.logins[0].path, Path::new("/srv/c/deep/.credentials.json"));
    assert!(found.logins[0].warnings[0].contains("sets ANTHROPIC_BASE_URL"));
    let claws: Vec<_> =
        found.claws.iter().map(|claw| claw.state_dir.display().to_string()).collect();
    assert_eq!(claws, ["/srv/o/a", "/srv/o/b/.openclaw"]);
}

#[test]
fn a_mount_that_cannot_be_renewed_in_is_warned_of_and_not_used() {
    let file = mount("/root/.claude/.credentials.json", "/root/.claude/.credentials.json", true);
    for (mount, warning) in [
        (mount("/root/.claude", "/root/.claude", false), "mounts it read-only"),
        (file, "mounts the file itself"),
    ] {
        let host = Host::new().file("root/.claude/.credentials.json", LOGIN).container(
            "docker",
            "claude",
            &format!(r#""Config": {{}}, "Mounts": [{mount}]"#),
        );
        let login = &host.detect().findings.logins[0];
        assert!(login.warnings.len() == 1 && login.warnings[0].contains(warning), "{login:?}");
        assert_eq!(login.cli, Cli::None);
        let host = host.file("usr/bin/claude", "");
        assert_eq!(host.detect().findings.logins[0].cli, Cli::Host("/usr/bin/claude".into()));
    }
}

#[test]
fn the_container_that_is_named_after_claude_renews() {
    let rest =
        format!(r#""Config": {{}}, "Mounts": [{}]"#, mount("/root/.claude", "/root/.claude", true));
    let host = Host::new()
        .file("root/.claude/.credentials.json", LOGIN)
        .file("usr/bin/claude", "")
        .container("docker", "gateway", &rest);
    assert_eq!(host.detect().findings.logins[0].cli, Cli::Host("/usr/bin/claude".into()));
    let host = Host { containers: Vec::new(), ..host }.container("docker", "claude-code", &rest);
    let of_container = Cli::Container { name: "claude-code".to_owned(), engine: "docker" };
    assert_eq!(host.detect().findings.logins[0].cli, of_container);
}

#[test]
fn a_login_in_a_writable_layer_is_told_of() {
    let layer = r#""Config": {"Image": "box"}, "Mounts": [],
        "GraphDriver": {"Data": {"UpperDir": "/var/lib/docker/overlay2/x/diff"}}"#;
    let host = Host::new().container("docker", "box", layer);
    assert_eq!(host.detect().findings.rejected, Vec::<String>::new());
    let host = host.file("var/lib/docker/overlay2/x/diff/root/.claude/.credentials.json", LOGIN);
    let told = host.detect().findings.rejected;
    assert!(
        told.len() == 1 && told[0].contains("box: its login is in its own writable layer"),
        "{told:?}"
    );
    let workspace = mount("/srv/w", "/workspace", true);
    let rest = format!(r#""Config": {{"Image": "claude-code"}}, "Mounts": [{workspace}]"#);
    let told = Host::new().container("docker", "box", &rest).detect().findings.rejected;
    assert!(told.len() == 1 && told[0].contains("is lost with it"), "{told:?}");
}

/// What only root can set up or see.
mod as_root {
    use super::{Host, LOGIN, Path, first, fs, mount, pairs};
    use crate::app::context::Places;

    #[test]
    fn a_link_that_was_begun_is_completed_key_by_key() {
        let ours = tempfile::tempdir().unwrap();
        let [config_dir, state_dir, run_dir] =
            ["etc", "lib", "run"].map(|name| ours.path().join(name));
        let places = Places { config_dir, state_dir, run_dir };
        let conf = places.config_dir.join("default.conf");
        fs::create_dir(&places.config_dir).unwrap();
        let begun =
            "# mine\nREFRESH=api # so\nOPENCLAW_STATE_DIR='/root/o'\nCOMPOSE_DIR='/root/oc'\n";
        fs::write(&conf, begun).unwrap();
        let is_linked = |host: &Host| first::is_linked_by(&places, || host.detect()).unwrap();
        // The better pair is not the one that was asked for.
        let host = Host::new()
            .file("root/.openclaw/openclaw.json", "{}")
            .file("root/oc/compose.yaml", "services:\n  openclaw-gateway:\n")
            .file("root/oc/.env", "OPENCLAW_CONFIG_DIR=/root/.openclaw\n")
            .file("root/.claude/.credentials.json", LOGIN);
        assert!(!is_linked(&host));
        assert_eq!(fs::read_to_string(&conf).unwrap(), begun);
        assert!(!places.state_dir.join("linked").exists());
        let unit = "[Service]\nEnvironment=OPENCLAW_STATE_DIR=/root/o\n";
        let host =
            host.file("root/o/openclaw.json", "{}").file("etc/systemd/system/o.service", unit);
        assert!(is_linked(&host));
        let added = "CLAUDE_CREDENTIALS=\"/root/.claude/.credentials.json\"\n";
        assert_eq!(fs::read_to_string(&conf).unwrap(), format!("{begun}{added}"));
        assert!(places.state_dir.join("linked").exists());
        // What a person takes out after that stays out.
        fs::write(&conf, begun).unwrap();
        assert!(!is_linked(&host));
        assert_eq!(fs::read_to_string(&conf).unwrap(), begun);
    }

    /// Whoever built an image does not say whose is what; who made the container of it does.
    #[test]
    fn an_images_variables_and_labels_prove_nothing() {
        let mounts =
            [mount("/home/ann/.claude", "/l", true), mount("/home/bob/.openclaw", "/o", true)];
        let config = r#""Env": ["CLAUDE_CONFIG_DIR=/l", "OPENCLAW_STATE_DIR=/o"], "Labels": {
        "com.docker.compose.project.working_dir": "/opt/oc", "com.docker.compose.service": "gateway"}"#;
        let rest = format!(r#""Config": {{{config}}}, "Mounts": [{}]"#, mounts.join(", "));
        let host = |image: &str| {
            let host = Host::new()
                .file("home/ann/.claude/.credentials.json", LOGIN)
                .file("home/bob/.openclaw/openclaw.json", "{}")
                .file("opt/oc/compose.yaml", "services:\n  gateway:\n");
            for (uid, home) in [(7001, "home/ann"), (7002, "home/bob")] {
                let home = host.root.path().join(home);
                let paths = [home.clone(), home.join(".claude"), home.join(".openclaw")];
                for path in paths.iter().filter(|path| path.exists()) {
                    std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
                }
            }
            host.container_of("docker", "oc", &rest, image)
        };
        assert!(rustix::process::geteuid().is_root(), "this test makes files of two users");
        let made = host(r#"{"Id": "i"}"#);
        let written = made.written();
        assert!(
            written.contains(&"OPENCLAW_STATE_DIR=/home/bob/.openclaw".to_owned()),
            "{written:?}"
        );
        for image in [
            format!(r#"{{"Id": "i", "Config": {{{config}}}}}"#),
            r#"{"Id": "i", "Config": {"Env": ["CLAUDE_CONFIG_DIR=/l"]}}"#.to_owned(),
            r#"{"Id": "i", "Config": {"Env": ["OPENCLAW_STATE_DIR=/o"]}}"#.to_owned(),
            r#"{"Id": "another"}"#.to_owned(),
        ] {
            assert!(host(&image).detect().unasked().is_err(), "{image}");
        }
        let labelled = format!(r#"{{"Id": "i", "Config": {{{config}}}}}"#);
        let composed = |image: &str| host(image).containers[0].compose.is_some();
        assert!(composed(r#"{"Id": "i"}"#) && !composed(&labelled) && !composed("{}"));
    }

    #[test]
    fn a_link_that_nobody_named_says_that_it_goes_with_the_package() {
        let host = Host::new()
            .file("etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:7001:7001::/home/ann:/bin/sh\n")
            .file("root/.claude/.credentials.json", LOGIN)
            .file("root/.openclaw/openclaw.json", "{}")
            .file("home/ann/.claude/.credentials.json", &LOGIN.replace("-A", "-B"))
            .file("home/ann/.openclaw/openclaw.json", "{}");
        for path in
            ["", "/.claude", "/.claude/.credentials.json", "/.openclaw", "/.openclaw/openclaw.json"]
        {
            let path = host.root.path().join(format!("home/ann{path}"));
            std::os::unix::fs::chown(path, Some(7001), Some(7001)).unwrap();
        }
        let etc = tempfile::tempdir().unwrap();
        let all = pairs::write_all(etc.path(), &host.detect(), &[]).unwrap();
        assert_eq!(all.files.len(), 2, "{all:?}");
        let says =
            |file: &Path| fs::read_to_string(file).unwrap().contains("purging the Debian package");
        let marked: Vec<_> = all.files.iter().filter(|file| says(file)).collect();
        let [file] = marked[..] else { panic!("{all:?}") };
        assert!(!file.ends_with("default.conf"), "{all:?}");
    }
}
