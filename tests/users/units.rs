//! A gateway that is a unit of systemd: what its unit sets itself, and what may be said of it. A
//! `systemctl` of the test's own is laid over the host's in a mount namespace, which takes root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use crate::CAPABILITIES;
use crate::bed::{Bed, ENV, Ran, STATE, is_root};

const GATEWAY: &str = "openclaw-gateway.service";

/// A link whose gateway is found by `systemctl`, which knows one unit of a user, with more properties.
///
/// A restart runs `new` and takes its number; without it numbers that no process has are told.
struct Host(Bed);

impl Host {
    fn new(unit: &str, properties: &str) -> Self {
        assert!(is_root(), "this test lays a program over the host's, as root");
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("GATEWAY", "auto").conf("SINKS", "env").login("new");
        let script = format!(
            r#"#!/bin/sh
n=$(cat '{0}/pid' 2>/dev/null || echo 4194305)
case "$*" in
*show-environment) cat '{0}/manager' ;;
*--user*show*" {unit}") printf 'LoadState=loaded\nActiveState=active\nMainPID=%s\n{properties}' "$n" ;;
*show*) printf 'LoadState=not-found\nActiveState=inactive\nMainPID=0\n' ;;
*restart*) if [ -e '{0}/new' ]; then . '{0}/new'; else echo 4194306; fi >'{0}/pid' ;;
esac
"#,
            bed.at("").display(),
        );
        bed.write("fake/systemctl", script);
        fs::set_permissions(bed.at("fake/systemctl"), PermissionsExt::from_mode(0o755)).unwrap();
        bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        Self(bed)
    }

    /// What a restart starts: a process with these words before it.
    fn starts(&self, words: &str) -> &Self {
        self.0.write("new", format!("{words} sleep 600 </dev/null >/dev/null 2>&1 & echo $!"));
        self
    }

    /// A file of the owner's unit.
    fn unit_file(&self, name: &str, lines: &str) -> &Self {
        let path = format!("home/.config/systemd/user/{GATEWAY}{name}");
        self.0.write(&path, format!("[Service]\n{lines}\n"));
        self
    }

    /// Runs the binary under that `systemctl`.
    fn run(&self, word: &str) -> Ran<'_> {
        self.run_with("true", &[], word)
    }

    /// The same after `before`, with less rights.
    fn run_with(&self, before: &str, wrapper: &[&str], word: &str) -> Ran<'_> {
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c"]);
        let script = format!("mount --bind \"$0\" /usr/local/sbin && {before} && exec \"$@\"");
        command.arg(script).arg(self.0.at("fake")).args(wrapper).args(self.0.args(&[word]));
        self.0.ran(command.output().unwrap())
    }

    fn was_restarted(&self) -> bool {
        self.0.exists("pid")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let Ok(pid) = fs::read_to_string(self.0.at("pid")) else { return };
        let _ = Command::new("kill").args(["-s", "KILL", pid.trim()]).output();
    }
}

#[test]
fn a_quadlets_unit_is_found_and_restarted_and_not_believed() {
    let host = Host::new("openclaw.service", "");
    host.run("sync").exit(0).says("the gateway was restarted; whether it uses the new token");
    assert_eq!(host.0.read("pid").trim(), "4194306");
    let unproven = "the gateway was restarted: whether it uses the new token is not proven";
    let check = host.run("check").exit(1).out.clone();
    assert!(check.contains(unproven), "{check}");
    let status = host.run("status").out;
    assert!(status.contains("; whether it uses the new token is not proven"), "{status}");
}

