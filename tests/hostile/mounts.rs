//! A file system that a user mounts says of its files what the user likes: their owners count for nothing.

use std::path::Path;
use std::process::Command;

use crate::lab::{ALICE, BOB, Lab, Ran, ran};

/// Runs a script that has the program as `$@`, in a mount table of its own in which Alice has an account.
fn in_a_namespace(lab: &Lab, script: &str, arguments: &[&str]) -> Ran {
    let script = format!(
        "cp /etc/passwd passwd; echo 'alice:x:{ALICE}:{ALICE}::/nonexistent:/bin/sh' >>passwd
         mount --bind passwd /etc/passwd
         {script}"
    );
    let program = lab.command(arguments);
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-ec", &script, "sh"]);
    command.arg(program.get_program()).args(program.get_args()).current_dir(lab.at("."));
    ran(command.output().unwrap())
}

/// Runs the program while Alice has mounted her own home over itself, with all in it of the user `shown`.
///
/// fuse.conf has `user_allow_other`; all of it is seen in a mount table of its own.
fn over_her_home(lab: &Lab, shown: u32, modes: &str, arguments: &[&str]) -> Ran {
    let script = format!(
        "mknod fuse c 10 229; chmod 666 fuse; mount --bind fuse /dev/fuse
         echo user_allow_other >fuse.conf; mount --bind fuse.conf /etc/fuse.conf
         setpriv --reuid={ALICE} --regid={ALICE} --clear-groups \
           bindfs -u {shown} -g {shown} -p {modes} -o allow_other home/a home/a
         test \"$(stat -c %u home/a/bin)\" = {shown}
         code=0; \"$@\" || code=$?
         umount -l home/a; rm fuse; exit $code"
    );
    in_a_namespace(lab, &script, arguments)
}

/// Alice has a login, OpenClaw and a program that says as whom it runs.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.sh("mkdir -m 1777 shared").login(ALICE, "home/a/.claude", "A", 20000);
    let proof = lab.at("shared/proof");
    lab.as_user(
        ALICE,
        &format!(
            "cd home/a; mkdir -p .openclaw bin; (umask 077; : >.openclaw/.env); echo {{}} >.openclaw/openclaw.json
             printf '#!/bin/sh\\nid -u >{}\\n' >bin/restart; chmod 755 bin/restart",
            proof.display()
        ),
    );
    lab
}

const LINES: &str =
    "CLAUDE_CLI=\"none\"\nSINKS=\"env\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\n";

/// What a mount can show, and whether its owner may use it then.
const SHOWN: [(u32, &str, bool); 4] = [
    (0, "u+rwX,go+rX,go-w", false),
    (0, "a+rwX", true),
    (BOB, "u+rwX,go+rX,go-w", false),
    (BOB, "a+rwX", true),
];

#[test]
fn the_owner_that_a_mount_shows_gives_nobody_elses_rights() {
    for (shown, modes, is_usable) in SHOWN {
        let lab = lab();
        let program = lab.at("home/a/bin/restart");
        let lines =
            format!("{LINES}GATEWAY=\"command\"\nGATEWAY_COMMAND=\"{}\"\n", program.display());
        lab.link("a", &lines);
        let ran = over_her_home(&lab, shown, modes, &["sync"]);
        let expected = if is_usable { format!("{ALICE}\n") } else { String::new() };
        assert_eq!(lab.read("shared/proof"), expected, "{shown} {modes}: {}", ran.stderr);
        // Whoever uses it does so as she could herself.
        assert_eq!(lab.read("home/a/.openclaw/.env").contains("accessA"), is_usable, "{modes}");
    }
}

#[test]
fn root_runs_no_program_that_a_mount_calls_roots() {
    let lab = lab();
    lab.login(BOB, "home/b/.claude", "B", 20000);
    lab.as_user(BOB, "umask 077; mkdir home/b/.openclaw; : >home/b/.openclaw/.env");
    let program = lab.at("home/a/bin/restart");
    let lines = format!(
        "{LINES}GATEWAY=\"command\"\nGATEWAY_COMMAND=\"{}\"\nGATEWAY_COMMAND_USER=\"root\"\n",
        program.display()
    );
    lab.link("b", &lines);
    let ran = over_her_home(&lab, 0, "a+rX,u+w,go-w", &["sync"]);
    assert!(ran.stderr.contains("belongs to alice"), "{}", ran.stderr);
    assert_eq!(lab.read("shared/proof"), "");
    assert!(lab.read("home/b/.openclaw/.env").contains("accessB"), "{}", ran.stderr);
}

