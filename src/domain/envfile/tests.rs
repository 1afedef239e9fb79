use super::*;

/// Says whether an edit put one word in the place of another.
pub(super) fn is_swapped(old: &str, new: &str, value: &str) -> bool {
    scan(old, "KEY").last.is_some_and(|assignment| swaps_words(old, new, &assignment, value))
}

/// Edits a text.
pub(super) fn set(text: &str, key: &str, value: &Secret) -> Result<Option<String>, Refusal> {
    let new = super::set(text.as_bytes(), key, value)?;
    Ok(new.map(|bytes| String::from_utf8(bytes).expect("what was UTF-8 stays so")))
}

/// Reads a text.
pub(super) fn get(text: &str, key: &str) -> Option<Secret> {
    super::get(text.as_bytes(), key)
}

fn has(text: &str, key: &str) -> bool {
    super::has(text.as_bytes(), key)
}

fn edit(text: &str) -> Result<Option<String>, Refusal> {
    set(text, "KEY", &Secret::new("new"))
}

#[test]
fn changes_the_value_and_no_other_byte() {
    for (old, new) in [
        ("KEY=old\n", "KEY=new\n"),
        ("A=1\r\n  export KEY = \"old\"  # c\r\nB=2", "A=1\r\n  export KEY = \"new\"  # c\r\nB=2"),
        ("\u{feff}KEY='old'#c", "\u{feff}KEY='new'#c"),
        ("KEY=a\nKEY=b\n#KEY=c\nexportKEY=d\n", "KEY=a\nKEY=new\n#KEY=c\nexportKEY=d\n"),
        ("KEY=\nB=\n", "KEY=new\nB=\n"),
        ("KEY= # c\n", "KEY=new # c\n"),
        ("KEY=#c\n", "KEY=new #c\n"),
        ("KEY=old\t# c\n", "KEY=new\t # c\n"),
        ("KEY=x y#z\n", "KEY=new\n"),
        ("KEY: old\n", "KEY: new\n"),
        ("KEY=\"one\ntwo\" # c\nB=1", "KEY=\"new\" # c\nB=1"),
        ("M=\"one\nKEY=in \\\" text\n\"\nKEY=`old`\n", "M=\"one\nKEY=in \\\" text\n\"\nKEY=new\n"),
        ("it's\nKEY=old\n# don't\n", "it's\nKEY=new\n# don't\n"),
    ] {
        assert_eq!(edit(old), Ok(Some(new.into())), "{old:?}");
        assert_eq!(edit(new), Ok(None), "{new:?}");
    }
}

#[test]
fn a_second_reader_is_asked_unless_a_word_takes_the_place_of_a_word() {
    let is_swap = |old: &str, value: &str| {
        let new = set(old, "KEY", &Secret::new(value)).unwrap().unwrap();
        is_swapped(old, &new, value)
    };
    for old in ["KEY=old\n", "A='x'\nKEY=\"o-l_d\" # c\n", "KEY='old'"] {
        assert!(is_swap(old, "sk-ant-oat01-n_w"), "{old:?}");
    }
    for old in ["", "KEY=\n", "KEY=old\t# c\n", "KEY='o d'\n", "KEY=$old\n"] {
        assert!(!is_swap(old, "new"), "{old:?}");
    }
    assert!(!is_swap("KEY=old\n", "n$w") && !is_swap("KEY=old\n", "n w"));
}

#[test]
fn appends_what_is_missing() {
    for (old, new) in [
        ("", "KEY=new\n"),
        ("\u{feff}", "\u{feff}KEY=new\n"),
        ("A=1", "A=1\nKEY=new\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\nKEY=new\r\n"),
        ("# KEY=\nKEYS=1\nMY.KEY=2\n", "# KEY=\nKEYS=1\nMY.KEY=2\nKEY=new\n"),
        ("M='a\nKEY=b\n'\n", "M='a\nKEY=b\n'\nKEY=new\n"),
    ] {
        assert_eq!(edit(old), Ok(Some(new.into())), "{old:?}");
    }
}

#[test]
fn leaves_alone_what_could_be_read_in_two_ways() {
    for (text, refusal) in [
        ("KEY=old\nA=\"open\nKEY=x\nB=\"1\n", Refusal::OpenQuote(2)),
        ("A='it\nKEY=old\nB='x'\n", Refusal::OpenQuote(1)),
        ("M=\"a\nb\"\nA=`open\nKEY=old\n`\n", Refusal::OpenQuote(3)),
        ("A=1\nKEY='old'tail\n", Refusal::Tail(2)),
        ("A=1\nKEY=old\rB=2\n", Refusal::CarriageReturn(2)),
    ] {
        assert_eq!(edit(text), Err(refusal), "{text:?}");
        assert!(get(text, "KEY").is_some() && has(text, "KEY"), "{text:?}");
    }
    assert_eq!(super::set(b"K\0E\0", "KEY", &Secret::new("x")), Err(Refusal::Nul));
    assert!(!Refusal::OpenQuote(2).to_string().contains("open\nB"));
}

