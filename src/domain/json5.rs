//! JSON5 texts as OpenClaw reads them: `JSON.parse`, else the package `json5`, over the bytes of a
//! file that node has turned into text (2026.9.6).

use serde_json::Value;

use crate::domain::splice::Malformed;

/// How deep objects and arrays may lie in each other; a person's file is far from it, and each level
/// of it costs stack.
const MOST_DEPTH: usize = 128;

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// What it says; of equal keys the last one counts, `Infinity` and `NaN` are null.
    pub(crate) value: Value,
    /// Whether it has comments.
    pub(crate) has_comments: bool,
}

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON5.
    Malformed(Malformed),
    /// It is nested too deep.
    TooDeep,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(place) => {
                write!(f, "it is no JSON5 at line {}, column {}", place.line, place.column)
            }
            Self::TooDeep => write!(f, "it is nested deeper than {MOST_DEPTH} levels"),
        }
    }
}

/// Reads a file's bytes.
///
/// As in node, bytes that are no UTF-8 become U+FFFD, and so do lone surrogates, which a Rust string
/// cannot hold: neither stands in a name or a path that matters here.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Fault> {
    // OpenClaw itself writes JSON, whose parser takes a fraction of the time.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(Document { value, has_comments: false });
    }
    let text = without_lone_surrogates(&String::from_utf8_lossy(bytes));
    let outline = outline(&text);
    if outline.depth > MOST_DEPTH {
        return Err(Fault::TooDeep);
    }
    let value = ::json5::from_str(&text).map_err(|error| {
        let end = ::json5::Position::from_offset(text.len(), &text);
        let at = error.position().unwrap_or(end);
        Fault::Malformed(Malformed { line: at.line + 1, column: at.column + 1 })
    })?;
    Ok(Document { value, has_comments: outline.has_comments })
}

/// Writes `\ufffd` for each escape of a surrogate that has no partner.
fn without_lone_surrogates(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let length = match surrogate(escape) {
            Some(0xd800..=0xdbff) if escape.get(6..).and_then(surrogate).is_some_and(is_low) => 12,
            Some(_) => {
                whole.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            None => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        whole.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    whole + rest
}

/// The surrogate that a text begins with the escape of.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u32::from_str_radix(digits, 16).ok().filter(|_| hex)?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

fn is_low(unit: u32) -> bool {
    unit >= 0xdc00
}

/// What can be told of a text before it is parsed; of one that is not JSON5 it means nothing.
#[derive(Default)]
struct Outline {
    depth: usize,
    has_comments: bool,
}

fn outline(text: &str) -> Outline {
    let (mut found, mut depth) = (Outline::default(), 0_usize);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => {
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    if inner == '\\' {
                        chars.next();
                    }
                }
            }
            '/' if chars.peek() == Some(&'/') => {
                found.has_comments = true;
                let ends = |c: &char| matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}');
                while chars.next_if(|c| !ends(c)).is_some() {}
            }
            '/' if chars.next_if_eq(&'*').is_some() => {
                found.has_comments = true;
                while let Some(inner) = chars.next() {
                    if inner == '*' && chars.next_if_eq(&'/').is_some() {
                        break;
                    }
                }
            }
            '{' | '[' => {
                depth += 1;
                found.depth = found.depth.max(depth);
            }
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn value(text: &[u8]) -> Value {
        read(text).unwrap_or_else(|fault| panic!("{fault}")).value
    }

    /// The right values are what node 24 and json5 2.2.3 give for the same bytes.
    #[test]
    fn reads_what_the_package_json5_reads() {
        for (text, right) in [
            (&b"\xef\xbb\xbf{a:1}"[..], json!({"a": 1})),
            (b"{a:'caf\xe9'}/* \xe9 */", json!({"a": "caf\u{fffd}"})),
            (
                br#"{"a":"\ud83d","b":"\ude00x","c":"\ud83d\ude00"}"#,
                json!({"a": "\u{fffd}", "b": "\u{fffd}x", "c": "\u{1f600}"}),
            ),
            (br#"{"a":"\\ud83d"}"#, json!({"a": "\\ud83d"})),
            (b"{a:'x\\\ny\\x41\\v\\0\\q\\''}", json!({"a": "xyA\u{b}\u{0}q'"})),
            (b"{a:[+1,-.5,5.,0x1F,1e2,]}", json!({"a": [1, -0.5, 5.0, 31, 100.0]})),
            (b"{a:Infinity,b:-NaN}", json!({"a": null, "b": null})),
            (b"{a:1,a:2,'a':3}", json!({"a": 3})),
            (b"{g\\u0061te:1,$_\xc3\xa9:2}", json!({"gate": 1, "$_\u{e9}": 2})),
            (b"\xc2\xa0{\x0ba\xe2\x80\xa8:1}\xef\xbb\xbf", json!({"a": 1})),
            (b"{\"a\":\"x\xe2\x80\xa8y\"}", json!({"a": "x\u{2028}y"})),
            (b"null", Value::Null),
        ] {
            assert_eq!(value(text), right, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn json_says_what_it_says_as_json5() {
        for text in [
            r#"{"a":1,"b":[-0.5,1.0,true,null],"a":{"c":"\u00e9\ud83d\ude00\/\n"}}"#,
            r#" [18789, 18446744073709551615, "\ud83d", "x"] "#,
            r#"{"$serde_json::private::Number":"1"}"#,
        ] {
            assert_eq!(value(text.as_bytes()), value(format!("{text}//").as_bytes()), "{text}");
        }
    }

    #[test]
    fn refuses_what_the_package_json5_refuses() {
        for text in [
            "",
            " // nothing\n",
            "{",
            "{a:1}}",
            "{,}",
            "{a 1}",
            "{a:1 b:2}",
            "{'a':}",
            "[1,,2]",
            "{a:'x\ny'}",
            "{a:01}",
            "{a:'\\1'}",
            "{a:'\\u12'}",
            "{a-b:1}",
            "{a:1}/*",
            "{a:`x`}",
        ] {
            assert!(matches!(read(text.as_bytes()), Err(Fault::Malformed(_))), "{text}");
        }
        let place = Malformed { line: 2, column: 4 };
        assert_eq!(read(b"{\n a:,\n}").map(|_| ()), Err(Fault::Malformed(place)));
    }

    #[test]
    fn tells_comments_from_what_looks_like_one() {
        let has = |text: &str| read(text.as_bytes()).map(|document| document.has_comments);
        assert_eq!(has("{a:'// no',\"b\":\"/* no */ \\\" // no\"}"), Ok(false));
        for text in ["{}// c", "{/* c */}", "/***/{}", "{a:'\\\\'/*'*/}"] {
            assert_eq!(has(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(MOST_DEPTH).as_bytes()).is_ok());
        assert_eq!(read(nested(2_000_000).as_bytes()), Err(Fault::TooDeep));
    }
}
