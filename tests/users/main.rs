//! Root with nothing but `CAP_SETUID` and `CAP_SETGID`, over the trees of two users, one of them
//! hostile: whatever is planted, nothing is read or written that its user could not.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

#[expect(dead_code, reason = "the scenarios use the rest of it")]
#[path = "../scenarios/bed.rs"]
mod bed;
mod containers;
mod detect;
mod managers;
mod units;

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bed::{Bed, Ran, is_root, profiles};

/// Users without an account on the host, as those of containers.
const GOOD: u32 = 4711;
const EVIL: u32 = 4712;
const BOX: u32 = 4713;

/// A group that root is in, and nobody else.
const PRIVY: &str = "4799";

const CAPABILITIES: [&str; 6] = [
    "setpriv",
    "--bounding-set=-all,+setuid,+setgid",
    "--inh-caps=-all",
    "--groups",
    "0,4799",
    "--",
];

const DEN: &str = "home/evil/.openclaw";

/// A yard with root's own folder and the homes of two users, each with a login and an OpenClaw.
struct Yard(Bed);

/// Everything that can be told of a file without reading changes it.
type Seen = (String, u32, u32, u32, u64, (i64, i64), Vec<u8>);

impl Yard {
    fn new() -> Self {
        assert!(is_root(), "this test acts as root over the trees of others");
        let bed = Bed::new();
        fs::remove_dir_all(bed.at("home")).unwrap();
        fs::remove_file(bed.at("etc/default.conf")).unwrap();
        let yard = Self(bed);
        for (name, uid) in [("evil", EVIL), ("good", GOOD)] {
            let home = format!("home/{name}");
            yard.file(&format!("{home}/.claude/.credentials.json"), &yard.0.login_text(name, 8));
            yard.file(&format!("{home}/.openclaw/.env"), "ANTHROPIC_OAUTH_TOKEN=old\n");
            let store = profiles("old", yard.0.hence(1));
            yard.file(&format!("{home}/.openclaw/agents/main/agent/auth-profiles.json"), &store);
            yard.link(
                name,
                &format!("{home}/.claude/.credentials.json"),
                &format!("{home}/.openclaw"),
            );
            yard.sh(&format!("chown -R {uid}:{uid} {home} && chmod 0700 {home}"));
        }
        yard.file("root/.credentials.json", &yard.0.login_text("root", 12));
        yard.file("root/.env", "ANTHROPIC_OAUTH_TOKEN=access-roots\n");
        yard.file("root/auth-profiles.json", &profiles("roots", yard.0.hence(1)));
        yard.sh("chmod 0711 . && find root home -type f -exec chmod 0600 {} + && chmod 0700 root");
        yard
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        self.0.write(path, text);
        self
    }

    fn link(&self, name: &str, source: &str, state: &str) {
        let path = |path: &str| self.0.at(path).display().to_string();
        self.0.write(
            &format!("etc/{name}.conf"),
            format!(
                "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env auth-profiles oauth-json\"\nGATEWAY=\"none\"\n",
                path(source),
                path(state)
            ),
        );
    }

    #[track_caller]
    fn sh(&self, script: &str) {
        let ran = Command::new("sh").args(["-ec", script]).current_dir(self.0.at("")).status();
        assert!(ran.unwrap().success(), "{script}");
    }

    fn sync(&self, link: &str) -> Ran<'_> {
        let command = self.0.command(&CAPABILITIES, &["sync", "--link", link]).output().unwrap();
        self.0.ran(command)
    }

    fn see(&self, folder: &str) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut left = vec![self.0.at(folder)];
        while let Some(path) = left.pop() {
            let meta = path.symlink_metadata().unwrap();
            let content = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let mtime = (meta.mtime(), meta.mtime_nsec());
            let name = path.display().to_string();
            let (uid, gid, inode) = (meta.uid(), meta.gid(), meta.ino());
            seen.push((name, meta.mode(), uid, gid, inode, mtime, content));
            if meta.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        seen.sort();
        seen
    }

    /// Nothing of anybody else's has come into the hostile user's tree.
    #[track_caller]
    fn evil_got_nothing(&self) {
        for (name, _, uid, _, _, _, content) in self.see("home/evil") {
            let text = String::from_utf8_lossy(&content);
            let planted = uid != EVIL;
            let foreign =
                ["good", "root", "box"].iter().any(|owner| text.contains(&bed::access(owner)));
            assert!(planted || !foreign, "{name} holds another's token");
        }
    }

    /// Plants something, syncs, and compares what is root's and the other user's.
    #[track_caller]
    fn plant(script: &str) -> Self {
        let yard = Self::new();
        yard.sh(&format!("cd home/evil; top=../..; {script}"));
        yard.sh("find home/evil -type l -exec chown -h 4712:4712 {} +");
        yard.unharmed(script);
        yard
    }

    #[track_caller]
    fn unharmed(&self, what: &str) {
        let before = (self.see("root"), self.see("home/good"));
        for _ in 0..2 {
            let ran = self.sync("evil");
            assert!(matches!(ran.status.code(), Some(0 | 1 | 3 | 75)), "{what}: {ran:?}");
        }
        assert!(
            (self.see("root"), self.see("home/good")) == before,
            "{what}: something was written"
        );
        self.evil_got_nothing();
    }

    fn env_of_evil(&self) -> String {
        fs::read_to_string(self.0.at("home/evil/.openclaw/.env")).unwrap()
    }
}

