//! `REAUTH_NEEDED`, the journal and `status`.

use std::os::unix::fs::MetadataExt;

use crate::bed::{Bed, ENV, SOURCE};
use crate::{BLANK, FLAG, age, bed, blanked, no_token_is_kept, queued};

const STATE: &str = "lib/incidents/default.json";

/// Whose the login is: who runs the tests.
fn user() -> String {
    let said = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim().to_owned()
}

#[test]
fn it_tells_the_container_in_which_claude_is() {
    let bed = bed();
    bed.conf("CLAUDE_CLI", "container").conf("CLAUDE_CONTAINER", "box");
    blanked(&bed);
    let text = bed.read(FLAG);
    assert!(text.contains("sign in again in the container box, agents work until"), "{text}");
    assert!(text.contains("\nrun: sudo oauth-sync login --link default\n"), "{text}");
}

#[test]
fn it_stands_from_the_refusal_to_the_next_login() {
    let bed = bed();
    let watch = bed.watch();
    watch.holds(ENV, "A");
    assert!(!bed.exists(FLAG));
    bed.replace(SOURCE, BLANK);
    watch.until("the flag stands", || bed.exists(FLAG));
    let text = bed.plain(&bed.read(FLAG)).replace(&format!(" as {},", user()), " as USER,");
    assert_eq!(
        text,
        "# written by oauth-sync\nlink: default\nsince: WHEN\n\
         Claude CLI emptied the login in 'BED/home/.claude/.credentials.json' after the server \
         refused it: sign in again as USER, agents work until WHEN, for 7h 59m more\n\
         run: sudo oauth-sync login --link default\n\
         This file goes away by itself once there is a new login.\n"
    );
    let meta = bed.at(FLAG).metadata().unwrap();
    let folder = bed.at(FLAG).parent().unwrap().metadata().unwrap();
    assert_eq!((meta.mode() & 0o777, meta.uid()), (0o600, folder.uid()));
    // The same old login, put back, is no proof: its refresh token is spent.
    bed.replace(SOURCE, bed.login_text("A", 8));
    bed.replace(SOURCE, BLANK);
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.holds(ENV, "B").until("the flag is gone", || !bed.exists(FLAG));
    let (_, said) = watch.end();
    assert_eq!(said.matches("emptied the login").count(), 1, "{said}");
    assert!(said.contains("default: valid login found in 'BED/home/.claude/.credentials.json' again, its access token ends at WHEN"), "{said}");
    no_token_is_kept(&bed);
}

#[test]
fn it_is_said_again_daily_and_survives_a_restart() {
    let bed = bed();
    blanked(&bed);
    let watch = bed.watch();
    let (_, said) = watch.end();
    assert_eq!(said, "", "it was said before the restart");
    age(&bed, STATE, 25);
    std::fs::remove_file(bed.at(FLAG)).unwrap();
    let watch = bed.watch();
    watch.says("emptied the login").says("hint: sudo oauth-sync login --link default");
    watch.until("the flag stands again", || bed.exists(FLAG));
    watch.end();
    let json = bed.run(["status", "--json"]).exit(3).json();
    let incident = &json["links"][0]["incidents"][0];
    assert_eq!(
        (&incident["kind"], &incident["command"]),
        (&"blanked".into(), &"sudo oauth-sync login --link default".into())
    );
    let text = bed.run(["status"]).exit(3).out.clone();
    assert!(
        text.contains("  people  blanked, since ")
            && text.contains("run: sudo oauth-sync login --link default"),
        "{text}"
    );
}

#[test]
fn somebody_elses_flag_is_left_alone() {
    let bed = bed();
    bed.write(FLAG, "the original's\n");
    let before = bed.print(FLAG);
    blanked(&bed);
    let watch = bed.watch();
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("valid login found");
    watch.end();
    assert_eq!(bed.print(FLAG), before);
}

#[test]
fn both_clocks_are_shown_and_an_estimate_is_said_to_be_one() {
    let bed = bed();
    bed.watch().holds(ENV, "A");
    let text = bed.run(["status"]).exit(0).out.clone();
    assert!(
        text.contains("access token ends at") && text.contains("in 27d 23h (estimate)"),
        "{text}"
    );
    let told = |days: i64| {
        let end = format!(
            r#""expiresAt":{},"refreshTokenExpiresAt":{}"#,
            bed.hence(8),
            bed.hence(24 * days) + 60_000
        );
        bed.login_text("A", 8).replace(&format!(r#""expiresAt":{}"#, bed.hence(8)), &end)
    };
    bed.write(SOURCE, told(20));
    let json = bed.run(["status", "--json"]).exit(0).json();
    assert_eq!(json["links"][0]["login"]["estimate"], false);
    assert!(json["links"][0]["incidents"].as_array().unwrap().is_empty());
    let watch = bed.watch_as(&[], &["--delegate"]);
    bed.write(SOURCE, told(3));
    watch.says("the login in 'BED/home/.claude/.credentials.json' ends at WHEN, in 3d, and nothing can renew it beyond that: sign in again");
    watch.until("an event is left", || queued(&bed, "notify.d").len() == 1);
    assert!(!bed.exists(FLAG), "there is time left");
    let (_, said) = watch.end();
    assert_eq!(said.matches("nothing can renew it").count(), 1, "{said}");
}

#[test]
fn links_are_told_apart() {
    let bed: Bed = bed();
    bed.write(
        "etc/other.conf",
        bed.read(crate::bed::CONF).replace("SINKS=\"env\"", "SINKS=\"none\""),
    );
    blanked(&bed);
    assert_eq!(queued(&bed, "notify.d").len(), 2, "each link has its own people");
    assert!(bed.exists(FLAG));
    let watch = bed.watch();
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("default: valid login found").says("other: valid login found");
    watch.until("the flag is gone", || !bed.exists(FLAG));
    watch.end();
}

/// What only root can set up or see.
mod as_root {
    use std::os::unix::fs::chown;

    use super::{FLAG, MetadataExt, SOURCE, bed, blanked};

    #[test]
    fn it_belongs_to_the_owner_of_the_folder() {
        let bed = bed();
        let owner = Some(4711);
        for path in ["home/.openclaw", "home/.claude", SOURCE] {
            chown(bed.at(path), owner, owner).unwrap();
        }
        blanked(&bed);
        let meta = bed.at(FLAG).metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o777), (4711, 4711, 0o600));
    }
}
