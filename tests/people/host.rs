//! A bed with a host around it: accounts, units and programs in a tree of its own, so that the
//! printed commands can be run as they are printed.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::bed::{Bed, CONF, is_root};

/// The owner of the login and of OpenClaw; no account of the machine that the tests run on.
pub(crate) const UID: u32 = 4321;

pub(crate) struct Host {
    pub(crate) bed: Bed,
}

/// What `doctor --json` says of one cause.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) command: String,
    pub(crate) severity: String,
}

impl Host {
    /// A healthy host whose link is in step; its files are a user's own.
    pub(crate) fn new() -> Self {
        assert!(is_root(), "these tests change owners and mounts: they have to be run by root");
        let host = Self { bed: Bed::new() };
        let bed = &host.bed;
        bed.openclaw("2026.2.25")
            .conf("SINKS", "oauth-json env")
            .conf("GATEWAY", "none")
            .conf("REFRESH", "cli api")
            .login("A");
        bed.write("host/etc/passwd", format!("root:x:0:0::/root:/bin/sh\nclaw:x:{UID}:{UID}::{0}:/bin/sh\nother:x:4322:4322::/home/other:/bin/sh\n", bed.at("home").display()));
        bed.write("host/etc/group", format!("root:x:0:\ndocker:x:999:bob\nclaw:x:{UID}:\n"));
        host.program("home/.local/bin/claude", "exit 0");
        host.program("bin/oauth-sync", &format!("exec {} \"$@\"", bed.args(&[]).join(" ")));
        // As runuser and docker would, but for the change of user and the container.
        let runuser =
            "[ \"$2\" = -u ] && shift 4 && exec \"$@\"; for last; do :; done; exec sh -c \"$last\"";
        host.program("bin/runuser", runuser);
        host.program(
            "bin/docker",
            &format!("echo \"$PWD: $*\" >>{}", bed.at("docker.log").display()),
        );
        // What is not set is found; there is no OpenClaw of the tests' own machine to be found.
        let conf = bed.read(CONF);
        let kept = conf.lines().filter(|line| !line.starts_with("OPENCLAW_COMMAND="));
        let kept: Vec<&str> = kept.collect();
        bed.write(CONF, kept.join("\n") + "\n");
        host.own();
        bed.run(["sync"]).exit(0);
        host
    }

    /// Gives everything below the home to its user.
    pub(crate) fn own(&self) {
        self.shell(&format!("chown -R {UID}:{UID} {}", self.bed.at("home").display()));
    }

    pub(crate) fn program(&self, path: &str, script: &str) {
        self.bed.write(path, format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(self.bed.at(path), PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Runs a command as a person would type it.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        let path = format!("{}:{}", self.bed.at("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", path).current_dir(self.bed.at("."));
        let ran = command.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(
            ran.status.success(),
            "{line}: {}: {said}{}",
            ran.status,
            String::from_utf8_lossy(&ran.stdout)
        );
    }

    pub(crate) fn doctor(&self) -> Vec<Found> {
        let root = self.bed.at("host");
        let ran = self.bed.run(["doctor", "--json", "--root", root.to_str().unwrap()]);
        let json = ran.json();
        let text =
            |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let found = json["findings"].as_array().unwrap().iter().map(|finding| Found {
            id: text(finding, "id"),
            command: text(finding, "command"),
            severity: text(finding, "severity"),
        });
        found.collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.doctor().into_iter().map(|found| found.id).collect()
    }

    /// Finds this and nothing else.
    #[track_caller]
    pub(crate) fn finds(&self, id: &str) -> Found {
        let found = self.doctor();
        assert!(found.len() == 1 && found[0].id == id, "not just {id}: {found:#?}");
        found[0].clone()
    }

    /// Finds this, among others.
    #[track_caller]
    pub(crate) fn finds_also(&self, id: &str) -> Found {
        let found = self.doctor();
        let it = found.iter().find(|found| found.id == id);
        it.unwrap_or_else(|| panic!("no {id}: {found:#?}")).clone()
    }

    /// Runs the printed command as printed: then the cause is gone.
    #[track_caller]
    pub(crate) fn mends(&self, found: &Found) {
        self.shell(&found.command);
        let left = self.doctor();
        let still = left.iter().any(|other| other.id == found.id);
        assert!(!still, "'{}' does not mend it: {left:#?}", found.command);
    }

    /// Finds this and nothing else, and the printed command mends it.
    #[track_caller]
    pub(crate) fn finds_and_mends(&self, id: &str) -> Found {
        let found = self.finds(id);
        self.mends(&found);
        found
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.bed.at(path)
    }
}
