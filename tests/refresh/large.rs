//! A credentials file of 8 MiB, the most that is read unless told otherwise: it grows with MCP logins.

use std::fs;

use crate::rig::{Ran, Rig};

/// The most that a renewal over such a file may take, in bytes: seven copies of it.
const MOST: u64 = 56 << 20;

/// A due login in a file of nearly 8 MiB.
fn rig() -> Rig {
    let rig = Rig::new(5);
    let text = fs::read_to_string(rig.source()).unwrap();
    let one = |number: usize| {
        let (long, longer) = ("s".repeat(60), "a".repeat(180));
        format!(
            r#""claude.ai Mail|{number}":{{"serverName":"Mail","serverUrl":"https://mcp.invalid/{number}/{long}","accessToken":"{longer}","expiresAt":{number},"scope":""}},"#
        )
    };
    let more: String = (0..)
        .map(one)
        .scan(text.len(), |size, one| {
            *size += one.len();
            (*size < (8 << 20) - 1024).then_some(one)
        })
        .collect();
    let text = text.replacen(r#""mcpOAuth":{"#, &format!(r#""mcpOAuth":{{{more}"#), 1);
    assert!(text.len() > 8_380_000, "{}", text.len());
    fs::write(rig.source(), text).unwrap();
    rig
}

/// Renews with so much memory: heap, stacks and whatever else is a process's own (getrlimit(2)).
fn within(rig: &Rig, bytes: u64) -> Ran {
    let limit = format!("--data={bytes}");
    rig.ran(rig.command(&["prlimit", &limit], &["refresh"]).output().unwrap())
}

#[test]
fn a_renewal_over_8_mib_takes_seven_copies_of_it_at_most() {
    let rig = rig();
    let before = fs::read_to_string(rig.source()).unwrap();
    let ran = within(&rig, MOST);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(rig.holds_last_grant());
    // Everything beside the login is as it was.
    let rest = |text: &str| text[text.find("mcpOAuth").unwrap()..].to_owned();
    assert!(rest(&before) == rest(&fs::read_to_string(rig.source()).unwrap()));
}

#[test]
fn a_limit_below_the_file_itself_is_felt() {
    let rig = self::rig();
    let ran = within(&rig, 8 << 20);
    assert_ne!(ran.code, Some(0), "{}", ran.said);
    assert!(!rig.holds_last_grant());
}
