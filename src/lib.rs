//! Keeps a Claude login alive and carries its access token to `OpenClaw`.
//!
//! The layers are `cli → app → os → domain`; an arrow means "may import", never upwards.

mod app;
mod cli;
mod domain;
mod os;

#[cfg(any(test, fuzzing))]
pub mod properties;

/// Runs the program with its arguments and returns its exit status.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    cli::run(args)
}

/// The command line as clap knows it, for the manual pages' test and the shells' completions.
#[doc(hidden)]
pub fn command() -> clap::Command {
    <cli::args::Arguments as clap::CommandFactory>::command()
}

/// Every configuration key's name, default (a value, words, or nothing) and meaning, for the manual
/// page's test and the sample configuration.
#[doc(hidden)]
pub fn configuration_keys() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    domain::config::keys::KEYS.iter().map(|key| (key.name, key.preset_text(), key.about))
}

/// The name and `MESSAGE_ID` of every message that a person may have to act on, for the test of the
/// journal's catalog and the manual page.
#[doc(hidden)]
pub fn messages() -> impl Iterator<Item = (&'static str, &'static str)> {
    domain::messages::MESSAGES.into_iter()
}
