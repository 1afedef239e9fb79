//! Whose rights a program has: root runs only what root alone can change.

use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::lab::{ALICE, Lab, wait_until};

/// Writes who ran it, as `ran.UID`, into a directory that everybody can write.
const WITNESS: &str = "#!/bin/sh\\necho ran > OUT/ran.$(id -u)\\necho 2026.2.25\\n";

/// A lab with a login and an OpenClaw of Alice's, and a directory in which every program may write.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.sh("mkdir -m 777 out; mkdir -m 755 bin");
    lab.login(ALICE, "home/a/.claude", "1", 20_000);
    lab.as_user(ALICE, "mkdir -p home/a/.openclaw home/a/bin");
    witness(&lab, Some(ALICE), "home/a/bin/restart");
    lab
}

/// Installs a program that says who runs it, as a user or as root.
fn witness(lab: &Lab, owner: Option<u32>, path: &str) {
    script(lab, owner, path, &WITNESS.replace("OUT", lab.at("out").to_str().unwrap()));
}

fn script(lab: &Lab, owner: Option<u32>, path: &str, text: &str) {
    let install = format!("printf '{text}' > {path}; chmod 755 {path}");
    match owner {
        Some(uid) => lab.as_user(uid, &install),
        None => lab.sh(&install),
    };
}

/// The link of Alice's gateway, restarted by a command.
fn command(lab: &Lab, words: &str, more: &str) {
    lab.link(
        "a",
        &format!("CLAUDE_CLI=\"none\"\nSINKS=\"env\"\nGATEWAY=\"command\"\nGATEWAY_COMMAND=\"{words}\"\n{more}"),
    );
}

fn at(lab: &Lab, path: &str) -> String {
    lab.at(path).to_str().unwrap().to_owned()
}

/// Gives Alice, and root where root has a login here, a new token: the gateway has to be restarted.
fn rotate(lab: &Lab) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    lab.login(ALICE, "home/a/.claude", &count.to_string(), 20_000 + 60 * u64::from(count));
    let login = "home/a/.claude/.credentials.json";
    lab.sh(&format!(
        "rm -rf out/* state/*; [ ! -d roots ] || cat {login} > roots/.credentials.json"
    ));
}

/// Runs it as the units do, and then with all of root's capabilities: neither may differ.
#[track_caller]
fn never_as_root(lab: &Lab) {
    for is_confined in [true, false] {
        rotate(lab);
        let ran = if is_confined { lab.confined(&["sync"]) } else { lab.unconfined(&["sync"]) };
        let as_root = lab.at("out/ran.0").exists();
        assert!(!as_root, "root ran what a user can change: {}", ran.stderr);
    }
}

#[test]
fn a_command_runs_as_the_owner_of_the_state_directory() {
    let lab = lab();
    command(&lab, &at(&lab, "home/a/bin/restart"), "");
    lab.confined(&["sync"]);
    assert!(lab.at(&format!("out/ran.{ALICE}")).exists());
    // Neither root's own program, nor words without a path, make it root.
    for words in [at(&lab, "bin/own"), format!("env {}", at(&lab, "bin/own"))] {
        rotate(&lab);
        witness(&lab, None, "bin/own");
        command(&lab, &words, "");
        never_as_root(&lab);
        assert!(lab.at(&format!("out/ran.{ALICE}")).exists(), "{words}");
    }
}

