//! Keeps a Claude login alive and carries its access token to `OpenClaw`.
//!
//! The layers are `cli → app → os → domain`; an arrow means "may import", never upwards.

mod app;
mod cli;
mod domain;
mod os;

/// Runs the program with its arguments and returns its exit status.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    cli::run(args)
}

/// Builds the command line's tree, for the shells' completions and the tests of the manual pages.
#[doc(hidden)]
pub fn command() -> clap::Command {
    <cli::args::Arguments as clap::CommandFactory>::command()
}
