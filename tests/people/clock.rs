//! The second clock: when the login itself ends, by the best source that there is.

use std::fs;

use crate::bed::{Bed, SOURCE};
use crate::{bed, sign_in_until};

/// A login that ended in five days when its file told so, and whose file tells no end any more.
fn told_before() -> Bed {
    let bed = bed();
    sign_in_until(&bed, bed.hence(5 * 24));
    bed.run(["sync"]).exit(0);
    bed.run(["refresh"]);
    assert!(check(&bed, 1).contains("the login ends in 4d 23h: sign in again"));
    bed
}

fn check(bed: &Bed, code: i32) -> String {
    bed.plain(&bed.run(["check"]).exit(code).out)
}

fn status(bed: &Bed) -> String {
    bed.run(["status"]).exit(0).out
}

/// It may be the CLI's own renewal, which this program has not seen.
#[test]
fn an_unknown_pair_keeps_the_earlier_end_as_an_estimate() {
    let bed = told_before();
    bed.login_for("B", 9).run(["sync"]).exit(0);
    bed.run(["refresh"]);
    let said = check(&bed, 1);
    assert!(said.contains("the login ends in about 4d 23h: sign in again"), "{said}");
    assert!(status(&bed).contains("login ends about"), "{}", status(&bed));
    let json = bed.run(["status", "--json"]).json();
    assert_eq!(json["links"][0]["login"]["estimate"], true);
}

#[test]
fn a_later_end_in_the_file_is_a_sign_in() {
    let bed = told_before();
    sign_in_until(&bed, bed.hence(28 * 24));
    bed.run(["sync"]).exit(0);
    bed.run(["refresh"]);
    assert!(check(&bed, 0).contains("login ends in 27d"));
    assert!(!status(&bed).contains("login-ends"), "{}", status(&bed));
}

#[test]
fn a_file_that_was_absent_or_emptied_before_is_a_sign_in() {
    let blanked = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
    for between in [None, Some(blanked)] {
        let bed = told_before();
        match between {
            Some(text) => _ = bed.write(SOURCE, text),
            None => fs::remove_file(bed.at(SOURCE)).unwrap(),
        }
        bed.run(["refresh"]);
        bed.login_for("B", 9).run(["sync"]).exit(0);
        bed.run(["refresh"]);
        assert!(check(&bed, 0).contains("login ends in about 2"), "{between:?}");
        assert!(!status(&bed).contains("login-ends"), "{}", status(&bed));
    }
}

/// The CLI passes through it when it renews.
#[test]
fn a_file_without_a_login_for_a_moment_is_none() {
    let bed = told_before();
    bed.write(SOURCE, "{}");
    bed.run(["refresh"]);
    bed.login_for("B", 9).run(["sync"]).exit(0);
    bed.run(["refresh"]);
    assert!(check(&bed, 1).contains("the login ends in about 4d 23h"));
}

#[test]
fn a_date_that_a_person_tells_corrects_it() {
    let bed = told_before();
    bed.login_for("B", 9).run(["sync"]).exit(0);
    let date = |days: u32| {
        let ago = format!("{days} days ago");
        let date = std::process::Command::new("date").args(["-u", "-d", &ago, "+%F"]).output();
        String::from_utf8(date.unwrap().stdout).unwrap().trim().to_owned()
    };
    bed.run(["login", "--signed-in", &date(2)]).exit(0).says("it ends about");
    assert!(check(&bed, 0).contains("login ends in about 2"), "{}", check(&bed, 0));
    assert!(!status(&bed).contains("login-ends"), "{}", status(&bed));
    bed.run(["login", "--signed-in", &date(24)]).exit(0);
    assert!(check(&bed, 1).contains("the login ends in about "));
    assert!(status(&bed).contains("login-ends-in-7-days"), "{}", status(&bed));
    for odd in ["yesterday", "2026-13-01", "2100-01-01", "2020-01-01", &date(32), ""] {
        bed.run(["login", "--signed-in", odd]).exit(2).says("is no moment of a sign-in");
    }
    // A file that tells its end knows better.
    let end = bed.hence(20 * 24);
    let text = bed.login_text("C", 10);
    let text = text.replace(r#""scopes""#, &format!(r#""refreshTokenExpiresAt":{end},"scopes""#));
    bed.write(SOURCE, text).run(["sync"]).exit(0);
    bed.run(["login", "--signed-in", &date(24)]).exit(0).says("tells its end itself");
    assert!(check(&bed, 0).contains("login ends in 19d"));
}
