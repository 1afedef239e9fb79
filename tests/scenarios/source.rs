//! Every state of a source: its name, its one message, its exit status, and that only a living one
//! reaches a sink.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::bed::{Bed, ENV, OAUTH, SOURCE, access};

/// A bed whose sinks hold the login `old`, and which must keep it.
fn carried() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json env").login("old");
    bed.run(["sync"]).exit(0);
    bed
}

/// Runs a sync over a source that must not be passed on.
#[track_caller]
fn refused(bed: &Bed, state: &str, code: i32, stderr: &[&str]) {
    let before = (bed.print(ENV), bed.print(OAUTH));
    bed.run(["sync"]).exit(code).err(stderr);
    assert_eq!((bed.print(ENV), bed.print(OAUTH)), before);
    let needs_person = if code == 3 { 3 } else { 0 };
    let status = bed.run(["status", "--json"]).exit(needs_person).json();
    assert_eq!(status["links"][0]["source"]["state"], state);
    // What was passed on last is still what the sinks should hold.
    assert_eq!(status["links"][0]["sinks"][0]["state"], "up to date");
    assert_eq!(status["links"][0]["sinks"][1]["state"], "up to date");
}

#[track_caller]
fn text_refused(text: impl AsRef<[u8]>, state: &str, code: i32, stderr: &[&str]) {
    let bed = carried();
    bed.write(SOURCE, text);
    refused(&bed, state, code, stderr);
}

const SIGN_IN: &str = "hint: sudo oauth-sync login --link default";

fn cut(reason: &str) -> String {
    format!("default: 'BED/home/.claude/.credentials.json' {reason}")
}

fn foreign(reason: &str) -> String {
    cut(&format!("is no Claude login: {reason}: nothing is passed on"))
}

fn unreadable(reason: &str) -> String {
    format!(
        "default: cannot read 'BED/home/.claude/.credentials.json': {reason}: nothing is passed on"
    )
}

#[test]
fn a_half_written_one_is_waited_for() {
    let said = cut("is empty or cut off: nothing is passed on until it is complete");
    for text in ["", " \n", r#"{"claudeAiOauth":{"accessTok"#, "{"] {
        text_refused(text, "incomplete", 75, &[&said]);
    }
}

#[test]
fn a_blanked_one_is_not_passed_on() {
    let said = cut("");
    let said = said.replace("default: 'BED", "default: Claude CLI emptied the login in 'BED");
    let said = format!(
        "{}, since the server refused to renew it: the sinks keep the last token",
        said.trim_end()
    );
    for login in [
        r#"{"accessToken":"","refreshToken":"","expiresAt":0}"#,
        r#"{"accessToken":"","refreshToken":"","expiresAt":4102444800000,"scopes":[]}"#,
        r#"{"accessToken":null,"refreshToken":null,"expiresAt":null}"#,
        "{}",
    ] {
        text_refused(
            format!(r#"{{"claudeAiOauth":{login}}}"#),
            "cleared by Claude CLI",
            3,
            &[&said, SIGN_IN],
        );
    }
}

#[test]
fn one_without_a_readable_expiry_is_not_passed_on() {
    let said = "default: the login in 'BED/home/.claude/.credentials.json' has no readable 'expiresAt', so it is not passed on";
    for expiry in ["null", r#""""#, r#""soon""#, "true", "{}", "1e300"] {
        text_refused(
            format!(
                r#"{{"claudeAiOauth":{{"accessToken":"access-n","refreshToken":"refresh-n","expiresAt":{expiry}}}}}"#
            ),
            "no expiry",
            3,
            &[said, SIGN_IN],
        );
    }
    let bed = carried();
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"access-n","refreshToken":"refresh-n"}}"#);
    refused(&bed, "no expiry", 3, &[said, SIGN_IN]);
}

#[test]
fn an_expired_one_is_not_passed_on() {
    let bed = carried();
    bed.login_for("ended", -1);
    let said = "default: the access token in 'BED/home/.claude/.credentials.json' expired at WHEN: nothing is passed on until it is renewed";
    refused(&bed, "expired", 75, &[said]);
}

#[test]
fn what_is_no_login_is_named() {
    let control = foreign("its 'accessToken' has blanks or control characters in it");
    let cases = [
        (&b"\xff\xfe{}"[..], foreign("it is not UTF-8 text")),
        (
            b"{\"claudeAiOauth\":{\"accessToken\":\"a\xff\"}}",
            foreign("its 'accessToken' is not text"),
        ),
        (b"hello", foreign("it is not JSON")),
        (b"{}{}", foreign("it is not JSON")),
        (b"{\"mcpOAuth\":{}}", foreign("it has no 'claudeAiOauth': nobody is signed in")),
        (b"[]", foreign("it has no 'claudeAiOauth': nobody is signed in")),
        (b"{\"claudeAiOauth\":[]}", foreign("its 'claudeAiOauth' is not an object")),
        (b"{\"claudeAiOauth\":{\"accessToken\":7}}", foreign("its 'accessToken' is not text")),
        (b"{\"claudeAiOauth\":{\"accessToken\":\"a\\nb\",\"expiresAt\":4102444800000}}", control),
    ];
    for (bytes, said) in &cases {
        text_refused(bytes, "not a Claude login", 3, &[said, SIGN_IN]);
    }
}

