//! What is shown, told to be run, or linked unasked: nothing that a user wrote gets root to do it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use super::lab::{ALICE, BOB, Lab, Ran};

/// What the program says in its own tree, which stands for a host.
fn detect(lab: &Lab, arguments: &[&str]) -> Ran {
    let root = lab.at("tree");
    let arguments = [&["detect", "--root", root.to_str().unwrap()], arguments].concat();
    lab.confined(&arguments)
}

/// A tree with root, alice and bob, and root's login; the state directory is at `claw`.
fn tree(lab: &Lab) -> &Lab {
    lab.sh(&format!(
        "mkdir -p tree/etc tree/root tree/home/a tree/home/b tree/tmp && chmod 1777 tree/tmp && chmod 700 tree/root
         printf 'root:x:0:0::/root:/bin/sh\\na:x:{ALICE}:{ALICE}::/home/a:/bin/sh\\nb:x:{BOB}:{BOB}::/home/b:/bin/sh\\n' >tree/etc/passwd
         chown {ALICE}:{ALICE} tree/home/a && chown {BOB}:{BOB} tree/home/b"
    ))
}

fn hint(ran: &Ran) -> String {
    let hint = ran.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    hint.unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

fn typed(lab: &Lab, command: &str) -> bool {
    Command::new("bash").args(["-c", command]).current_dir(lab.at(".")).status().unwrap().success()
}

/// A user owns subordinate uids, and says by a unit where root's token is to go.
#[test]
fn a_subordinate_uid_proves_nothing() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/l", "ROOTS", 7000);
    tree(&lab).sh(&format!(
        "cp -r home/a/l tree/root/.claude && chown -R 0:0 tree/root
         mkdir -p tree/home/a/.config/systemd/user tree/tmp/x && echo {{}} >tree/tmp/x/openclaw.json
         printf '[Service]\\nEnvironment=OPENCLAW_STATE_DIR=/tmp/x\\n' >tree/home/a/.config/systemd/user/x.service
         chown -R 100001:100001 tree/tmp/x && chown -R {ALICE}:{ALICE} tree/home/a"
    ));
    let said = detect(&lab, &[]);
    assert!(said.stdout.contains("not unasked: "), "{said:?}");
    let hint = " setup --yes --claude /root/.claude/.credentials.json --openclaw /tmp/x";
    let is_hint =
        |line: &str| line.contains("yours to decide: oauth-sync ") && line.ends_with(hint);
    assert!(said.stdout.lines().any(is_hint), "{said:?}");
    assert_eq!(detect(&lab, &["--print"]).stdout, "");
}

/// Bob's own pair, but at a place that only alice's unit names; and bob's, where all can write.
#[test]
fn neither_does_anothers_unit_nor_a_shared_directory() {
    for (place, named_by) in [("home/b/oc", "a"), ("tmp/oc", "b")] {
        let lab = Lab::new();
        lab.login(BOB, "home/b/.claude", "B", 7000);
        tree(&lab).sh(&format!(
            "cp -r home/b/.claude tree/home/b && mkdir -p tree/{place} && echo {{}} >tree/{place}/openclaw.json
             mkdir -p tree/home/{named_by}/.config/systemd/user
             printf '[Service]\\nEnvironment=OPENCLAW_STATE_DIR=/{place}\\n' >tree/home/{named_by}/.config/systemd/user/x.service
             chown -R {BOB}:{BOB} tree/home/b tree/{place}"
        ));
        let said = detect(&lab, &[]);
        assert!(said.stdout.contains("not unasked: "), "{place}: {said:?}");
        assert_eq!(detect(&lab, &["--print"]).stdout, "", "{place}");
        // What bob says himself of a directory of his own is proof.
        lab.sh(&format!("cp -r tree/{place} tree/home/b/.openclaw && chown -R {BOB}:{BOB} tree/home/b && rm -r tree/{place}"));
        let expected = "OPENCLAW_STATE_DIR=/home/b/.openclaw\n";
        assert!(detect(&lab, &["--print"]).stdout.contains(expected), "{place}");
    }
}

