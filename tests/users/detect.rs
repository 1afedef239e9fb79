//! `detect` over the trees of two users, one of them hostile: nobody's token is ever handed to another.

use std::fs::File;

use super::{BOX, EVIL, Yard};

/// The yard as a host of its own: two accounts, and an `openclaw.json` in each home.
fn host() -> Yard {
    let yard = Yard::new();
    yard.sh("rm -f etc/*.conf; mkdir -p root/.claude; touch root/.profile");
    yard.file(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nevil:x:4712:4712::/home/evil:/bin/sh\ngood:x:4711:4711::/home/good:/bin/sh\n",
    );
    yard.sh("rm -r home/evil/.claude home/evil/.openclaw");
    yard.sh("echo '{}' >home/good/.openclaw/openclaw.json; chown 4711:4711 home/good/.openclaw/openclaw.json");
    yard
}

fn detect(yard: &Yard, more: &[&str]) -> (i32, String, String) {
    let root = yard.0.at("").display().to_string();
    let args = [&["detect", "--root", root.trim_end_matches('/')], more].concat();
    let ran = yard.0.ran(yard.0.command(&[], &args).output().unwrap());
    (ran.status.code().unwrap(), ran.out, ran.err)
}

/// Answers, as the packages hand them over; what `default.conf` says then, and what is said.
fn told(answers: &str) -> (String, String) {
    let yard = host();
    yard.sh("cd home/evil; mkdir -p .claude oc; cp ../good/.claude/.credentials.json .claude/; chown -R 4712:4712 .");
    let (root, answers) =
        (yard.0.at("").display().to_string(), yard.0.write("answers", answers).at("answers"));
    let args = ["detect", "--write", "--set-stdin", "--root", root.trim_end_matches('/')];
    let mut command = yard.0.command(&[], &args);
    let ran = yard.0.ran(command.stdin(File::open(answers).unwrap()).output().unwrap());
    let (conf, said) = (yard.0.read("etc/default.conf"), ran.err.clone());
    let code = i32::from(said.contains("nothing is linked"));
    ran.exit(code);
    (conf.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect(), said)
}

#[track_caller]
fn good_alone_is_linked(yard: &Yard) {
    let before = (yard.see("root"), yard.see("home"));
    let (code, _, said) = detect(yard, &["--write"]);
    assert_eq!(code, 0, "{said}");
    assert!(yard.0.exists("etc/default.conf"), "{said}");
    let conf = yard.0.read("etc/default.conf");
    assert!(conf.contains("CLAUDE_CREDENTIALS=\"/home/good/.claude/.credentials.json\""), "{conf}");
    assert!(conf.contains("OPENCLAW_STATE_DIR=\"/home/good/.openclaw\""), "{conf}");
    assert!((yard.see("root"), yard.see("home")) == before, "detection writes nothing of theirs");
}

#[test]
fn planted_links_lead_to_no_link() {
    for plant in [
        // an OpenClaw of evil's for good's login, and a login of evil's for good's OpenClaw
        "mkdir .openclaw; echo '{}' >.openclaw/openclaw.json",
        "ln -s ../good/.openclaw .openclaw",
        "ln -s ../good/.claude .claude",
        "mkdir .claude; ln -s ../../good/.claude/.credentials.json .claude/.credentials.json",
        "ln -s ../../root .claude; ln -s ../../root .openclaw",
        "ln -s /proc/self/root/root .openclaw-x",
        "mkfifo .openclaw; mkdir .claude; mkfifo .claude/.credentials.json",
        "mkdir -p .claude; head -c 3000000 /dev/zero >.claude/.credentials.json",
    ] {
        let yard = host();
        yard.sh(&format!("cd home/evil; {plant}"));
        yard.sh("find home/evil ! -type f -exec chown -h 4712:4712 {} +; find home/evil -type f -links 1 -exec chown 4712:4712 {} +");
        good_alone_is_linked(&yard);
    }
}