#[test]
fn a_file_that_the_unit_reads_is_named_and_its_hint_makes_it_the_sink() {
    for by in ["show", "text", "drop-in", "last of two", "pattern", "linked drop-in", "fragment"] {
        let host = Host::new(GATEWAY, "");
        let (bed, file) = (&host.0, format!("{STATE}/other.env"));
        let path = bed.at(&file);
        bed.write(&file, "ANTHROPIC_OAUTH_TOKEN='access-old'\n");
        let line = "EnvironmentFile=-%h/.openclaw/other.env";
        match by {
            "show" => {
                let script = bed.read("fake/systemctl");
                let files = format!("EnvironmentFiles={} (ignore_errors=yes)\\n'", path.display());
                bed.write("fake/systemctl", script.replacen("%s\\n'", &format!("%s\\n{files}"), 1));
            }
            "text" => {
                host.unit_file("", line);
            }
            "drop-in" => {
                host.unit_file("", "EnvironmentFile=%h/.openclaw/.env");
                host.unit_file(".d/10-more.conf", &format!("EnvironmentFile=\n{line}"));
            }
            "pattern" => {
                bed.write(&format!("{STATE}/a.env"), "ANTHROPIC_OAUTH_TOKEN=access-x\n");
                bed.write(&format!("{STATE}/p.env"), "export ANTHROPIC_OAUTH_TOKEN=access-x\n");
                host.unit_file("", "EnvironmentFile=-%h/.open[a-z]law/*.env");
            }
            "linked drop-in" => {
                let (shared, folder) = ("home/dot/more.conf", "home/.config/systemd/user");
                bed.write(shared, format!("[Service]\n{line}\n"));
                fs::create_dir_all(bed.at(&format!("{folder}/openclaw-.service.d"))).unwrap();
                let drop_in = bed.at(&format!("{folder}/openclaw-.service.d/more.conf"));
                symlink(bed.at(shared), drop_in).unwrap();
                host.unit_file("", "EnvironmentFile=%h/.openclaw/.env");
            }
            "fragment" => {
                let line = format!("EnvironmentFile={}", path.display());
                bed.write("run.d/unit", format!("[Service]\n{line}\n"));
                let script = bed.read("fake/systemctl");
                let told = format!("FragmentPath={}\\n'", bed.at("run.d/unit").display());
                bed.write("fake/systemctl", script.replacen("%s\\n'", &format!("%s\\n{told}"), 1));
            }
            _ => {
                host.unit_file("", &format!("EnvironmentFile=%h/.openclaw/.env\n{line}"));
            }
        }
        let ran = host.run("sync");
        let ran = ran.says("the gateway is not as it should be").says("other.env");
        assert!(!ran.err.contains("uses the new token"), "{by}: {}", ran.err);
        assert!(!host.was_restarted(), "{by}: a restart would bring nothing: {}", ran.err);
        host.run("check").exit(1);
        // The command that is said makes that file the sink.
        bed.conf("ENV_FILE", path.to_str().unwrap());
        host.run("sync");
        host.run("gateway");
        assert!(bed.read(&file).contains("access-new"), "{by}");
        assert!(host.was_restarted(), "{by}");
    }
}

