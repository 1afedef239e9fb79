//! Whoever gets the program gets the licences of all that is in it.

use serde_json::{Value, json};

use crate::components::{Component, Resolved, TARGETS, all, holds_licence, notices, sbom};
use crate::{files_of, root, text_of};

/// Words by which the text of a licence is known.
const SIGNS: [(&str, &str); 9] = [
    ("Apache-2.0", "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"),
    ("Apache-2.0 WITH LLVM-exception", "LLVM Exceptions to the Apache 2.0 License"),
    ("BSD-2-Clause", "BSD-2-clause"),
    ("BSD-3-Clause", "Neither the name of the copyright holder nor the names of its"),
    ("ISC", "distribute this software for any purpose with or without fee"),
    ("MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("Unicode-3.0", "UNICODE LICENSE V3"),
    ("Unlicense", "This is free and unencumbered software released into the public domain."),
    ("Zlib", "This software is provided 'as-is', without any express or implied warranty."),
];

/// Whether one of the texts is that of a licence, however its lines are broken.
fn has(component: &Component, licence: &str) -> bool {
    let (_, sign) = SIGNS
        .iter()
        .find(|(name, _)| *name == licence)
        .unwrap_or_else(|| panic!("{}: its licence {licence} is not known here", component.name));
    let words = |text: &str| {
        text.split_whitespace().filter(|word| *word != "//").collect::<Vec<_>>().join(" ")
    };
    component.texts.iter().any(|(_, text)| words(text).contains(sign))
}

#[test]
fn each_component_has_the_text_of_its_licence() {
    let all = all(root());
    assert!(all.len() > 30, "only {} components", all.len());
    for component in &all {
        for choices in notices::parts(&component.licence) {
            let found = choices.iter().any(|licence| has(component, licence));
            assert!(found, "{}: no text of {choices:?}", notices::title(component));
        }
    }
}

#[test]
fn the_notices_are_of_what_the_program_consists_of() {
    let is_same = text_of("THIRD-PARTY") == notices::text(&all(root()));
    assert!(is_same, "THIRD-PARTY is out of date: run `make third-party`");
}

#[test]
fn both_packages_name_the_licence_of_the_whole() {
    let whole = notices::conjunction(env!("CARGO_PKG_LICENSE"), &all(root()));
    let rpm = format!("license = \"{whole}\"");
    let metadata = "rpm/metadata.toml";
    assert!(text_of(metadata).lines().any(|line| line == rpm), "{metadata}: {rpm}");
    let deb = text_of("debian/copyright").replace("\n ", " ");
    assert!(deb.contains(&format!(" as a whole is {whole}.")), "debian/copyright: {whole}");
}

#[test]
fn a_conjunction_holds_each_choice_once() {
    let component = |licence: &str| Component {
        name: "a".to_owned(),
        version: "1".to_owned(),
        licence: licence.to_owned(),
        texts: Vec::new(),
    };
    let all = ["MIT OR Apache-2.0", "Apache-2.0 OR MIT", "(MIT OR Apache-2.0) AND Zlib", "MIT"];
    assert_eq!(
        notices::conjunction("MIT", &all.map(component)),
        "(Apache-2.0 OR MIT) AND MIT AND Zlib"
    );
}

#[test]
fn licences_are_found_by_the_names_that_crates_give_them() {
    for file in ["LICENSE", "LICENSE-MIT", "MIT-LICENSE", "LICENSE.txt", "COPYING", "UNLICENSE"] {
        assert!(holds_licence(file), "{file}");
    }
    for file in ["license.rs", "README.md", "src", "notices.sh"] {
        assert!(!holds_licence(file), "{file}");
    }
}

#[test]
fn each_text_that_is_kept_here_is_in_the_notices() {
    let third_party = text_of("THIRD-PARTY");
    for file in files_of("licenses") {
        assert!(third_party.contains(text_of(&file).trim()), "{file}");
    }
}

#[test]
fn the_bill_of_materials_names_what_the_notices_name() {
    for target in TARGETS {
        let bill = sbom::text_of(root(), target);
        let bill: Value = serde_json::from_str(&bill).expect("it is JSON");
        assert_eq!(
            (&bill["bomFormat"], &bill["specVersion"]),
            (&json!("CycloneDX"), &json!("1.5"))
        );
        let listed = bill["components"].as_array().expect("a list");
        let title = |entry: &Value| {
            let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", word("name"), word("version"))
        };
        let crates = Resolved::of(root(), &[target]).crates();
        for component in &crates {
            let found = listed.iter().find(|entry| title(entry) == notices::title(component));
            let found = found.unwrap_or_else(|| panic!("{target}: {}", component.name));
            assert_eq!(found["licenses"][0]["expression"], component.licence.as_str());
            assert_eq!(found["hashes"][0]["content"].as_str().map(str::len), Some(64));
        }
        let has_musl = listed.iter().any(|entry| entry["name"] == "musl");
        assert_eq!(has_musl, target.ends_with("-musl"));
        assert_eq!(listed.len(), crates.len() + 2 + usize::from(has_musl), "{target}");
        let needs = bill["dependencies"].as_array().expect("a list");
        assert_eq!(needs.len(), crates.len() + 1, "{target}");
    }
}
