//! A link whose login another host renews: in every state its messages name that host, and none of them asks
//! for a sign-in here.

use std::fs;

use crate::bed::{Bed, SOURCE, STATE};

const HOST: &str = "claw1.example";

/// A state's name, and what makes it.
type State<'a> = (&'static str, &'a dyn Fn(&Bed));

fn follower() -> Bed {
    let bed = Bed::new();
    let conf = bed.read("etc/default.conf");
    let kept: Vec<&str> = conf.lines().filter(|line| !line.starts_with("REFRESH=")).collect();
    bed.write("etc/default.conf", kept.join("\n") + "\n");
    bed.openclaw("2026.2.25").conf("SINKS", "env").conf("RENEWED_BY", HOST);
    bed
}

fn hand_on(bed: &Bed, name: &str, hours: i64) {
    let expiry = bed.hence(hours);
    let text =
        format!(r#"{{"claudeAiOauth":{{"accessToken":"access-{name}","expiresAt":{expiry}}}}}"#);
    bed.write(SOURCE, text);
}

/// Everything that people and monitors are told, which is not to ask for a sign-in.
fn told(bed: &Bed) -> String {
    let mut told = String::new();
    for words in [&["sync"][..], &["refresh"], &["check"], &["status"], &["doctor"], &["metrics"]] {
        let ran = bed.ran(bed.command(&[], words).output().unwrap());
        assert_ne!(ran.status.code(), Some(3), "{words:?}: {}{}", ran.out, ran.err);
        told += &(ran.out + &ran.err);
    }
    told
}

#[test]
fn a_renewal_that_is_asked_for_names_the_host_that_renews() {
    let bed = follower();
    bed.login_for("A", 8);
    let why = "claw1.example renews it (RENEWED_BY)";
    bed.run(["refresh"]).exit(0).says(why);
    let plan = bed.run(["refresh", "--dry-run"]).exit(0);
    assert!(plan.out.contains(why), "{}", plan.out);
    bed.run(["refresh", "--force"]).exit(1).says(why);
}

#[test]
fn in_every_state_the_other_host_has_to_act() {
    let blanked = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
    let states: [State<'_>; 5] = [
        ("before the first token", &|_| {}),
        ("expired", &|bed| hand_on(bed, "old", -1)),
        ("emptied", &|bed| _ = bed.write(SOURCE, blanked)),
        ("earlier", &|bed| {
            hand_on(bed, "B", 8);
            bed.run(["sync"]).exit(0);
            hand_on(bed, "A", 4);
        }),
        ("gone", &|bed| {
            hand_on(bed, "A", 8);
            bed.run(["sync"]).exit(0);
            fs::remove_file(bed.at(SOURCE)).unwrap();
        }),
    ];
    for (state, make) in states {
        let bed = follower();
        make(&bed);
        let told = told(&bed);
        let asked: Vec<&str> = told
            .lines()
            .filter(|line| line.contains("sign in") || line.contains("oauth-sync login"))
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(asked.is_empty(), "{state}: {asked:#?}");
        assert!(told.contains(HOST), "{state}: {told}");
        assert!(!bed.exists(&format!("{STATE}/REAUTH_NEEDED")), "{state}");
        let doctor = bed.run(["doctor"]).out;
        assert!(
            doctor.contains(&format!("ssh {HOST} sudo oauth-sync doctor")),
            "{state}: {doctor}"
        );
        assert!(told.contains("oauth_sync_sign_in_needed{link=\"default\"} 0"), "{state}");
        // `status` is not content with what `check` is not.
        let check = bed.ran(bed.command(&[], &["check"]).output().unwrap());
        assert_ne!(check.status.code(), Some(0), "{state}");
        bed.run(["status"]).exit(1);
    }
}

#[test]
fn a_token_that_was_handed_on_is_fine_until_it_ends() {
    let bed = follower();
    hand_on(&bed, "A", 8);
    bed.run(["sync"]).exit(0);
    let check = bed.run(["check"]).exit(0).out;
    assert!(check.contains("access token ends in 7h"), "{check}");
    bed.run(["status"]).exit(0);
    bed.run(["login"]).exit(1).says("claw1.example renews this login: sign in there, not here");
}

#[test]
fn nothing_is_renewed_here() {
    let bed = follower();
    bed.conf("REFRESH", "off").login("A").run(["refresh", "--dry-run"]).exit(0);
    bed.conf("REFRESH", "api");
    bed.run(["sync"])
        .exit(2)
        .says("REFRESH would renew here what another host renews (RENEWED_BY)");
    bed.conf("REFRESH", "off").conf("RENEWED_BY", "-oProxyCommand=x");
    bed.run(["sync"]).exit(2).says("RENEWED_BY");
}
