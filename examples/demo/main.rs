//! `make demo`: the real program carries a renewed login into an OpenClaw, in a scratch folder, before
//! your eyes. Every claim is checked; one that does not hold ends the demonstration with status 1.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a driver is not the program: it plays the Claude CLI, starts the program and prints"
)]

mod carrying;
mod current;
#[path = "../../tests/support/endpoint.rs"]
#[expect(dead_code, reason = "the tests ask more of it")]
mod endpoint;
mod renewing;
mod scene;
mod sinks;
mod stage;

use std::process::ExitCode;

use rustix::fs::Mode;

fn main() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> std::io::Result<()> {
    let program = scene::program()?;
    // Root goes through no folder that others can write in.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    // Removed when this function ends, however it ends.
    let scratch = tempfile::Builder::new().prefix("oauth-sync-demo-").tempdir()?;
    let root = scratch.path().canonicalize()?;
    stage::opening(&root);
    carrying::play(&program, &root.join("february"))?;
    renewing::play(&program, &root.join("endpoint"))?;
    current::play(&program, &root.join("september"))?;
    scratch.close()?;
    stage::closing();
    Ok(())
}