#[test]
fn a_units_word_gives_no_rights() {
    let yard = host();
    yard.sh(
        "cd home/evil; mkdir -p .config/systemd/user .openclaw; echo '{}' >.openclaw/openclaw.json
        printf '[Service]\nEnvironment=CLAUDE_CONFIG_DIR=/home/good/.claude OPENCLAW_STATE_DIR=/root\nEnvironmentFile=/root/.env\n' \
            >.config/systemd/user/x.service
        chown -R 4712:4712 .",
    );
    good_alone_is_linked(&yard);
}

#[test]
fn a_compose_folder_of_anothers_is_left_out() {
    let yard = host();
    yard.sh("cd home/evil; mkdir oc; printf 'services:\n  openclaw-gateway:\n' >oc/compose.yaml
        echo OPENCLAW_CONFIG_DIR=/home/good/.openclaw >oc/.env; chown -R 4712:4712 .");
    good_alone_is_linked(&yard);
    assert!(!yard.0.read("etc/default.conf").contains("COMPOSE_DIR"));
    let (_, text, _) = detect(&yard, &[]);
    assert!(text.contains("but another user controls it: left out"), "{text}");
}

#[test]
fn roots_login_goes_to_nobody_elses_directory() {
    for uid in [BOX, EVIL] {
        let yard = host();
        yard.sh(&format!(
            "rm -r home/good/.claude home/good/.openclaw; mkdir -p root/.claude srv/state
            mv root/.credentials.json root/.claude/; echo '{{}}' >srv/state/openclaw.json
            mkdir -p etc/systemd/system
            printf '[Service]\nEnvironment=OPENCLAW_STATE_DIR=/srv/state\n' >etc/systemd/system/o.service
            chown -R {uid}:{uid} srv/state"
        ));
        let (code, _, said) = detect(&yard, &["--write"]);
        assert_eq!(code, 1, "{said}");
        assert!(!yard.0.exists("etc/default.conf"), "{uid}: {said}");
    }
}

#[test]
fn half_an_answer_is_completed_within_one_users_things() {
    let login =
        |name: &str| format!("CLAUDE_CREDENTIALS=\"/home/{name}/.claude/.credentials.json\"\n");
    let claw = "OPENCLAW_STATE_DIR=\"/home/good/.openclaw\"\n".to_owned();
    let plain = |text: &str| text.replace('"', "");
    // The best pair is good's, and evil's login is another.
    let (conf, said) = told(&plain(&login("evil")));
    assert_eq!(conf, login("evil"));
    assert!(
        said.contains("nothing is linked: the login is uid 4712's and OpenClaw uid 4711's"),
        "{said}"
    );
    assert!(said.contains("oauth-sync setup links it"), "{said}");
    let (conf, said) = told(&plain(&login("good")));
    assert_eq!(conf, format!("{claw}{}", login("good")));
    assert!(!said.contains("nothing is linked"), "{said}");
    assert_eq!(told(&plain(&claw)).0, format!("{}{claw}", login("good")));
    let (conf, said) =
        told("CLAUDE_CREDENTIALS=/home/nobody/.claude/.credentials.json\nREFRESH=api\n");
    assert_eq!(conf, login("nobody") + "REFRESH=\"api\"\n");
    assert!(
        said.contains("no Claude login was found at '/home/nobody/.claude/.credentials.json'"),
        "{said}"
    );
    // The .env of a compose folder gets the token too.
    for place in ["COMPOSE_DIR=/home/evil/oc", "ENV_FILE=/home/evil/oc/.env"] {
        let (conf, said) = told(&format!("{place}\n"));
        assert!(!conf.contains("CLAUDE_CREDENTIALS"), "{conf}");
        assert!(said.contains("another user controls '/home/evil/oc"), "{said}");
    }
    // Both were named by a person.
    let (conf, said) = told(&plain(&(login("evil") + &claw)));
    assert_eq!(conf, login("evil") + &claw);
    assert!(!said.contains("nothing is linked"), "{said}");
}

#[test]
fn nothing_is_proposed_that_would_not_be_linked_unasked() {
    let yard = host();
    assert!(detect(&yard, &["--print"]).1.contains("OPENCLAW_STATE_DIR=/home/good/.openclaw\n"));
    yard.sh("chown -R 4712:4712 home/good/.claude");
    assert!(detect(&yard, &[]).1.contains("nothing is linked unasked"));
    assert_eq!(detect(&yard, &["--print"]), (0, String::new(), String::new()));
}

/// Gives evil a login and an OpenClaw of their own.
const A_PAIR_OF_EVILS: &str = "cd home/evil; mkdir -p .claude .openclaw
    cp ../good/.claude/.credentials.json .claude/; echo '{}' >.openclaw/openclaw.json
    chown -R 4712:4712 .";

#[test]
fn two_users_with_a_pair_each_get_a_link_each() {
    let yard = host();
    yard.sh(A_PAIR_OF_EVILS);
    let (code, _, said) = detect(&yard, &["--write"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("nothing is linked: more than one pair fits equally well"), "{said}");
    let (code, text, _) = detect(&yard, &[]);
    assert!(code == 0 && text.contains("2 links can be written: oauth-sync detect --write --all"));
    let (code, _, said) = detect(&yard, &["--write", "--all"]);
    assert_eq!(code, 0, "{said}");
    let links: Vec<String> = ["default", "evil", "good"]
        .into_iter()
        .filter(|link| yard.0.exists(&format!("etc/{link}.conf")))
        .map(|link| yard.0.read(&format!("etc/{link}.conf")))
        .collect();
    let [one, other] = &links[..] else { panic!("{links:?}: {said}") };
    for (link, no) in [(one, other), (other, one)] {
        let user = if link.contains("/home/good/") { "good" } else { "evil" };
        let pair = format!(
            "CLAUDE_CREDENTIALS=\"/home/{user}/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"/home/{user}/.openclaw\"\n"
        );
        assert!(link.ends_with(&pair) && !no.contains(user), "{link}");
    }
    // Again it changes nothing, and says so.
    let (code, _, said) = detect(&yard, &["--write", "--all"]);
    assert!(code == 0 && said.contains("unchanged"), "{said}");
}

#[test]
fn what_is_not_linked_is_named_with_the_reason() {
    let yard = host();
    yard.sh(A_PAIR_OF_EVILS);
    yard.sh("rm home/evil/.claude/.credentials.json");
    let (code, _, said) = detect(&yard, &["--write", "--all"]);
    assert_eq!(code, 0, "{said}");
    let why = "the OpenClaw in '/home/evil/.openclaw' is not linked: the login is uid 4711's and OpenClaw uid 4712's";
    assert!(said.contains(why), "{said}");
    assert!(said.contains("--openclaw /home/evil/.openclaw"), "{said}");
    // Other answers count for every link, and one that says what a link is for that link alone.
    let yard = host();
    yard.sh(A_PAIR_OF_EVILS);
    let all = |answers: &str| {
        let root = yard.0.at("").display().to_string();
        let args = ["detect", "--write", "--all", "--set-stdin", "--root"];
        let args = [&args[..], &[root.trim_end_matches('/')]].concat();
        let answers = yard.0.write("answers", answers).at("answers");
        let mut command = yard.0.command(&[], &args);
        yard.0.ran(command.stdin(File::open(answers).unwrap()).output().unwrap()).err
    };
    let said = all("OPENCLAW_STATE_DIR=/home/good/.openclaw\n");
    assert!(
        said.contains("'/home/evil/.openclaw' is not linked: only one link was asked for"),
        "{said}"
    );
    assert!(!yard.0.exists("etc/evil.conf") && !yard.0.exists("etc/good.conf"));
    yard.sh("rm etc/*.conf");
    all("REFRESH=off\n");
    yard.sh("[ \"$(grep -l '^REFRESH=.off.' etc/*.conf | wc -l)\" = 2 ]");
}

#[test]
fn a_link_of_that_name_is_made() {
    let yard = host();
    let (code, _, said) = detect(&yard, &["--link", "mine", "--write"]);
    assert!(code == 0 && yard.0.exists("etc/mine.conf"), "{said}");
    for wrong in [&["--link", "mine"][..], &["--link", "../x", "--write"], &["--all"]] {
        assert_eq!(detect(&yard, wrong).0, 2, "{wrong:?}");
    }
}
