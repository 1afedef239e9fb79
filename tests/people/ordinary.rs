//! What an ordinary user may do: nothing with the system's own, everything with their own.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::bed::{Bed, Ran, SOURCE, binary, is_root};

/// No account of the machine that the tests run on.
const UID: u32 = 4323;

const DENIED: &str = "permission denied; run it with sudo";

/// A link of root's in step, in directories that everybody can reach.
fn host() -> Bed {
    assert!(is_root(), "this test changes users: it has to be run by root");
    let bed = crate::bed();
    open(&bed.at("."), 0o755);
    std::fs::copy(binary(), bed.at("oauth-sync")).unwrap();
    bed.run(["sync"]).exit(0);
    bed
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Runs it as an ordinary user, with the directories of the bed.
fn ordinary<'a>(bed: &'a Bed, args: &[&str]) -> Ran<'a> {
    run(bed, bed.args(args).into_iter().skip(1).collect())
}

fn run(bed: &Bed, args: Vec<String>) -> Ran<'_> {
    let mut command = Command::new(bed.at("oauth-sync"));
    command.args(args).env_clear().env("HOME", bed.at("own")).uid(UID).gid(UID);
    bed.ran(command.current_dir("/").output().unwrap())
}

#[test]
fn the_systems_configuration_is_denied_by_its_name_alone() {
    let bed = host();
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["sync"],
        &["sync", "--dry-run"],
        &["refresh"],
        &["refresh", "--force"],
        &["gateway"],
        &["detect", "--write"],
        &["set", "SINKS", "env"],
        &["setup", "--yes"],
        &["login"],
        &["model"],
        &["token"],
        &["doctor"],
        &["doctor", "--fix"],
        &["metrics"],
        &["watch"],
    ] {
        let ran = ordinary(&bed, args).exit(1);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
        let said = bed.plain(&ran.err);
        let is_short = said.lines().count() == 1 && said.ends_with(&format!("{DENIED}\n"));
        assert!(is_short && !said.contains("chown"), "{args:?}: {said}");
    }
    for args in [&["--help"][..], &["--version"], &["status", "--help"]] {
        ordinary(&bed, args).exit(0).err(&[]);
    }
}

#[test]
fn everything_with_ones_own_configuration_works() {
    let bed = host();
    for folder in ["own", "own/cfg", "own/.openclaw"] {
        std::fs::create_dir(bed.at(folder)).unwrap();
    }
    let login = bed.at("own/credentials.json");
    std::fs::copy(bed.at(SOURCE), &login).unwrap();
    bed.write(
        "own/cfg/mine.conf",
        format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"none\"\nREFRESH=\"off\"\n",
            login.display(),
            bed.at("own/.openclaw").display()
        ),
    );
    let own = ["own", "own/cfg", "own/cfg/mine.conf", "own/.openclaw", "own/credentials.json"];
    for path in own {
        std::os::unix::fs::chown(bed.at(path), Some(UID), Some(UID)).unwrap();
    }
    let config = format!("--config-dir={}", bed.at("own/cfg").display());
    let with = |args: &[&str]| {
        run(&bed, [config.as_str()].iter().chain(args).map(ToString::to_string).collect())
    };
    with(&["sync"]).exit(0);
    assert!(bed.read("own/.openclaw/.env").contains("ANTHROPIC_OAUTH_TOKEN="));
    with(&["status"]).exit(0).err(&[]);
    with(&["refresh"]).exit(0);
    with(&["set", "GATEWAY", "auto"]).exit(0);
    with(&["set", "GATEWAY", "none"]).exit(0);
    assert!(with(&["check"]).exit(0).out.starts_with("OAUTH-SYNC OK - mine: "));
    let state = bed.at("own/.local/state/oauth-sync").metadata().unwrap();
    assert_eq!((state.uid(), state.mode() & 0o777), (UID, 0o700));
}