#[test]
fn an_absent_one_asks_for_a_sign_in() {
    let said = "default: there is no Claude login at 'BED/home/.claude/.credentials.json': nothing is passed on";
    let bed = carried();
    std::fs::remove_file(bed.at(SOURCE)).unwrap();
    refused(&bed, "missing", 3, &[said, SIGN_IN]);
    std::fs::remove_dir(bed.at("home/.claude")).unwrap();
    refused(&bed, "missing", 3, &[said, SIGN_IN]);
    // A file where the folder should be.
    bed.write("home/.claude", "");
    refused(&bed, "missing", 3, &[said, SIGN_IN]);
}

/// It finds the user, the container, the place and the CLI by itself; see `people/as_root/login.rs`.
#[test]
fn the_sign_in_is_our_own_wherever_claude_is() {
    let bed = carried();
    std::fs::remove_file(bed.at(SOURCE)).unwrap();
    bed.conf("CLAUDE_CLI", "container").conf("CLAUDE_CONTAINER", "box");
    bed.run(["sync"]).exit(3).says("\nhint: sudo oauth-sync login --link default\n");
    bed.conf("CLAUDE_CREDENTIALS", bed.at("home/elsewhere/.credentials.json").to_str().unwrap());
    bed.conf("CLAUDE_CLI", "host");
    bed.run(["sync"]).exit(3).says("\nhint: sudo oauth-sync login --link default\n");
    // Another host signs in for one that only follows.
    bed.conf("CLAUDE_CLI", "none");
    bed.run(["sync"]).exit(3).says("\nhint: claude auth login\n");
}

#[test]
fn what_is_no_plain_file_is_not_read() {
    let bed = carried();
    let fresh = || {
        let _ = std::fs::remove_file(bed.at(SOURCE));
        let _ = std::fs::remove_dir(bed.at(SOURCE));
    };
    fresh();
    std::fs::create_dir(bed.at(SOURCE)).unwrap();
    refused(&bed, "unreadable", 1, &[&unreadable("it is a directory")]);
    fresh();
    bed.write("home/elsewhere.json", bed.login_text("linked", 9));
    symlink(bed.at("home/elsewhere.json"), bed.at(SOURCE)).unwrap();
    refused(&bed, "unreadable", 1, &[&unreadable("it is a symbolic link")]);
    fresh();
    assert!(Command::new("mkfifo").arg(bed.at(SOURCE)).status().unwrap().success());
    refused(&bed, "unreadable", 1, &[&unreadable("it is a named pipe")]);
    fresh();
    let _socket = UnixListener::bind(bed.at(SOURCE)).unwrap();
    refused(&bed, "unreadable", 1, &[&unreadable("it is a socket")]);
    fresh();
    std::fs::hard_link(bed.at("home/elsewhere.json"), bed.at(SOURCE)).unwrap();
    let second = "it has a second name (hard link), so it is not clear who else reads it";
    refused(&bed, "unreadable", 1, &[&unreadable(second)]);
}

#[test]
fn ten_megabytes_are_not_read() {
    let mut text = Bed::new().login_text("large", 9);
    text.push_str(&" ".repeat(10 << 20));
    let hint = "hint: oauth-sync set --link default MAX_CREDENTIALS_SIZE 16M";
    text_refused(text, "unreadable", 1, &[&unreadable("it has more than 8192 KiB"), hint]);
}

