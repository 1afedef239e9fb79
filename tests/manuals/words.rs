//! People read the field's words for a state, never the program's earlier ones.

use crate::{root, text_of};

/// What stood for a state in earlier versions.
const RETIRED: [&str; 7] =
    ["living", "in step", "half-written", "superseded", "undated", "no link yet", "put off"];

fn below(directory: &str) -> Vec<String> {
    let listed = std::fs::read_dir(root().join(directory)).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("{directory}/{name}")).collect()
}

#[test]
fn no_document_uses_a_retired_word_for_a_state() {
    let mut files = vec!["README.md".to_owned(), "debian/templates".to_owned()];
    files.extend(["man", "docs", "units", "completions"].iter().flat_map(|name| below(name)));
    let mut found = Vec::new();
    for file in files.iter().filter(|file| root().join(file).is_file()) {
        let text = text_of(file);
        for (at, line) in text.lines().enumerate() {
            let retired = RETIRED.iter().filter(|word| line.contains(**word));
            found.extend(retired.map(|word| format!("{file}:{}: {word}", at + 1)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
