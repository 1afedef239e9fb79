//! The `.env` of a user as users make it: a link of their own, a file that nobody may replace, a file system that
//! refuses what a replacement needs.

use std::process::Command;

use crate::lab::{ALICE, BOB, Lab, Ran, ran};

fn lab() -> Lab {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7200).as_user(ALICE, "mkdir home/a/.openclaw");
    lab.link("a", "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nSINKS=\"env\"\nGATEWAY=\"none\"\n");
    lab
}

const ENV: &str = "home/a/.openclaw/.env";

#[test]
fn a_link_of_the_users_own_is_followed_and_stays() {
    for aim in ["../dotfiles/env", "$PWD/home/a/dotfiles/env"] {
        let lab = lab();
        lab.as_user(
            ALICE,
            "mkdir home/a/dotfiles; echo A=1 >home/a/dotfiles/env; chmod 600 home/a/dotfiles/env",
        );
        lab.as_user(ALICE, &format!("ln -s {aim} {ENV}"));
        let ran = lab.confined(&["sync"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(lab.at(ENV).is_symlink(), "{aim}");
        let text = lab.read("home/a/dotfiles/env");
        assert!(text.starts_with("A=1\n") && text.contains("test-access1"), "{aim}");
        let ran = lab.confined(&["doctor"]);
        // Not everything can be checked where no engine answers.
        let is_fine = ["nothing is wrong", "nothing wrong was found"];
        let is_fine = is_fine.iter().any(|fine| ran.stdout.starts_with(fine));
        assert!(ran.code == Some(0) && is_fine, "{ran:?}");
    }
}

#[test]
fn a_link_into_what_is_not_the_users_own_writes_nothing() {
    for (prepare, aim) in [
        (
            "echo B=1 >home/b/env; chmod 666 home/b/env; chown 61432 home/b/env; chmod 777 home/b",
            "../../b/env",
        ),
        ("mkdir root; echo R=1 >root/env; chmod 666 root/env", "$PWD/root/env"),
        ("mkdir root; chmod 777 root", "$PWD/root/new"),
    ] {
        let lab = lab();
        lab.sh(prepare);
        lab.as_user(ALICE, &format!("ln -s {aim} {ENV}"));
        let ran = lab.confined(&["sync"]);
        assert_eq!(ran.code, Some(1), "{aim}: {ran:?}");
        assert!(ran.stderr.contains(" ENV_FILE "), "{aim}: {}", ran.stderr);
        let hint = ran.stderr.split_once("hint: ").map(|(_, hint)| hint);
        assert!(hint.is_some_and(|hint| hint.starts_with("ls -l ")), "{aim}: {}", ran.stderr);
        for file in ["home/b/env", "root/env", "root/new"] {
            assert!(!lab.read(file).contains("test-access"), "{aim}");
        }
    }
    // A link that somebody else could put there is not the user's.
    let lab = lab();
    lab.sh("chmod 1777 home/a/.openclaw");
    lab.as_user(ALICE, "echo A=1 >home/a/mine");
    lab.as_user(BOB, &format!("ln -s ../mine {ENV}"));
    let ran = lab.confined(&["sync"]);
    assert!(ran.stderr.contains("it is a symbolic link of another user"), "{ran:?}");
    assert_eq!(lab.read("home/a/mine"), "A=1\n");
}

#[test]
fn a_link_into_proc_is_not_followed() {
    let lab = lab();
    lab.as_user(ALICE, &format!("ln -s /proc/self/environ {ENV}"));
    let ran = lab.confined(&["sync"]);
    // A process that must not hang does not even enter /proc. Where something that may hang is mounted on this
    // machine, one beside it does, and refuses where the link leads.
    let refused = ["it is a symbolic link into a directory of root", "file system of type 'proc'"];
    let is_refused = refused.iter().any(|cause| ran.stderr.contains(cause));
    assert!(ran.code == Some(1) && is_refused, "{ran:?}");
}

#[test]
fn what_chattr_has_set_is_named_with_its_command() {
    for (attribute, object) in
        [("i", ENV), ("a", ENV), ("i", "home/a/.openclaw"), ("a", "home/a/.openclaw")]
    {
        let lab = lab();
        lab.as_user(ALICE, &format!("umask 077; echo ANTHROPIC_OAUTH_TOKEN=old >{ENV}"));
        lab.sh(&format!("chattr +{attribute} {object}"));
        let said = [&["sync"], &["status"], &["doctor"]].map(|words| lab.confined(words));
        let command = said[0].stderr.lines().find_map(|line| line.strip_prefix("hint: "));
        let command = command.expect("a hint").to_owned();
        assert!(command.contains(&format!("chattr -{attribute} ")), "{command}");
        lab.sh(&command);
        for ran in [&said[0], &said[2]] {
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(all.contains(&command), "+{attribute} {object}: {all}");
        }
        assert!(said[1].stdout.contains("failed"), "+{attribute} {object}: {:?}", said[1]);
        let ran = lab.confined(&["sync"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[test]
fn what_chattr_has_set_on_a_stores_directory_is_named_where_its_lock_is_refused() {
    for attribute in ["i", "a"] {
        let (lab, store) = (lab(), "home/a/.openclaw/agents/main/agent");
        let text = r#"{"version":1,"profiles":{"anthropic:default":{"type":"token","provider":"anthropic","token":"sk-ant-oat01-0ld"}}}"#;
        let make =
            format!("mkdir -p {store}; umask 077; echo '{text}' >{store}/auth-profiles.json");
        lab.as_user(ALICE, &make);
        lab.link(
            "a",
            "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nSINKS=\"auth-profiles\"\nGATEWAY=\"none\"\n",
        );
        lab.sh(&format!("chattr +{attribute} {store}"));
        let ran = lab.confined(&["sync"]);
        lab.sh(&format!("chattr -{attribute} {store}"));
        let command = ran.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
        let command = command.unwrap_or_default();
        assert!(command.contains(&format!("chattr -{attribute} ")), "{ran:?}");
        assert!(!lab.read(&format!("{store}/auth-profiles.json")).contains("test-access"));
    }
}

#[test]
fn no_temporary_file_with_a_token_stays_where_nothing_may_be_removed() {
    let lab = lab();
    lab.as_user(ALICE, &format!("umask 077; echo ANTHROPIC_OAUTH_TOKEN=old >{ENV}"));
    lab.sh("chattr +a home/a/.openclaw");
    let ran = lab.confined(&["sync"]);
    let left = std::fs::read_dir(lab.at("home/a/.openclaw")).unwrap();
    let left: Vec<_> =
        left.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    lab.sh("chattr -a home/a/.openclaw");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(left.iter().all(|text| !text.contains("test-access")), "{left:?}");
}

/// Runs a sync to which these system calls are refused with this error.
fn refusing(lab: &Lab, calls: &str, error: &str) -> Ran {
    let plain = lab.command(&["sync"]);
    let mut words =
        vec!["-f".to_owned(), "-qq".to_owned(), "-o".to_owned(), "/dev/null".to_owned()];
    words.extend(["-e".to_owned(), format!("trace={calls}"), "-e".to_owned()]);
    words.push(format!("inject={calls}:error={error}"));
    let mut command = Command::new("strace");
    // setpriv gives its capabilities up before: what is refused is refused to the program alone.
    let arguments =
        plain.get_args().skip_while(|word| !word.to_string_lossy().contains("oauth-sync"));
    command.args(words).args(arguments);
    ran(command.output().unwrap())
}

#[test]
fn a_file_system_that_refuses_is_written_and_nobody_gains_a_right() {
    use std::os::unix::fs::MetadataExt;
    const CHMOD: &str = "/^f?chmod";
    const OTHERS: [&str; 3] = ["/^[fl]?chown", "/setxattr$", "/^rename"];
    for error in ["EPERM", "EOPNOTSUPP", "EINVAL", "ENOSYS"] {
        for calls in [CHMOD].iter().chain(&OTHERS) {
            let lab = lab();
            lab.as_user(ALICE, &format!("echo ANTHROPIC_OAUTH_TOKEN=old >{ENV}; chmod 644 {ENV}"));
            // What is ours alone is made before.
            lab.confined(&["sync"]);
            lab.sh(&format!("chgrp games {ENV}")).login(ALICE, "home/a/.claude", "2", 9000);
            let ran = refusing(&lab, calls, error);
            assert_eq!(ran.code, Some(0), "{calls} {error}: {ran:?}");
            assert!(lab.read(ENV).contains("test-access2"), "{calls} {error}: {ran:?}");
            let stat = std::fs::metadata(lab.at(ENV)).unwrap();
            assert_eq!((stat.mode() & 0o133, stat.uid()), (0, ALICE), "{calls} {error}");
            let names = std::fs::read_dir(lab.at("home/a/.openclaw")).unwrap();
            assert_eq!(names.count(), 1, "{calls} {error}: something is left");
            assert!(!lab.at("state/links/a.over").exists(), "{calls} {error}");
        }
    }
}

#[test]
fn a_new_file_is_made_where_a_rename_is_refused_and_no_temporary_file_stays() {
    use std::os::unix::fs::MetadataExt;
    for error in ["EPERM", "EACCES", "EOPNOTSUPP", "EINVAL", "ENOSYS"] {
        let lab = lab();
        // What is ours alone is made before.
        lab.confined(&["sync"]);
        lab.sh(&format!("rm {ENV}"));
        let ran = refusing(&lab, "/^rename", error);
        let names = std::fs::read_dir(lab.at("home/a/.openclaw")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [".env"], "{error}: {ran:?}");
        assert_eq!(ran.code, Some(0), "{error}: {ran:?}");
        assert!(lab.read(ENV).contains("test-access1"), "{error}: {ran:?}");
        let stat = std::fs::metadata(lab.at(ENV)).unwrap();
        assert_eq!((stat.mode() & 0o177, stat.uid()), (0, ALICE), "{error}");
    }
}
