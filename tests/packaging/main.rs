//! What both packages carry: the two asset lists say the same, and nothing that should be packed is left out.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads the sources and asks cargo about them"
)]

mod assets;
mod completions;

/// The folder of the sources.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the sources.
fn text_of(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder of the sources, as `folder/name`, in order.
fn files_of(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    let mut files: Vec<String> =
        names.map(|name| format!("{folder}/{}", name.to_string_lossy())).collect();
    files.sort();
    files
}