#[test]
fn a_file_beside_the_env_counts_only_where_the_unit_reads_it() {
    let file = format!("{STATE}/gateway.systemd.env");
    for (key, is_proven) in [("ANTHROPIC_OAUTH_TOKEN=access-new", true), ("A=1", false)] {
        let host = Host::new(GATEWAY, "");
        host.0.write(&file, "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        host.0.conf("ENV_FILE", host.0.at(&file).to_str().unwrap());
        let said = proves(host.starts(&format!("env -u ANTHROPIC_OAUTH_TOKEN {key}")), is_proven);
        let nothing = said.contains("was started without ANTHROPIC_OAUTH_TOKEN: nothing reads");
        assert_ne!(nothing, is_proven, "{said}");
    }
}

#[test]
fn a_file_of_roots_that_a_users_unit_reads_is_edited_and_not_written() {
    let (uid, gid) = account();
    let host = Host::new(GATEWAY, "");
    let bed = &host.0;
    bed.write("claw.env", "ANTHROPIC_OAUTH_TOKEN=access-old\n");
    fs::set_permissions(bed.at("claw.env"), PermissionsExt::from_mode(0o644)).unwrap();
    fs::set_permissions(bed.at(""), PermissionsExt::from_mode(0o755)).unwrap();
    let all = [".config", ".config/systemd", ".config/systemd/user"].map(|at| format!("home/{at}"));
    let unit = format!("home/.config/systemd/user/{GATEWAY}");
    host.unit_file("", &format!("EnvironmentFile={}", bed.at("claw.env").display()));
    let ours = ["home", "home/.claude", "home/.claude/.credentials.json", STATE, ENV, &unit];
    for path in ours.into_iter().chain(all.iter().map(String::as_str)) {
        chown(bed.at(path), Some(uid), Some(gid)).unwrap();
    }
    let ran = host.run_with("true", &CAPABILITIES, "sync");
    let hint = "\"${EDITOR:-vi}\" BED/claw.env && oauth-sync sync --link default";
    let ran = ran.says("from 'BED/claw.env'").says(hint);
    assert!(!host.was_restarted(), "{}", ran.err);
}

#[test]
fn what_stands_in_the_unit_itself_is_named_with_its_file() {
    for (by, value) in [("show", "access-x"), ("text", "access-x"), ("drop-in", "")] {
        let line = format!("Environment=ANTHROPIC_OAUTH_TOKEN={value}");
        let host =
            Host::new(GATEWAY, &if by == "show" { format!("{line}\\n") } else { String::new() });
        let named = match by {
            "show" => "by Environment=".to_owned(),
            "text" => {
                host.unit_file("", &line);
                format!("by Environment= in 'BED/home/.config/systemd/user/{GATEWAY}'")
            }
            _ => {
                // An empty one keeps OpenClaw from its `.env` too.
                host.unit_file(".d/10.conf", &format!("Environment=A=1 \\\n  {}", &line[12..]));
                format!("by Environment= in 'BED/home/.config/systemd/user/{GATEWAY}.d/10.conf'")
            }
        };
        let ran = host.run("sync").says("the gateway is not as it should be").says(&named);
        assert_eq!(ran.err.contains("daemon-reload"), by != "show", "{by}: {}", ran.err);
        assert!(!host.was_restarted(), "{by}");
        let doctor = host.run("doctor");
        assert!(doctor.out.contains("by Environment="), "{by}: {}", doctor.out);
        host.run("check").exit(1);
    }
}

#[test]
fn a_value_that_does_not_count_is_not_in_the_way() {
    let host = Host::new(GATEWAY, "");
    host.0.write(&format!("{STATE}/other.env"), "ANTHROPIC_OAUTH_TOKEN=access-old\n");
    let lines = "Environment=ANTHROPIC_OAUTH_TOKEN=access-x\nEnvironmentFile=%h/.openclaw/other.env\nEnvironmentFile=%h/.openclaw/.env";
    host.unit_file("", lines).starts("env ANTHROPIC_OAUTH_TOKEN=access-new");
    host.run("sync").exit(0).says("was restarted and uses the new token");
}

#[test]
fn what_the_users_manager_sets_for_all_is_named_with_what_takes_it_away() {
    let unset = " unset-environment ANTHROPIC_OAUTH_TOKEN";
    for by in ["manager", "both", "file", "masked", "own .env is a file of the unit"] {
        let host = Host::new(GATEWAY, "");
        let file = "home/.config/environment.d/50-claude.conf";
        let is_file = by == "both" || by == "file";
        if by != "file" && by != "masked" {
            host.0.write("manager", "LANG=C\nANTHROPIC_OAUTH_TOKEN=access-old\n");
        }
        if is_file {
            host.0.write(file, "# mine\nANTHROPIC_OAUTH_TOKEN=access-old\n");
        }
        if by == "masked" {
            host.0.write(file, "export ANTHROPIC_OAUTH_TOKEN=access-old\nANTHROPIC_OAUTH_TOKEN=\n");
        }
        if by.starts_with("own") {
            host.unit_file("", "EnvironmentFile=%h/.openclaw/.env");
        }
        let ran = host.run("sync");
        if by == "masked" || by.starts_with("own") {
            assert!(host.was_restarted(), "{by}: {}", ran.err);
            continue;
        }
        assert!(!host.was_restarted(), "{by}: a restart would bring nothing: {}", ran.err);
        let ran = ran.says("the gateway is not as it should be").says(unset);
        assert_eq!(ran.err.contains("50-claude.conf'"), is_file, "{by}: {}", ran.err);
        host.run("check").exit(1);
        // What the command comes to.
        let _ = fs::remove_file(host.0.at("manager"));
        let _ = fs::remove_file(host.0.at(file));
        host.run("sync");
        host.run("gateway");
        assert!(host.was_restarted(), "{by}");
    }
}

#[test]
fn what_the_unit_takes_away_is_named_where_openclaw_does_not_read_it_itself() {
    for (is_own, is_restarted) in [(true, true), (false, false)] {
        let host = Host::new(GATEWAY, "");
        let (bed, other) = (&host.0, "home/claw.env");
        host.unit_file("", "EnvironmentFile=%h/claw.env\nUnsetEnvironment=ANTHROPIC_OAUTH_TOKEN");
        bed.write(other, "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        if !is_own {
            bed.conf("ENV_FILE", bed.at(other).to_str().unwrap());
        }
        let ran = host.run("sync");
        assert_eq!(host.was_restarted(), is_restarted, "{}", ran.err);
        let named = "takes ANTHROPIC_OAUTH_TOKEN away by UnsetEnvironment= in '";
        assert_ne!(ran.err.contains(named), is_restarted, "{}", ran.err);
    }
}

/// Restarts, and asserts whether the proof holds; gives what was said.
#[track_caller]
fn proves(host: &Host, is_proven: bool) -> String {
    let ran = host.run("sync");
    assert!(host.was_restarted(), "{}", ran.err);
    assert_eq!(ran.err.contains("uses the new token; it was gone"), is_proven, "{}", ran.err);
    ran.err.clone()
}

#[test]
fn the_environment_of_the_new_process_is_the_proof() {
    let with = |words: &str, is_proven| {
        let host = Host::new(GATEWAY, "");
        proves(host.starts(words), is_proven)
    };
    with("env ANTHROPIC_OAUTH_TOKEN=access-new", true);
    // OpenClaw takes it from its `.env` when it starts.
    with("env -u ANTHROPIC_OAUTH_TOKEN", true);
    let other = "started with another ANTHROPIC_OAUTH_TOKEN";
    assert!(with("env ANTHROPIC_OAUTH_TOKEN=access-old", false).contains(other));
    assert!(with("env ANTHROPIC_OAUTH_TOKEN=", false).contains(other));
}

#[test]
fn a_process_that_was_there_before_proves_nothing() {
    let host = Host::new(GATEWAY, "");
    let mut sleep = Command::new("sleep");
    let mut child = sleep.arg("600").env("ANTHROPIC_OAUTH_TOKEN", "access-new").spawn().unwrap();
    host.0.write("new", format!("sleep 1; echo {}", child.id()));
    let said = proves(&host, false);
    child.kill().and_then(|()| child.wait()).unwrap();
    assert!(said.contains("whether it uses the new token is not proven"), "{said}");
}

/// An account of this host besides root, with its group.
fn account() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let all = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut numbers = all.map(|fields| (fields[2].parse().unwrap(), fields[3].parse().unwrap()));
    numbers.find(|(uid, _)| *uid != 0).expect("every host has one")
}