#[test]
fn a_mode_that_hides_the_owner_gives_no_rights() {
    for (mode, what) in [("0005", "home/a/bin"), ("0000", "home/a/bin"), ("0005", "home/a")] {
        for is_confined in [true, false] {
            let lab = lab();
            command(&lab, &at(&lab, "home/a/bin/restart"), "");
            lab.as_user(ALICE, &format!("chmod {mode} {what}"));
            let ran = if is_confined { lab.confined(&["sync"]) } else { lab.unconfined(&["sync"]) };
            assert!(!lab.at("out/ran.0").exists(), "{mode} {what}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_link_of_roots_gives_no_rights() {
    let lab = lab();
    // Root's own link, a link to it, and one through a directory.
    lab.sh("ln -s ../home/a/bin/restart bin/one; ln -s one bin/two; ln -s ../home/a/bin bin/far");
    for words in ["bin/one", "bin/two", "bin/far/restart"] {
        for user in ["", "GATEWAY_COMMAND_USER=\"root\"\n"] {
            rotate(&lab);
            command(&lab, &format!("{} now", at(&lab, words)), user);
            never_as_root(&lab);
            let as_alice = lab.at(&format!("out/ran.{ALICE}")).exists();
            assert_eq!(as_alice, user.is_empty(), "{words} {user}");
        }
    }
}

#[test]
fn root_is_asked_for_in_roots_configuration_and_named_where_it_is_refused() {
    let lab = lab();
    witness(&lab, None, "bin/own");
    let as_root = "GATEWAY_COMMAND_USER=\"root\"\n";
    command(&lab, &at(&lab, "bin/own"), as_root);
    assert_eq!(lab.confined(&["sync"]).code, Some(0));
    assert!(lab.at("out/ran.0").exists(), "root's own program, asked for by root");
    // Whether a gateway uses the token is not proven: this command starts none.
    assert_eq!(lab.confined(&["check"]).code, Some(1));
    // Each way in which somebody else can change it; the component is named.
    let own = at(&lab, "bin/own");
    for (break_it, mend_it, named) in [
        ("chmod o+w bin/own", "chmod o-w bin/own", "bin/own"),
        ("chmod 1777 bin", "chmod 755 bin", "bin"),
        ("chmod 1755 bin", "chmod 755 bin", "bin"),
        ("chown 61421 bin", "chown 0 bin", "bin"),
        ("chown 61421 bin/own", "chown 0 bin/own", "bin/own"),
        ("chgrp 61421 bin; chmod g+w bin", "chgrp 0 bin; chmod 755 bin", "bin"),
    ] {
        lab.sh(break_it);
        rotate(&lab);
        let ran = lab.confined(&["sync"]);
        assert!(
            ran.stderr.contains(&format!("'{}'", at(&lab, named))),
            "{break_it}: {}",
            ran.stderr
        );
        assert!(!lab.at("out/ran.0").exists(), "{break_it}");
        let check = lab.confined(&["check"]);
        assert_eq!(check.code, Some(2), "{break_it}: {}", check.stdout);
        let doctor = lab.confined(&["doctor"]);
        assert!(doctor.stdout.contains("GATEWAY_COMMAND"), "{break_it}: {}", doctor.stdout);
        assert!(!doctor.stdout.contains("chown"), "{break_it}: {}", doctor.stdout);
        lab.sh(mend_it);
    }
    rotate(&lab);
    assert_eq!(lab.confined(&["sync"]).code, Some(0), "{own}");
    assert!(lab.at("out/ran.0").exists());
}

#[test]
fn a_group_counts_by_its_members() {
    let lab = lab();
    witness(&lab, None, "bin/own");
    command(&lab, &at(&lab, "bin/own"), "GATEWAY_COMMAND_USER=\"root\"\n");
    // Groups of this host: one with nobody in it, and one that somebody has as the primary one.
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let field = |line: &str, at: usize| line.split(':').nth(at).unwrap_or_default().to_owned();
    let primary: Vec<String> =
        passwd.lines().filter(|line| field(line, 2) != "0").map(|line| field(line, 3)).collect();
    let empty = groups.lines().find(|line| {
        field(line, 3).is_empty() && field(line, 2) != "0" && !primary.contains(&field(line, 2))
    });
    let empty = field(empty.expect("some group of a host has no members"), 2);
    let taken = primary.iter().find(|gid| groups.lines().any(|line| field(line, 2) == **gid));
    let taken = taken.expect("some user has a group");
    for (gid, runs) in [(&empty, true), (taken, false)] {
        lab.sh(&format!("chgrp {gid} bin; chmod 775 bin"));
        rotate(&lab);
        lab.confined(&["sync"]);
        assert_eq!(lab.at("out/ran.0").exists(), runs, "group {gid}");
    }
}

#[test]
fn an_interpreter_of_a_users_is_the_users() {
    let lab = lab();
    witness(&lab, Some(ALICE), "home/a/bin/node");
    lab.sh("ln -s ../home/a/bin/node bin/node; ln -s /usr/bin/env bin/start");
    let users = at(&lab, "home/a/bin/node");
    script(&lab, None, "bin/chain", &format!("#!{users}\\n"));
    for line in [
        users.clone(),
        at(&lab, "bin/node"),
        at(&lab, "bin/chain"),
        format!("/usr/bin/env {users}"),
        format!("/usr/bin/env -S {users} -x"),
        format!("{} {users}", at(&lab, "bin/start")),
        format!("/bin/sh {users}"),
    ] {
        script(&lab, None, "bin/script", &format!("#!{line}\\n"));
        rotate(&lab);
        command(&lab, &at(&lab, "bin/script"), "GATEWAY_COMMAND_USER=\"root\"\n");
        never_as_root(&lab);
        assert_eq!(lab.confined(&["check"]).code, Some(2), "{line}");
    }
}

#[test]
fn an_argument_of_a_command_of_roots_is_no_users_program() {
    let lab = lab();
    command(
        &lab,
        &format!("/bin/sh {}", at(&lab, "home/a/bin/restart")),
        "GATEWAY_COMMAND_USER=\"root\"\n",
    );
    never_as_root(&lab);
    assert_eq!(lab.confined(&["check"]).code, Some(2));
}

#[test]
fn no_word_of_a_command_of_roots_leads_to_what_others_can_write() {
    let lab = lab();
    // Relative to the directory where it runs, in an option, in an assignment, in a script.
    let users = at(&lab, "home/a/bin/restart");
    let relative = users.trim_start_matches('/');
    let shared = lab.at("shared");
    lab.sh("mkdir -m 1777 shared; mkdir own");
    script(&lab, Some(ALICE), "home/a/Makefile", &format!("all:\\n\\t{users}\\n"));
    lab.sh("mv home/a/Makefile own/");
    let (absent, missing) = (shared.join("none"), shared.join("none/more"));
    for words in [
        format!("/bin/sh {relative}"),
        format!("/bin/sh ../{relative}"),
        format!("/bin/sh -c 'exec {users}'"),
        format!("/bin/sh -c '. {relative}'"),
        format!("/usr/bin/env -S{users}"),
        format!("/usr/bin/env X=1 BASH_ENV={users} bash -c :"),
        // What is not there yet, and may be a moment later.
        format!("/bin/sh {}", absent.display()),
        format!("/bin/sh -c '. {}'", missing.display()),
        // What a shell makes another path of, and what is relative to where it goes.
        format!("/bin/sh -c '{}'", users.replace("home", "hom?")),
        format!("/bin/sh -c '{}'", users.replace("home", "h*")),
        format!("/bin/sh -c '{}'", users.replace("home", "ho\\me")),
        format!("/bin/sh -c 'h={}; ${{h}}me/a/bin/restart'", at(&lab, "ho")),
        format!("/bin/sh -c 'cd {}; cd home; a/bin/restart'", at(&lab, ".")),
        format!("/bin/sh -c 'cd {}; cd home; cd a; cd bin; sh restart'", at(&lab, ".")),
        format!("/usr/bin/env -C {} home/a/bin/restart", at(&lab, ".")),
        format!("/usr/bin/env -C{} home/a/bin/restart", at(&lab, ".")),
        // A file that a program reads unasked in the directory that it is given.
        format!("/usr/bin/make -C {}", at(&lab, "own")),
        format!("/bin/sh -c 'cd {} && make'", at(&lab, "own")),
    ] {
        rotate(&lab);
        command(&lab, &words, "GATEWAY_COMMAND_USER=\"root\"\n");
        never_as_root(&lab);
        let check = lab.confined(&["check"]);
        assert_eq!(check.code, Some(2), "{words}: {}", check.stdout);
    }
    // What root alone can change stays root's to use.
    witness(&lab, None, "bin/own");
    let own = at(&lab, "bin/own");
    for words in [
        format!("/bin/sh {}", own.trim_start_matches('/')),
        format!("/bin/sh -c '{own} >/dev/null; ls {}/none || :'", at(&lab, "bin")),
        format!("/usr/bin/env -u X URL=https://localhost:1/x {own}"),
    ] {
        rotate(&lab);
        command(&lab, &words, "GATEWAY_COMMAND_USER=\"root\"\n");
        let said = lab.confined(&["sync"]).stderr;
        assert!(lab.at("out/ran.0").exists(), "{words}: {said}");
    }
}

#[test]
fn what_root_runs_does_not_start_in_a_users_directory() {
    let lab = lab();
    witness(&lab, Some(ALICE), "home/a/.openclaw/restart");
    lab.link(
        "a",
        "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nSINKS=\"env\"\nGATEWAY=\"none\"\nOPENCLAW_COMMAND=\"/bin/sh restart\"\nOPENCLAW_COMMAND_USER=\"root\"\n",
    );
    never_as_root(&lab);
    rotate(&lab);
    lab.confined(&["model"]);
    assert!(!lab.at("out/ran.0").exists());
}

#[test]
fn the_other_commands_are_judged_alike() {
    for (key, more) in [
        ("OPENCLAW_COMMAND", ""),
        ("RECREATE_IDLE_COMMAND", "GATEWAY=\"command\"\nGATEWAY_COMMAND=\"/bin/true\"\n"),
    ] {
        let lab = lab();
        lab.sh("ln -s ../home/a/bin/restart bin/one");
        lab.sh("mkdir -m 700 roots; umask 077; cp home/a/.claude/.credentials.json roots/; umask 022; mkdir claw; echo '{}' > claw/openclaw.json");
        for path in ["home/a/bin/restart", "bin/one"] {
            rotate(&lab);
            lab.configuration(
                "a",
                &format!(
                    "CLAUDE_CREDENTIALS=\"{}\"\nCLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"env\"\n{key}=\"{}\"\n{more}",
                    at(&lab, "roots/.credentials.json"),
                    at(&lab, "claw"),
                    at(&lab, path)
                ),
            );
            never_as_root(&lab);
            let check = lab.confined(&["check"]);
            assert!(check.stdout.contains(key), "{key} {path}: {}", check.stdout);
            assert_eq!(check.code, Some(2));
        }
    }
}

#[test]
fn a_login_of_roots_takes_no_claude_of_a_users() {
    let lab = lab();
    witness(&lab, Some(ALICE), "home/a/bin/claude");
    lab.sh("ln -s ../home/a/bin/claude bin/claude; mkdir -m 700 roots; umask 077; cp home/a/.claude/.credentials.json roots/");
    lab.configuration(
        "a",
        &format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nREFRESH=\"cli\"\nSINKS=\"none\"\n",
            at(&lab, "roots/.credentials.json")
        ),
    );
    let path = format!("{}:/usr/bin:/bin", at(&lab, "bin"));
    let output = lab.command(&["refresh", "--force"]).env("PATH", &path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!lab.at("out/ran.0").exists(), "{said}");
    assert!(said.contains("belongs to 61421"), "{said}");
    let check = lab.command(&["check"]).env("PATH", &path).output().unwrap();
    assert_eq!(check.status.code(), Some(2));
}

#[test]
fn a_hook_below_a_users_directory_is_refused() {
    let lab = lab();
    lab.sh("mkdir etc/hooks.d");
    let users = at(&lab, "home/a/bin/restart");
    script(&lab, None, "etc/hooks.d/10-interpreter", &format!("#!{users}\\n"));
    witness(&lab, None, "etc/hooks.d/20-own");
    lab.link("a", "REFRESH=\"off\"\nSINKS=\"env\"\n");
    lab.as_user(ALICE, "echo X=1 > home/a/.openclaw/.env");
    let mut watch = lab.command(&["watch", "--delegate"]).stderr(Stdio::null()).spawn().unwrap();
    let limit = Duration::from_secs(30);
    assert!(wait_until(limit, || lab.read("home/a/.openclaw/.env").contains("test-access1")));
    lab.as_user(ALICE, "printf '{\"claudeAiOauth\":{\"accessToken\":\"\",\"refreshToken\":\"\",\"expiresAt\":0}}' > home/a/x; mv home/a/x home/a/.claude/.credentials.json");
    let is_queued =
        || std::fs::read_dir(lab.at("run/notify.d")).is_ok_and(|mut all| all.next().is_some());
    assert!(wait_until(limit, is_queued));
    kill_process(Pid::from_child(&watch), Signal::TERM).unwrap();
    watch.wait().unwrap();
    let ran = lab.confined(&["notify"]);
    assert!(ran.stderr.contains("10-interpreter"), "{}", ran.stderr);
    assert!(lab.at("out/ran.0").exists(), "root's own hook is run: {}", ran.stderr);
    let doctor = lab.confined(&["doctor"]);
    assert!(doctor.stdout.contains("10-interpreter"), "{}", doctor.stdout);
    let check = lab.confined(&["check"]);
    assert!(check.stdout.contains("10-interpreter"), "{}", check.stdout);
}

/// What 1.0.0 remembers of a gateway that it has restarted.
const LEDGER: &str = r#"{"pending":null,"history":[{"time":1795000000000,"deed":"restarted","outcome":"done","why":null,"fingerprint":null,"gap_ms":9}]}"#;

#[test]
fn a_command_that_was_roots_is_critical_until_it_is_decided_or_has_worked() {
    let lab = lab();
    let keeps = ["/bin/true", "true", "systemctl restart openclaw"];
    let (ledger, said) = (
        format!("mkdir -p state/gateway; echo '{LEDGER}' > state/gateway/a.json"),
        "GATEWAY_COMMAND runs as 61421",
    );
    let look = |arguments: &[&str]| lab.confined(arguments).stdout;
    for words in keeps {
        rotate(&lab);
        command(&lab, words, "");
        // Of a gateway that nobody has seen to there is nothing to lose yet.
        assert!(look(&["doctor", "--upgrade"]).starts_with("note command-not-as-root"), "{words}");
        assert!(!look(&["check"]).contains(said), "{words}");
        lab.sh(&ledger);
        let doctor = look(&["doctor", "--upgrade"]);
        let hint = " set --link a GATEWAY_COMMAND_USER root";
        assert!(
            doctor.starts_with("error command-not-as-root (a)") && doctor.contains(hint),
            "{doctor}"
        );
        let check = lab.confined(&["check"]);
        assert!(check.code == Some(2) && check.stdout.contains(said), "{words}: {}", check.stdout);
        for user in ["root", "owner"] {
            command(&lab, words, &format!("GATEWAY_COMMAND_USER=\"{user}\"\n"));
            assert!(!look(&["check"]).contains(said), "{words} {user}");
            assert_eq!(look(&["doctor", "--upgrade"]), "", "{words} {user}");
        }
    }
    // What fails stays so, what works does not.
    for (words, is_critical) in [("/bin/false", true), ("/bin/true", false)] {
        rotate(&lab);
        lab.sh(&ledger);
        command(&lab, words, "");
        lab.confined(&["sync"]);
        assert_eq!(look(&["check"]).contains(said), is_critical, "{words}");
        assert_eq!(look(&["doctor", "--upgrade"]).is_empty(), !is_critical, "{words}");
    }
    // A word of Alice's made it hers before, too.
    rotate(&lab);
    lab.sh(&ledger);
    command(&lab, &format!("/bin/sh {}", at(&lab, "home/a/bin/restart")), "");
    assert_eq!(look(&["doctor", "--upgrade"]), "");
    assert!(!look(&["check"]).contains(said));
}