#[test]
fn both_users_are_served_with_nothing_but_two_capabilities() {
    let yard = Yard::new();
    let ran = yard.0.ran(yard.0.command(&CAPABILITIES, &["sync"]).output().unwrap()).exit(0);
    assert_eq!(ran.err.lines().count(), 6, "{}", ran.err);
    for (name, uid) in [("evil", EVIL), ("good", GOOD)] {
        for file in [".env", "agents/main/agent/auth-profiles.json", "credentials/oauth.json"] {
            let path = format!("home/{name}/.openclaw/{file}");
            assert!(yard.0.read(&path).contains(&bed::access(name)), "{path}");
            let meta = fs::metadata(yard.0.at(&path)).unwrap();
            assert_eq!((meta.uid(), meta.gid()), (uid, uid), "{path}");
        }
        let made = fs::metadata(yard.0.at(&format!("home/{name}/.openclaw/credentials"))).unwrap();
        assert_eq!((made.uid(), made.mode() & 0o777), (uid, 0o700));
    }
    let status = yard.0.command(&CAPABILITIES, &["status", "--json"]).output().unwrap();
    let status = yard.0.ran(status).exit(0).json();
    for sink in status["links"][0]["sinks"].as_array().unwrap() {
        // Where a profile carries the token, OpenClaw does not look at the env.
        let state = if sink["kind"] == "env" { "unused" } else { "up to date" };
        assert_eq!(sink["state"], state);
    }
}

#[test]
fn the_capabilities_are_really_gone() {
    let yard = Yard::new();
    let words: Vec<&str> =
        CAPABILITIES[1..].iter().copied().chain(["cat", "/proc/self/status"]).collect();
    let output = Command::new("setpriv").args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("CapEff:\t00000000000000c0\n"), "{text}");
    // So root itself cannot look into a home any more.
    let inside = yard.0.at("home/good/.openclaw").display().to_string();
    let words: Vec<&str> = CAPABILITIES[1..].iter().copied().chain(["ls", &inside]).collect();
    assert!(!Command::new("setpriv").args(words).output().unwrap().status.success());
}

#[test]
fn a_source_that_is_not_the_users_is_not_read() {
    for script in [
        "ln -sf $top/root/.credentials.json .claude/.credentials.json",
        "ln -sf $top/home/good/.claude/.credentials.json .claude/.credentials.json",
        "rm -r .claude; ln -s $top/root .claude",
        "rm -r .claude; ln -s ../good/.claude .claude",
        "rm -r .claude; ln -s /proc/self/cwd/root .claude",
        "rm -r .claude; ln -s /proc/self/fd/3 .claude",
        "ln -f $top/root/.credentials.json .claude/.credentials.json",
        "ln -f $top/home/good/.claude/.credentials.json .claude/.credentials.json",
        "rm .claude/.credentials.json; mkfifo .claude/.credentials.json",
        "rm .claude/.credentials.json; mkdir .claude/.credentials.json",
        "rm .claude/.credentials.json; mknod .claude/.credentials.json c 1 5",
        "cp $top/root/.credentials.json .claude/.credentials.json; chown 0:0 .claude/.credentials.json; chmod 0600 .claude/.credentials.json",
    ] {
        let yard = Yard::plant(script);
        assert_eq!(yard.env_of_evil(), "ANTHROPIC_OAUTH_TOKEN=old\n", "{script}");
    }
}

