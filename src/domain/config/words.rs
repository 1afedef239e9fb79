//! Splits a command of the configuration into words, without a shell.

/// Why a text is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quote is opened and not closed.
    OpenQuote,
    /// A word that only a shell would understand.
    Shell(&'static str),
    /// No word, or an empty one where the program should stand.
    NoProgram,
}

/// Words that a person writes for a shell; none of them is an argument by intent.
const OPERATORS: [&str; 8] = ["&&", "||", "|", ";", "&", ">", ">>", "<"];

/// Splits on blanks; double and single quotes group, and may stand inside a word.
///
/// Nothing else is special: no backslash, no variable, no pattern.
pub(crate) fn split(text: &str) -> Result<Vec<String>, Fault> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, tail) = first(rest)?;
        let bare = &rest[..rest.len() - tail.len()];
        if let Some(operator) = OPERATORS.into_iter().find(|operator| *operator == bare) {
            return Err(Fault::Shell(operator));
        }
        words.push(word);
        rest = tail.trim_start();
    }
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(Fault::NoProgram),
    }
}

/// Takes the first word off a text that does not begin with a blank.
fn first(text: &str) -> Result<(String, &str), Fault> {
    let mut word = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next().filter(|c| !c.is_whitespace()) {
        rest = &rest[c.len_utf8()..];
        if matches!(c, '"' | '\'') {
            let (inner, tail) = rest.split_once(c).ok_or(Fault::OpenQuote)?;
            word.push_str(inner);
            rest = tail;
        } else {
            word.push(c);
        }
    }
    Ok((word, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_split_and_quotes_group() {
        for (text, words) in [
            ("systemctl restart openclaw", &["systemctl", "restart", "openclaw"][..]),
            ("  a\t 'b c'  ", &["a", "b c"]),
            (r#"a "it's" 'say "x"' -o="p q"r"#, &["a", "it's", "say \"x\"", "-o=p qr"]),
            (r#"a "" '&&' \n $HOME *"#, &["a", "", "&&", "\\n", "$HOME", "*"]),
        ] {
            assert_eq!(split(text), Ok(words.iter().map(ToString::to_string).collect()), "{text}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (text, fault) in [
            ("a 'b c", Fault::OpenQuote),
            ("a b\"", Fault::OpenQuote),
            ("cd /srv && make", Fault::Shell("&&")),
            ("", Fault::NoProgram),
            (" \t", Fault::NoProgram),
            ("'' a", Fault::NoProgram),
        ] {
            assert_eq!(split(text), Err(fault), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn quoted_words_come_back(words in prop::collection::vec("[a-z \t&;\"$\\\\]{1,6}", 1..5)) {
            let text = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&text), Ok(words));
        }
    }
}