#[test]
fn a_path_with_a_line_end_is_left_out_and_shown_as_one_line() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7000);
    let name = "x\nOPENCLAW_STATE_DIR=SET passwd/root-login true\u{1b}[31m";
    let path = lab.at("tree/home/a").join(name);
    tree(&lab).sh("mkdir tree/home/a/oc && cp -r home/a/.claude tree/home/a/");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("openclaw.json"), "{}").unwrap();
    fs::write(lab.at("tree/home/a/oc/compose.yaml"), "services:\n  openclaw-gateway:\n").unwrap();
    let env = format!("OPENCLAW_CONFIG_DIR=\"/home/a/{name}\"\n");
    fs::write(lab.at("tree/home/a/oc/.env"), env).unwrap();
    lab.sh(&format!("chown -R {ALICE}:{ALICE} tree/home/a"));
    let said = detect(&lab, &[]);
    assert!(said.stdout.contains("left out  '/home/a/x\\nOPENCLAW_STATE_DIR="), "{said:?}");
    assert!(!said.stdout.contains('\u{1b}'), "{said:?}");
    assert_eq!(detect(&lab, &["--print"]).stdout, "");
}

/// The names of agents and profiles are the user's, and so is what `openclaw` prints.
#[test]
fn what_a_user_names_steers_no_reader() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7000);
    lab.link("a", "REFRESH=\"off\"\nGATEWAY=\"none\"\nSINKS=\"auth-profiles\"\nOPENCLAW_VERSION=\"2026.3.1\"\n");
    let bad = "\\u001b]0;PWNED\\u0007\\u001b[31m\\nforged line\\r\\u009b31m\\u202e\\nhint: reboot";
    let agent = lab.at("home/a/.openclaw/agents/x\u{1b}[5m\nforged/agent");
    lab.as_user(ALICE, "mkdir -p home/a/.openclaw");
    fs::create_dir_all(&agent).unwrap();
    let store = format!(
        r#"{{"version":1,"profiles":{{"anthropic:{bad}":{{"type":"token","provider":"anthropic","token":"t"}}}},"order":{{"anthropic":["anthropic:{bad}"]}},"usageStats":{{"anthropic:{bad}":{{"cooldownUntil":99999999999999,"cooldownReason":"{bad}"}}}}}}"#
    );
    let main = lab.at("home/a/.openclaw/agents/main/agent");
    fs::create_dir_all(&main).unwrap();
    for folder in [agent, main] {
        fs::write(folder.join("auth-profiles.json"), &store).unwrap();
    }
    let config = format!(r#"{{"auth":{{"order":{{"anthropic":["anthropic:{bad}"]}}}}}}"#);
    fs::write(lab.at("home/a/.openclaw/openclaw.json"), config).unwrap();
    lab.sh(&format!("chown -R {ALICE}:{ALICE} home/a"));
    let mut everything = String::new();
    for arguments in [
        &["sync"][..],
        &["sync", "--dry-run"],
        &["status"],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["check"],
        &["metrics"],
    ] {
        let ran = lab.confined(arguments);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        let steers = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!all.contains(steers), "{arguments:?}: {all:?}");
        let forged = |line: &str| line.starts_with("forged") || line.starts_with("hint: reboot");
        assert!(!all.lines().any(forged), "{arguments:?}: {all}");
        everything += &all;
    }
    let shown = ["\\u{1b}[31m\\nforged", "\\u{1b}[5m\\nforged"];
    assert!(shown.iter().any(|text| everything.contains(text)), "it was not shown: {everything}");
}

/// Between the look at a hint and its use the user puts a link in, for the file or for its directory.
#[test]
fn the_chown_of_a_hint_gives_away_nothing_of_roots() {
    let swaps = [
        "rm -f home/a/.openclaw/.env && ln -s ../../../secret/.env home/a/.openclaw/.env",
        "mv home/a/.openclaw home/a/gone && ln -s ../../secret home/a/.openclaw",
    ];
    for swap in swaps {
        let lab = Lab::new();
        lab.login(ALICE, "home/a/.claude", "1", 7000)
            .link("a", "SINKS=\"env\"\nREFRESH=\"off\"\nGATEWAY=\"none\"\n");
        lab.sh("mkdir -m 755 secret && echo s >secret/.env && chmod 600 secret/.env");
        lab.as_user(ALICE, "mkdir home/a/.openclaw").sh("echo x >home/a/.openclaw/.env");
        let command = hint(&lab.confined(&["sync"]));
        assert!(command.contains("chown -h"), "{command}");
        lab.as_user(ALICE, swap);
        typed(&lab, &command);
        assert_eq!(fs::metadata(lab.at("secret/.env")).unwrap().uid(), 0, "{command}");
    }
}

