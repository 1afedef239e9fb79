//! What others wrote, shown to a person: no character of it steers a terminal, a log or a reader.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Makes every control character visible, line ends too; other text stays as it is.
///
/// Everything that leaves the program passes through here, line by line: see `cli::render` and
/// `os::journal`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_control(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The same for what need not be text: a byte that belongs to no character becomes `\xff`.
pub(crate) fn visible_bytes(bytes: &OsStr) -> String {
    let mut safe = String::new();
    for chunk in bytes.as_bytes().utf8_chunks() {
        safe += &visible(chunk.valid());
        safe.extend(chunk.invalid().iter().flat_map(|byte| byte.escape_ascii()).map(char::from));
    }
    safe
}

/// Says whether a name is text that is shown as it is.
pub(crate) fn is_plain(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| !name.chars().any(is_control))
}

/// Makes control characters visible in JSON: none but line ends stands there outside of a string.
pub(crate) fn visible_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_control(c) {
            let mut units = [0; 2];
            safe.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Says whether a character is none to look at: the controls of ASCII and of Latin-1, the separators
/// of lines and paragraphs, and those that turn, join or hide what stands beside them (Unicode's
/// category Cf, 16.0).
pub(crate) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_steers_the_terminal_or_forges_a_line() {
        for (text, shown) in [
            ("a\x1b[2Jb\u{9b}c\nd", "a\\u{1b}[2Jb\\u{9b}c\\nd"),
            ("x\r\t\x7f\0", "x\\r\\t\\u{7f}\\u{0}"),
            ("moc\u{202e}txt\u{2066}\u{2029}", "moc\\u{202e}txt\\u{2066}\\u{2029}"),
            ("Grüße, 中文", "Grüße, 中文"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn bytes_of_no_character_are_shown_by_their_number() {
        assert_eq!(visible_bytes(OsStr::from_bytes(b"a\xff\n\xe2\x82b")), "a\\xff\\n\\xe2\\x82b");
        assert!(!is_plain(OsStr::from_bytes(b"\xff")));
    }

    proptest! {
        #[test]
        fn what_is_shown_has_no_control_character(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_control));
        }

        #[test]
        fn json_says_the_same_and_shows_it(text in any::<String>()) {
            let json = visible_json(&format!("{:#}", serde_json::json!([text])));
            prop_assert!(!json.chars().any(|c| c != '\n' && is_control(c)));
            let read: Vec<String> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read, [text]);
        }
    }
}
