//! Where the agents of an `OpenClaw` may live, and what becomes of one without a store.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::bed::{Bed, MAIN, STATE, profiles};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "auth-profiles").login("new");
    bed
}

#[test]
fn agents_that_are_kept_elsewhere_are_reached_through_their_links() {
    let bed = bed();
    for id in ["main", "work"] {
        bed.write(&format!("home/disk/agents/{id}/agent/auth-profiles.json"), profiles("old", 5));
    }
    bed.write("home/other/agent/auth-profiles.json", profiles("old", 5));
    symlink(bed.at("home/other"), bed.at("home/disk/agents/third")).unwrap();
    symlink("main", bed.at("home/disk/agents/alias")).unwrap();
    fs::create_dir_all(bed.at(STATE)).unwrap();
    symlink("../disk/agents", bed.at(&format!("{STATE}/agents"))).unwrap();
    let at = |id: &str| {
        format!(
            "default: auth-profiles 'BED/{STATE}/agents/{id}/agent/auth-profiles.json' holds the new token FP, which ends at WHEN"
        )
    };
    // 'main' is the same as 'alias'.
    let lines = [at("alias"), at("third"), at("work")];
    bed.run(["sync"]).exit(0).err(&lines.each_ref().map(String::as_str));
    for path in [
        MAIN,
        "home/disk/agents/work/agent/auth-profiles.json",
        "home/other/agent/auth-profiles.json",
    ] {
        assert!(bed.read(path).contains("access-new"), "{path}");
    }
    bed.run(["sync"]).exit(0).err(&[]);
}

/// What is said of an agent whose directory is not entered.
fn refused(id: &str) -> String {
    format!(
        "default: cannot open 'BED/{STATE}/agents/{id}/agent': a symbolic link on its way is not followed: it is circular, or leads to the directory of another user; put the directory itself there"
    )
}

#[test]
fn a_link_that_leads_nowhere_is_not_followed() {
    let bed = bed();
    bed.agent("main", "old");
    symlink("circle", bed.at(&format!("{STATE}/agents/circle"))).unwrap();
    bed.run(["sync"]).exit(1).says(&refused("circle"));
    assert!(bed.read(MAIN).contains("access-new"));
}

#[test]
fn a_store_that_is_asked_for_is_made_for_the_main_agent() {
    let bed = bed();
    fs::create_dir_all(bed.at(STATE)).unwrap();
    bed.run(["sync", "--dry-run"]).exit(0);
    assert!(!bed.exists(MAIN), "a dry run wrote");
    bed.run(["sync"]).exit(0).err(&[&format!(
        "default: auth-profiles 'BED/{MAIN}' holds the new token FP, which ends at WHEN"
    )]);
    let store: serde_json::Value = serde_json::from_str(&bed.read(MAIN)).unwrap();
    let profile = &store["profiles"]["anthropic:oauth-sync"];
    assert_eq!((&profile["type"], &profile["token"]), (&"token".into(), &"access-new".into()));
    let mode = fs::metadata(bed.at(MAIN)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    bed.run(["sync"]).exit(0).err(&[]);
}

#[test]
fn one_users_bloated_store_keeps_no_other_sink_waiting() {
    let bed = bed();
    bed.agent("main", "old");
    let crowd: Vec<String> = (0..2000)
        .map(|number| format!(r#""anthropic:{number}":{{"type":"oauth","provider":"anthropic"}}"#))
        .collect();
    let crowded = format!(r#"{{"version":1,"profiles":{{{}}}}}"#, crowd.join(","));
    bed.write(&format!("{STATE}/agents/crowd/agent/auth-profiles.json"), &crowded);
    let vast = format!(r#"{{"version":1,"profiles":{{}},"more":[{}0]}}"#, "0,".repeat(200_000));
    bed.write(&format!("{STATE}/agents/vast/agent/auth-profiles.json"), &vast);
    bed.run(["sync"]).exit(1).says("it has too many profiles").says("it has more than 256 KiB");
    assert!(bed.read(MAIN).contains("access-new"));
    for (id, text) in [("crowd", crowded), ("vast", vast)] {
        assert_eq!(bed.read(&format!("{STATE}/agents/{id}/agent/auth-profiles.json")), text);
    }
}

#[test]
fn a_crowd_of_agents_needs_no_descriptor_for_each() {
    let bed = bed();
    bed.conf("MAX_AGENTS", "10000");
    let crowd = 1500;
    for id in 0..crowd {
        bed.agent(&format!("a{id:04}"), "old");
    }
    let wrapper = ["prlimit", "--nofile=1024:1024"];
    let ran = bed.command(&wrapper, &["sync"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    assert_eq!(said.matches("holds the new token").count(), crowd);
    for id in [0, 63, 64, 999, crowd - 1] {
        let store = format!("{STATE}/agents/a{id:04}/agent/auth-profiles.json");
        assert!(bed.read(&store).contains("access-new"), "{store}");
    }
    bed.run(["sync"]).exit(0).err(&[]);
}

#[test]
fn agents_beyond_the_most_are_named_and_critical() {
    let bed = bed();
    bed.conf("MAX_AGENTS", "3");
    for id in ["a", "b", "c", "d", "e"] {
        bed.agent(id, "old");
    }
    let text =
        "there are more agents than MAX_AGENTS (3): those beyond it keep their old token: d, e";
    bed.run(["sync"]).says(text).says("hint: oauth-sync set --link default MAX_AGENTS 5");
    let store = |id: &str| bed.read(&format!("{STATE}/agents/{id}/agent/auth-profiles.json"));
    assert!(store("c").contains("access-new") && !store("d").contains("access-new"));
    bed.run(["check"]).exit(2);
    bed.run(["set", "MAX_AGENTS", "5"]).exit(0);
    bed.run(["sync"]).exit(0);
    assert!(store("e").contains("access-new"));
    bed.run(["check"]).exit(0);
}

/// What only root can set up or see.
mod as_root {
    use std::os::unix::fs::chown;

    use super::{MAIN, PermissionsExt, STATE, bed, fs, profiles, refused, symlink};

    #[test]
    fn a_link_to_another_user_is_not_followed() {
        let bed = bed();
        bed.agent("main", "old");
        bed.write("theirs/agent/auth-profiles.json", profiles("old", 5));
        for (folder, uid) in [(STATE, 4711), ("theirs", 4712)] {
            let mut folders = vec![bed.at(folder)];
            while let Some(path) = folders.pop() {
                chown(&path, Some(uid), Some(uid)).unwrap();
                if path.is_dir() {
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                    folders.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                }
            }
        }
        symlink(bed.at("theirs"), bed.at(&format!("{STATE}/agents/theirs"))).unwrap();
        bed.run(["sync"]).exit(1).says(&refused("theirs"));
        assert!(bed.read(MAIN).contains("access-new"));
        assert!(bed.read("theirs/agent/auth-profiles.json").contains("access-old"));
    }
}
