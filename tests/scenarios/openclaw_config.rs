//! `openclaw.json` as OpenClaw reads it: links, includes, odd bytes, stores elsewhere; and what is said
//! of one that is not understood.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bed::{Bed, MAIN, STATE, profiles};

/// An API key before the profile that may carry our token.
const KEY_FIRST: &str = r#"["anthropic:work", "anthropic:default"]"#;

/// A store with that API key and an old token.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.4.15").login("new");
    bed.write(MAIN, store("old"));
    bed
}

fn store(name: &str) -> String {
    let key =
        r#""profiles":{"anthropic:work":{"type":"api_key","provider":"anthropic","key":"sk"},"#;
    profiles(name, 5).replacen("\"profiles\":{", key, 1).replacen("\"profiles\": {", key, 1)
}

fn config(bed: &Bed, text: impl AsRef<[u8]>) {
    bed.write(&format!("{STATE}/openclaw.json"), text);
}

fn order(bed: &Bed) -> serde_json::Value {
    let store: serde_json::Value = serde_json::from_str(&bed.read(MAIN)).unwrap();
    store["order"]["anthropic"].clone()
}

/// Syncs and asserts that the order of openclaw.json was seen: ours was put before it.
#[track_caller]
fn order_is_seen(bed: &Bed, what: &str) {
    bed.run(["sync"]).exit(0);
    let right = ["anthropic:oauth-sync", "anthropic:work", "anthropic:default"];
    assert_eq!(order(bed), serde_json::json!(right), "{what}");
    bed.run(["check"]).exit(0);
    bed.run(["doctor"]).exit(0);
}

#[test]
fn an_order_is_seen_through_links_includes_and_odd_bytes() {
    let ordered = format!("{{auth: {{order: {{anthropic: {KEY_FIRST}}}}}}}");
    for text in [
        ordered.clone().into_bytes(),
        [b"\xef\xbb\xbf", ordered.as_bytes()].concat(),
        [b"// caf\xe9\n", ordered.as_bytes()].concat(),
        ordered.replace("{auth", "{note: '\\ud83d', more: [+1, .5, 0x1f, 'a\\\nb'], auth").into(),
        ordered.replace("auth", "\\u0061uth").into(),
    ] {
        let bed = bed();
        config(&bed, &text);
        order_is_seen(&bed, &String::from_utf8_lossy(&text));
    }
    let bed = bed();
    bed.write("home/repo/openclaw.json", &ordered);
    symlink("repo/openclaw.json", bed.at("home/link.json")).unwrap();
    symlink("../link.json", bed.at(&format!("{STATE}/openclaw.json"))).unwrap();
    order_is_seen(&bed, "a chain of links");
}

#[test]
fn an_order_is_seen_in_what_is_included() {
    let file = |name: &str| format!("{STATE}/{name}");
    let last = "order: {anthropic: ['anthropic:default']}";
    for (text, files) in [
        ("{auth: {$include: './auth.json5'}}", vec![]),
        (
            "{$include: 'parts/all.json5'}",
            vec![("parts/all.json5", "{auth: {$include: '../auth.json5'}}")],
        ),
        (
            "{auth: {$include: ['first.json', 'auth.json5']}}",
            vec![("first.json", "{cooldowns: {}}")],
        ),
        ("{auth: {$include: 'BED/auth.json5', cooldowns: {}}}", vec![]),
        (
            "{auth: {order: {$include: 'order.json'}}}",
            vec![("order.json", "{$include: 'link.json'}")],
        ),
    ] {
        let bed = bed();
        config(&bed, text.replace("BED", bed.at(STATE).to_str().unwrap()));
        bed.write(&file("auth.json5"), format!("{{order: {{anthropic: {KEY_FIRST}}}, /* c */}}"));
        bed.write(&file("real.json"), format!("{{anthropic: {KEY_FIRST}}}"));
        symlink("real.json", bed.at(&file("link.json"))).unwrap();
        for (name, text) in files {
            bed.write(&file(name), text);
        }
        order_is_seen(&bed, text);
    }
    // What stands beside is merged over it, and lists are joined.
    let bed = bed();
    config(&bed, format!("{{auth: {{$include: 'a', {last}}}}}"));
    bed.write(&file("a"), "{order: {anthropic: ['anthropic:work']}}");
    order_is_seen(&bed, "joined");
}

