//! Units of the host: root restarts what belongs to the owner of the state folder, or what root names.

use crate::lab::Lab;

/// Plays systemctl: one unit of the host that is active, of the user in `user`.
const SYSTEMCTL: &str = r#"#!/bin/sh
case "$*" in
*--user*) echo LoadState=not-found ;;
"show "*openclaw.service) printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\nUser=%s\n' "$(cat LAB/pid)" "$(cat LAB/user)" ;;
"show "*) echo LoadState=not-found ;;
restart*) echo "$@" >>LAB/restarted; echo 2 >LAB/pid ;;
*) exit 1 ;;
esac
"#;

/// A user of this host besides root.
fn account() -> (String, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let mut all = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = all.find(|fields| fields[2] != "0").expect("every host has one");
    (found[0].to_owned(), found[2].parse().unwrap())
}

#[test]
fn a_unit_of_somebody_elses_is_restarted_only_by_name() {
    let (name, uid) = account();
    let number = uid.to_string();
    for (user, gateway, restarts) in [
        (name.as_str(), "auto", true),
        (number.as_str(), "auto", true),
        ("", "auto", false),
        ("root", "auto", false),
        ("somebody", "auto", false),
        ("", "systemd", true),
        ("somebody", "systemd", true),
    ] {
        let lab = Lab::new();
        let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
        lab.sh(&format!(
            "mkdir -p fake home/u; chown {uid} home/u; echo 1 >pid; echo '{user}' >user"
        ));
        std::fs::write(lab.at("fake/systemctl"), SYSTEMCTL.replace("LAB", &root)).unwrap();
        lab.sh("chmod 755 fake/systemctl");
        lab.login(uid, "home/u/.claude", "1", 20_000);
        lab.as_user(uid, "mkdir home/u/.openclaw; umask 077; echo A=1 >home/u/.openclaw/.env");
        lab.link(
            "u",
            &format!("CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"{gateway}\"\n"),
        );
        let said = lab.inside(&["sync"]);
        assert_eq!(lab.at("restarted").exists(), restarts, "{user} {gateway}: {}", said.stderr);
        if !restarts {
            let hint = " set --link u GATEWAY systemd";
            assert!(said.stderr.contains(hint), "{user}: {}", said.stderr);
            let check = lab.inside(&["check"]);
            assert_eq!(check.code, Some(2), "{user}: {}", check.stdout);
            let doctor = lab.inside(&["doctor"]);
            assert!(doctor.stdout.contains("openclaw.service"), "{user}: {}", doctor.stdout);
        }
    }
}

/// Plays a systemctl to which every name that it is asked for is an active unit of the user in `user`.
const EVERY_UNIT: &str = r#"#!/bin/sh
case "$*" in
*--user*) echo LoadState=not-found ;;
"show "*) printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\nUser=%s\n' "$(cat LAB/pid)" "$(cat LAB/user)" ;;
restart*) echo "$@" >>LAB/restarted; echo 2 >LAB/pid ;;
*) exit 1 ;;
esac
"#;

#[test]
fn a_profile_names_no_more_than_one_unit() {
    let (name, uid) = account();
    // A user's directory is called as the user likes; systemctl(1) takes patterns.
    for (profile, restarts) in
        [("work", true), ("*", false), ("?", false), ("[a-z]*", false), ("a b", false)]
    {
        let lab = Lab::new();
        let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
        lab.sh(&format!(
            "mkdir -p fake home/u; chown {uid} home/u; echo 1 >pid; echo '{name}' >user"
        ));
        std::fs::write(lab.at("fake/systemctl"), EVERY_UNIT.replace("LAB", &root)).unwrap();
        lab.sh("chmod 755 fake/systemctl");
        lab.login(uid, "home/u/.claude", "1", 20_000);
        lab.as_user(
            uid,
            &format!("mkdir 'home/u/.openclaw-{profile}'; umask 077; echo A=1 >'home/u/.openclaw-{profile}/.env'"),
        );
        lab.configuration(
            "u",
            &format!("CLAUDE_CREDENTIALS=\"{root}/home/u/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"{root}/home/u/.openclaw-{profile}\"\nCLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"auto\"\n"),
        );
        let said = lab.inside(&["sync"]);
        let token = lab.read(&format!("home/u/.openclaw-{profile}/.env"));
        assert!(token.contains("test-access1"), "{profile}: {}", said.stderr);
        assert_eq!(lab.at("restarted").exists(), restarts, "{profile}: {}", said.stderr);
    }
}

#[test]
fn what_a_container_writes_above_a_state_directory_starts_nothing() {
    let lab = Lab::new();
    let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
    // Root's state directory and login, which a container has as its home: root in it is uid 0 here.
    lab.login(0, "srv/home/.claude", "1", 20_000);
    lab.sh(
        "mkdir -p fake srv/home/bin srv/home/.openclaw; cd srv/home; echo '{}' >.openclaw/openclaw.json
         (umask 077; : >.openclaw/.env)
         mkdir -p .config/systemd/user .config/containers/systemd
         printf '[Container]\\nContainerName=planted\\n' >.config/containers/systemd/openclaw.container",
    );
    let proof = format!("#!/bin/sh\necho \"$0 $*\" >>{root}/proof\nexit 1\n");
    for program in ["srv/home/bin/openclaw", "fake/podman", "fake/docker"] {
        std::fs::write(lab.at(program), &proof).unwrap();
    }
    let unit = format!("[Service]\nExecStart={root}/srv/home/bin/openclaw gateway\n");
    std::fs::write(lab.at("srv/home/.config/systemd/user/openclaw-gateway.service"), unit).unwrap();
    lab.sh("chmod 755 srv/home/bin/openclaw fake/*");
    lab.configuration(
        "a",
        &format!(
            "CLAUDE_CREDENTIALS=\"{root}/srv/home/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"{root}/srv/home/.openclaw\"\n"
        ),
    );
    let said = lab.inside(&["sync"]);
    let proof = lab.read("proof");
    assert!(
        !proof.contains("bin/openclaw") && !proof.contains("planted"),
        "{proof}{}",
        said.stderr
    );
    // The same unit in root's own home would be followed: the login was passed on, and the program asked for.
    assert!(said.stderr.contains("openclaw"), "{}", said.stderr);
}