#[test]
fn what_is_odd_elsewhere_stays_as_it_is() {
    for (old, new) in [
        ("KEY=old\nA=\"open\nB=1\n", "KEY=new\nA=\"open\nB=1\n"),
        ("A='it\nKEY=old\n", "A='it\nKEY=new\n"),
        ("A='it\nB='x'\n", "A='it\nB='x'\nKEY=new\n"),
        ("A=`open\nKEY=old\n", "A=`open\nKEY=new\n"),
        ("A=1\rB=2\nKEY=old\n", "A=1\rB=2\nKEY=new\n"),
        ("A=\\q\\\nKEY=old\n", "A=\\q\\\nKEY=new\n"),
    ] {
        assert_eq!(edit(old), Ok(Some(new.into())), "{old:?}");
    }
    let value = Secret::new("new");
    for (old, new) in [
        (
            &b"# Schl\xfcssel\nKEY=old\nA=\xe9\xff\n"[..],
            &b"# Schl\xfcssel\nKEY=new\nA=\xe9\xff\n"[..],
        ),
        (b"\xef\xbb\xbf# \xfc\nA='\x80 \xfe'\n", b"\xef\xbb\xbf# \xfc\nA='\x80 \xfe'\nKEY=new\n"),
        (b"KEY='\xfc' # \xfc\r\n", b"KEY='new' # \xfc\r\n"),
    ] {
        assert_eq!(super::set(old, "KEY", &value).as_ref().map(Option::as_deref), Ok(Some(new)));
        assert_eq!(super::get(new, "KEY"), Some(value.clone()));
    }
}

#[test]
fn takes_out_our_own_lines_and_no_other_byte() {
    let ours = |value: &Secret| value.expose().starts_with("ours");
    let removed = |text: &[u8]| super::remove(text, "KEY", ours);
    for (old, new) in [
        (&b"A=1\r\n  export KEY = \"ours\"  # c\r\nB=2"[..], &b"A=1\r\nB=2"[..]),
        (b"\xef\xbb\xbfKEY='ours'", b"\xef\xbb\xbf"),
        (b"KEY=ours\nKEY=theirs\nKEY=ours2\n#KEY=ours\n", b"KEY=theirs\n#KEY=ours\n"),
        (b"# \xfc\nKEY=ours\nA=\xe9\n", b"# \xfc\nA=\xe9\n"),
        (b"M='a\nKEY=ours\n'\nKEY=ours\n", b"M='a\nKEY=ours\n'\n"),
    ] {
        assert_eq!(removed(old).as_ref().map(Option::as_deref), Ok(Some(new)), "{old:?}");
        assert_eq!(removed(new), Ok(None), "{new:?}");
    }
    for text in ["", "KEY=theirs\n", "#KEY=ours\n", "KEYS=ours\n"] {
        assert_eq!(removed(text.as_bytes()), Ok(None), "{text}");
    }
    for (text, refusal) in [
        ("A=1\nKEY='ours'tail\n", Refusal::Tail(2)),
        ("A='it\nKEY=ours\nB='x'\n", Refusal::OpenQuote(1)),
    ] {
        assert_eq!(removed(text.as_bytes()), Err(refusal), "{text}");
    }
}

#[test]
fn takes_only_keys_and_values_that_fit_on_a_line() {
    for value in ["", "ä", "a\nb", "a'b", "a\"b", "a\\", "a\0"] {
        assert_eq!(set("", "KEY", &Secret::new(value)), Err(Refusal::Value), "{value:?}");
    }
    for key in ["", "1A", "A B", "A=", "Ä"] {
        assert_eq!(set("", key, &Secret::new("x")), Err(Refusal::Key), "{key:?}");
    }
    let odd = Secret::new("a $b # c");
    for (old, new) in [("", "KEY='a $b # c'\n"), ("KEY=\"x\"", "KEY='a $b # c'")] {
        assert_eq!(set(old, "KEY", &odd), Ok(Some(new.into())));
        assert_eq!(get(new, "KEY"), Some(odd.clone()));
    }
}

#[test]
fn a_raw_value_is_all_that_follows() {
    for (text, value) in [
        ("KEY=a\r\n  KEY=b # c\n", Some("b # c")),
        ("\u{feff}KEY='a'", Some("'a'")),
        ("export KEY=a\n#KEY=b\nKEYS=c\n", None),
    ] {
        assert_eq!(super::raw(text.as_bytes(), "KEY"), value.map(str::as_bytes), "{text}");
    }
}

#[test]
fn gets_the_effective_value() {
    for (text, value) in [
        ("KEY=a\nKEY= b c  # d\n", "b c"),
        ("KEY=x#y", "x#y"),
        ("KEY=", ""),
        (r#"KEY="a\"b\\c\$d\ne\f""#, "a\"b\\c$d\ne\\f"),
        (r"KEY='a\'b\n'", r"a'b\n"),
    ] {
        assert_eq!(get(text, "KEY"), Some(Secret::new(value)), "{text}");
    }
    assert!(!has("# KEY=1\nKEYS=1\nKEY\n", "KEY"));
}