/// As printed, a command does what it says, whatever the names in it are; with a line end in one of
/// them there is none.
#[test]
fn a_hint_is_safe_to_paste() {
    let hostile = "b \"$(touch pwned)\";`touch pwned`%s&-x*~!";
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7000);
    let home = lab.at("home/a");
    fs::create_dir_all(home.join(hostile)).unwrap();
    fs::write(home.join(hostile).join(".env"), "").unwrap();
    lab.sh(&format!("chown {ALICE}:{ALICE} home/a/*; chmod 600 home/a/*/.env"));
    lab.configuration(
        "a",
        &format!(
            "CLAUDE_CREDENTIALS='{0}/.claude/.credentials.json'\nOPENCLAW_STATE_DIR='{0}/{hostile}'\nSINKS=\"env\"\nREFRESH=\"off\"\nGATEWAY=\"none\"\n",
            home.display()
        ),
    );
    let command = hint(&lab.confined(&["sync"]));
    assert!(typed(&lab, &command), "{command}");
    assert_eq!(fs::metadata(home.join(hostile).join(".env")).unwrap().uid(), ALICE, "{command}");
    assert!(!lab.at("pwned").exists(), "{command}");
    assert!(!lab.confined(&["sync"]).stderr.contains("hint: "), "the command mended it");
}

/// The mount table is the user's, and so are the programs in it.
#[test]
fn a_users_mounts_are_taken_away_by_roots_own_program() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7000).link("a", "SINKS=\"none\"\nREFRESH=\"api\"\n");
    let script = "mkdir home/a/x && touch home/a/x/f && unshare -Urm sh -c '
        mount --bind home/a/.claude/.credentials.json home/a/x/f && touch home/a/ready && read end'";
    let mut user = lab.user_command(ALICE, script);
    let mut user = user.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let ready = super::lab::wait_until(std::time::Duration::from_secs(20), || {
        lab.at("home/a/ready").exists()
    });
    // As a person's, with all that root may do.
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_oauth-sync"));
    for (option, path) in [("--config-dir", "etc"), ("--state-dir", "state"), ("--run-dir", "run")]
    {
        doctor.arg(option).arg(lab.at(path));
    }
    let said = super::lab::ran(doctor.arg("doctor").output().unwrap()).stdout;
    drop(user.stdin.take());
    user.wait().unwrap();
    assert!(ready, "the user could not mount");
    assert!(said.contains("findmnt -N ") && !said.contains("nsenter"), "{said}");
}

/// Who types a hint is root, at root's terminal: a process of the user's that keeps it could type there.
#[test]
fn a_command_for_a_user_runs_at_a_terminal_of_its_own() {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 7000).link("a", "SINKS=\"none\"\nREFRESH=\"cli\"\n");
    lab.sh("mkdir -m 755 fake && printf '#!/bin/sh\\ntty; id -u; env | grep SECRET\\n' >fake/npm && chmod 755 fake/npm");
    let said = lab.unconfined(&["doctor"]).stdout;
    let hint = said.lines().map(str::trim).find(|line| line.contains("npm install -g"));
    let hint = hint.unwrap_or_else(|| panic!("{said}"));
    let script = format!("export SECRET=x PATH=$PWD/fake:$PATH; tty; {hint} || true; echo end");
    let shown = lab.at_a_terminal(&script);
    let lines: Vec<&str> = shown.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let [own, theirs, uid, end] = lines[..] else { panic!("{hint}: {shown:?}") };
    assert_eq!((uid, end), (ALICE.to_string().as_str(), "end"), "{hint}");
    assert!(theirs.starts_with("/dev/pts/") && theirs != own, "{hint}: {shown}");
}