#[test]
fn a_configuration_elsewhere_is_found_by_its_variable() {
    let ordered = "{auth: {$include: 'auth.json5'}}";
    for by in ["conf", "env", "home"] {
        let bed = bed();
        config(&bed, "{}");
        bed.write("home/etc/my.json5", ordered);
        bed.write("home/etc/auth.json5", format!("{{order: {{anthropic: {KEY_FIRST}}}}}"));
        let path = bed.at("home/etc/my.json5").display().to_string();
        match by {
            "conf" => {
                bed.conf("OPENCLAW_CONFIG_PATH", &path);
            }
            "env" => {
                bed.write(&format!("{STATE}/.env"), format!("OPENCLAW_CONFIG_PATH={path}\n"));
            }
            _ => {
                bed.write(&format!("{STATE}/.env"), "OPENCLAW_CONFIG_PATH='~/etc/my.json5'\n");
            }
        }
        order_is_seen(&bed, by);
    }
}

#[test]
fn files_outside_are_included_only_below_the_roots() {
    let bed = bed();
    config(
        &bed,
        "{auth: {$include: 'BED/shared/auth.json5'}}"
            .replace("BED", bed.at("home").to_str().unwrap()),
    );
    bed.write("home/shared/auth.json5", format!("{{order: {{anthropic: {KEY_FIRST}}}}}"));
    bed.run(["sync"]).exit(1).says("OpenClaw includes only what is below the directory");
    let bed = bed;
    bed.write(MAIN, store("old"));
    bed.conf("OPENCLAW_INCLUDE_ROOTS", &format!("/nowhere:{}", bed.at("home/shared").display()));
    order_is_seen(&bed, "a root of its own");
}

/// What stands in an `openclaw.json` that is not understood, and how that is said.
fn not_understood(bed: &Bed) -> Vec<(&'static str, &'static str)> {
    bed.write("outside.json", "{}");
    symlink(bed.at("outside.json"), bed.at(&format!("{STATE}/out.json"))).unwrap();
    bed.write(&format!("{STATE}/list.json"), "[1]");
    bed.write(&format!("{STATE}/broken.json"), "{,}");
    bed.write(&format!("{STATE}/a.json"), "{$include: 'b.json'}");
    bed.write(&format!("{STATE}/b.json"), "{$include: 'a.json'}");
    bed.write(&format!("{STATE}/twice.json"), "{}");
    fs::hard_link(bed.at(&format!("{STATE}/twice.json")), bed.at("home/second")).unwrap();
    vec![
        ("", "it is no JSON5 at line 1, column 1"),
        ("{\n meta: {,}\n}", "it is no JSON5 at line 2, column 9"),
        ("[1]", "it holds no object"),
        ("null", "it holds no object"),
        ("{$include: 'absent.json'}", "absent.json': it is not there"),
        ("{$include: '../../outside.json'}", "OpenClaw includes only what is below"),
        ("{$include: 'out.json'}", "a link leads out of the directory"),
        ("{$include: 'a.json'}", "includes itself"),
        ("{$include: 'broken.json'}", "broken.json': it is no JSON5 at line 1, column 2"),
        ("{$include: 'list.json', x: 1}", "keys stand beside a $include whose file is no object"),
        ("{$include: 'twice.json'}", "a second name (hard link)"),
        ("{x: {$include: 7}}", "names neither a file nor a list"),
    ]
}

