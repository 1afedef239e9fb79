//! What a person uses: the answers for monitors, the doctor, the screens, and the guided ways, the
//! last of them at a real terminal.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]
#![expect(dead_code, reason = "the bed serves the scenarios too")]

#[path = "../scenarios/bed.rs"]
mod bed;
#[path = "../support/endpoint.rs"]
mod endpoint;

mod check;
mod doctor;
mod etcd;
mod host;
mod keep;
mod login;
mod metrics;
mod setup;
mod status;
mod terminal;
mod token;
