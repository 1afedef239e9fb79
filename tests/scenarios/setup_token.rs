//! `login --setup-token`: a token through a pipe becomes the link's source, and nothing shows it.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::bed::{Bed, ENV, Ran, SOURCE};

const KEPT: &str = "lib/setup-tokens/default.json";
const DAY: i64 = 24;

fn token(letter: &str) -> String {
    format!("sk-ant-oat01-{}", letter.repeat(95))
}

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env");
    bed
}

/// Runs it with a text at its stdin.
fn fed<'a>(bed: &'a Bed, text: &str, args: &[&str]) -> Ran<'a> {
    let mut input: File = tempfile::tempfile().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    input.rewind().unwrap();
    let ran = bed.ran(bed.command(&[], args).stdin(input).output().unwrap());
    assert!(!format!("{ran:?}").contains(&"a".repeat(40)), "the token was shown");
    ran
}

#[test]
fn it_is_kept_of_its_own_and_passed_on() {
    let bed = bed();
    bed.login("A").run(["sync"]).exit(0);
    let whole = token("a");
    let (head, tail) = whole.split_at(70);
    let ran = fed(&bed, &format!("{head}\n{tail}\n"), &["login", "--setup-token"]).exit(0);
    assert!(ran.err.contains("inference alone") && ran.err.contains("estimate"), "{}", ran.err);
    assert!(ran.err.contains("set --link default CLAUDE_CREDENTIALS "), "{}", ran.err);
    assert!(bed.read(KEPT).contains(&whole) && bed.read(ENV).contains(&whole));
    let mode = |path| bed.at(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(KEPT), mode("lib/setup-tokens")), (0o600, 0o700));
    // The login from before stays as it is, and one that appears later is not used.
    assert_eq!(bed.read(SOURCE), bed.login_text("A", 8));
    bed.login_for("B", 9).run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains(&whole));
    let status = bed.run(["status"]).exit(0);
    assert!(status.out.contains("setup-tokens/default.json"), "{}", status.out);
    // Nothing else that is remembered holds it.
    let found =
        std::process::Command::new("grep").args(["-rl", &whole]).arg(bed.at("lib")).output();
    assert_eq!(
        String::from_utf8(found.unwrap().stdout).unwrap().trim(),
        bed.at(KEPT).to_str().unwrap()
    );
}

#[test]
fn a_signal_at_the_prompt_leaves_the_terminal_as_it_was() {
    let bed = bed();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let end = || File::options().read(true).write(true).open(&name).unwrap();
    let shows = || tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ECHO);
    let mut command = bed.command(&[], &["login", "--setup-token"]);
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while shows() {
        assert!(Instant::now() < deadline, "nothing is asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_ne!(child.wait().unwrap().code(), Some(0));
    assert!(shows());
    assert!(!bed.at(KEPT).exists());
}

#[test]
fn a_later_one_takes_its_place_and_refresh_leaves_both() {
    let bed = bed();
    fed(&bed, &token("a"), &["login", "--setup-token"]).exit(0);
    fed(&bed, &token("b"), &["login", "--setup-token"]).exit(0).says("stored the setup-token");
    assert!(bed.read(ENV).contains(&token("b")));
    bed.conf("REFRESH", "cli api");
    bed.run(["refresh", "--force"]).exit(0);
    assert!(bed.read(KEPT).contains(&token("b")));
    bed.run(["login"]).exit(2).says("login --setup-token --link default");
}

#[test]
fn what_is_none_changes_nothing() {
    let bed = bed();
    let conf = bed.read("etc/default.conf");
    for (text, why) in [
        ("", "nothing was handed in"),
        ("hello\n", "does not begin"),
        (&token("a")[..60], "too short"),
        (&token("a").replace("oat01", "ort01"), "refresh token"),
    ] {
        fed(&bed, text, &["login", "--setup-token"]).exit(2).says(why);
    }
    assert_eq!(bed.read("etc/default.conf"), conf);
    assert!(!bed.exists(KEPT));
}

#[test]
fn a_place_of_the_users_is_used_unless_something_else_stands_there() {
    let bed = bed();
    let place = |name: &str| bed.at(&format!("home/{name}")).to_str().unwrap().to_owned();
    bed.write("home/other.json", bed.login_text("A", 8));
    for (name, why) in
        [("other.json", "no setup-token"), (".claude/.credentials.json", "Claude CLI's own")]
    {
        let args = ["login", "--setup-token", "--store", &place(name)];
        fed(&bed, &token("a"), &args).exit(1).says(why);
    }
    fed(&bed, &token("a"), &["login", "--setup-token", "--store", "token.json"])
        .exit(1)
        .says("no absolute path");
    fed(&bed, &token("a"), &["login", "--setup-token", "--store", &place("mine.json")]).exit(0);
    assert!(bed.read("home/mine.json").contains(&token("a")) && !bed.exists(KEPT));
    fed(&bed, &token("b"), &["login", "--setup-token"]).exit(0);
    assert!(bed.read("home/mine.json").contains(&token("b")) && !bed.exists(KEPT));
}

#[test]
fn its_end_is_said_with_the_command() {
    let bed = bed();
    fed(&bed, &token("a"), &["login", "--setup-token"]).exit(0);
    assert!(bed.run(["check"]).out.contains("setup-token ends in 36"));
    let text = bed.read(KEPT);
    let year = text.split("\"expiresAt\":").nth(1).unwrap().split(',').next().unwrap();
    for (days, name) in [(29, "30-days"), (6, "7-days"), (0, "1-day")] {
        bed.write(KEPT, text.replace(year, &bed.hence(days * DAY + 12).to_string()));
        bed.run(["sync", "--force"]).exit(0);
        bed.run(["refresh"]).exit(0);
        let shown = bed.run(["status", "--json"]).exit(0);
        assert!(shown.out.contains(&format!("login-ends-in-{name}")), "{days}: {}", shown.out);
        let check = bed.run(["check"]).out;
        assert!(check.contains("hand in a new one with oauth-sync login --setup-token"), "{check}");
    }
    let doctor = bed.run(["doctor"]);
    assert!(doctor.out.contains("login --setup-token --link default"), "{}", doctor.out);
    bed.write(KEPT, text.replace(year, "1000"));
    bed.run(["sync"]).exit(3).says("login --setup-token --link default");
}
