//! The members of JSON objects as byte ranges, and edits of them that leave every other byte alone.
//!
//! For a file of another program's that may hold anything beside what is ours: strings with bytes that are not UTF-8,
//! escapes that are no character, numbers out of every bound, and many megabytes. Nothing of it is decoded or copied
//! but what is asked for.

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::domain::splice::Malformed;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its key, with the quotes.
    key: Range<usize>,
    /// Its value.
    pub(crate) value: Range<usize>,
}

/// Why bytes are not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They end too early.
    Cut,
    /// They are something else.
    Malformed(Malformed),
}

/// Says whether `JSON.parse` takes the bytes after Node has decoded them.
///
/// Neither a lone surrogate nor a byte that is not UTF-8 keeps it from that, in a string; how deep objects lie in each
/// other does not matter.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Fault> {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Ok(()),
        Err(error) if error.is_eof() => Err(Fault::Cut),
        Err(error) => {
            Err(Fault::Malformed(Malformed { line: error.line(), column: error.column() }))
        }
    }
}

/// The value that bytes which are JSON consist of.
pub(crate) fn root(bytes: &[u8]) -> Range<usize> {
    let start = after_blanks(bytes, 0);
    start..after_value(bytes, start)
}

/// Finds the member of that name in a value of bytes which are JSON; of several the last one counts. None in a value
/// that is no object.
pub(crate) fn member(bytes: &[u8], object: &Range<usize>, name: &str) -> Option<Member> {
    members(bytes, object).filter(|member| is(bytes, member, name)).last()
}

/// Reads a value, if it is one that Rust can hold.
pub(crate) fn value(bytes: &[u8], range: &Range<usize>) -> Option<Value> {
    serde_json::from_slice(&bytes[range.clone()]).ok()
}

/// Gives the text with a member of an object set to a value, or added behind the others in their own hand.
pub(crate) fn with(bytes: &[u8], object: &Range<usize>, name: &str, new: &Value) -> Vec<u8> {
    let text = new.to_string();
    if let Some(found) = member(bytes, object, name) {
        return replaced(bytes, found.value, text.as_bytes());
    }
    let key = Value::from(name).to_string();
    let Some(last) = members(bytes, object).last() else {
        let only = format!("{{{key}:{text}}}");
        return replaced(bytes, object.clone(), only.as_bytes());
    };
    let blanks = |byte: &&u8| byte.is_ascii_whitespace();
    let lead = bytes[..last.key.start].iter().rev().take_while(blanks).count();
    let lead = &bytes[last.key.start - lead..last.key.start];
    let colon = &bytes[last.key.end..last.value.start];
    let added = [b",", lead, key.as_bytes(), colon, text.as_bytes()].concat();
    replaced(bytes, last.value.end..last.value.end, &added)
}

/// Gives the text without a member of an object, each of them if the key stands there more than once; `None` if it
/// stands there nowhere.
pub(crate) fn without(bytes: &[u8], object: &Range<usize>, name: &str) -> Option<Vec<u8>> {
    let all: Vec<Member> = members(bytes, object).collect();
    let found = all.iter().rposition(|member| is(bytes, member, name))?;
    let cut = match (found.checked_sub(1), all.get(found + 1)) {
        (Some(before), _) => all[before].value.end..all[found].value.end,
        (None, Some(next)) => all[found].key.start..next.key.start,
        (None, None) => object.start + 1..object.end - 1,
    };
    let shorter = object.start..object.end - cut.len();
    let new = replaced(bytes, cut, b"");
    Some(without(&new, &shorter, name).unwrap_or(new))
}

/// Gives the bytes with others in the place of a range.
pub(crate) fn replaced(bytes: &[u8], range: Range<usize>, new: &[u8]) -> Vec<u8> {
    [&bytes[..range.start], new, &bytes[range.end..]].concat()
}

fn members<'b>(bytes: &'b [u8], object: &Range<usize>) -> impl Iterator<Item = Member> + 'b {
    let is_object = bytes.get(object.start) == Some(&b'{');
    let mut at = object.start + 1;
    std::iter::from_fn(move || {
        if !is_object {
            return None;
        }
        at = after_blanks(bytes, at);
        if bytes.get(at) == Some(&b',') {
            at = after_blanks(bytes, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let key = at..after_string(bytes, at);
        let start = after_blanks(bytes, after_blanks(bytes, key.end) + 1);
        at = after_value(bytes, start);
        Some(Member { key, value: start..at })
    })
}

fn is(bytes: &[u8], member: &Member, name: &str) -> bool {
    let key = &bytes[member.key.clone()];
    let plain = &key[1..key.len() - 1];
    if !plain.contains(&b'\\') {
        return plain == name.as_bytes();
    }
    serde_json::from_slice::<String>(key).is_ok_and(|key| key == name)
}

fn after_blanks(bytes: &[u8], from: usize) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    from + bytes.get(from..).unwrap_or_default().iter().take_while(blank).count()
}