#[test]
fn a_sink_that_is_not_the_users_is_not_written() {
    for script in [
        "ln -sf $top/root/.env .openclaw/.env",
        "ln -sf $top/home/good/.openclaw/.env .openclaw/.env",
        "ln -f $top/root/.env .openclaw/.env",
        "ln -f $top/home/good/.openclaw/.env .openclaw/.env",
        "rm .openclaw/.env; mkfifo .openclaw/.env",
        "rm .openclaw/.env; mkdir .openclaw/.env",
        "chown 0:0 .openclaw/.env",
        "chown 0:0 .openclaw/.env; chmod 0666 .openclaw/.env",
        "rm -r .openclaw; ln -s ../good/.openclaw .openclaw",
        "rm -r .openclaw; ln -s $top/root .openclaw",
        "rm -r .openclaw; ln -s /proc/self/cwd/root .openclaw",
        "ln -s $top/root .openclaw/credentials",
        "ln -s ../../good/.openclaw .openclaw/credentials",
        "rm -r .openclaw/agents; ln -s ../../good/.openclaw/agents .openclaw/agents",
        "rm -r .openclaw/agents/main; ln -s ../../../good/.openclaw/agents/main .openclaw/agents/main",
        "rm -r .openclaw/agents/main/agent; ln -s $PWD/$top/root .openclaw/agents/main/agent",
        "ln -sf $PWD/$top/root/auth-profiles.json .openclaw/agents/main/agent/auth-profiles.json",
        "ln -f $top/root/auth-profiles.json .openclaw/agents/main/agent/auth-profiles.json",
        "ln -s $PWD/$top/root/.env .openclaw/agents/main/agent/auth-state.json",
    ] {
        Yard::plant(script);
    }
}

#[test]
fn what_stands_where_a_temp_file_or_a_lock_goes_is_not_followed() {
    for (script, served) in [
        ("ln -s $PWD/$top/root/.env .openclaw/..env.oauth-sync", true),
        ("ln $top/root/.env .openclaw/..env.oauth-sync", true),
        ("mkfifo .openclaw/..env.oauth-sync", true),
        ("mkdir .openclaw/..env.oauth-sync", false),
        ("ln -s $PWD/$top/root/.env .openclaw/agents/main/agent/auth-profiles.json.lock", true),
        (
            "ln -s $PWD/$top/root .openclaw/agents/main/agent/.auth-profiles.json.lock.oauth-sync",
            true,
        ),
        (
            "mkdir -p .openclaw/credentials; ln -s $PWD/$top/root/x .openclaw/credentials/.oauth.json.oauth-sync",
            true,
        ),
    ] {
        let yard = Yard::plant(script);
        assert_eq!(yard.env_of_evil().contains("access-evil"), served, "{script}");
    }
}

#[test]
fn a_retired_file_is_moved_aside_with_its_owners_rights() {
    let newer = r#"printf '{"meta":{"lastTouchedVersion":"2026.9.6"}}' > .openclaw/openclaw.json"#;
    for script in [
        "mkdir .openclaw/credentials; ln -s $PWD/$top/root/.credentials.json .openclaw/credentials/oauth.json",
        "mkdir .openclaw/credentials; ln $top/root/.credentials.json .openclaw/credentials/oauth.json",
        "ln -s $PWD/$top/root .openclaw/credentials",
        "rm -r .openclaw/agents; ln -s ../../good/.openclaw/agents .openclaw/agents",
    ] {
        Yard::plant(&format!("{newer}; {script}"));
    }
}

#[test]
fn no_group_of_roots_is_taken_along() {
    // What a group of root's may read or write, the users may not.
    let script = format!(
        "mkdir $top/shared; cp $top/root/.credentials.json $top/root/.env $top/shared/;
         chown -R 0:{PRIVY} $top/shared; chmod 0770 $top/shared; chmod 0660 $top/shared/.*s.json $top/shared/.env;"
    );
    for group in [PRIVY, "0"] {
        let shared = script.replace(PRIVY, group);
        for plant in [
            "rm -r .claude; ln -s $top/shared .claude",
            "rm -r .openclaw; ln -s $top/shared .openclaw",
        ] {
            let yard = Yard::new();
            yard.sh(&format!("cd home/evil; top=../..; {shared} {plant}"));
            let before = yard.see("shared");
            yard.unharmed(plant);
            assert!(yard.see("shared") == before, "{group}: {plant}");
        }
    }
    // A home that was given with `chown UID` alone still has root's group.
    let yard = Yard::new();
    yard.sh(&format!("cd home/evil; top=../..; {}", script.replace(PRIVY, "0")));
    yard.sh("chgrp 0 home/evil && rm -r home/evil/.claude && ln -s ../../shared home/evil/.claude");
    yard.unharmed("a home of root's group");
    assert_eq!(yard.env_of_evil(), "ANTHROPIC_OAUTH_TOKEN=old\n");
}

