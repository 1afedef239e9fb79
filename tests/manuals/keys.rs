//! `oauth-sync.conf(5)` against the configuration keys.

use crate::page::{Block, items, section};

const PAGE: &str = "man/oauth-sync.conf.5";

fn described() -> Vec<Block> {
    let items = items(&section(PAGE, "DESCRIPTION"));
    items.into_iter().filter(|item| item.head.starts_with("Ev ")).collect()
}

#[test]
fn every_key_is_described_in_the_order_of_the_program() {
    let described = described();
    let said: Vec<&str> = described.iter().map(|item| item.words()[1]).collect();
    let keys: Vec<&str> = oauth_sync::configuration_keys().map(|(name, ..)| name).collect();
    assert_eq!(said, keys);
}

#[test]
fn every_key_is_described_with_its_meaning_and_default() {
    for (item, (name, default, about)) in described().iter().zip(oauth_sync::configuration_keys()) {
        let text = item.text();
        assert!(text.starts_with(about), "{name}: {text}");
        let said =
            text.split("Default: ").nth(1).map(|rest| rest.split(". ").next().unwrap_or(rest));
        let said = said.map(|said| said.trim_end_matches('.')).unwrap_or_default();
        assert_eq!(said, default, "the default of {name}");
    }
}