fn after_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn after_value(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = after_string(bytes, at),
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            // The end of a number or a word.
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            b'}' | b']' => (at, depth) = (at + 1, depth - 1),
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn get(text: &str, name: &str) -> Option<String> {
        let found = member(text.as_bytes(), &root(text.as_bytes()), name)?;
        Some(text[found.value].to_owned())
    }

    fn set(text: &str, name: &str, value: &Value) -> String {
        let new = with(text.as_bytes(), &root(text.as_bytes()), name, value);
        String::from_utf8(new).unwrap()
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        for (text, value) in [
            (r#"{"a":1,"a":[2,{"a":3}]}"#, Some(r#"[2,{"a":3}]"#)),
            (" {\r\n \"b\" : {\"a\":1} , \"a\"\t: \"}\\\"\" }", Some("\"}\\\"\"")),
            (r#"{"a":1,"\u0061":-2.5e3}"#, Some("-2.5e3")),
            (r#"{"\ud800":0,"a":true}"#, Some("true")),
            (r#"{"b":"a"}"#, None),
            (r#"["a",1]"#, None),
            ("{}", None),
            ("7", None),
        ] {
            assert_eq!(get(text, "a").as_deref(), value, "{text}");
        }
    }

    #[test]
    fn a_member_comes_in_the_others_hand_and_goes_with_its_comma() {
        for (before, after) in [
            (r#"{"a":1}"#, r#"{"a":1,"t":2}"#),
            (r#"{ "a": 1 }"#, r#"{ "a": 1, "t": 2 }"#),
            ("{\n  \"a\" : {}\n}\n", "{\n  \"a\" : {},\n  \"t\" : 2\n}\n"),
        ] {
            assert_eq!(set(before, "t", &json!(2)), after);
            let back = without(after.as_bytes(), &root(after.as_bytes()), "t");
            assert_eq!(back.as_deref(), Some(before.as_bytes()));
        }
        assert_eq!(set("{ }", "t", &json!([2])), r#"{"t":[2]}"#);
        assert_eq!(set(r#"{"t":1,"a":0,"t":"x"}"#, "t", &json!(2)), r#"{"t":1,"a":0,"t":2}"#);
        let gone = |text: &str| without(text.as_bytes(), &root(text.as_bytes()), "t");
        assert_eq!(gone(r#"{"t":1,"a":0,"t":2}"#).as_deref(), Some(&br#"{"a":0}"#[..]));
        assert_eq!(gone(r#"{ "t": 1 }"#).as_deref(), Some(&b"{}"[..]));
        assert_eq!(gone(r#"{"a":{"t":1}}"#), None);
    }

    #[test]
    fn what_javascript_takes_is_taken() {
        for text in [
            &br#"{"a":"\ud800","b":1e999,"c":"\u0000"}"#[..],
            b"\t{\"a\":\"\xfc\xff\xed\xa0\x80\"}\r\n ",
            &[b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        ] {
            assert_eq!(check(text), Ok(()));
        }
        assert_eq!(check(b"{\"a\":"), Err(Fault::Cut));
        for text in [
            &b"{\"a\":01}"[..],
            b"{\"a\":1,}",
            b"{\"a\":\"\n\"}",
            b"\xa0{}",
            b"{}x",
            b"{\"a\":\"\\x\"}",
        ] {
            assert!(matches!(check(text), Err(Fault::Malformed(_))), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_are_too_much_for_it(bytes in prop::collection::vec(prop_oneof![
            prop::sample::select(br#"{}[]",:\ au0d8 1e-"#.to_vec()), prop::num::u8::ANY], 0..60)) {
            if check(&bytes).is_ok() {
                let root = root(&bytes);
                let _ = member(&bytes, &root, "a");
                if bytes[root.start] == b'{' {
                    let new = with(&bytes, &root, "a", &json!("x"));
                    prop_assert_eq!(check(&new), Ok(()));
                    let found = member(&new, &super::root(&new), "a").unwrap();
                    prop_assert_eq!(value(&new, &found.value), Some(json!("x")));
                    let gone = without(&new, &super::root(&new), "a").unwrap();
                    prop_assert_eq!(check(&gone), Ok(()));
                }
            }
        }

        #[test]
        fn it_finds_what_another_parser_finds(
            members in prop::collection::vec(("[ab]{1,2}", prop_oneof![
                Just(json!({"a": [1, {"b": "\\}\""}]})), Just(json!("a\"b,]")), Just(json!(-1.5)), Just(json!(null)),
            ]), 0..6),
            blank in "[ \t\r\n]{0,2}",
        ) {
            let members: Vec<String> = members.iter()
                .map(|(key, value)| format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}")).collect();
            let text = format!("{blank}{{{blank}{}}}{blank}", members.join(","));
            let parsed: Value = serde_json::from_str(&text).unwrap();
            for key in ["a", "b", "ab"] {
                let found = member(text.as_bytes(), &root(text.as_bytes()), key);
                let found = found.and_then(|found| value(text.as_bytes(), &found.value));
                prop_assert_eq!(found.as_ref(), parsed.get(key));
            }
        }
    }
}