#[test]
fn root_does_not_go_through_what_others_can_change() {
    for open in ["chmod 0777 way", "chgrp 4712 way && chmod 0770 way", "setfacl -m u:4712:rwx way"]
    {
        let yard = Yard::new();
        yard.sh(&format!("mkdir -p way/claude && cp root/.credentials.json way/claude/ && {open}"));
        yard.link("evil", "way/claude/.credentials.json", DEN);
        let ran = yard.sync("evil");
        assert_eq!(ran.status.code(), Some(1), "{open}: {ran:?}");
        ran.says("cannot open 'BED/way': it is root's, but ")
            .says(" can write in it, so root must not go through it: nothing is passed on\nhint: chmod go-w BED/way\n");
        assert_eq!(yard.env_of_evil(), "ANTHROPIC_OAUTH_TOKEN=old\n", "{open}");
    }
}

#[test]
fn metrics_go_into_a_folder_of_roots_in_anothers_but_through_no_link() {
    let yard = Yard::new();
    yard.sh("mkdir -p home/good/textfile aside && chmod 755 home/good home/good/textfile aside");
    let metrics = |file: &str| {
        let file = yard.0.at(file);
        let arguments = ["metrics", "--output", file.to_str().unwrap()];
        yard.0.command(&CAPABILITIES, &arguments).output().unwrap().status.code()
    };
    assert_eq!(metrics("home/good/textfile/out.prom"), Some(0));
    assert_eq!(fs::metadata(yard.0.at("home/good/textfile/out.prom")).unwrap().uid(), 0);
    yard.sh("rm -r home/good/textfile && ln -s ../../aside home/good/textfile");
    yard.sh("chown -h 4711 home/good/textfile");
    assert_eq!(metrics("home/good/textfile/out.prom"), Some(1));
    assert!(!yard.0.exists("aside/out.prom"));
}

#[test]
fn a_container_users_state_folder_in_anothers_private_home_works() {
    let yard = Yard::new();
    yard.sh("cd home/good && mkdir vol && mv .openclaw vol/ && chown 4711:4711 vol && chmod 0700 vol && chown -R 4713:4713 vol/.openclaw && chmod 0700 vol/.openclaw");
    yard.link("good", "home/good/.claude/.credentials.json", "home/good/vol/.openclaw");
    yard.sync("good").exit(0);
    for file in [".env", "agents/main/agent/auth-profiles.json", "credentials/oauth.json"] {
        let path = format!("home/good/vol/.openclaw/{file}");
        assert!(yard.0.read(&path).contains("access-good"), "{path}");
        let meta = fs::metadata(yard.0.at(&path)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (BOX, BOX), "{path}");
    }
    let before = yard.see("home/good");
    yard.sync("good").exit(0).err(&[]);
    assert!(yard.see("home/good") == before);
    // And watched it is too.
    let watch = yard.0.watch_as(&CAPABILITIES, &[]);
    watch.heard("READY=1");
    yard.0.write("home/good/.claude/.credentials.json", yard.0.login_text("good-next", 9));
    watch.holds("home/good/vol/.openclaw/.env", "good-next");
    // A link on the way to a third user's folder is not followed.
    yard.sh("ln -s ../../good/vol/.openclaw home/evil/elsewhere && chown -h 4712:4712 home/evil/elsewhere && chmod 0755 home/good home/good/vol");
    yard.link("evil", "home/evil/.claude/.credentials.json", "home/evil/elsewhere");
    let before = yard.see("home/good/vol");
    drop(watch);
    fs::remove_file(yard.0.at("etc/good.conf")).unwrap();
    yard.sync("evil").exit(1);
    assert!(yard.see("home/good/vol") == before);
}

#[test]
fn a_users_group_of_a_file_is_kept() {
    let yard = Yard::new();
    yard.sh("chgrp 4714 home/good/.openclaw/.env && chmod 0640 home/good/.openclaw/.env");
    yard.sync("good").exit(0);
    let meta = fs::metadata(yard.0.at("home/good/.openclaw/.env")).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o777), (GOOD, 4714, 0o640));
    assert!(yard.0.read("home/good/.openclaw/.env").contains("access-good"));
}

