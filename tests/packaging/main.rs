//! What both packages carry: the two asset lists say the same, and nothing that should be packed is left out.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads the sources and asks cargo about them"
)]

mod assets;
#[path = "../support/completion.rs"]
mod completion;
mod completions;
#[path = "../support/components/mod.rs"]
mod components;
mod licences;
mod plain;
mod templates;
mod units;

/// The folder of the sources.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the sources.
fn text_of(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file below a folder of the sources, as `folder/name`, in order.
fn files_of(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut files = Vec::new();
    for entry in entries.map(|entry| entry.expect("it can be read")) {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.extend(files_of(&name));
        } else {
            files.push(name);
        }
    }
    files.sort();
    files
}
