//! A recreate can be put off, but never until the old token has ended.

use std::process::Command;
use std::time::Duration;

use crate::bed::Bed;
use crate::token;

/// A link that lives on a token of ours, which ends after `old`.
fn living_on(old: Duration, more: &str) -> Bed {
    let mut bed = Bed::up();
    bed.living(old);
    bed.rotate(&token("first"));
    assert_eq!(bed.run(&["sync"]).code, Some(0));
    bed.living(Duration::from_secs(8 * 3600));
    bed.configure(more);
    bed.rotate(&token("new"));
    bed
}

/// Quiet hours with now in their midst, so that no test runs as they end.
fn quiet_hours() -> String {
    let told = Command::new("date").arg("+%H").output().expect("it is there").stdout;
    let hour: u32 = String::from_utf8_lossy(&told).trim().parse().expect("it is a number");
    format!("RECREATE_QUIET_HOURS=\"{:02}:00-{:02}:00\"", (hour + 18) % 24, (hour + 6) % 24)
}

#[test]
fn a_busy_gateway_is_left_alone_until_it_is_idle() {
    let bed = living_on(Duration::from_secs(3600), "RECREATE_IDLE_COMMAND=\"/bin/false\"");
    let before = bed.gateway();
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(ran.stderr.contains("the gateway is busy"), "{ran:?}");
    assert_eq!(bed.gateway(), before);
    assert!(bed.run(&["status"]).stderr.contains("the gateway is busy"));
    bed.configure("RECREATE_IDLE_COMMAND=\"/bin/true\"");
    bed.hurry();
    assert_eq!(bed.run(&["gateway"]).code, Some(0));
    bed.uses(&token("new"));
}

#[test]
fn quiet_hours_are_kept() {
    let bed = living_on(Duration::from_secs(3600), &quiet_hours());
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(ran.stderr.contains("it is quiet hours until"), "{ran:?}");
    bed.uses(&token("first"));
    let check = bed.run(&["check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    let late = "the gateway does not use the new token yet: it is quiet hours until";
    assert!(check.stderr.contains(late), "{check:?}");
}

#[test]
fn neither_holds_in_the_last_ten_minutes_of_the_old_token() {
    let both = format!("RECREATE_IDLE_COMMAND=\"/bin/false\"\n{}", quiet_hours());
    let bed = living_on(Duration::from_secs(590), &both);
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
}
