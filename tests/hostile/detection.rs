//! What is taken for proof that a login and an OpenClaw belong together, and how much a user can have
//! detection look at.

use crate::lab::{ALICE, BOB, Lab, Ran, ran};

/// Plays docker with a container that mounts Alice's login and Bob's OpenClaw, as far as `$0.answers` is
/// true for its environment.
const DOCKER: &str = r#"#!/bin/sh
touch LAB/asked
(ANSWERS) || exit 1
case "$1" in
ps) echo c1 ;;
*) echo '[{"Id":"c1","Name":"/gw","Config":{"Image":"x","Env":["HOME=/home/node"]},"State":{"Running":true},
"Mounts":[{"Source":"LAB/home/a/.claude","Destination":"/home/node/.claude","RW":true},
{"Source":"LAB/home/b/.openclaw","Destination":"/home/node/.openclaw","RW":true}]}]' ;;
esac
"#;

#[test]
fn no_daemon_of_a_users_proves_a_pair() {
    for (answers, name, value, proves) in [
        ("true", "LANG", "C.UTF-8", true),
        (r#"[ -e "$HOME/.docker/evil" ]"#, "HOME", "home/b", false),
        (r#"[ -e "$DOCKER_CONFIG/evil" ]"#, "DOCKER_CONFIG", "home/b/.docker", false),
        (r#"[ -e "$XDG_RUNTIME_DIR/evil" ]"#, "XDG_RUNTIME_DIR", "home/b/.docker", false),
        ("true", "DOCKER_HOST", "home/b/.docker/evil", false),
        // The current context of root's own command may be another host's daemon.
        (r#"[ "$DOCKER_CONTEXT" != default ]"#, "LANG", "C.UTF-8", false),
    ] {
        let lab = Lab::new();
        let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
        lab.login(ALICE, "home/a/.claude", "1", 20_000);
        lab.as_user(
            BOB,
            "mkdir -p home/b/.openclaw home/b/.docker; echo '{}' >home/b/.openclaw/openclaw.json; : >home/b/.docker/evil",
        );
        lab.sh("mkdir fake; printf '#!/bin/sh\\nexit 1\\n' >fake/podman");
        let docker = DOCKER.replace("ANSWERS", answers).replace("LAB", &root);
        std::fs::write(lab.at("fake/docker"), docker).unwrap();
        lab.sh("chmod 755 fake/*");
        let value =
            if value.starts_with("home/") { format!("{root}/{value}") } else { value.into() };
        let said = lab.inside_with(&[(name, value)], &["detect", "--write"]);
        assert!(lab.at("asked").exists(), "{answers}: {}", said.stderr);
        assert_eq!(
            lab.at("etc/default.conf").exists(),
            proves,
            "{answers} {name}: {}",
            said.stdout
        );
    }
}

#[test]
fn roots_uid_alone_is_no_proof() {
    // Engines make the directories that they mount as root.
    for (login, claw, is_linked) in [
        ("root/.claude", "root/.openclaw", true),
        ("root/.claude", "srv/openclaw/.openclaw", false),
        ("root/.claude", "data/.openclaw", false),
        ("root/.claude", "opt/openclaw/.openclaw", false),
        ("root/.claude", "srv/claw/.openclaw", false),
    ] {
        let lab = Lab::new();
        lab.login(0, &format!("tree/{login}"), "1", 20_000);
        lab.sh(&format!(
            "mkdir -p tree/etc tree/{claw}; echo '{{}}' >tree/{claw}/openclaw.json
             printf 'root:x:0:0::/root:/bin/sh\\nclaw:x:1001:1001::/srv/claw:/bin/sh\\n' >tree/etc/passwd"
        ));
        let tree = lab.at("tree");
        let root = ["--root", tree.to_str().unwrap()];
        let said = lab.confined(&[&["detect"], &root[..]].concat());
        lab.confined(&[&["detect", "--write"], &root[..]].concat());
        assert_eq!(lab.at("etc/default.conf").exists(), is_linked, "{claw}: {}", said.stdout);
        assert!(said.stdout.contains(claw), "{claw}: {}", said.stdout);
    }
}

/// Looks at the scratch host's `tree` with no more memory than this.
fn detect_in_little_memory(lab: &Lab) -> Ran {
    let wanted = lab.command(&["detect", "--root", lab.at("tree").to_str().unwrap()]);
    let mut command = std::process::Command::new("prlimit");
    command.arg("--as=400000000").arg(wanted.get_program()).args(wanted.get_args());
    ran(command.output().unwrap())
}

#[test]
fn what_a_user_piles_up_takes_little_memory_and_is_named() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 20_000).login(BOB, "home/b/.claude", "2", 20_000);
    lab.as_user(BOB, "mkdir home/b/.openclaw; echo '{}' >home/b/.openclaw/openclaw.json");
    lab.as_user(
        ALICE,
        "cd home/a; mkdir -p .config/systemd/user .openclaw; echo '{}' >.openclaw/openclaw.json
         for i in $(seq 500); do echo .openclaw-$i; done | xargs mkdir
         cd .config/systemd/user
         for i in $(seq 500); do echo Environment=CLAUDE_CONFIG_DIR=/home/a/c$i; done >0.service
         for i in $(seq 3000); do echo $i.service; done | xargs truncate -s 262144",
    );
    lab.sh(&format!(
        "mkdir tree tree/etc; mv home tree/home
         printf 'a:x:{ALICE}:{ALICE}::/home/a:/bin/sh\\nb:x:{BOB}:{BOB}::/home/b:/bin/sh\\n' >tree/etc/passwd"
    ));
    // All those units have 750 MiB.
    let said = detect_in_little_memory(&lab);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for left_out in ["units", "what units", "profiles"] {
        let line = format!("left out  not looked at: {left_out} ");
        assert_eq!(said.stdout.matches(&line).count(), 1, "{left_out}: {}", said.stdout);
    }
    let claws = said.stdout.lines().filter(|line| line.starts_with("openclaw ")).count();
    assert_eq!(claws, 34, "each user's own, and 32 profiles: {}", said.stdout);
    let pair = "candidate '/home/b/.claude/.credentials.json' to '/home/b/.openclaw'";
    assert!(said.stdout.contains(pair), "{}", said.stdout);
}

#[test]
fn a_compose_file_of_a_users_takes_no_more_than_its_size() {
    let lab = Lab::new();
    lab.sh(&format!(
        "mkdir -p tree/etc; mv home tree/home
         printf 'a:x:{ALICE}:{ALICE}::/home/a:/bin/sh\\nb:x:{BOB}:{BOB}::/home/b:/bin/sh\\n' >tree/etc/passwd"
    ));
    lab.login(BOB, "tree/home/b/.claude", "2", 20_000);
    lab.as_user(BOB, "mkdir tree/home/b/.openclaw; echo '{}' >tree/home/b/.openclaw/openclaw.json");
    let alias =
        |at: u8| format!("x{at}: &x{at} [{}]\n", vec![format!("*x{}", at - 1); 10].join(","));
    let aliases = (1..9).map(alias).collect::<Vec<_>>().concat();
    for above in [format!("x0: &x0 [y]\n{aliases}"), format!("x: \n  {}y\n", "- ".repeat(120_000))]
    {
        let text = format!("{above}services:\n  openclaw-gateway:\n    volumes: []\n");
        std::fs::write(lab.at("tree/home/a/compose.yaml"), text).unwrap();
        let said = detect_in_little_memory(&lab);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert!(said.stdout.contains("the first candidate can be written"), "{}", said.stdout);
    }
}

#[test]
fn a_directory_that_an_access_list_opens_to_another_user_is_shared() {
    for (opened, is_linked) in [
        ("true", true),
        ("chgrp 61421 home/a/.openclaw; chmod 770 home/a/.openclaw", true),
        ("setfacl -m u:61422:rwx home/a/.openclaw", false),
        ("setfacl -m u:61422:rwx home/a", false),
        ("setfacl -m u:61422:r-x home/a/.openclaw", true),
    ] {
        let lab = Lab::new();
        lab.login(ALICE, "home/a/.claude", "1", 20_000);
        lab.as_user(
            ALICE,
            "mkdir -m 700 home/a/.openclaw; echo '{}' >home/a/.openclaw/openclaw.json",
        );
        lab.sh(&format!(
            "printf 'alice:x:{ALICE}:{ALICE}::/home/a:/bin/sh\nbob:x:{BOB}:{BOB}::/home/b:/bin/sh\n' >etc/passwd
             printf 'alice:x:{ALICE}:\nbob:x:{BOB}:\n' >etc/group; {opened}"
        ));
        let root = lab.at(".");
        let ran = ran(lab.command(&["detect", "--root", root.to_str().unwrap()]).output().unwrap());
        let refusal = "others can write in a directory on the way to it";
        assert_eq!(!ran.stdout.contains(refusal), is_linked, "{opened}: {}", ran.stdout);
        assert!(ran.stdout.contains("home/a/.openclaw"), "{opened}: {}{}", ran.stdout, ran.stderr);
    }
}
