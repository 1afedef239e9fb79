//! A user's own file system that never answers costs that user's link alone.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::lab::{ALICE, BOB, Lab, wait_until};

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A mounted `hangfs`; taken away when dropped.
pub(crate) struct Hangs {
    server: Child,
    at: PathBuf,
}

impl Hangs {
    /// Mounts it as Alice.
    pub(crate) fn over(at: PathBuf) -> Self {
        let mut server = Command::new(program())
            .arg(&at)
            .arg(ALICE.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "hangfs needs /dev/fuse");
        Self { server, at }
    }
}

impl Drop for Hangs {
    fn drop(&mut self) {
        // Whoever waits for it is told that the connection is gone.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// Compiles `hangfs`, once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hangfs");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/hangfs.c");
        let status = Command::new("gcc").args(["-O1", "-o"]).arg(&program).arg(source).status();
        assert!(status.unwrap().success(), "gcc makes hangfs");
        program
    })
}

/// A running `watch`; it is killed when dropped.
struct Watch(Child);

impl Watch {
    fn start(lab: &Lab) -> Self {
        Self(lab.command(&["watch", "--delegate"]).spawn().unwrap())
    }

    /// Asks it to end; says whether it does.
    fn ends(mut self) -> bool {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        wait_until(LIMIT, || self.0.try_wait().unwrap().is_some())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn two_links() -> Lab {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "A0", 20000).login(BOB, "home/b/.claude", "B0", 20000);
    for (uid, user) in [(ALICE, "a"), (BOB, "b")] {
        let script = format!(
            "umask 077; mkdir home/{user}/.openclaw; echo X=1 >home/{user}/.openclaw/.env; echo {{}} >home/{user}/.openclaw/openclaw.json"
        );
        lab.as_user(uid, &script);
        lab.link(user, "SINKS=\"env\"\nREFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"none\"\nOPENCLAW_VERSION=\"2026.2.25\"\n");
    }
    lab
}

fn holds(lab: &Lab, user: &str, tag: &str) -> bool {
    wait_until(LIMIT, || lab.read(&format!("home/{user}/.openclaw/.env")).contains(tag))
}

/// What a user can have hang, and how it comes before the eyes of the watcher.
const PLACES: [&str; 7] = [
    ".",
    ".claude",
    ".claude/.credentials.json",
    ".openclaw",
    ".openclaw/.env",
    ".openclaw/openclaw.json",
    "elsewhere",
];

#[test]
fn a_directory_or_file_that_never_answers_is_another_links_concern() {
    for place in PLACES {
        let lab = two_links();
        if place == "elsewhere" {
            let script = "mkdir elsewhere && rm -r .claude && ln -s elsewhere/inner .claude";
            lab.as_user(ALICE, &format!("cd home/a && {script}"));
        }
        // There from the beginning.
        let hangs = Hangs::over(lab.at("home/a").join(place));
        let watch = Watch::start(&lab);
        assert!(holds(&lab, "b", "accessB0"), "{place}: at the start");
        lab.login(BOB, "home/b/.claude", "B1", 21000);
        assert!(holds(&lab, "b", "accessB1"), "{place}: after a rotation");
        assert!(watch.ends(), "{place}: it ends while the other one hangs");
        drop(hangs);
    }
}

#[test]
fn what_is_mounted_later_is_noticed_before_it_is_touched() {
    for place in PLACES {
        let lab = two_links();
        lab.as_user(ALICE, "mkdir home/a/elsewhere");
        let watch = Watch::start(&lab);
        assert!(holds(&lab, "a", "accessA0") && holds(&lab, "b", "accessB0"), "{place}");
        let hangs = Hangs::over(lab.at("home/a").join(place));
        if place == "elsewhere" {
            lab.as_user(ALICE, "cd home/a && rm -r .claude && ln -s elsewhere/inner .claude");
        }
        for tag in ["B1", "B2"] {
            lab.login(BOB, "home/b/.claude", tag, 21000 + u64::from(tag.as_bytes()[1]));
            assert!(holds(&lab, "b", &format!("access{tag}")), "{place}: {tag}");
        }
        drop(hangs);
        if place != "elsewhere" {
            // Once it is gone, the link is served as before.
            lab.login(ALICE, "home/a/.claude", "A1", 22000);
            assert!(holds(&lab, "a", "accessA1"), "{place}: the link itself, afterwards");
        }
        assert!(watch.ends(), "{place}");
    }
}

#[test]
fn a_pipe_or_a_lease_in_place_of_a_file_keeps_nobody_waiting() {
    let lab = two_links();
    lab.as_user(ALICE, "rm home/a/.openclaw/.env home/a/.claude/.credentials.json");
    lab.as_user(ALICE, "mkfifo home/a/.openclaw/.env home/a/.claude/.credentials.json");
    let watch = Watch::start(&lab);
    assert!(holds(&lab, "b", "accessB0"));
    assert!(watch.ends());
}
