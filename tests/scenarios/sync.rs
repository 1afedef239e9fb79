//! `sync`: what it leaves alone, what it keeps of a file, and what it says it would do.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use crate::bed::{Bed, ENV, MAIN, OAUTH, STATE};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "oauth-json auth-profiles env").login("A");
    bed.agent("main", "old");
    bed
}

fn sh(bed: &Bed, script: &str) {
    let ran = Command::new("sh").args(["-ec", script]).current_dir(bed.at("")).status().unwrap();
    assert!(ran.success(), "{script}");
}

#[test]
fn a_second_sync_touches_nothing() {
    let bed = bed();
    bed.run(["sync"]).exit(0).err(&[
        "default: oauth-json 'BED/home/.openclaw/credentials/oauth.json' holds the new token FP, which ends at WHEN",
        "default: auth-profiles 'BED/home/.openclaw/agents/main/agent/auth-profiles.json' holds the new token FP, which ends at WHEN",
        "default: env 'BED/home/.openclaw/.env' holds the new token and is unused: OpenClaw uses the profile in auth-profiles.json before it",
    ]);
    let folders = [
        "home/.openclaw",
        "home/.openclaw/credentials",
        "home/.openclaw/agents/main/agent",
        "lib",
        "lib/links",
    ];
    let files = [ENV, OAUTH, MAIN, "lib/links/default.json", "lib/fingerprint.key"];
    let prints = || folders.iter().chain(&files).map(|path| bed.print(path)).collect::<Vec<_>>();
    let before = prints();
    for args in [&["sync"][..], &["sync", "--force"], &["sync", "--dry-run"], &["status"]] {
        let output = bed.command(&[], args).output().unwrap();
        bed.ran(output).exit(0).err(&[]);
        assert_eq!(prints(), before, "{args:?}");
    }
}

#[test]
fn a_new_file_is_its_owners_alone() {
    let bed = bed();
    sh(&bed, "umask 0");
    bed.run(["sync"]).exit(0);
    for path in [ENV, OAUTH, "lib/fingerprint.key", "lib/links/default.json"] {
        assert_eq!(fs::metadata(bed.at(path)).unwrap().mode() & 0o7777, 0o600, "{path}");
    }
    for path in ["lib", "lib/links", "home/.openclaw/credentials"] {
        assert_eq!(fs::metadata(bed.at(path)).unwrap().mode() & 0o7777, 0o700, "{path}");
    }
    // Others look up health.json by its name, and list nothing.
    assert_eq!(fs::metadata(bed.at("run")).unwrap().mode() & 0o7777, 0o711);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_a_sync_would_do() {
    let bed = bed();
    let before = (bed.print(MAIN), bed.print(STATE));
    bed.run(["sync", "--dry-run"]).exit(0).err(&[]).out(&[
        "default: 'BED/home/.claude/.credentials.json' holds a login whose access token ends at WHEN",
        "default: oauth-json 'BED/home/.openclaw/credentials/oauth.json': would be written",
        "default: auth-profiles 'BED/home/.openclaw/agents/main/agent/auth-profiles.json': would be written",
        "default: env 'BED/home/.openclaw/.env': would be written",
    ]);
    assert_eq!((bed.print(MAIN), bed.print(STATE)), before);
    assert!(!bed.exists("lib") && !bed.exists("run") && !bed.exists(ENV));
    bed.run(["sync"]).exit(0);
    bed.run(["sync", "--dry-run"]).exit(0).err(&[]).out(&[
        "default: 'BED/home/.claude/.credentials.json' holds a login whose access token ends at WHEN",
        "default: oauth-json 'BED/home/.openclaw/credentials/oauth.json': up to date",
        "default: auth-profiles 'BED/home/.openclaw/agents/main/agent/auth-profiles.json': up to date",
        "default: env 'BED/home/.openclaw/.env': unused: OpenClaw uses the profile in auth-profiles.json before it",
    ]);
}

#[test]
fn a_link_that_another_process_works_on_is_put_off() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed.login_for("B", 9);
    let before = (bed.print(ENV), bed.print(MAIN));
    let lock = fs::File::options().write(true).open(bed.at("run/sync-default.lock")).unwrap();
    lock.lock().unwrap();
    bed.run(["sync"]).exit(75).err(&[]);
    assert_eq!((bed.print(ENV), bed.print(MAIN)), before);
    // Looking needs no lock.
    let status = bed.run(["status", "--json"]).exit(0).json();
    assert_eq!(status["links"][0]["sinks"][0]["state"], "stale");
    bed.run(["sync", "--dry-run"]).exit(0);
    lock.unlock().unwrap();
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-B"));
}

