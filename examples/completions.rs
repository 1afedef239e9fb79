//! Writes the shells' completions into a folder: `cargo run --example completions -- FOLDER`.
//!
//! They are committed, so that a package can be built without this; a test compares them.

use std::io;

use clap_complete::{Shell, generate_to};

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "completions".into());
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        generate_to(shell, &mut oauth_sync::command(), "oauth-sync", &folder)?;
    }
    Ok(())
}
