//! Writes what the program consists of: `cargo run --example components -- third-party`, which is committed
//! and compared by a test, or `-- sbom TARGET`.

#![expect(
    clippy::disallowed_methods,
    reason = "it reads the sources of crates and asks cargo about them"
)]

use std::io::{self, Write};
use std::path::Path;

#[expect(dead_code, reason = "the tests of the packages use the rest of it")]
#[path = "../tests/support/components/mod.rs"]
mod components;

fn main() -> io::Result<()> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = match words[..] {
        ["third-party"] => components::notices::text(&components::all(sources)),
        ["sbom", target] => components::sbom::text_of(sources, target),
        _ => return Err(io::Error::other("third-party, or sbom TARGET")),
    };
    io::stdout().write_all(text.as_bytes())
}