#[test]
fn every_form_met_in_the_wild_is_passed_on() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json");
    let (ms, s) = (bed.hence(8), bed.hence(8) / 1000);
    let forms = [
        format!(r#""expiresAt":{ms}"#),
        format!(r#""expiresAt":{ms}.0"#),
        format!(r#""expiresAt":"{ms}""#),
        format!(r#""expiresAt":{s}"#),
        format!(r#""expiresAt":{ms},"scopes":null,"subscriptionType":null,"unheard":[{{}}]"#),
        format!(r#""expiresAt":{ms},"refreshTokenExpiresAt":{ms},"clientId":"x","isMax":true"#),
    ];
    for (at, form) in forms.iter().enumerate() {
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("SINKS", "oauth-json");
        let tokens = format!(r#""accessToken":"access-{at}","refreshToken":"refresh-{at}""#);
        bed.write(SOURCE, format!("\n{{\"later\":1,\"claudeAiOauth\":{{{form},{tokens}}}}}\n"));
        bed.run(["sync"]).exit(0);
        assert!(bed.read(OAUTH).contains(&access(&at.to_string())), "{form}");
    }
}

#[test]
fn a_setup_token_is_passed_on_and_said_to_end() {
    let bed = carried();
    let expiry = bed.hence(24 * 365);
    bed.write(
        SOURCE,
        format!(
            r#"{{"claudeAiOauth":{{"accessToken":"access-setup","refreshToken":null,"expiresAt":{expiry}}}}}"#
        ),
    );
    bed.run(["sync"]).exit(0).says(
        "default: 'BED/home/.claude/.credentials.json' holds a setup-token that ends at WHEN: it has no refresh token, so nothing can renew it\n",
    );
    assert!(bed.read(ENV).contains("access-setup"));
    // No refresh token of the login before stands beside it.
    assert!(!bed.read(OAUTH).contains("refresh"), "{}", bed.read(OAUTH));
    bed.write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"access-setup","expiresAt":1}}"#);
    bed.run(["sync"]).exit(3);
}

#[test]
fn a_superseded_one_never_comes_back() {
    let bed = carried();
    let old = bed.read(SOURCE);
    bed.login_for("new", 9);
    bed.run(["sync"]).exit(0);
    bed.write(SOURCE, &old);
    let said = cut(
        "holds a login that was replaced before: an old file was put back, so it is not passed on",
    );
    refused(&bed, "replaced earlier", 1, &[&said, SIGN_IN]);
    bed.run(["sync", "--force"]).exit(1).err(&[&said, SIGN_IN]);
    assert!(bed.read(ENV).contains("access-new"));
}

#[test]
fn one_that_ends_earlier_waits_unless_forced() {
    let bed = carried();
    bed.login_for("earlier", 7);
    let said =
        cut("holds a login that ends at WHEN, before the one passed on last: it waits until WHEN");
    refused(&bed, "held back", 75, &[&said]);
    bed.run(["sync", "--dry-run", "--force"]).exit(0);
    assert!(bed.read(ENV).contains("access-old"));
    bed.run(["sync", "--force"]).exit(0);
    assert!(bed.read(ENV).contains("access-earlier") && bed.read(OAUTH).contains("access-earlier"));
    // From now on it is the one passed on; what it replaced is superseded.
    bed.run(["sync"]).exit(0).err(&[]);
    bed.login("old");
    bed.run(["sync", "--force"]).exit(1);
    assert!(bed.read(ENV).contains("access-earlier"));
}

#[test]
fn a_clock_that_was_wrong_blocks_no_link() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login_for("mad", 24 * 365);
    bed.run(["sync"]).exit(0);
    bed.login("sane");
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-sane"));
}

#[test]
fn another_source_starts_with_an_empty_memory() {
    let bed = carried();
    bed.write("home/other/.credentials.json", bed.login_text("other", 3));
    bed.conf("CLAUDE_CREDENTIALS", bed.at("home/other/.credentials.json").to_str().unwrap());
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-other"));
}

#[test]
fn an_earlier_one_passes_where_ours_was_damaged() {
    // The state file is cut: nothing is remembered, and nothing blocks.
    let bed = carried();
    bed.write("lib/links/default.json", "{\"source\"");
    bed.login_for("earlier", 7);
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-earlier"));
}

/// The text of a login of about `size` bytes, as many MCP servers make it.
fn large(bed: &Bed, name: &str, size: usize) -> String {
    let login = bed.login_text(name, 8);
    let filling = "{\"serverUrl\":\"https://mcp.invalid/\",\"n\":[1,2,3]},";
    let more = filling.repeat(size.saturating_sub(login.len()) / filling.len());
    format!("{},\"x\":[{more}0]}}", &login[..login.len() - 1])
}

#[test]
fn a_file_that_grew_with_its_servers_is_carried_with_little_memory() {
    let bed = carried();
    bed.write(SOURCE, large(&bed, "big", (8 << 20) - 4096));
    // Of the program's own data there may be 24 MiB: three times the file.
    let limit = ["prlimit", "--data=25165824"];
    bed.ran(bed.command(&limit, &["sync"]).output().unwrap()).exit(0);
    assert!(bed.read(ENV).contains(&access("big")));
}

#[test]
fn a_file_that_is_too_large_names_the_key() {
    let bed = carried();
    bed.write(SOURCE, large(&bed, "big", (8 << 20) + 4096));
    bed.run(["sync"]).exit(1).err(&[
        &unreadable("it has more than 8192 KiB"),
        "hint: oauth-sync set --link default MAX_CREDENTIALS_SIZE 16M",
    ]);
    bed.conf("MAX_CREDENTIALS_SIZE", "16M");
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains(&access("big")));
}

#[test]
fn what_stands_beside_the_login_may_be_anything_that_the_cli_takes() {
    let bed = carried();
    for (name, odd) in [
        ("a", &b"\"x\":\"\xfc\xff\""[..]),
        ("b", br#""x":"\ud800","\udfff":1e999"#),
        ("c", b"\"claudeAiOauth\":7"),
    ] {
        let login = bed.login_text(name, 8 + i64::from(name.as_bytes()[0]));
        // Of equal keys the last one counts: what is odd comes first.
        bed.write(SOURCE, [b"{", odd, b",", &login.as_bytes()[1..]].concat());
        bed.run(["sync"]).exit(0);
        assert!(bed.read(ENV).contains(&access(name)), "{name}");
    }
}
