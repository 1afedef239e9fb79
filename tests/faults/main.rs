//! Faults at every step of a sync's write path, injected into the real binary by strace(1).
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

#[expect(dead_code, reason = "the scenarios use the rest of it")]
#[path = "../scenarios/bed.rs"]
mod bed;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use bed::{Bed, ENV, MAIN, OAUTH, SOURCE, STATE, is_root, leaks};

const SINKS: [&str; 3] = [ENV, OAUTH, MAIN];

/// What a sync leaves for the gateway.
const REQUEST: &str = "run/gateway.d/default.json";

/// What a full, broken or barred disk answers.
const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT"];

/// A run of its own: what others mount and start meanwhile costs it no calls of its own.
const ALONE: [&str; 7] =
    ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "strace"];

/// How strace tells there of a kill: no signal ends the first process of a namespace.
const KILLED: Option<i32> = Some(128 + 9);

/// The calls that change a file system.
const WRITES: [&str; 15] = [
    "openat",
    "write",
    "fchown",
    "fchmod",
    "fsetxattr",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdirat",
    "utimensat",
];

/// One system call of a run: the `ordinal`-th of its name.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    ordinal: usize,
    text: String,
}

impl Call {
    fn writes(&self) -> bool {
        // The log is no part of the path: nobody is left to be told when stderr is gone.
        let log = self.name == "write" && self.text.contains("write(2,");
        let opens = self.name == "openat" && !self.text.contains("O_CREAT");
        WRITES.contains(&self.name.as_str()) && !log && !opens
    }
}

/// A bed that can be put back into the state before a login is carried.
struct Scene {
    bed: Bed,
    /// What each sink holds before; `None` where there is no file.
    old: [Option<String>; 3],
    new: [String; 3],
    /// What is remembered before; `None` before the very first run.
    memory: Option<String>,
    /// The call from which on the run is disturbed.
    from: &'static str,
    /// What is run.
    words: &'static [&'static str],
}

impl Scene {
    /// A first run: of the sinks only the agent's store is there, and nothing of our own. It is an
    /// OpenClaw whose lock is a folder.
    fn first() -> Self {
        let bed = Bed::new();
        bed.openclaw("2026.1.30").conf("SINKS", "env oauth-json auth-profiles").login("new");
        bed.agent("main", "older");
        let script = "chmod 0711 . && chown -R 4711:4712 home";
        let ran = Command::new("sh").args(["-ec", script]).current_dir(bed.at("")).status();
        assert!(ran.unwrap().success());
        let old = [None, None, Some(bed.read(MAIN))];
        bed.run(["sync"]).exit(0);
        let new = SINKS.map(|sink| bed.read(sink));
        Self { bed, old, new, memory: None, from: "mkdirat", words: &["sync"] }
    }

    /// A renewal. The files belong to a user, one has another group, a mode and an attribute to be kept.
    fn renewal() -> Self {
        assert!(is_root(), "this test gives files to another user");
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("SINKS", "env oauth-json auth-profiles").login("old");
        bed.agent("main", "older")
            .write(ENV, "# kept\r\nexport ANTHROPIC_OAUTH_TOKEN='x' # y\r\nZ=1");
        let script = "chmod 0711 . && setfattr -n user.note -v kept home/.openclaw/.env &&
            chmod 0640 home/.openclaw/.env && chown -R 4711:4712 home && chgrp 4713 home/.openclaw/.env";
        let ran = Command::new("sh").args(["-ec", script]).current_dir(bed.at("")).status();
        assert!(ran.unwrap().success());
        bed.run(["sync"]).exit(0);
        let old = SINKS.map(|sink| Some(bed.read(sink)));
        let memory = bed.read("lib/links/default.json");
        bed.login_for("new", 9);
        bed.run(["sync"]).exit(0);
        let new = SINKS.map(|sink| bed.read(sink));
        Self { bed, old, new, memory: Some(memory), from: "flock", words: &["sync"] }
    }

    /// A renewal in the one sink that a gateway reads only when it is made anew.
    fn told() -> Self {
        let bed = Bed::new();
        // The command is another unit's.
        let words = &["sync", "--delegate"];
        bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/false");
        bed.openclaw("2026.2.25").conf("SINKS", "env").login("old");
        bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=x\n").run(*words).exit(0);
        let (old, memory) = (bed.read(ENV), bed.read("lib/links/default.json"));
        bed.login_for("new", 9).run(*words).exit(0);
        let new = [bed.read(ENV), String::new(), String::new()];
        let old = [Some(old), None, None];
        Self { bed, old, new, memory: Some(memory), from: "flock", words }
    }

