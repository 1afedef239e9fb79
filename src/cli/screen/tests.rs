use super::*;

fn link() -> Link {
    let row = |label, sign, text: &str, path: Option<&str>| Row {
        label,
        sign,
        text: text.to_owned(),
        path: path.map(str::to_owned),
    };
    Link {
        name: "default".to_owned(),
        level: Level::Soon,
        verdict: "env does not hold the new token".to_owned(),
        rows: vec![
            row("access token", Sign::Bar(500, Level::Fine), "4h left, ends 18:02 UTC", None),
            row(
                "sinks",
                Sign::Mark(Level::Fine),
                "oauth-json up to date",
                Some("/home/claw/.openclaw/credentials/oauth.json"),
            ),
            row("", Sign::Mark(Level::Wrong), "env failed: cannot edit it", None),
        ],
    }
}

fn drawn(width: usize, colour: bool, unicode: bool) -> String {
    draw(&[link()], Abilities { width, colour, unicode, cursor: true })
}

#[test]
fn a_wide_terminal_gets_it_in_columns() {
    let expected = "\
! default  env does not hold the new token
  access token  ████████████░░░░░░░░░░░░ 4h left, ends 18:02 UTC
  sinks         ✓ oauth-json up to date  /home/claw/.openclaw/credentials/oauth.json
                ✗ env failed: cannot edit it
";
    assert_eq!(drawn(100, false, true), expected);
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    for width in 24..100 {
        for line in drawn(width, false, true).lines() {
            assert!(length(line) <= width, "{width}: {} in '{line}'", length(line));
        }
    }
}

#[test]
fn a_narrow_terminal_gets_lines_of_their_own() {
    let expected = "\
! default  env does not hold
           the new token
  access token
    4h left, ends 18:02 UTC
  sinks
    ✓ oauth-json up to date
      …/credentials/oauth.json
    ✗ env failed: cannot edit
      it
";
    assert_eq!(drawn(30, false, true), expected);
}

#[test]
fn colour_is_never_all_that_tells() {
    let plain = drawn(80, false, false);
    assert!(plain.is_ascii() && !plain.contains('\x1b'), "{plain}");
    assert!(plain.contains("############------------ 4h left") && plain.contains("x env failed"));
    let coloured = drawn(80, true, true);
    assert!(coloured.contains("\x1b[31m✗\x1b[0m env failed"), "{coloured}");
}

#[test]
fn the_days_of_renewals_are_columns_and_those_that_fit_are_the_last() {
    let mut days = vec![Day { renewed: 3, has_failed: false }; DAYS];
    days[0] = Day { renewed: 9, has_failed: false };
    days[28] = Day { renewed: 1, has_failed: true };
    days[29] = Day::default();
    let row = Row { label: "30 days", sign: Sign::Days(days), text: String::new(), path: None };
    let drawn = |width, unicode| {
        let link = Link { rows: vec![row.clone()], ..link() };
        let abilities = Abilities { width, colour: false, unicode, cursor: true };
        draw(&[link], abilities).lines().last().unwrap_or_default().to_owned()
    };
    assert_eq!(drawn(80, true), format!("  30 days       █{}✗.", "▃".repeat(27)));
    assert_eq!(drawn(80, false), format!("  30 days       8{}x.", "3".repeat(27)));
    assert_eq!(drawn(24, false), format!("    {}x.", "3".repeat(18)));
}

#[test]
fn many_links_get_a_line_each_the_gravest_first() {
    let mut links = ["fine", "wrong", "other"].map(|name| Link {
        name: name.to_owned(),
        level: if name == "wrong" { Level::Wrong } else { Level::Fine },
        verdict: if name == "wrong" { "the login is gone" } else { "fine" }.to_owned(),
        ..link()
    });
    view::shorten(&mut links);
    let drawn =
        |width| draw(&links, Abilities { width, colour: false, unicode: true, cursor: true });
    let expected = "\
✗ wrong  the login is gone; 4h left, ends 18:02 UTC
✓ fine  fine; 4h left, ends 18:02 UTC
✓ other  fine; 4h left, ends 18:02 UTC
";
    assert_eq!(drawn(80), expected);
    assert!(drawn(40).starts_with("✗ wrong  the login is gone; 4h left, en…\n"), "{}", drawn(40));
}
