//! Two users of one host, one of them hostile, and root with nothing but the units' capabilities: nobody gains
//! a right, a file, a terminal, a signal or a delay for others.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

mod children;
mod crowd;
mod detection;
mod env_files;
mod flood;
mod hanging;
mod lab;
mod logins;
mod mounts;
mod older_kernels;
mod openclaw_config;
mod owners;
mod readable;
mod shown;

use lab::{ALICE, BOB, Lab};

mod compose;
mod configuration;
mod programs;
mod projects;
mod units;

#[test]
fn a_due_login_without_a_method_is_left_alone() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 600).login(BOB, "home/b/.claude", "2", 600);
    for user in ["a", "b"] {
        lab.link(user, "REFRESH=\"off\"\nSINKS=\"none\"\n");
    }
    assert_eq!(lab.confined(&["refresh"]).code, Some(0));
}