    /// Puts the old login back into sinks and memory; nobody has been told of another.
    fn reset(&self) {
        let _ = fs::remove_file(self.bed.at(REQUEST));
        for (sink, text) in SINKS.iter().zip(&self.old) {
            match text {
                Some(text) => drop(self.bed.write(sink, text)),
                None => drop(fs::remove_file(self.bed.at(sink))),
            }
        }
        if let Some(memory) = &self.memory {
            self.bed.write("lib/links/default.json", memory);
            if self.words == ["sync"] {
                self.restore_env();
            }
            return;
        }
        for folder in ["lib", "run", "home/.openclaw/credentials"] {
            let _ = fs::remove_dir_all(self.bed.at(folder));
        }
    }

    /// Gives the `.env` back the group and the mode that a refusal may have taken.
    fn restore_env(&self) {
        let path = self.bed.at(ENV);
        std::os::unix::fs::chown(&path, Some(4711), Some(4713)).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    }

    /// Every call of an undisturbed run, from the taking of the link's lock on.
    fn trace(&self) -> Vec<Call> {
        self.reset();
        let log = self.bed.at("trace").display().to_string();
        let wrapper = [&ALONE[..], &["-f", "-s", "300", "-o", &log]].concat();
        self.bed.ran(self.bed.command(&wrapper, self.words).output().unwrap()).exit(0);
        let mut seen = BTreeMap::<String, usize>::new();
        let mut calls = Vec::new();
        let mut begun = false;
        for line in self.bed.read("trace").lines() {
            let Some(text) = line.split_once(' ').map(|(_, text)| text.trim_start()) else {
                continue;
            };
            let Some((name, _)) = text.split_once('(') else { continue };
            let ordinal = seen.entry(name.to_owned()).and_modify(|count| *count += 1).or_insert(1);
            begun |= name == self.from;
            if begun && name != "exit_group" && !text.starts_with('+') {
                let text = text.to_owned();
                calls.push(Call { name: name.to_owned(), ordinal: *ordinal, text });
            }
        }
        let sinks = self.new.iter().filter(|text| !text.is_empty()).count();
        assert!(calls.iter().filter(|call| call.writes()).count() >= 7 * sinks, "{calls:#?}");
        calls
    }

