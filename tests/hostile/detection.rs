//! What is taken for proof that a login and an OpenClaw belong together, and how much a user can have
//! detection look at.

use crate::lab::{ALICE, BOB, Lab};

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
