//! A user's own file system that never answers costs that user's link alone.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::lab::{ALICE, BOB, Lab, ran, wait_until};

/// Longer than anything here takes on a slow machine; the doctor gives each link a minute and a half.
const LIMIT: Duration = Duration::from_secs(180);

/// A mounted `hangfs`; taken away when dropped.
pub(crate) struct Hangs {
    server: Child,
    at: PathBuf,
}

impl Hangs {
    /// Mounts it as Alice.
    pub(crate) fn over(at: PathBuf) -> Self {
        Self::start(at, &[])
    }

    /// The same over a file, which is shown as it is until it was opened so often.
    fn after(opens: u32, at: PathBuf, kept: &Path) -> Self {
        fs::copy(&at, kept).unwrap();
        Self::start(at, &[kept.to_str().unwrap(), &opens.to_string()])
    }

    fn start(at: PathBuf, shown: &[&str]) -> Self {
        let mut server = Command::new(program())
            .arg(&at)
            .arg(ALICE.to_string())
            .args(shown)
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

/// Starts a run over all links and waits for its end.
fn ends_well_within_the_limit(lab: &Lab, arguments: &[&str]) -> (Option<i32>, String) {
    let mut run =
        lab.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_over = wait_until(LIMIT, || run.try_wait().unwrap().is_some());
    if !is_over {
        let _ = run.kill();
    }
    assert!(is_over, "{arguments:?} waits for what hangs");
    let ran = ran(run.wait_with_output().unwrap());
    (ran.code, ran.stdout + &ran.stderr)
}

/// A Claude CLI that renews at once.
const CLAUDE: &str = r#"#!/bin/sh
umask 077
cd "${CLAUDE_CONFIG_DIR:-$HOME/.claude}" || exit 1
until=$(( ($(date +%s) + 28800) * 1000 ))
printf '{"claudeAiOauth":{"accessToken":"sk-ant-oat01-test-renewed","refreshToken":"sk-ant-ort01-test-renewed","expiresAt":%s,"scopes":["user:inference"]}}' "$until" >.new
mv .new .credentials.json
"#;

/// Two logins that are due.
fn both_due() -> Lab {
    let lab = two_links();
    fs::write(lab.at("claude"), CLAUDE).unwrap();
    lab.sh("chmod 755 claude");
    for (uid, user) in [(ALICE, "a"), (BOB, "b")] {
        lab.login(uid, &format!("home/{user}/.claude"), &format!("{user}0"), 60);
        let claude = lab.at("claude");
        lab.link(user, &format!("SINKS=\"env\"\nREFRESH=\"cli\"\nCLAUDE_CLI_PATH=\"{}\"\nGATEWAY=\"none\"\nOPENCLAW_VERSION=\"2026.2.25\"\n", claude.display()));
    }
    lab
}

#[test]
fn a_run_over_all_links_renews_those_that_answer() {
    for place in [".", ".claude/.credentials.json", ".openclaw", "elsewhere"] {
        let lab = both_due();
        lab.as_user(ALICE, "mkdir home/a/elsewhere");
        if place == "elsewhere" {
            lab.as_user(ALICE, "cd home/a && rm -r .claude && ln -s elsewhere/inner .claude");
        }
        let hangs = Hangs::over(lab.at("home/a").join(place));
        let (code, said) = ends_well_within_the_limit(&lab, &["refresh", "--unattended"]);
        assert!(
            lab.read("home/b/.claude/.credentials.json").contains("renewed"),
            "{place}: {said}"
        );
        assert!(lab.read("home/b/.openclaw/.env").contains("renewed"), "{place}: {said}");
        assert_eq!(code, Some(1), "{place}: {said}");
        assert!(said.contains("a: ") && said.contains("has not answered"), "{place}: {said}");
        drop(hangs);
    }
}

#[test]
fn a_file_system_that_answers_is_served_like_any_other() {
    let lab = both_due();
    // A loop device may stand for a file that does not answer.
    lab.sh("truncate -s 8M image && mkfs.ext4 -q image && mv home/a/.claude/.credentials.json .");
    lab.sh("mount -o loop image home/a/.claude && chown 61421:61421 home/a/.claude");
    lab.sh("mv .credentials.json home/a/.claude/");
    let (code, said) = ends_well_within_the_limit(&lab, &["refresh"]);
    let status = ends_well_within_the_limit(&lab, &["check"]);
    let renewed = lab.read("home/a/.openclaw/.env");
    lab.sh("umount -l home/a/.claude");
    assert_eq!(code, Some(0), "{said}");
    assert!(renewed.contains("renewed"), "{said}");
    assert_eq!(status.0, Some(0), "{}", status.1);
}

#[test]
fn every_command_shows_or_serves_the_links_that_answer() {
    for place in [".claude", ".openclaw/openclaw.json"] {
        let lab = two_links();
        let hangs = Hangs::over(lab.at("home/a").join(place));
        let (code, said) = ends_well_within_the_limit(&lab, &["sync"]);
        assert!(lab.read("home/b/.openclaw/.env").contains("accessB0"), "{place}: {said}");
        assert_eq!(code, Some(1), "{place}: {said}");
        let shown = ["sync --dry-run", "refresh --dry-run", "status --json", "check", "doctor"];
        for (line, code) in shown.into_iter().zip([1, 1, 0, 2, 1]) {
            let words: Vec<&str> = line.split(' ').collect();
            let (ended, said) = ends_well_within_the_limit(&lab, &words);
            assert_eq!(ended, Some(code), "{place}: {line}: {said}");
            let names_it = said.contains("has not answered");
            assert!(names_it, "{place}: {line}: {said}");
            assert!(line != "doctor" || said.contains("files-silent"), "{place}: {said}");
        }
        let (_, said) = ends_well_within_the_limit(&lab, &["metrics"]);
        for sample in ["oauth_sync_status{link=\"a\"} 2", "oauth_sync_status{link=\"b\"} 0"] {
            assert!(said.contains(sample), "{place}: {said}");
        }
        drop(hangs);
    }
}

#[test]
fn the_gateway_of_another_user_takes_the_token_while_one_hangs() {
    let lab = two_links();
    for user in ["a", "b"] {
        let done = lab.at("home").join(user).join("done");
        lab.link(user, &format!("SINKS=\"env\"\nREFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"command\"\nGATEWAY_COMMAND=\"touch {}\"\nOPENCLAW_VERSION=\"2026.2.25\"\n", done.display()));
    }
    let ran = lab.confined(&["sync", "--delegate"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let hangs = Hangs::over(lab.at("home/a/.openclaw"));
    let (_, said) = ends_well_within_the_limit(&lab, &["gateway"]);
    assert!(lab.at("home/b/done").exists(), "{said}");
    assert!(!lab.at("home/a/done").exists(), "{said}");
    assert!(said.contains("has not answered"), "{said}");
    drop(hangs);
}

/// Says whether a file of these lines holds all of these texts.
fn shows(said: &str, texts: &[&str]) -> bool {
    texts.iter().all(|text| said.contains(text))
}

#[test]
fn a_file_that_answers_first_and_then_hangs_is_named_and_the_others_are_shown() {
    for (line, of_b, most) in [
        ("status", "home/b/.claude/.credentials.json", 3),
        ("status --json", "\"name\": \"b\"", 3),
        ("check", "b: ", 3),
        ("check --link a", "", 3),
        ("metrics", "oauth_sync_status{link=\"b\"} ", 3),
        ("doctor", "", 1),
    ] {
        // However often it answers before.
        for opens in 0..=most {
            let lab = two_links();
            let file = lab.at("home/a/.claude/.credentials.json");
            let hangs = Hangs::after(opens, file.clone(), &lab.at("kept"));
            let words: Vec<&str> = line.split(' ').collect();
            let (_, said) = ends_well_within_the_limit(&lab, &words);
            let has_answered = opens > 0 && !said.contains("has not answered");
            let names_it = shows(&said, &["has not answered", file.to_str().unwrap()]);
            let is_metric = shows(&said, &["oauth_sync_status{link=\"a\"} 2"]);
            assert!(has_answered || names_it || is_metric, "{line} {opens}: {said}");
            assert!(said.contains(of_b), "{line} {opens}: {said}");
            drop(hangs);
        }
    }
}

/// A run over all links whose output a pipe takes.
fn piped(lab: &Lab, line: &str) -> String {
    let run = lab.command(&line.split(' ').collect::<Vec<_>>());
    let words: Vec<_> = run.get_args().map(|word| word.to_str().unwrap()).collect();
    let program = run.get_program().to_str().unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", "\"$@\" 2>&1 | cat", "sh", program])
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let is_over = wait_until(LIMIT, || shell.try_wait().unwrap().is_some());
    if !is_over {
        let _ = shell.kill();
    }
    assert!(is_over, "{line}: the pipe stays open");
    ran(shell.wait_with_output().unwrap()).stdout
}

#[test]
fn a_process_that_hangs_keeps_no_pipe_open_and_is_told_to_monitors() {
    for opens in 0..3 {
        let lab = two_links();
        assert_eq!(lab.confined(&["sync"]).code, Some(0));
        lab.login(ALICE, "home/a/.claude", "A1", 21000).login(BOB, "home/b/.claude", "B1", 21000);
        let file = lab.at("home/a/.claude/.credentials.json");
        let hangs = Hangs::after(opens, file, &lab.at("kept"));
        let said = piped(&lab, "sync --delegate");
        assert!(lab.read("home/b/.openclaw/.env").contains("accessB1"), "{opens}: {said}");
        let published = lab.read("run/health.json");
        let is_told = published.contains("it cannot be read");
        assert_eq!(said.contains("a: the file system"), is_told, "{opens}: {said}\n{published}");
        assert!(is_told || opens > 0, "{opens}: {said}\n{published}");
        let said = piped(&lab, "status");
        assert!(said.contains("home/b/.claude"), "{opens}: {said}");
        drop(hangs);
    }
}

/// What is published of a link.
fn published(lab: &Lab, link: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&lab.read("run/health.json")).unwrap();
    let links = all["links"].as_array().unwrap().clone();
    links.into_iter().find(|entry| entry["name"] == link).unwrap()
}

/// Does this for each number of opens that are answered before the file hangs, all at once.
fn beside<T: Send>(opens: std::ops::Range<u32>, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let all = opens.map(|opens| scope.spawn(move || work(opens))).collect::<Vec<_>>();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn a_link_that_hangs_in_the_midst_of_a_sync_ends_with_its_failure_within_a_minute() {
    for words in [&["sync"][..], &["sync", "--link", "a"]] {
        let have_hung_later = beside(1..6, |opens| {
            let lab = two_links();
            assert_eq!(lab.confined(&["sync"]).code, Some(0));
            lab.login(ALICE, "home/a/.claude", "A1", 21000);
            lab.login(BOB, "home/b/.claude", "B1", 21000);
            let file = lab.at("home/a/.claude/.credentials.json");
            let hangs = Hangs::after(opens, file, &lab.at("kept"));
            let (code, said) = ends_well_within_the_limit(&lab, words);
            let of_b = lab.read("home/b/.openclaw/.env");
            assert!(words.len() > 1 || of_b.contains("accessB1"), "{opens}: {said}");
            if said.contains("has not answered for") {
                assert_eq!(code, Some(1), "{words:?} {opens}: {said}");
                assert!(said.contains("a: the file system of its files"), "{opens}: {said}");
                let entry = published(&lab, "a").to_string();
                assert!(entry.contains("it cannot be read"), "{words:?} {opens}: {entry}");
            }
            drop(hangs);
            said.contains("has not answered for 60 s")
        });
        assert!(have_hung_later.contains(&true), "{words:?}");
    }
}

#[test]
fn what_stops_answering_during_a_renewal_or_the_gateways_run_is_told_to_monitors() {
    let lab = both_due();
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    assert!(!published(&lab, "a").to_string().contains("it cannot be read"));
    for line in ["refresh", "refresh --unattended", "refresh --link a"] {
        fs::remove_file(lab.at("run/health.json")).unwrap();
        let hangs = Hangs::over(lab.at("home/a/.claude"));
        let words: Vec<&str> = line.split(' ').collect();
        let (_, said) = ends_well_within_the_limit(&lab, &words);
        let entry = published(&lab, "a").to_string();
        assert!(entry.contains("it cannot be read"), "{line}: {entry}: {said}");
        drop(hangs);
    }
    lab.link("a", "SINKS=\"env\"\nREFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"command\"\nGATEWAY_COMMAND=\"true\"\nOPENCLAW_VERSION=\"2026.2.25\"\n");
    lab.login(ALICE, "home/a/.claude", "A1", 21000);
    let ran = lab.confined(&["sync", "--delegate"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    fs::remove_file(lab.at("run/health.json")).unwrap();
    let hangs = Hangs::over(lab.at("home/a/.openclaw"));
    let (_, said) = ends_well_within_the_limit(&lab, &["gateway"]);
    let entry = published(&lab, "a").to_string();
    assert!(entry.contains("it cannot be read"), "{entry}: {said}");
    drop(hangs);
}

#[test]
fn the_doctor_fixes_what_answers_and_waits_for_nothing_else() {
    let lab = two_links();
    lab.sh("truncate -s 8M image && mkfs.ext4 -q image && mount -o loop image home/a/.openclaw");
    lab.sh("cd home/a/.openclaw && rmdir lost+found && chown 61421:61421 .");
    lab.as_user(
        ALICE,
        "cd home/a/.openclaw; echo X=1 >.env; echo {} >openclaw.json; chmod 644 .env; chmod 755 .",
    );
    let ran = lab.confined(&["sync"]);
    let mode =
        || fs::metadata(lab.at("home/a/.openclaw/.env")).unwrap().permissions().mode() & 0o777;
    let before = (ran.code, mode());
    let fixed = ["doctor --fix", "doctor --fix --link a"].map(|line| {
        lab.sh("chmod 644 home/a/.openclaw/.env");
        let words: Vec<&str> = line.split(' ').collect();
        (ends_well_within_the_limit(&lab, &words), mode())
    });
    lab.sh("umount -l home/a/.openclaw");
    assert_eq!(before, (Some(0), 0o644), "{}", ran.stderr);
    for ((_, said), mode) in fixed {
        assert_eq!(mode & 0o004, 0, "{said}");
    }
    for words in [&["doctor", "--fix"][..], &["doctor", "--fix", "--link", "a"]] {
        beside(0..5, |opens| {
            let lab = two_links();
            assert_eq!(lab.confined(&["sync"]).code, Some(0));
            lab.sh("chmod 644 home/a/.openclaw/.env home/b/.openclaw/.env");
            lab.sh("chmod 755 home/a/.openclaw home/b/.openclaw");
            let file = lab.at("home/a/.claude/.credentials.json");
            let hangs = Hangs::after(opens, file, &lab.at("kept"));
            let (code, said) = ends_well_within_the_limit(&lab, words);
            let has_answered = opens > 0 && !said.contains("has not answered");
            assert!(has_answered || code == Some(1), "{words:?} {opens}: {code:?} {said}");
            let of_b = fs::metadata(lab.at("home/b/.openclaw/.env")).unwrap().permissions().mode();
            assert!(words.len() > 2 || of_b & 0o004 == 0, "{opens}: {said}");
            drop(hangs);
        });
    }
}
