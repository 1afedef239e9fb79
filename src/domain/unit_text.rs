//! The text of units, and of the files that they take variables from, as systemd reads them: systemd.syntax(7),
//! systemd.exec(5), environment.d(5).

use crate::domain::secret::Secret;

/// The assignments in a section of a unit's text, and those before any section, in their order.
pub(crate) fn assignments(text: &str, section: &str) -> Vec<(String, String)> {
    let mut is_in = true;
    let mut found = Vec::new();
    for line in lines(text) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_in = name == section;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_in) {
            found.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

/// The lines of a unit's text: joined where a backslash ends one, without comments.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match all.last_mut().filter(|_| is_open) {
            Some(last) => last.extend([" ", part]),
            None => all.push(part.to_owned()),
        }
        is_open = goes_on;
    }
    all
}

/// The words of a value: quotes group where a word begins, and a backslash takes the next character.
///
/// Nothing comes of a value with a quote that is not closed: systemd takes no word of it either.
pub(crate) fn words(value: &str) -> Vec<String> {
    let (mut all, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\\', _) => {
                let Some(next) = rest.next() else { return Vec::new() };
                word.get_or_insert_default().extend(escaped(next));
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => all.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    if quote.is_some() { Vec::new() } else { all }
}

/// What a backslash makes of the character behind it.
fn escaped(c: char) -> Vec<char> {
    match c {
        'n' => vec!['\n'],
        't' => vec!['\t'],
        'r' => vec!['\r'],
        's' => vec![' '],
        '\\' | '"' | '\'' | ' ' => vec![c],
        other => vec!['\\', other],
    }
}

/// The value of a variable in an environment file, where the last one counts: no `export`, and no comment
/// behind a value.
pub(crate) fn variable(bytes: &[u8], name: &str) -> Option<Secret> {
    let text = String::from_utf8_lossy(bytes);
    let (mut found, mut rest) = (None, text.chars());
    loop {
        match key(&mut rest) {
            Line::End => return found,
            Line::None => {}
            Line::Key(key) => {
                let value = value(&mut rest);
                found = if key == name { Some(Secret::new(&value)) } else { found };
            }
        }
    }
}

/// What a line of an environment file begins with.
enum Line {
    Key(String),
    None,
    End,
}

fn is_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Takes what stands before the equals sign.
fn key(rest: &mut std::str::Chars<'_>) -> Line {
    let mut name = String::new();
    loop {
        match rest.next() {
            None => return Line::End,
            Some('#' | ';') if name.is_empty() => {
                while rest.next().is_some_and(|c| !is_end(c)) {}
                return Line::None;
            }
            Some('=') => return Line::Key(name.trim_end().to_owned()),
            Some(c) if is_end(c) => return Line::None,
            Some(c) if name.is_empty() && c.is_ascii_whitespace() => {}
            Some(c) => name.push(c),
        }
    }
}

/// Takes a value: quoted parts and others, up to the end of its line.
fn value(rest: &mut std::str::Chars<'_>) -> String {
    let (mut value, mut kept) = (String::new(), 0);
    // Quotes open only where nothing but quoted parts and blanks stand before.
    let mut may_quote = true;
    while let Some(c) = rest.next().filter(|c| !is_end(*c)) {
        match c {
            '\'' if may_quote => {
                value.extend(rest.by_ref().take_while(|c| *c != '\''));
                kept = value.len();
            }
            '"' if may_quote => {
                quoted(rest, &mut value);
                kept = value.len();
            }
            '\\' => {
                may_quote = false;
                value.extend(rest.next().filter(|c| !is_end(*c)));
                kept = value.len();
            }
            c if c.is_ascii_whitespace() => {
                if !may_quote {
                    value.push(c);
                }
            }
            c => {
                may_quote = false;
                value.push(c);
                kept = value.len();
            }
        }
    }
    value.truncate(kept);
    value
}

/// Takes what stands in double quotes.
fn quoted(rest: &mut std::str::Chars<'_>, value: &mut String) {
    while let Some(c) = rest.next().filter(|c| *c != '"') {
        match (c, if c == '\\' { rest.next() } else { None }) {
            ('\\', Some(c @ ('"' | '\\' | '`' | '$'))) => value.push(c),
            ('\\', Some('\n') | None) => {}
            ('\\', Some(c)) => value.extend(['\\', c]),
            (c, _) => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_section_has_its_assignments() {
        let text = "A=0\n[Unit]\nB=1\n[Service]\nC = 2 \\\n# no\n  3\n;D=4\nC=\n[Container]\nE=5\n";
        let of = |section| {
            let found = assignments(text, section).into_iter();
            found.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(of("Service"), ["A=0", "C=2  3", "C="]);
        assert_eq!(of("Container"), ["A=0", "E=5"]);
    }

    #[test]
    fn words_are_quoted_as_in_units() {
        for (value, all) in [
            ("A=1 \"B=x y\" 'C=\"'", vec!["A=1", "B=x y", "C=\""]),
            ("A=1 && B=2", vec!["A=1", "&&", "B=2"]),
            ("A=a\\ b \\x", vec!["A=a b", "\\x"]),
            ("\"\" A=", vec!["", "A="]),
            ("A=it's", vec![]),
            ("A=\\", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(words(value), all, "{value}");
        }
    }

    #[test]
    fn variables_are_read_as_systemd_reads_them() {
        for (text, value) in [
            ("A=1\nA=2\n", Some("2")),
            ("A=", Some("")),
            (" A = x \n", Some("x")),
            ("export A=1\n", None),
            ("#A=1\n;A=2\n", None),
            ("A=x # no comment\n", Some("x # no comment")),
            ("A='x y' \n", Some("x y")),
            ("A=\"x\\\"y\\n\"\n", Some("x\"y\\n")),
            ("A=\"x\ny\"\n", Some("x\ny")),
            ("A='a'\"b\"c\n", Some("abc")),
            ("A=a'b'\n", Some("a'b'")),
            ("A=a\\\nb\n", Some("ab")),
            ("A=x\r\nB=y\r\n", Some("x")),
            ("B='\nA=no\n'\nA=1", Some("1")),
            ("\u{feff}A=1\n", None),
            ("AA=1\nno line\n", None),
        ] {
            let found = variable(text.as_bytes(), "A");
            assert_eq!(found.as_ref().map(Secret::expose), value, "{text:?}");
        }
        assert_eq!(variable(b"#\xfc\nA=1\n", "A"), Some(Secret::new("1")));
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[A='\"\\\\\n#; x\\[\\]]{0,60}", bytes: Vec<u8>) {
            variable(text.as_bytes(), "A");
            variable(&bytes, "A");
            words(&text);
            assignments(&text, "Service");
        }
    }
}
