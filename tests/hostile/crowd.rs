//! A user with far more agents than there are descriptors keeps nobody else waiting.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command};
use std::time::Duration;

use crate::lab::{ALICE, BOB, Lab, wait_until};

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(300);

/// How many agents Alice has.
const CROWD: usize = 10_000;

const STORE: &str = r#"{"version":1,"profiles":{"anthropic:default":{"type":"token","provider":"anthropic","token":"sk-ant-oat01-test-old","expires":1}}}"#;

struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        // Asked to end, it ends its children too.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// `watch` with as many descriptors as a system grants that was not asked for more.
fn watch(lab: &Lab) -> Watch {
    let command = lab.command(&["watch", "--delegate"]);
    let mut limited = Command::new("prlimit");
    limited.arg("--nofile=1024:1024").arg(command.get_program()).args(command.get_args());
    Watch(limited.stderr(File::create(lab.at("log")).unwrap()).spawn().unwrap())
}

fn store(number: usize) -> String {
    format!("home/a/.openclaw/agents/a{number:05}/agent/auth-profiles.json")
}

fn crowd(lab: &Lab) {
    for number in 0..CROWD {
        let path = lab.at(&store(number));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
        std::io::Write::write_all(&mut file, STORE.as_bytes()).unwrap();
    }
    lab.sh(&format!("chown -R {ALICE}:{ALICE} home/a/.openclaw"));
}

/// The end of what was said.
fn last_lines(lab: &Lab) -> String {
    let log = lab.read("log");
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[test]
fn ten_thousand_agents_need_few_descriptors_and_keep_nobody_waiting() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "A", 20000).login(BOB, "home/b/.claude", "B0", 20000);
    crowd(&lab);
    lab.as_user(BOB, "mkdir home/b/.openclaw; echo X=1 >home/b/.openclaw/.env");
    let common =
        "REFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"none\"\nOPENCLAW_VERSION=\"2026.2.25\"\n";
    // The main agent besides, which is made.
    let most = CROWD + 1;
    lab.link("a", &format!("SINKS=\"auth-profiles\"\nMAX_AGENTS=\"{most}\"\n{common}"));
    lab.link("b", &format!("SINKS=\"env\"\n{common}"));
    let _watch = watch(&lab);
    let has = |number: usize| lab.read(&store(number)).contains("accessA");
    let holds = |tag: &str| lab.read("home/b/.openclaw/.env").contains(&format!("access{tag}"));
    assert!(wait_until(LIMIT, || has(0) && holds("B0")), "{}", lab.read("log"));
    for round in 1..=3_u64 {
        let tag = format!("B{round}");
        lab.login(BOB, "home/b/.claude", &tag, 20000 + round * 100);
        assert!(wait_until(LIMIT, || holds(&tag)), "round {round}");
        assert!(!has(CROWD - 1), "the other link is served while this one is at work");
    }
    assert!(wait_until(LIMIT, || has(CROWD - 1)), "{}", last_lines(&lab));
    // What is known of so many goes back to the next process.
    lab.login(ALICE, "home/a/.claude", "B", 21000);
    let has_next = |number: usize| lab.read(&store(number)).contains("accessB");
    assert!(wait_until(LIMIT, || has_next(0) && has_next(CROWD - 1)), "{}", last_lines(&lab));
    for fault in ["Too many open files", "was ended", "cannot run"] {
        assert!(!lab.read("log").contains(fault), "{fault}");
    }
}

#[test]
fn a_directory_with_too_many_names_is_named_and_not_listed() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "A", 20000);
    lab.as_user(ALICE, "umask 077; mkdir home/a/.openclaw; echo X=1 >home/a/.openclaw/.env");
    lab.as_user(ALICE, "cd home/a/.openclaw; seq 20001 | sed 's/^/.env.copy/' | xargs touch");
    lab.link("a", "SINKS=\"env\"\nREFRESH=\"off\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"none\"\nOPENCLAW_VERSION=\"2026.2.25\"\n");
    let ran = lab.confined(&["sync"]);
    assert!(lab.read("home/a/.openclaw/.env").contains("accessA"), "{}", ran.stderr);
    let named = "it has more than 20000 names";
    let unsearched = format!("{named}: copies of the token in it are not looked for");
    assert!(ran.stderr.contains(&unsearched), "{}", ran.stderr);
    let again = lab.confined(&["sync"]);
    assert!(!again.stderr.contains(named), "said once more: {}", again.stderr);
    for (command, text) in [("status", unsearched.as_str()), ("doctor", named)] {
        let ran = lab.confined(&[command]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(text), "{command}: {said}");
    }
}