#[test]
fn many_at_once_never_undo_each_other() {
    let bed = bed();
    for round in 0..5 {
        bed.login_for(&format!("r{round}"), 9 + round);
        let spawn =
            |_| bed.command(&[], &["sync"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let runs: Vec<_> = (0..4).map(spawn).collect();
        for run in runs {
            bed.ran(run.wait_with_output().unwrap()).exit(0);
        }
        for sink in [ENV, OAUTH, MAIN] {
            assert!(bed.read(sink).contains(&format!("access-r{round}")));
        }
    }
    assert!(bed.litter(STATE).is_empty() && bed.litter("lib").is_empty());
}

#[test]
fn a_sink_that_cannot_be_written_stops_no_other() {
    let bed = bed();
    bed.conf("SINKS", "oauth-json env");
    bed.write("home/.openclaw/credentials", "a file where a folder should be");
    bed.run(["sync"])
        .exit(1)
        .says("default: cannot ")
        .says(", so oauth-json keeps its old token\n");
    assert!(bed.read(ENV).contains("access-A"));
}

#[test]
fn a_sink_that_is_no_plain_file_is_left_alone() {
    let bed = bed();
    bed.conf("SINKS", "env");
    for (make, why) in [
        ("mkdir home/.openclaw/.env", "it is a directory"),
        ("mkfifo home/.openclaw/.env", "it is a named pipe"),
        (
            "touch home/other; ln home/other home/.openclaw/.env",
            "it has a second name (hard link), so it is not clear who else reads it",
        ),
    ] {
        sh(&bed, make);
        bed.run(["sync"]).exit(1).err(&[&format!(
            "default: cannot read 'BED/home/.openclaw/.env': {why}, so env keeps its old token"
        )]);
        sh(&bed, "rm -rf home/.openclaw/.env");
    }
}

#[test]
fn what_a_killed_run_left_behind_is_cleared_away() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    // In step already: nothing will be written over these.
    for path in [ENV, OAUTH, MAIN, "lib/links/default.json"] {
        let (folder, name) = path.rsplit_once('/').unwrap();
        bed.write(&format!("{folder}/.{name}.oauth-sync"), "left behind, with an access token");
    }
    bed.write(&format!("{STATE}/agents/main/agent/.auth-state.json.oauth-sync"), "");
    bed.write(&format!("{STATE}/agents/main/agent/.auth-profiles.json.lock.oauth-sync"), "");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.litter(STATE), Vec::<std::path::PathBuf>::new());
    assert_eq!(bed.litter("lib"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn sinks_none_carries_nothing() {
    let bed = bed();
    bed.conf("SINKS", "none");
    let before = bed.print(MAIN);
    bed.run(["sync"]).exit(0).err(&[]);
    assert_eq!(bed.print(MAIN), before);
    assert!(!bed.exists(ENV) && !bed.exists(OAUTH));
}

#[test]
fn a_state_folder_that_is_not_there_is_named() {
    let bed = bed();
    bed.conf("OPENCLAW_STATE_DIR", bed.at("home/nowhere").to_str().unwrap());
    bed.run(["sync"]).exit(1).says("cannot open 'BED/home/nowhere': No such file or directory");
    assert!(!bed.exists("home/nowhere"));
}

#[test]
fn what_cannot_be_remembered_of_one_link_aborts_no_other() {
    let bed = bed();
    bed.write(
        "etc/a.conf",
        "CLAUDE_CREDENTIALS=\"/nowhere/.claude/.credentials.json\"\nSINKS=\"none\"\n",
    );
    for folder in ["lib/links/a.json", "lib/incidents/a.json"] {
        fs::create_dir_all(bed.at(folder)).unwrap();
        fs::set_permissions(bed.at("lib"), fs::Permissions::from_mode(0o700)).unwrap();
        bed.login(folder).run(["sync"]).exit(1).says("a: cannot read 'BED/lib/links/a.json': ");
        assert!(bed.read(ENV).contains(&crate::bed::access(folder)), "{folder}");
        for command in ["status", "check"] {
            let ran = bed.run([command]);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(
                said.contains("default") && said.contains("this link is left as it is"),
                "{said}"
            );
        }
    }
}

#[test]
fn a_copy_of_an_old_text_is_kept_for_no_longer_than_it_is_of_use() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let (path, is) = (bed.at(ENV), fs::metadata(bed.at(ENV)).unwrap());
    for (link, path) in [("default", path.clone()), ("gone", path), ("gone", bed.at("no/where"))] {
        let record = format!("lib/links/{link}.over");
        let (path, inode, owner) = (path.display(), is.ino() + 1, is.uid());
        bed.write(&record, format!("{path}\0{inode}\0{owner}\x009\0old text, new text"));
        bed.run(["refresh"]).says("the copy of its old text is removed");
        assert!(!bed.exists(&record), "{record}");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_write() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    bed.run(["sync"]).exit(0);
    bed.login_for("B", 9);
    let before = bed.print(ENV);
    let ran = bed.command(&["prlimit", "--fsize=20:20"], &["sync"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
    assert_eq!(bed.print(ENV), before);
}

/// What only root can set up or see.
mod as_root {
    use super::{Command, ENV, MetadataExt, PermissionsExt, STATE, bed, fs, sh};
    use crate::bed::is_root;

    #[test]
    fn a_mount_point_is_written_in_place_only_when_told_so() {
        assert!(is_root(), "this test mounts");
        let bed = bed();
        let old = format!("ANTHROPIC_OAUTH_TOKEN={}\nB='kept'\n", "long".repeat(50));
        bed.conf("SINKS", "env").write(ENV, "A=1\n").write("home/mounted", &old);
        let mounted = |then: &str, args: &[&str]| {
            let (from, to) = (bed.at("home/mounted"), bed.at(ENV));
            let script = format!("mount --bind '{}' '{}' && {then}", from.display(), to.display());
            let wrapper = ["unshare", "-m", "sh", "-c", &script, "sh"];
            bed.ran(bed.command(&wrapper, args).output().unwrap())
        };
        let refusal = [
            "default: cannot write 'BED/home/.openclaw/.env': it is a mount point, which cannot be replaced: mount its directory instead, or have it written in place, so env keeps its old token",
            "hint: oauth-sync sync --force",
        ];
        mounted("exec \"$@\"", &["sync"]).exit(1).err(&refusal);
        assert_eq!(bed.read("home/mounted"), old);
        assert!(bed.litter(STATE).is_empty());

        // Killed when the new text stands there and the end of the old one, which is longer; what is cut before is the
        // lock that tells that a sync runs.
        let torn = bed.at("torn").display().to_string();
        let kill = format!(
            "{{ strace -qqo /dev/null -e trace=ftruncate -e inject=ftruncate:signal=KILL:when=2 \"$@\" --force 2>/dev/null; \
         cp '{}' '{torn}'; exec \"$@\"; }}",
            bed.at(ENV).display()
        );
        let half = "default: 'BED/home/.openclaw/.env' was half written, and is as it was before";
        mounted(&kill, &["sync"]).exit(1).err(&[half, refusal[0], refusal[1]]);
        let torn = bed.read("torn");
        assert!(torn.contains("access-A") && torn != old && torn.len() == old.len(), "{torn}");
        assert_eq!(bed.read("home/mounted"), old);

        mounted("exec \"$@\"", &["sync", "--force"])
            .exit(0)
            .says("default: env 'BED/home/.openclaw/.env' holds the new token");
        let new = "ANTHROPIC_OAUTH_TOKEN=access-A\nB='kept'\n";
        assert_eq!((bed.read("home/mounted").as_str(), bed.read(ENV).as_str()), (new, "A=1\n"));
        assert!(bed.litter(STATE).is_empty() && !bed.exists("lib/links/default.over"));
    }

    #[test]
    fn a_root_owned_file_in_a_users_folder_is_refused_with_the_chown() {
        assert!(is_root(), "this test gives files to another user");
        let bed = bed();
        bed.conf("SINKS", "env").write(ENV, "ANTHROPIC_OAUTH_TOKEN=old\n");
        sh(&bed, "chmod 0711 . && chown -R 4711:4711 home && chown root:root home/.openclaw/.env");
        for mode in [0o600, 0o644] {
            fs::set_permissions(bed.at(ENV), fs::Permissions::from_mode(mode)).unwrap();
            bed.run(["sync"])
            .exit(1)
            .says("'BED/home/.openclaw/.env': it belongs to root, but its directory to 4711, so env keeps its old token\nhint: ( cd -P BED/home/.openclaw && test \"$(pwd -P)\" = BED/home/.openclaw && chown -h 4711:4711 ./.env )\n");
            assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=old\n");
        }
    }

    #[test]
    fn mode_owner_attributes_and_acl_are_kept() {
        assert!(is_root(), "this test gives files to another user");
        let bed = bed();
        bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=old\n");
        sh(
        &bed,
        "chown 4711:4712 home home/.openclaw home/.claude/.credentials.json && cd home/.openclaw && chown 4711:4713 .env && chmod 0640 .env &&
         chmod 0711 /proc/self/cwd/../.. && setfattr -n user.note -v kept .env && setfacl -m u:4714:r .env",
    );
        let seen = || {
            let meta = fs::metadata(bed.at(ENV)).unwrap();
            let show = |program: &str, args: &[&str]| {
                String::from_utf8(
                    Command::new(program).args(args).arg(bed.at(ENV)).output().unwrap().stdout,
                )
                .unwrap()
            };
            (
                (meta.uid(), meta.gid(), meta.mode()),
                show("getfattr", &["--absolute-names", "-d", "-m", "-"]),
                show("getfacl", &["--absolute-names", "-n"]),
            )
        };
        let before = seen();
        assert_eq!((before.0.0, before.0.1), (4711, 4713));
        assert!(before.1.contains("user.note=\"kept\"") && before.2.contains("user:4714:r--"));
        bed.conf("SINKS", "env");
        bed.run(["sync"]).exit(0);
        assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=access-A\n");
        assert_eq!(seen(), before);
        for mode in [0o600, 0o604, 0o400, 0o660] {
            fs::set_permissions(bed.at(ENV), fs::Permissions::from_mode(mode)).unwrap();
            bed.login_for(&format!("m{mode}"), 9 + i64::from(mode));
            bed.run(["sync"]).exit(0);
            assert!(bed.read(ENV).contains(&format!("access-m{mode}")));
            assert_eq!(fs::metadata(bed.at(ENV)).unwrap().mode() & 0o7777, mode);
        }
    }
}
