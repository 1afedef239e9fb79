//! The edits, on texts by hand and at random.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dialect, Malformed, Splice, read};

fn splice(text: &str) -> Splice {
    Splice::new(text, Dialect::Json5).expect("the text is well-formed")
}

fn set(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let mut splice = splice(text);
    splice.set(path, value).expect("nothing is in the way");
    splice.finish()
}

fn remove(text: &str, path: &[&str]) -> Option<String> {
    let mut splice = splice(text);
    splice.remove(path).expect("nothing is in the way");
    splice.finish()
}

fn prepend(text: &str, value: &str) -> Option<String> {
    let mut splice = splice(text);
    splice.prepend(&["order", "x"], &json!(value)).expect("nothing is in the way");
    splice.finish()
}

#[test]
fn a_replaced_value_leaves_every_other_byte_alone() {
    for (before, after) in [
        (
            r#"{"a":{"b":1.0e3,"t":"old"},"c":"\u00e9\/"}"#,
            r#"{"a":{"b":1.0e3,"t":"new"},"c":"\u00e9\/"}"#,
        ),
        (
            "\u{feff}{\r\n\t\"a\" : {\r\n\t\t\"t\":\"old\"\r\n\t}\r\n}",
            "\u{feff}{\r\n\t\"a\" : {\r\n\t\t\"t\":\"new\"\r\n\t}\r\n}",
        ),
        ("{a: {t: 'old', /* t */}, // end\n}", "{a: {t: \"new\", /* t */}, // end\n}"),
        (r#"{"a":{"t":1},"a":{"t":2,"t":"old"}}"#, r#"{"a":{"t":1},"a":{"t":2,"t":"new"}}"#),
    ] {
        assert_eq!(set(before, &["a", "t"], &json!("new")).as_deref(), Some(after), "{before}");
        assert_eq!(set(after, &["a", "t"], &json!("new")), None, "a second time: {after}");
    }
}

#[test]
fn a_number_worth_the_same_keeps_its_form() {
    for form in ["1700000000000", "1.7e12", "1700000000000.0", "+1700000000000", "0x18BCFE56800"] {
        let text = format!("{{expires: {form}}}");
        assert_eq!(set(&text, &["expires"], &json!(1_700_000_000_000_i64)), None, "{form}");
    }
    assert!(set("{e: 1700000000001}", &["e"], &json!(1_700_000_000_000_i64)).is_some());
}

#[test]
fn what_is_missing_comes_in_the_text_s_own_hand() {
    for (before, after) in [
        ("{}", "{\n  \"p\": {\n    \"t\": 1\n  }\n}"),
        ("{\n}\n", "{\n  \"p\": {\n    \"t\": 1\n  }\n}\n"),
        (r#"{"a":1}"#, r#"{"a":1,"p":{"t":1}}"#),
        (r#"{ "a": 1 }"#, r#"{ "a": 1, "p": {"t": 1} }"#),
        (
            "{\r\n\t\"a\": 1\r\n}\r\n",
            "{\r\n\t\"a\": 1,\r\n\t\"p\": {\r\n\t\t\"t\": 1\r\n\t}\r\n}\r\n",
        ),
        ("{\n    \"p\": {}\n}", "{\n    \"p\": {\n        \"t\": 1\n    }\n}"),
        ("{\n  \"p\": {\"s\": 2}\n}", "{\n  \"p\": {\"s\": 2, \"t\": 1}\n}"),
        ("{\n  \"p\": null\n}", "{\n  \"p\": {\n    \"t\": 1\n  }\n}"),
        ("{\n  a: 1 // one\n}", "{\n  a: 1, // one\n  \"p\": {\n    \"t\": 1\n  }\n}"),
        (
            "{\n  a: 1, // one, two\n  // end\n}",
            "{\n  a: 1, // one, two\n  \"p\": {\n    \"t\": 1\n  },\n  // end\n}",
        ),
        ("{ // all\n}", "{\n  \"p\": {\n    \"t\": 1\n  } // all\n}"),
    ] {
        assert_eq!(set(before, &["p", "t"], &json!(1)).as_deref(), Some(after), "{before}");
    }
}

#[test]
fn a_removed_member_takes_its_comma_and_its_line() {
    for (before, after) in [
        ("{\n  \"a\": 1,\n  \"x\": 2\n}", "{\n  \"a\": 1\n}"),
        ("{\r\n  \"x\": 2,\r\n  \"a\": 1\r\n}", "{\r\n  \"a\": 1\r\n}"),
        (r#"{"a":1,"x":2,"b":3}"#, r#"{"a":1,"b":3}"#),
        (r#"{ "a": 1, "x": 2 }"#, r#"{ "a": 1 }"#),
        (r#"{"x":2}"#, "{}"),
        (r#"{"x":1,"a":2,"x":3}"#, r#"{"a":2}"#),
        ("{\n  a: 1, // x: 2\n  x: 2, // two\n}", "{\n  a: 1, // x: 2\n   // two\n}"),
        ("{\n  a: 1, // one\n  x: 2\n}", "{\n  a: 1 // one\n}"),
        ("{\n  a: 1\n  , x: 2\n}", "{\n  a: 1\n  \n}"),
    ] {
        assert_eq!(remove(before, &["x"]).as_deref(), Some(after), "{before}");
        assert_eq!(remove(after, &["x"]), None, "{after}");
    }
}

#[test]
fn the_front_of_an_array_is_laid_out_as_the_rest() {
    for (before, after) in [
        (r#"{"order":{"x":["a","b"]}}"#, r#"{"order":{"x":["n","a","b"]}}"#),
        ("{\n  order: { x: [ 'a' ] }\n}", "{\n  order: { x: [ \"n\", 'a' ] }\n}"),
        (
            "{\n  \"order\": {\n    \"x\": [\n      \"a\"\n    ]\n  }\n}",
            "{\n  \"order\": {\n    \"x\": [\n      \"n\",\n      \"a\"\n    ]\n  }\n}",
        ),
        (
            "{\n  \"order\": {\n    \"x\": []\n  }\n}",
            "{\n  \"order\": {\n    \"x\": [\n      \"n\"\n    ]\n  }\n}",
        ),
        (r#"{"order":{}}"#, r#"{"order":{"x":["n"]}}"#),
    ] {
        assert_eq!(prepend(before, "n").as_deref(), Some(after), "{before}");
        assert_eq!(prepend(after, "n"), None, "{after}");
    }
}

#[test]
fn what_is_in_the_way_is_not_overwritten() {
    let mut splice = splice("{\n  \"p\": \"text\"\n}");
    assert_eq!(splice.set(&["p", "t"], &json!(1)), Err(Malformed { line: 2, column: 8 }));
    assert_eq!(splice.prepend(&["p"], &json!(1)), Err(Malformed { line: 2, column: 8 }));
    assert_eq!(splice.finish(), None);
}

#[test]
fn malformed_texts_are_told_by_place_alone() {
    for (dialect, text, line, column) in [
        (Dialect::Json, "", 1, 0),
        (Dialect::Json, "{\n  \"a\": sk-secret\n}", 2, 8),
        (Dialect::Json, "{\"a\":1,}", 1, 8),
        (Dialect::Json, "{\"a\":\"x\ny\"}", 1, 7),
        (Dialect::Json5, "", 1, 1),
        (Dialect::Json5, "{a: 1 b: 2}", 1, 6),
    ] {
        let error = Splice::new(text, dialect).err();
        assert_eq!(error, Some(Malformed { line, column }), "{text:?}");
    }
}

/// Trivia as people write it.
fn trivia() -> impl Strategy<Value = String> {
    let piece =
        prop::sample::select(vec!["", " ", "\n", "\r\n  ", "\t", "/* c, */", "// r,\n", " "]);
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

/// A random JSON5 text.
fn document() -> impl Strategy<Value = String> {
    let forms = [
        "1",
        "-0.50",
        "1e3",
        ".5",
        "5.",
        "0xFf",
        "'it'",
        r#""\u00e9\/""#,
        "null",
        "true",
        "[]",
        "{}",
    ];
    let leaf = prop::sample::select(forms.to_vec()).prop_map(str::to_owned);
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec!["a", "'b'", "\"c\"", "t", "$x"]);
        let member = (trivia(), key, trivia(), inner.clone(), trivia());
        // jsonc-parser wants a blank, not a comment, behind a bare key.
        let member = member.prop_map(|(a, key, b, value, c)| format!("{a}{key} :{b}{value}{c}"));
        let element =
            (trivia(), inner, trivia()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let end = prop::sample::select(vec!["", ","]);
        let close = |items: Vec<String>, end: &str| {
            format!("{}{}", items.join(","), if items.is_empty() { "" } else { end })
        };
        prop_oneof![
            (prop::collection::vec(member, 0..4), end.clone())
                .prop_map(move |(items, end)| format!("{{{}}}", close(items, end))),
            (prop::collection::vec(element, 0..4), end)
                .prop_map(move |(items, end)| format!("[{}]", close(items, end))),
        ]
    });
    let around = prop::sample::select(vec!["", "\u{feff}"]);
    (around, trivia(), value, trivia()).prop_map(|(bom, a, value, b)| format!("{bom}{a}{value}{b}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_or_refused_without_a_panic(text in "\\PC{0,40}") {
        let _ = Splice::new(&text, Dialect::Json5);
        let _ = Splice::new(&text, Dialect::Json);
    }

    #[test]
    fn a_set_keeps_every_byte_and_is_done_once(text in document()) {
        let mut splice = Splice::new(&text, Dialect::Json5).unwrap();
        if splice.set(&["a", "t"], &json!("new")).is_ok() {
            let after = splice.finish().unwrap_or_else(|| text.clone());
            prop_assert_eq!(set(&after, &["a", "t"], &json!("new")), None);
            let values = read(&after, Dialect::Json5).unwrap();
            prop_assert_eq!(&values["a"]["t"], &json!("new"));
            // A comment inside a replaced object goes with it.
            let old = &read(&text, Dialect::Json5).unwrap()["a"]["t"];
            if !old.is_object() && !old.is_array() {
                prop_assert_eq!(after.matches("/* c").count(), text.matches("/* c").count());
            }
        }
    }

    #[test]
    fn a_member_added_and_removed_again_leaves_the_values_as_they_were(text in document()) {
        let mut splice = Splice::new(&text, Dialect::Json5).unwrap();
        let object = read(&text, Dialect::Json5).unwrap().is_object();
        if object {
            splice.set(&["new"], &json!({"t": [1, 2]})).unwrap();
            splice.remove(&["new"]).unwrap();
            let after = splice.finish().unwrap();
            prop_assert_eq!(read(&after, Dialect::Json5), read(&text, Dialect::Json5));
            prop_assert_eq!(after.matches("//").count(), text.matches("//").count());
        }
    }

    #[test]
    fn a_removal_takes_nothing_else(text in document()) {
        let mut splice = Splice::new(&text, Dialect::Json5).unwrap();
        splice.remove(&["t"]).unwrap();
        let after = splice.finish().unwrap_or_else(|| text.clone());
        let mut values = read(&text, Dialect::Json5).unwrap();
        if let Some(object) = values.as_object_mut() {
            object.shift_remove("t");
        }
        prop_assert_eq!(read(&after, Dialect::Json5).unwrap(), values);
    }
}