#[test]
fn a_users_process_is_read_with_that_users_rights_alone() {
    let (uid, gid) = account();
    for (key, is_proven) in [
        ("ANTHROPIC_OAUTH_TOKEN=access-new", true),
        ("A=1", true),
        ("ANTHROPIC_OAUTH_TOKEN=x", false),
    ] {
        let host = Host::new(GATEWAY, "");
        let bed = &host.0;
        host.starts(&format!("setpriv --reuid={uid} --regid={gid} --clear-groups env {key}"));
        for path in ["home", "home/.claude", "home/.claude/.credentials.json", STATE, ENV] {
            chown(bed.at(path), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(bed.at(""), PermissionsExt::from_mode(0o755)).unwrap();
        // As in our unit: `/proc` shows others' processes only to those who may trace them.
        let hidden = "mount -t proc -o hidepid=ptraceable proc /proc";
        let ran = host.run_with(hidden, &CAPABILITIES, "sync");
        assert!(host.was_restarted(), "{}", ran.err);
        assert_eq!(ran.err.contains("uses the new token; it"), is_proven, "{key}: {}", ran.err);
    }
}

#[test]
fn a_unit_is_not_restarted_again_where_a_profile_comes_before_the_variable() {
    let host = Host::new(GATEWAY, "");
    let openclaw = host.0.at("fake/openclaw");
    host.0.write(
        "fake/openclaw",
        "#!/bin/sh\ncase \"$*\" in *--version*) echo 2026.9.6 ;; *) echo '{\"auth\":{\"providers\":[{\"provider\":\"anthropic\",\"effective\":{\"kind\":\"profiles\"}}]}}' ;; esac\n",
    );
    fs::set_permissions(&openclaw, PermissionsExt::from_mode(0o755)).unwrap();
    host.0.openclaw("2026.9.6").conf("OPENCLAW_COMMAND", openclaw.to_str().unwrap());
    host.starts("env ANTHROPIC_OAUTH_TOKEN=access-new");
    let first = "OpenClaw uses a profile of its own before ANTHROPIC_OAUTH_TOKEN";
    host.run("sync").exit(1).says(first);
    let pid = host.0.read("pid");
    host.run("sync").exit(1);
    assert_eq!(host.0.read("pid"), pid, "it was restarted once more");
}
