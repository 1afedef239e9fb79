//! The example with etcd, as it stands: one host renews, another follows the access token alone.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::bed::{Bed, ENV, SOURCE, access, epoch_ms, eventually, refresh};

const FILE: &str = "home/.claude/.credentials.json";

/// A program and what it has started; all of it goes with the value.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// Debian's etcd on loopback, with its data in a folder of the test's own.
struct Store {
    endpoint: String,
    _running: Running,
}

impl Store {
    fn start(bed: &Bed) -> Self {
        // An address of its own: nobody else can take a port of it.
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let own = std::process::id() << 3 | COUNT.fetch_add(1, Ordering::Relaxed);
        let [_, b, c, d] = own.to_be_bytes();
        let (client, peer) =
            (format!("http://127.{b}.{c}.{d}:12379"), format!("http://127.{b}.{c}.{d}:12380"));
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(bed.at("etcd"));
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("default={peer}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).env("ETCD_UNSUPPORTED_ARCH", "arm64");
        let store = Self { _running: Running::start(&mut command), endpoint: client };
        assert!(eventually(|| store.healthy()), "etcd-server and etcd-client are installed");
        store
    }

    fn healthy(&self) -> bool {
        let mut command = Command::new("etcdctl");
        command.args(["endpoint", "health"]).stdout(Stdio::null()).stderr(Stdio::null());
        self.known_to(&mut command).status().is_ok_and(|status| status.success())
    }

    fn known_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("ETCDCTL_ENDPOINTS", &self.endpoint).env("ETCDCTL_API", "3")
    }

    /// Everything that is stored, keys and values.
    fn all(&self) -> String {
        let mut command = Command::new("etcdctl");
        let ran = self.known_to(command.args(["get", "--prefix", ""])).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    }
}

/// A script of the example, with `oauth-sync` as the bed has it.
fn script(bed: &Bed, store: &Store, name: &str) -> Command {
    let folder = bed.at("bin");
    bed.write("bin/oauth-sync", format!("#!/bin/sh\nexec {} \"$@\"\n", bed.args(&[]).join(" ")));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("oauth-sync"), mode).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    command.arg(root.join("docs/examples/etcd").join(name)).env("PATH", path);
    store.known_to(&mut command).env("ETCD_SETTINGS", "/nonexistent");
    command
}

fn push(leader: &Bed, store: &Store, event: &str) -> bool {
    let mut command = script(leader, store, "push");
    command.env("OAUTH_SYNC_EVENT", event).env("OAUTH_SYNC_LINK", "default");
    command.status().unwrap().success()
}

/// A host that follows: as follower.conf has it, with the folders of its bed.
fn follower() -> Bed {
    let bed = Bed::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/examples/etcd/follower.conf")).unwrap();
    let text = text
        .replace("/var/lib/oauth-sync-follow/.credentials.json", bed.at(FILE).to_str().unwrap())
        .replace("/home/claw/.openclaw", bed.at("home/.openclaw").to_str().unwrap());
    bed.write("etc/default.conf", text + "OPENCLAW_VERSION=2026.2.25\nSINKS=env\nGATEWAY=none\n");
    let _ = std::fs::remove_file(bed.at(SOURCE));
    bed
}

fn written(bed: &Bed, path: &str) -> std::time::SystemTime {
    bed.at(path).metadata().unwrap().modified().unwrap()
}

#[test]
fn a_follower_is_in_step_within_a_second_and_works_on_alone() {
    let (leader, follower) = (Bed::new(), follower());
    leader.login("A");
    let store = Store::start(&leader);
    assert!(push(&leader, &store, "renewed"));
    let mut follow = script(&follower, &store, "follow");
    let following = Running::start(follow.args(["default", follower.at(FILE).to_str().unwrap()]));
    let mut watch = follower.command(&[], &["watch"]);
    let watching = Running::start(watch.stderr(Stdio::null()));
    let holds = |name: &str| follower.exists(ENV) && follower.read(ENV).contains(&access(name));
    assert!(eventually(|| holds("A")));
    // The watcher of etcd is up once it has brought one.
    leader.login_for("B", 9);
    assert!(push(&leader, &store, "renewed") && eventually(|| holds("B")));
    // By the time stamps of the two hosts' files, and the fastest: the machine has other work too.
    let mut taken = Vec::new();
    for hours in 10..20 {
        let name = format!("C{hours}");
        leader.login_for(&name, hours);
        assert!(push(&leader, &store, "renewed") && eventually(|| holds(&name)));
        taken.push(written(&follower, ENV).duration_since(written(&leader, SOURCE)).unwrap());
        if taken.last() < Some(&Duration::from_secs(1)) {
            break;
        }
    }
    assert!(taken.iter().min() < Some(&Duration::from_secs(1)), "it took {taken:?}");
    let everything = store.all() + &follower.read(FILE) + &follower.read(ENV);
    assert!(!everything.contains(&refresh("C")[..8]), "the refresh token left the leader");
    drop((following, store));
    // Without the leader: how long it can go on.
    let end = leader.hence(9 + i64::try_from(taken.len()).unwrap());
    let tells = |args: [&str; 1], word: &str| {
        let before = end - epoch_ms();
        let said = follower.run(args).exit(0).out;
        let mut minutes = (end - epoch_ms()) / 60_000..=before / 60_000;
        let fits =
            minutes.any(|left| said.contains(&format!("{word}{}h {}m", left / 60, left % 60)));
        assert!(fits, "{} min are left: {said}", before / 60_000);
    };
    tells(["check"], "");
    tells(["status"], "in ");
    // A host with nobody on it: the doctor of a test looks at no real home.
    let bare = follower.write("host/etc/passwd", "").at("host");
    follower.run(["doctor", "--root", bare.to_str().unwrap()]).exit(0);
    // And once it should have had the next one long ago.
    let late = format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{}","expiresAt":{}}}}}"#,
        access("D"),
        follower.now + 30 * 60_000
    );
    follower.replace(FILE, late);
    follower.run(["sync", "--force"]).exit(0);
    let said = follower.run(["check"]).exit(1).out;
    assert!(said.contains("claw1.example has handed on no later one"), "{said}");
    drop(watching);
}

#[test]
fn nothing_dead_is_pushed() {
    let leader = Bed::new();
    let store = Store::start(&leader);
    leader.login("A");
    assert!(push(&leader, &store, "rejected") && store.all().is_empty(), "no event of a renewal");
    leader.login_for("A", -1);
    assert!(!push(&leader, &store, "renewed") && store.all().is_empty());
}
