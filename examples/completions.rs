//! Writes the shells' completions into a folder: `cargo run --example completions -- FOLDER`.
//!
//! They are committed, so that a package can be built without this; a test compares them.

#![expect(clippy::disallowed_methods, reason = "it writes files of the sources")]

use std::io;
use std::path::PathBuf;

#[path = "../tests/support/completion.rs"]
mod completion;

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "completions".into()));
    for (shell, file) in completion::FILES {
        let name = file.rsplit('/').next().unwrap_or(file);
        std::fs::write(folder.join(name), completion::script(shell))?;
    }
    Ok(())
}