#[test]
fn one_that_is_not_understood_is_never_taken_for_absent() {
    let bed = bed();
    for (text, why) in not_understood(&bed) {
        bed.write(MAIN, store("old"));
        config(&bed, text);
        bed.run(["sync"])
            .exit(1)
            .says("openclaw.json' is not understood: ")
            .says(why)
            .says("holds the new token, but openclaw.json is not understood");
        bed.run(["sync"]).exit(1).says("stays as it is: openclaw.json is not understood");
        assert_eq!(order(&bed), serde_json::Value::Null, "{text}: the order is a person's");
        let status = bed.run(["status"]).out;
        assert!(status.contains("is not understood: ") && status.contains(why), "{status}");
        let check = bed.run(["check"]).exit(2).out;
        assert!(check.contains("is not understood: ") && check.contains(why), "{check}");
        let doctor = bed.run(["doctor"]);
        let (code, said) = (doctor.status.code(), format!("{}{}", doctor.out, doctor.err));
        assert!(
            code == Some(1) && said.contains(why) && said.contains("config validate"),
            "{said}"
        );
    }
}

#[test]
fn links_and_pipes_are_no_absent_configuration() {
    for what in ["nowhere", "circle", "pipe", "directory"] {
        let bed = bed();
        let path = bed.at(&format!("{STATE}/openclaw.json"));
        match what {
            "nowhere" => symlink("gone.json", &path).unwrap(),
            "circle" => symlink("openclaw.json", &path).unwrap(),
            "directory" => fs::create_dir(&path).unwrap(),
            _ => {
                let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success());
            }
        }
        bed.run(["sync"]).exit(1).says("openclaw.json' is not understood: ");
        bed.run(["check"]).exit(2);
    }
}

