//! Killed at every system call between lock and unlock, and how long the one dangerous moment is.

use std::collections::HashMap;
use std::fs;

use crate::endpoint::{Answer, TOKEN};
use crate::rig::Rig;

const STRACE: &str = "/usr/bin/strace";

/// A system call of a run, and which one of its name it is in its thread.
#[derive(Clone, Debug)]
struct Call {
    thread: String,
    name: String,
    ordinal: usize,
    text: String,
}

/// Runs `refresh` on a fresh rig under strace and lists its system calls in order.
fn trace(answer: Option<Answer>) -> Vec<Call> {
    let rig = Rig::new(80);
    if let Some(answer) = answer {
        rig.endpoint.once(TOKEN, answer);
    }
    let log = rig.at("trace");
    let before = [STRACE, "-f", "-y", "-o", log.to_str().unwrap()];
    let ran = rig.ran(rig.command(&before, &["refresh"]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let text = fs::read_to_string(log).unwrap();
    let calls = text.lines().filter_map(|line| {
        let (thread, text) = line.split_once(' ')?;
        let text = text.trim_start();
        let name = text.split_once('(')?.0;
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let count = counts.entry((thread.to_owned(), name.to_owned())).or_default();
        *count += 1;
        let (thread, name, text) = (thread.to_owned(), name.to_owned(), text.to_owned());
        Some(Call { thread, name, ordinal: *count, text })
    });
    calls.collect()
}

fn position(calls: &[Call], name: &str, words: &str) -> Option<usize> {
    calls.iter().position(|call| call.name == name && call.text.contains(words))
}

fn last(calls: &[Call], name: &str, words: &str) -> Option<usize> {
    calls.iter().rposition(|call| call.name == name && call.text.contains(words))
}

/// How a kill ended.
enum End {
    /// The next run had the login.
    Survived,
    /// The login is gone: it was the one moment.
    Lost,
    /// The call was not met, and the run ended by itself.
    Spared,
}

/// Kills a refresh at a system call and looks at what the next one makes of it.
fn kill_at(name: &str, ordinal: usize, dangerous: bool) -> End {
    let rig = Rig::new(80);
    let inject = format!("inject={name}:signal=KILL:when={ordinal}");
    let log = rig.at("trace");
    let trace = format!("trace={name}");
    let before = [STRACE, "-f", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
    let killed = rig.ran(rig.command(&before, &["refresh"]).output().unwrap()).code.is_none();
    let point = format!("{name} {ordinal}");
    // The endpoint may still be working on the request.
    rig.endpoint.settle();
    let grants = rig.endpoint.grants();
    let spent = !grants.is_empty();
    if !spent {
        assert_eq!(rig.refresh_token(), rig.login.refresh_token, "{point}");
    }
    let mut ran = rig.refresh(&[]);
    if ran.said.contains("a Claude CLI is at work") {
        // Killed between the making of a lock and its mark: then it takes until it is stale.
        rig.let_time_pass();
        ran = rig.refresh(&["--force"]);
    }
    if dangerous && ran.code == Some(3) {
        assert_eq!(rig.endpoint.refused(), 1, "{point}: {}", ran.said);
        return End::Lost;
    }
    assert_eq!(ran.code, Some(0), "{point}: {}", ran.said);
    assert_eq!(rig.endpoint.grants().len(), 1, "{point}: {}", ran.said);
    assert_eq!(rig.endpoint.refused(), 0, "{point}");
    assert!(rig.holds_last_grant(), "{point}: {}", ran.said);
    let left = crate::rig::names(&rig.at("home/.claude"));
    let ours = left.iter().filter(|name| !name.contains("claude.lock")).count();
    assert!(ours <= 3, "{point}: {left:?}");
    assert_eq!(rig.refresh(&["--force"]).code, Some(0), "{point}");
    assert!(rig.holds_last_grant() && rig.is_tidy(), "{point}: {left:?}");
    if killed { End::Survived } else { End::Spared }
}

/// What needs a program that not every host has.
mod with_tools {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;
    use std::time::Duration;

    use super::{Answer, End, kill_at, last, position, trace};

    #[test]
    fn killed_at_every_call_it_loses_nothing_but_in_the_one_moment_that_nobody_can_help() {
        let calls = trace(None);
        let locked = position(&calls, "mkdirat", ".oauth_refresh.lock").unwrap();
        let unlocked = last(&calls, "unlinkat", ".oauth_refresh.lock").unwrap();
        // From when the request is out until the answer is in; what is sent later is no request of this kind.
        let saved = position(&calls, "pwrite64", ".answer>").unwrap();
        let asked = last(&calls[..saved], "sendto", "").unwrap();
        // In how many pieces the server's words arrive differs from run to run, and with it the ordinals.
        let inside: BTreeSet<&str> =
            calls[asked..=saved].iter().map(|call| call.name.as_str()).collect();
        let mut points: BTreeMap<(String, usize), bool> = BTreeMap::new();
        for call in &calls[locked..=unlocked] {
            let dangerous = inside.contains(call.name.as_str());
            points.insert((call.name.clone(), call.ordinal), dangerous);
        }
        let points = Mutex::new(points.into_iter().collect::<Vec<_>>());
        let (lost, spared) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let count = points.lock().unwrap().len();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some(((name, ordinal), dangerous)) = { points.lock().unwrap().pop() }
                    {
                        match kill_at(&name, ordinal, dangerous) {
                            End::Survived => {}
                            End::Lost => lost.lock().unwrap().push((name, ordinal)),
                            End::Spared => spared.lock().unwrap().push((name, ordinal)),
                        }
                    }
                });
            }
        });
        let lost = lost.into_inner().unwrap();
        assert!(lost.len() <= 8, "the moment has grown: {lost:?}");
        // Threads and the heap differ a little from run to run.
        let spared = spared.into_inner().unwrap();
        assert!(spared.len() * 10 <= count, "of {count} calls too many were not met: {spared:?}");
    }

    #[test]
    fn the_answer_is_safe_within_four_calls_of_its_last_byte() {
        for answer in [None, Some(Answer::usual().drip(Duration::from_millis(2)))] {
            let calls = trace(answer);
            let made = position(&calls, "openat", ".answer\", O_WRONLY").expect("the room is made");
            let asked = calls[made..]
                .iter()
                .position(|call| call.name == "connect" && call.text.contains("AF_INET"));
            assert!(asked.is_some(), "the room is there before the request");
            let main = &calls[made].thread;
            let writes: Vec<usize> = (0..calls.len())
                .filter(|at| calls[*at].name == "pwrite64" && calls[*at].text.contains(".answer>"))
                .collect();
            let received: Vec<usize> = (0..calls.len())
                .filter(|at| calls[*at].name == "recvfrom" && !calls[*at].text.contains("= -1"))
                .collect();
            for write in &writes {
                let received = received.iter().rfind(|at| *at < write).unwrap();
                let between = &calls[received + 1..=*write];
                let count = between.iter().filter(|call| call.thread == *main).count();
                assert!(count <= 4, "{count} calls: {between:?}");
            }
            // Nothing opens, reads or parses before the last piece is written.
            let looked = made + position(&calls[made..], "openat", ".answer\", O_RDONLY").unwrap();
            assert!(looked > *writes.last().unwrap());
            let saved = position(&calls, "renameat", "\".credentials.json\"").unwrap();
            assert!(saved > looked);
        }
    }
}
