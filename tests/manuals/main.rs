//! The manual pages and the README say what the program has, all of it and nothing else.
#![expect(clippy::disallowed_methods, reason = "a test reads the pages itself")]

#[expect(dead_code, reason = "the scenarios use the rest of it")]
#[path = "../scenarios/bed.rs"]
mod bed;
mod commands;
mod documents;
mod events;
mod keys;
mod messages;
mod page;
mod typed;
mod words;

/// The folder of the sources.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the sources.
fn text_of(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
