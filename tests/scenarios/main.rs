//! Scenarios: the real binary over scratch folders, and what a person would see of it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

mod agents;
mod bed;
mod cli;
mod command_proof;
mod config;
mod consent;
mod detect;
mod gateway;
mod layers;
mod models;
mod openclaw_config;
mod rivals;
mod setup_token;
mod sinks;
mod source;
mod status;
mod sync;
mod watch;
mod watched_config;