#[test]
fn the_owner_that_a_mount_shows_links_nobodys_login() {
    let lab = lab();
    lab.login(BOB, "home/b/.claude", "B", 20000).sh("rm -r home/a/.claude");
    lab.sh(&format!(
        "printf 'alice:x:{ALICE}:{ALICE}::/home/a:/bin/sh\nbob:x:{BOB}:{BOB}::/home/b:/bin/sh\n' >etc/passwd"
    ));
    let root = lab.at(".");
    let ran =
        over_her_home(&lab, BOB, "a+rX,u+w,go-w", &["detect", "--root", root.to_str().unwrap()]);
    let refusal = format!("not unasked: the login is uid {BOB}'s and OpenClaw uid {ALICE}'s");
    assert!(ran.stdout.contains(&refusal), "{}{}", ran.stdout, ran.stderr);
}

/// Runs the program while a medium is mounted at `media`, with what `script` puts on it, and of which libmount
/// notes these options.
fn with_medium(lab: &Lab, options: &str, script: &str, arguments: &[&str]) -> Ran {
    let point = lab.at("media");
    let script = format!(
        "mkdir -p /run/mount media; mount -t tmpfs utab /run/mount; mount -t tmpfs -o mode=755 medium media
         echo 'SRC=medium TARGET={} ROOT=/ OPTS={options}' >/run/mount/utab
         (cd media; {script})
         code=0; \"$@\" || code=$?
         umount media; exit $code",
        point.display()
    );
    in_a_namespace(lab, &script, arguments)
}

/// What a user's medium is said to be, and how root's program on it is refused.
fn noted(point: &Path) -> [(&'static str, Option<String>); 3] {
    let at = point.display();
    let unknown = format!("'{at}' was mounted for a user, and nobody knows which");
    let hers = format!("'{at}' belongs to alice, who had '{at}' mounted");
    [("rw", None), ("uhelper=udisks2", Some(unknown)), ("rw,user=alice", Some(hers))]
}

#[test]
fn root_runs_no_program_from_a_medium_that_was_mounted_for_a_user() {
    let lab = lab();
    let (program, proof) = (lab.at("media/restart"), lab.at("proof"));
    lab.link(
        "a",
        &format!(
            "{LINES}GATEWAY=\"command\"\nGATEWAY_COMMAND=\"{}\"\nGATEWAY_COMMAND_USER=\"root\"\n",
            program.display()
        ),
    );
    let script =
        format!("printf '#!/bin/sh\\nid -u >{}\\n' >restart; chmod 755 restart", proof.display());
    for (round, (options, refusal)) in noted(&lab.at("media")).into_iter().enumerate() {
        lab.login(ALICE, "home/a/.claude", &format!("A{round}"), 20000 + round as u64);
        lab.sh("rm -f proof");
        let ran = with_medium(&lab, options, &script, &["sync"]);
        match refusal {
            Some(why) => {
                assert!(ran.stderr.contains(&why), "{options}: {}", ran.stderr);
                assert!(!proof.exists(), "{options}: {}", ran.stderr);
            }
            None => assert_eq!(lab.read("proof"), "0\n", "{options}: {}", ran.stderr),
        }
        let check = with_medium(&lab, options, &script, &["check"]);
        assert_eq!(check.code == Some(2), options != "rw", "{options}: {}", check.stdout);
    }
}

#[test]
fn the_owners_on_a_medium_that_was_mounted_for_a_user_give_nobodys_rights() {
    for (options, taken) in [("rw", true), ("uhelper=udisks2", false), ("rw,user=alice", false)] {
        let lab = lab();
        let login = "home/a/.claude/.credentials.json";
        let script = format!("mkdir -m 700 .claude; cp --preserve=all ../{login} .claude/");
        // Of Bob's, as the medium says.
        let script = format!("{script}; chown -R {BOB}:{BOB} .claude");
        let at = lab.at("media/.claude/.credentials.json");
        let state = lab.at("home/a/.openclaw");
        lab.configuration(
            "a",
            &format!(
                "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\n{LINES}",
                at.display(),
                state.display()
            ),
        );
        let ran = with_medium(&lab, options, &script, &["sync"]);
        let holds = lab.read("home/a/.openclaw/.env").contains("accessA");
        assert_eq!(holds, taken, "{options}: {}", ran.stderr);
        let named = lab.at("media");
        let names_it = ran.stderr.contains(named.to_str().unwrap());
        assert!(taken || names_it, "{options}: {}", ran.stderr);
    }
}