#[test]
fn sixteen_runs_at_once_serve_both_users() {
    let yard = Yard::new();
    let runs: Vec<_> = (0..16)
        .map(|_| {
            let mut command = yard.0.command(&CAPABILITIES, &["sync", "--force"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        // Done, or left to the run that holds the link's lock.
        assert!(matches!(run.wait().unwrap().code(), Some(0 | 75)));
    }
    yard.sync("evil").exit(0);
    yard.sync("good").exit(0);
    for name in ["evil", "good"] {
        let env = yard.0.read(&format!("home/{name}/.openclaw/.env"));
        assert_eq!(env, format!("ANTHROPIC_OAUTH_TOKEN={}\n", bed::access(name)));
        let store = format!("home/{name}/.openclaw/agents/main/agent/auth-profiles.json");
        let store: serde_json::Value = serde_json::from_str(&yard.0.read(&store)).unwrap();
        let token = &store["profiles"]["anthropic:default"]["token"];
        assert_eq!(token, bed::access(name).as_str());
    }
    yard.evil_got_nothing();
}

/// Swaps what is at `path` with what is at `path.other` until told to stop.
fn swap(path: &Path, stop: &AtomicBool) -> u64 {
    let (other, aside) = (path.with_extension("other"), path.with_extension("aside"));
    let mut swaps = 0;
    while !stop.load(Ordering::Relaxed) {
        let _ = fs::rename(path, &aside);
        let _ = fs::rename(&other, path);
        let _ = fs::rename(&aside, &other);
        swaps += 1;
    }
    swaps
}

/// Swaps what is at `path` for a link to `aim` while a watch and many syncs run, `RACE_SYNCS` of them: nothing of
/// others is read or written.
#[track_caller]
fn race(path: &str, aim: &str) {
    let yard = Yard::new();
    let syncs = std::env::var("RACE_SYNCS").map_or(50, |syncs| syncs.parse().unwrap());
    // The way is open to everybody, so that only the rights of the files themselves are left.
    yard.sh("mkdir -p home/evil/.openclaw/credentials && chown 4712:4712 home/evil/.openclaw/credentials && chmod 0755 . root home/good home/good/.claude home/good/.openclaw");
    let place = yard.0.at("home/evil").join(path);
    let other = place.with_extension("other");
    symlink(aim, &other).unwrap();
    lchown(&other, Some(EVIL), Some(EVIL)).unwrap();
    let before = (yard.see("root"), yard.see("home/good"));
    let stop = AtomicBool::new(false);
    let swaps = thread::scope(|scope| {
        let racer = scope.spawn(|| swap(&place, &stop));
        let watch = yard.0.watch_as(&CAPABILITIES, &["--link", "evil"]);
        watch.heard("READY=1");
        for round in 0..syncs {
            let name = format!("evil{round}");
            yard.0.write("home/evil/.fresh", yard.0.login_text(&name, 9));
            lchown(yard.0.at("home/evil/.fresh"), Some(EVIL), Some(EVIL)).unwrap();
            let source = yard.0.at("home/evil/.claude");
            // Only ever into a directory of the user's own; root's hand must not do the harm itself.
            if !path.starts_with(".claude") {
                fs::rename(yard.0.at("home/evil/.fresh"), source.join(".credentials.json"))
                    .unwrap();
            }
            let ran = yard.sync("evil");
            assert!(matches!(ran.status.code(), Some(0 | 1 | 3 | 75)), "{path}: {ran:?}");
        }
        stop.store(true, Ordering::Relaxed);
        racer.join().unwrap()
    });
    assert!((yard.see("root"), yard.see("home/good")) == before, "{path}: something was written");
    yard.evil_got_nothing();
    println!("{path}: {syncs} syncs and a watch against {swaps} swaps");
}

#[test]
fn swapping_the_source_wins_nothing() {
    race(".claude", "../good/.claude");
    race(".claude", "../../root");
    race(".claude/.credentials.json", "../../../root/.credentials.json");
}

#[test]
fn swapping_the_state_directory_wins_nothing() {
    race(".openclaw", "../good/.openclaw");
    race(".openclaw", "../../root");
    race(".openclaw", "/proc/self/cwd/root");
}

#[test]
fn swapping_directories_in_the_state_directory_wins_nothing() {
    race(".openclaw/agents", "../../good/.openclaw/agents");
    race(".openclaw/agents/main/agent", "../../../../../root");
    race(".openclaw/credentials", "../../good/.openclaw");
}

#[test]
fn swapping_files_in_the_state_directory_wins_nothing() {
    race(".openclaw/.env", "../../../root/.env");
    race(".openclaw/REAUTH_NEEDED", "../../../root/.env");
    race(".openclaw/openclaw.json", "../../../root/.credentials.json");
}

#[test]
fn swapping_stores_wins_nothing() {
    let agent = ".openclaw/agents/main/agent/auth-profiles.json";
    race(agent, "../../../../../../root/auth-profiles.json");
    race(".openclaw/credentials/oauth.json", "../../../../root/.credentials.json");
}
