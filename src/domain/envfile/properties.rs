//! What holds for every `.env` text that can be made up.

use proptest::prelude::*;

use super::tests::{get, is_swapped, set};
use super::*;

/// How many of [`STATEMENTS`] assign the key.
const OURS: usize = 7;
const STATEMENTS: [&str; 18] = [
    "KEY=old",
    "  export KEY = \"old\"  # c",
    "KEY=",
    "KEY='a b'",
    "KEY=\"two\nlines\"",
    "KEY: x",
    "KEY= # c",
    "",
    "# KEY=it's",
    "A=1",
    "export B='x y'",
    "C=\"multi\nKEY=no\n\\\" line\"",
    "D=x#y",
    "stray \"text",
    "E: yaml",
    "F=",
    "KEYS=1",
    "a.b-c=\"x\"tail",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_other_statement_keeps_its_bytes(
        menu in prop::collection::vec(0..STATEMENTS.len(), 0..9),
        crlf: bool, unterminated: bool, token in "[A-Za-z0-9._~+/=-]{1,40}",
    ) {
        let newline = if crlf { "\r\n" } else { "\n" };
        let mut pieces: Vec<String> =
            menu.iter().map(|&at| STATEMENTS[at].replace('\n', newline) + newline).collect();
        if let (true, Some(last)) = (unterminated, pieces.last_mut()) {
            *last = last.trim_end().to_owned();
        }
        let text = pieces.concat();
        let ours = menu.iter().rposition(|&at| at < OURS).unwrap_or(pieces.len());
        let new = set(&text, "KEY", &Secret::new(&token)).unwrap().unwrap_or_else(|| text.clone());
        prop_assert!(new.starts_with(&pieces[..ours].concat()));
        prop_assert!(new.ends_with(&pieces.get(ours + 1..).unwrap_or_default().concat()));
        prop_assert!(!crlf || !text.contains('\n') || !new.replace("\r\n", "").contains('\n'));
        let swapped = is_swapped(&text, &new, &token);
        prop_assert!(!swapped || others_agree(&text, &new, "KEY"));
    }

    #[test]
    fn any_text_is_edited_once_or_left_alone(text in "([KEY=]{4}|[A\"'`\\\\ \t#\r\n:$x\u{feff}é]){0,40}") {
        let value = Secret::new("new");
        if let Ok(Some(new)) = set(&text, "KEY", &value) {
            prop_assert_eq!(get(&new, "KEY"), Some(value.clone()));
            prop_assert_eq!(set(&new, "KEY", &value), Ok(None));
            prop_assert!(!is_swapped(&text, &new, "new") || others_agree(&text, &new, "KEY"));
        }
    }
    #[test]
    fn every_byte_outside_our_line_stays(
        before in prop::collection::vec(prop::num::u8::ANY, 0..40),
        after in prop::collection::vec(prop::num::u8::ANY, 0..40),
    ) {
        let old = [&b"# "[..], &before, b"\nKEY=old\n# ", &after].concat();
        if let Ok(Some(new)) = super::set(&old, "KEY", &Secret::new("new")) {
            prop_assert_eq!(super::get(&new, "KEY"), Some(Secret::new("new")));
            if new.len() == old.len() {
                let changed = old.iter().zip(&new).filter(|(a, b)| a != b).count();
                prop_assert!(changed <= 3, "{old:?} {new:?}");
            }
        }
    }
}
