//! Configuration files: what somebody else could have written is not obeyed.

use crate::lab::{ALICE, BOB, Lab, wait_until};
use std::process::Stdio;
use std::time::Duration;

/// A lab whose link `a` runs a command as root.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 20_000);
    lab.as_user(ALICE, "mkdir -p home/a/.openclaw");
    lab.sh("chmod 755 etc; mkdir -m 755 out");
    let out = lab.at("out");
    lab.link(
        "a",
        &format!(
            "CLAUDE_CLI=\"none\"\nSINKS=\"env\"\nGATEWAY=\"command\"\nGATEWAY_COMMAND=\"/bin/sh -c 'echo >{}/ran'\"\nGATEWAY_COMMAND_USER=\"root\"\n",
            out.display()
        ),
    );
    lab
}

#[test]
fn a_file_or_a_directory_that_others_can_write_is_not_obeyed() {
    let etc = |lab: &Lab, path: &str| lab.at(path).display().to_string();
    for (break_it, object, hint) in [
        ("chown 61421 etc/a.conf", "etc/a.conf", "chown -h root: FILE"),
        ("chmod 666 etc/a.conf", "etc/a.conf", "chmod go-w FILE"),
        ("chmod 620 etc/a.conf", "etc/a.conf", "chmod go-w FILE"),
        (
            "chown 61421 etc/a.conf; chmod 602 etc/a.conf",
            "etc/a.conf",
            "chown -h root: FILE && chmod go-w FILE",
        ),
        ("chown 61421 etc", "etc", "chown -h root: FILE"),
        ("chmod 777 etc", "etc", "chmod go-w FILE"),
        ("chmod 1777 etc", "etc", "chmod go-w FILE"),
        ("chmod 770 etc", "etc", "chmod go-w FILE"),
    ] {
        let lab = lab();
        lab.sh(break_it);
        let hint = hint.replace("FILE", &etc(&lab, object));
        let said = format!("{}: ", etc(&lab, object));
        for command in
            [&["sync"][..], &["status"], &["refresh"], &["set", "--link", "a", "SINKS", "none"]]
        {
            let ran = lab.confined(command);
            assert!(
                ran.stderr.replace('\'', "").contains(&hint),
                "{break_it}, {command:?}: {}",
                ran.stderr
            );
            assert_ne!(ran.code, Some(0), "{break_it}, {command:?}");
        }
        let ran = lab.unconfined(&["sync"]);
        assert!(ran.stderr.contains(&said), "{break_it}: {}", ran.stderr);
        assert_eq!(ran.code, Some(2), "{break_it}");
        assert!(!lab.at("out/ran").exists(), "{break_it}: it was obeyed");
        let check = lab.confined(&["check"]);
        assert_eq!(check.code, Some(2), "{break_it}: {}", check.stdout);
        let doctor = lab.confined(&["doctor"]);
        assert!(doctor.stdout.replace('\'', "").contains(&hint), "{break_it}: {}", doctor.stdout);
        // The printed command mends it.
        lab.sh(&hint);
        let ran = lab.unconfined(&["sync"]);
        assert_eq!(ran.code, Some(0), "{break_it}: {}", ran.stderr);
        assert!(lab.at("out/ran").exists(), "{break_it}");
    }
}

#[test]
fn a_directory_below_a_users_is_not_obeyed() {
    let lab = lab();
    lab.sh("mv etc home/a/etc; ln -s home/a/etc etc");
    lab.confined(&["sync"]);
    assert!(!lab.at("out/ran").exists(), "the user can put another directory there");
    assert_eq!(lab.confined(&["check"]).code, Some(2));
}

#[test]
fn a_link_to_a_file_of_somebody_elses_is_not_obeyed() {
    let lab = lab();
    lab.sh(
        "mv etc/a.conf home/a/a.conf; chown 61421 home/a/a.conf; ln -s ../home/a/a.conf etc/a.conf",
    );
    assert_eq!(lab.unconfined(&["sync"]).code, Some(2));
    assert!(!lab.at("out/ran").exists());
    lab.sh("rm etc/a.conf; ln home/a/a.conf etc/a.conf");
    assert_eq!(lab.unconfined(&["sync"]).code, Some(2));
    assert!(!lab.at("out/ran").exists());
}

#[test]
fn the_watcher_goes_on_with_the_other_links() {
    let lab = lab();
    lab.login(BOB, "home/b/.claude", "2", 20_000);
    lab.as_user(BOB, "mkdir -p home/b/.openclaw; echo X=1 > home/b/.openclaw/.env");
    lab.link("b", "REFRESH=\"off\"\nSINKS=\"env\"\nGATEWAY=\"none\"\n");
    lab.sh("chown 61421 etc/a.conf");
    let mut watch = lab.command(&["watch"]);
    let mut watch = watch.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let carried = wait_until(Duration::from_secs(30), || {
        lab.read("home/b/.openclaw/.env").contains("test-access2")
    });
    let pid = rustix::process::Pid::from_child(&watch);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(watch.stderr.as_mut().unwrap(), &mut said).unwrap();
    watch.wait().unwrap();
    assert!(carried, "{said}");
    assert!(said.contains("a.conf"), "{said}");
    assert!(!lab.at("out/ran").exists());
}