#[test]
fn an_order_in_the_store_itself_is_beyond_doubt() {
    let bed = bed();
    config(&bed, "{");
    bed.write(
        MAIN,
        store("old").replacen('{', r#"{"order":{"anthropic":["anthropic:default"]},"#, 1),
    );
    let ran = bed.run(["sync"]).exit(1).says("openclaw.json' is not understood: ");
    assert!(!ran.err.contains("but openclaw.json"), "{}", ran.err);
}

#[test]
fn a_version_that_is_not_understood_opens_no_json_store() {
    let bed = Bed::new();
    bed.login("new").agent("main", "foreign");
    bed.write(MAIN, profiles("foreign", 5));
    // As long as nothing else tells the version, the stores stay as they are.
    config(&bed, "{meta: {lastTouchedVersion: '2026.2.25'}, auth: {$include: 'gone'}}");
    bed.run(["sync"]).exit(1).says("which version OpenClaw has");
    assert!(bed.read(MAIN).contains("access-foreign"));
}

#[test]
fn agents_elsewhere_get_the_token() {
    for roster in [
        "{list: [{id: 'main'}, {id: 'nova', default: true, agentDir: 'BED/home/agents/nova'}]}",
        "{list: [{id: 'nova', agentDir: '~/agents/nova'}]}",
        "{entries: {main: {}, nova: {agentDir: '${HOME}/agents/nova'}}}",
        "{entries: {$include: 'agents.json'}}",
    ] {
        let bed = bed();
        let at =
            |text: &str| text.replace("BED", bed.at("").to_str().unwrap().trim_end_matches('/'));
        config(&bed, at(&format!("{{agents: {roster}}}")));
        bed.write(
            &format!("{STATE}/agents.json"),
            at("{nova: {agentDir: 'BED/home/agents/nova'}}"),
        );
        let nova = "home/agents/nova/auth-profiles.json";
        bed.write(nova, profiles("old", 5));
        bed.run(["sync"]).exit(0);
        for path in [MAIN, nova] {
            assert!(bed.read(path).contains("access-new"), "{roster}: {path}");
        }
        bed.run(["check"]).exit(0);
    }
}

#[test]
fn the_main_agent_moves_with_its_variable() {
    for by_env in [true, false] {
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("SINKS", "auth-profiles").login("new");
        fs::create_dir_all(bed.at("home/mine")).unwrap();
        let path = bed.at("home/mine/agent").display().to_string();
        if by_env {
            bed.write(&format!("{STATE}/.env"), format!("OPENCLAW_AGENT_DIR=\"{path}\"\n"));
        } else {
            bed.conf("OPENCLAW_AGENT_DIR", &path);
        }
        bed.run(["sync"]).exit(0);
        assert!(bed.read("home/mine/agent/auth-profiles.json").contains("access-new"));
        assert!(!bed.exists(MAIN));
        bed.write("home/mine/agent/auth-profiles.json", profiles("old", 5));
        bed.run(["sync"]).exit(0);
        assert!(bed.read("home/mine/agent/auth-profiles.json").contains("access-new"));
    }
}

/// Syncs, and asserts that the store is named everywhere and that `check` fails.
#[track_caller]
fn unreachable_is_named(bed: &Bed, name: &str, why: &str) {
    bed.run(["sync"]).exit(1).says(name).says(why);
    let status = bed.run(["status"]).out;
    assert!(status.contains(name) && status.contains(why), "{status}");
    let check = bed.run(["check"]).exit(2).out;
    assert!(check.contains(why), "{check}");
}

#[test]
fn a_store_that_cannot_be_reached_is_named() {
    for (dir, why) in
        [("agents/nova", "is no absolute path"), ("${AGENTS}/nova", "has a variable in it")]
    {
        let bed = bed();
        config(&bed, format!("{{agents: {{list: [{{id: 'nova', agentDir: '{dir}'}}]}}}}"));
        unreachable_is_named(&bed, "the agent nova keeps its store there", why);
        assert!(bed.read(MAIN).contains("access-new"), "the others get it");
    }
}

#[test]
fn a_store_that_cannot_be_reached_is_named_whatever_the_version() {
    let roster = "agents: {list: [{id: 'nova', default: true, agentDir: 'agents/nova'}]}";
    for (version, sinks) in [("", "auto"), ("2026.9.6", "auto"), ("2026.4.15", "env")] {
        let bed = Bed::new();
        bed.login("new").conf("SINKS", sinks);
        config(&bed, format!("{{{roster}, meta: {{lastTouchedVersion: '{version}'}}}}"));
        unreachable_is_named(&bed, "the agent nova keeps its store there", "no absolute path");
    }
}

#[test]
fn the_paths_of_a_container_are_found_where_they_are_mounted() {
    for (is_compose, other) in [(true, "/data/b"), (false, "/home/node/b")] {
        let bed = bed();
        if is_compose {
            bed.write("home/stack/compose.yml", "")
                .conf("COMPOSE_DIR", bed.at("home/stack").to_str().unwrap());
        }
        bed.write(&format!("{STATE}/nova/auth-profiles.json"), profiles("old", 5));
        config(
            &bed,
            format!(
                "{{agents: {{list: [{{id: 'a', agentDir: '/home/node/.openclaw/nova'}}, {{id: 'b', agentDir: '{other}'}}]}}}}"
            ),
        );
        let why = "it is a path in the container";
        unreachable_is_named(&bed, "the agent b keeps its store there", why);
        assert!(bed.read(&format!("{STATE}/nova/auth-profiles.json")).contains("access-new"));
    }
}

/// What only root can set up or see.
mod as_root {
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::{bed, config, fs, profiles, unreachable_is_named};

    #[test]
    fn no_name_leads_into_another_users_store() {
        let bed = bed();
        config(
            &bed,
            format!(
                "{{agents: {{list: [{{id: 'x', agentDir: '{}'}}]}}}}",
                bed.at("theirs").display()
            ),
        );
        bed.write("theirs/auth-profiles.json", profiles("old", 5));
        for (path, uid) in [("theirs", 4712), ("theirs/auth-profiles.json", 4712)] {
            chown(bed.at(path), Some(uid), Some(uid)).unwrap();
            fs::set_permissions(bed.at(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
        unreachable_is_named(&bed, "the agent x keeps its store there", "belongs to another user");
        assert!(bed.read("theirs/auth-profiles.json").contains("access-old"));
    }
}