    /// Runs a sync into a fault and says how it ended and what it said.
    fn disturb(&self, call: &Call, fault: &str) -> (Option<i32>, String) {
        self.reset();
        let inject = format!("inject={}:{fault}:when={}", call.name, call.ordinal);
        let trace = format!("trace={}", call.name);
        let wrapper =
            [&ALONE[..], &["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject]].concat();
        let output = self.bed.command(&wrapper, self.words).output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(!leaks(&said), "a token was shown: {call:?} {fault}\n{said}");
        (output.status.code(), said)
    }

    /// Says which sinks hold the new text; the others must hold the whole old one.
    fn renewed(&self, what: &str) -> [bool; 3] {
        let mut renewed = [false; 3];
        for (at, sink) in SINKS.iter().enumerate() {
            let text = fs::read_to_string(self.bed.at(sink)).ok();
            renewed[at] = text.as_ref() == Some(&self.new[at]);
            assert!(renewed[at] || text == self.old[at], "{what}: {sink} is torn:\n{text:?}");
        }
        renewed
    }

    /// An undisturbed run afterwards brings all in step and clears everything away.
    fn recovers(&self, what: &str) {
        let output = self.bed.command(&[], &["sync"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{what}: the next run fails:\n{said}");
        assert_eq!(
            self.renewed(what),
            [true; 3],
            "{what}: the next run leaves a sink behind:\n{said}"
        );
        for folder in ["lib", "run"] {
            let find = Command::new("find").arg(self.bed.at(folder)).args(["-name", ".*"]).output();
            assert!(find.as_ref().unwrap().stdout.is_empty(), "{what}: {find:?}");
        }
        for folder in [STATE, "lib", "home/.claude"] {
            assert!(self.bed.litter(folder).is_empty(), "{what}: {:?}", self.bed.litter(folder));
        }
        let meta = fs::metadata(self.bed.at(ENV)).unwrap();
        let kept = (meta.uid(), meta.gid(), meta.mode() & 0o777);
        let is_new = self.old[0].is_none();
        // Where the system refuses a group or a mode, a file may become less open, never more.
        let refused = ["fchown", "fchmod", "fsetxattr"].map(|call| format!("EACCES at {call} "));
        let is_narrowed =
            (kept.0, kept.2) == (4711, 0o600) && refused.iter().any(|call| what.starts_with(call));
        // Whoever has no account gets a group of nobody's, not that of the directory.
        let fits = if is_new {
            (kept.0, kept.2) == (4711, 0o600) && matches!(kept.1, 4711 | 65534)
        } else {
            kept == (4711, 4713, 0o640)
        };
        assert!(fits || is_narrowed, "{what}: {kept:?}");
        assert!(fs::metadata(self.bed.at(SOURCE)).is_ok());
    }
}

/// Where a kill leaves a state of the disk that no other kill leaves: at each call that writes, and at
/// the one after it. What lies between only reads. They end where all is written and monitors are notified, which
/// takes now more calls and now fewer.
fn states(mut calls: Vec<Call>) -> Vec<Call> {
    let published = calls.iter().position(|call| call.text.contains("/health."));
    calls.truncate(published.expect("monitors are notified"));
    let written = calls.iter().map(Call::writes).collect::<Vec<bool>>();
    let is_new = |at: usize| written[at] || at == 0 || written[at - 1];
    calls.into_iter().enumerate().filter(|(at, _)| is_new(*at)).map(|(_, call)| call).collect()
}

#[test]
fn killed_at_every_state_of_a_renewal() {
    let scene = Scene::renewal();
    killed_at(&scene, &states(scene.trace()));
}

#[test]
fn killed_at_every_state_of_a_first_run() {
    let scene = Scene::first();
    killed_at(&scene, &states(scene.trace()));
}

#[test]
fn wherever_a_sync_is_killed_the_next_queues_the_gateway() {
    let scene = Scene::told();
    let calls = states(scene.trace());
    let left: serde_json::Value = serde_json::from_str(&scene.bed.read(REQUEST)).unwrap();
    assert!(
        left["fingerprint"].is_string() && left["sinks"] == serde_json::json!(["env"]),
        "{left}"
    );
    for call in &calls {
        let what = format!("killed at {} {}: {}", call.name, call.ordinal, call.text);
        let (code, said) = scene.disturb(call, "signal=KILL");
        assert_eq!(code, KILLED, "{what}: it was not killed:\n{said}");
        let output = scene.bed.command(&[], scene.words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{what}: {output:?}");
        assert_eq!(scene.renewed(&what), [true, false, false], "{what}");
        let told = fs::read(scene.bed.at(REQUEST)).expect(&what);
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["fingerprint"], left["fingerprint"], "{what}");
    }
    println!("killed at {} calls", calls.len());
}

fn killed_at(scene: &Scene, calls: &[Call]) {
    for call in calls {
        let what = format!("killed at {} {}: {}", call.name, call.ordinal, call.text);
        let (code, said) = scene.disturb(call, "signal=KILL");
        assert_eq!(code, KILLED, "{what}: it was not killed:\n{said}");
        scene.renewed(&what);
        scene.recovers(&what);
    }
    println!("killed at {} calls", calls.len());
}

#[test]
fn every_error_at_every_write_of_a_renewal() {
    fail_at(&Scene::renewal());
}

#[test]
fn every_error_at_every_write_of_a_first_run() {
    fail_at(&Scene::first());
}

fn fail_at(scene: &Scene) {
    let calls: Vec<Call> = scene.trace().into_iter().filter(Call::writes).collect();
    let (mut failed, mut harmless) = (0, 0);
    for call in &calls {
        for error in ERRORS {
            let what = format!("{error} at {} {}: {}", call.name, call.ordinal, call.text);
            let (code, said) = scene.disturb(call, &format!("error={error}"));
            let renewed = scene.renewed(&what);
            match code {
                // Nothing was lost: what failed was only the clearing away, or our own memory.
                Some(0) => {
                    assert_eq!(renewed, [true; 3], "{what}: it claims to be done:\n{said}");
                    harmless += 1;
                }
                Some(1 | 75) => {
                    let folder = scene.bed.at("").display().to_string();
                    assert!(said.contains("oauth-sync: "), "{what}: no message");
                    assert!(said.contains(&folder), "{what}: no file is named:\n{said}");
                    failed += 1;
                }
                other => panic!("{what}: exit {other:?}\n{said}"),
            }
            // What is said of a sink is true.
            for (sink, is_new) in SINKS.iter().zip(renewed) {
                let path = scene.bed.at(sink).display().to_string();
                let claims = said.contains(&format!("{path}' holds the new token"));
                assert!(is_new || !claims, "{what}: {sink} is said to be new:\n{said}");
                let denies = said.contains(&format!("{path}': "));
                let denies = denies && said.contains("keeps its old token");
                assert!(!is_new || !denies, "{what}: {sink} is said to be old:\n{said}");
            }
            scene.recovers(&what);
        }
    }
    println!("{} writes, {failed} runs failed, {harmless} were harmless", calls.len());
    assert!(failed > calls.len());
}
