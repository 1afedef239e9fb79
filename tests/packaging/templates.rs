//! debconf's questions: `debian/templates`, which cargo-deb packs, is what po2debconf(1) makes of
//! the English text and its translations.

use crate::{files_of, text_of};

const ENGLISH: &str = "debian/openclaw-oauth-sync.templates";
const PACKED: &str = "debian/templates";

/// The languages that there are.
fn languages() -> Vec<String> {
    let files = files_of("debian/po").into_iter();
    files
        .filter_map(|file| Some(file.strip_prefix("debian/po/")?.strip_suffix(".po")?.to_owned()))
        .collect()
}

/// A field's text in a template: its first line, and those that belong to it.
fn field(template: &str, name: &str) -> String {
    let mut lines = template.lines().skip_while(|line| !line.starts_with(&format!("{name}:")));
    let first = lines.next().unwrap_or_default().replacen(name, "", 1);
    let rest = lines.take_while(|line| line.starts_with(' ')).map(str::trim_start);
    std::iter::once(first.as_str()).chain(rest).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_packed_questions_are_the_english_ones_and_every_translation() {
    let (english, packed) = (text_of(ENGLISH), text_of(PACKED));
    let templates: Vec<&str> = english.trim_end().split("\n\n").collect();
    assert_eq!(templates.len(), packed.trim_end().split("\n\n").count());
    assert_eq!(languages(), ["de", "fr"]);
    for (template, packed) in templates.iter().zip(packed.split("\n\n")) {
        let name = field(template, "Template");
        assert_eq!(name, field(packed, "Template"));
        let text = field(template, "_Description");
        assert_eq!(text, field(packed, "Description"), "{name}");
        for language in languages() {
            let paragraphs = |text: &str| text.matches(" . ").count();
            let translated = field(packed, &format!("Description-{language}.UTF-8"));
            assert!(translated.len() > 3, "{name} has no text in {language}");
            assert_eq!(paragraphs(&translated), paragraphs(&text), "{name} in {language}");
        }
    }
}

#[test]
fn every_text_is_translated() {
    for language in languages() {
        let text = text_of(&format!("debian/po/{language}.po"));
        assert!(!text.contains("#, fuzzy"), "{language}");
        for entry in text.trim_end().split("\n\n").skip(1) {
            assert!(!entry.trim_end().ends_with("msgstr \"\""), "{language}: {entry}");
        }
    }
}
