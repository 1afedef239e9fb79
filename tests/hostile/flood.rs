//! What one user does without end neither fills queues and journal nor delays anybody else.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::lab::{ALICE, BOB, Lab, wait_until};

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Changes the login of Alice again and again, between signed in and signed out, and counts how often.
const FLIP: &str = r#"
cd home/a/.claude; umask 077; i=0
while :; do
  i=$((i+1))
  echo "{\"claudeAiOauth\":{\"accessToken\":\"sk-ant-oat01-test-flip$i\",\"refreshToken\":\"r$i\",\"expiresAt\":4102444800000}}" >t
  mv t .credentials.json
  echo '{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}' >t
  mv t .credentials.json
  echo $i >count.t; mv count.t count
  : >x; rm x; mkdir d; mv d e; rmdir e
done
"#;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn files(lab: &Lab, directory: &str) -> usize {
    std::fs::read_dir(lab.at(directory)).map_or(0, Iterator::count)
}

/// Two users whose tokens go into `.env`.
fn two_links(lab: &Lab) {
    lab.login(ALICE, "home/a/.claude", "A0", 20000).login(BOB, "home/b/.claude", "B0", 20000);
    for (uid, user) in [(ALICE, "a"), (BOB, "b")] {
        lab.as_user(
            uid,
            &format!("mkdir home/{user}/.openclaw; echo X=1 >home/{user}/.openclaw/.env"),
        );
        lab.link(user, "SINKS=\"env\"\nREFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"none\"\nOPENCLAW_VERSION=\"2026.2.25\"\n");
    }
}

#[test]
fn the_watcher_itself_reads_no_large_file_of_a_user() {
    let lab = Lab::new();
    two_links(&lab);
    let whole = "head -c 3000000 /dev/zero | tr '\\0' ' '; echo '{}'";
    let in_parts = "echo '{\"$include\": ['; for n in $(seq 90); do (head -c 20000 /dev/zero | tr '\\0' ' '; echo '{}') >$n.json; echo \"\\\"$n.json\\\",\"; done; echo '\"7.json\"]}'";
    for (large, size) in [(whole, 3_000_000), (in_parts, 1_800_000)] {
        lab.as_user(ALICE, &format!("cd home/a/.openclaw; ({large}) >openclaw.json"));
        let mut command = lab.command(&["watch", "--delegate"]);
        let watch = Running(command.stderr(Stdio::null()).spawn().unwrap());
        let has = |user: &str, tag: &str| {
            let env = format!("home/{user}/.openclaw/.env");
            wait_until(LIMIT, || lab.read(&env).contains(&format!("access{tag}")))
        };
        for number in 1..=3 {
            lab.login(ALICE, "home/a/.claude", &format!("A{size}{number}"), 21000 + size + number);
            assert!(has("a", &format!("A{size}{number}")), "the link with it is served");
        }
        // Of the process as a whole it counts what ended children read too.
        let pid = watch.0.id();
        let io = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/io")).unwrap();
        let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
        // It looks at least four times; of a configuration in parts it reads the first ones.
        assert!(read.parse::<u64>().unwrap() < 3 * size, "{read}");
    }
}

#[test]
fn a_user_who_changes_a_login_without_end_fills_no_queue_and_delays_nobody() {
    let lab = Lab::new();
    two_links(&lab);
    let log = std::fs::File::create(lab.at("log")).unwrap();
    let mut watch = lab.command(&["watch", "--delegate"]);
    let _watch = Running(watch.stderr(log).spawn().unwrap());
    let holds = |tag: &str| {
        wait_until(LIMIT, || lab.read("home/b/.openclaw/.env").contains(&format!("access{tag}")))
    };
    assert!(holds("B0"));
    let mut flip = lab.user_command(ALICE, FLIP);
    let _flip = Running(flip.stdout(Stdio::null()).spawn().unwrap());
    let flips = || lab.read("home/a/.claude/count").trim().parse::<u32>().unwrap_or(0);
    for round in 1..=5_u32 {
        assert!(wait_until(LIMIT, || flips() >= round * 100), "round {round}");
        let tag = format!("B{round}");
        lab.login(BOB, "home/b/.claude", &tag, 20000 + u64::from(round) * 100);
        assert!(holds(&tag), "round {round}");
    }
    let (flips, waiting) = (flips(), files(&lab, "run/notify.d"));
    assert!(waiting <= 10, "{waiting} events wait after {flips} changes");
    // A burst of each kind and then one now and then, not one for each change.
    let lines = lab.read("log").lines().count();
    assert!(lines < 150 && u32::try_from(lines).unwrap() < flips, "{lines} lines, {flips} changes");
}
