//! What a user's `openclaw.json` may lead to: nothing that this user could not read, and no store of
//! another's.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::lab::{ALICE, BOB, Lab};

const ORDER: &str = r#"{"auth":{"order":{"anthropic":["anthropic:work","anthropic:old"]}}}"#;

fn store() -> String {
    r#"{"version":1,"profiles":{"anthropic:work":{"type":"api_key","provider":"anthropic","key":"sk"},"anthropic:old":{"type":"token","provider":"anthropic","token":"sk-ant-oat01-old","expires":9999999999999}}}"#
        .to_owned()
}

/// Alice's OpenClaw with a store of its own, and a link over it.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 28_000);
    lab.link("a", KEYS);
    lab.as_user(ALICE, "umask 077; mkdir -p home/a/.openclaw/agents/main/agent");
    fill(&lab);
    lab
}

fn fill(lab: &Lab) {
    let path = "home/a/.openclaw/agents/main/agent/auth-profiles.json";
    lab.as_user(ALICE, &format!("echo '{}' >{path}; chmod 600 {path}", store()));
}

const KEYS: &str =
    "REFRESH=\"off\"\nGATEWAY=\"none\"\nSINKS=\"auth-profiles\"\nOPENCLAW_VERSION=\"2026.4.15\"\n";

/// Says whether the order that the secret file holds was seen.
fn order_is_seen(lab: &Lab) -> bool {
    let store = lab.read("home/a/.openclaw/agents/main/agent/auth-profiles.json");
    store.contains("oauth-sync")
}

#[test]
fn a_users_links_lead_only_where_that_user_may_read() {
    for (secret, owner) in [("secret", 0), ("home/b/secret", BOB)] {
        let lab = lab();
        lab.sh(&format!(
            "mkdir -p {secret}; echo '{ORDER}' >{secret}/c.json; chmod 600 {secret}/c.json; chown -R {owner}:{owner} {secret}"
        ));
        let path = lab.at(secret).display().to_string();
        let config = "home/a/.openclaw/openclaw.json";
        for (name, plant) in [
            ("a link", format!("ln -sfn {path}/c.json {config}")),
            (
                "a link to a link",
                format!("ln -sfn {path} home/a/dir; ln -sfn ../dir/c.json {config}"),
            ),
            (
                "an include",
                format!(
                    "rm {config}; echo '{{$include: \"x\"}}' >{config}; ln -sfn {path}/c.json home/a/.openclaw/x"
                ),
            ),
            (
                "a variable",
                format!(
                    "rm {config}; echo OPENCLAW_CONFIG_PATH={path}/c.json >home/a/.openclaw/.env; chmod 600 home/a/.openclaw/.env"
                ),
            ),
        ] {
            lab.as_user(ALICE, &plant);
            fill(&lab);
            let ran = lab.confined(&["sync"]);
            assert!(ran.stderr.contains("is not understood"), "{name}: {}", ran.stderr);
            assert!(!order_is_seen(&lab), "{name} to {secret} was read with other rights");
            assert_eq!(ran.code, Some(1), "{name}");
        }
        // Once the user may read it, it is read.
        lab.sh(&format!("chmod -R a+rX {secret}"));
        lab.as_user(ALICE, "rm home/a/.openclaw/.env");
        lab.as_user(ALICE, &format!("ln -sfn {path}/c.json {config}"));
        fill(&lab);
        lab.confined(&["sync"]);
        assert!(order_is_seen(&lab), "{secret}");
    }
}

#[test]
fn a_users_link_of_proc_leads_to_nothing_of_ours() {
    let lab = lab();
    for aim in ["/proc/self/fd/0", "/proc/self/root/etc/shadow", "/proc/self/environ", "/dev/zero"]
    {
        lab.as_user(ALICE, &format!("ln -sfn {aim} home/a/.openclaw/openclaw.json"));
        let ran = lab.confined(&["sync"]);
        assert!(ran.stderr.contains("is not understood"), "{aim}: {}", ran.stderr);
    }
}

#[test]
fn root_follows_no_link_of_a_user_as_root() {
    // Root's own configuration in a directory where a user can put a link.
    let lab = lab();
    lab.sh(&format!("mkdir -m 1777 shared; mkdir secret; echo '{ORDER}' >secret/c.json"));
    lab.sh("chmod 600 secret/c.json; mkdir -p root/agents/main/agent; chmod 755 root");
    lab.as_user(BOB, &format!("ln -s {}/secret/c.json shared/c.json", lab.at("").display()));
    let store = format!("echo '{}' >root/agents/main/agent/auth-profiles.json", store());
    lab.sh(&store).sh("chmod 600 root/agents/main/agent/*");
    lab.sh("ln -s ../shared/c.json root/openclaw.json");
    let places = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\n",
        lab.at("home/a/.claude/.credentials.json").display(),
        lab.at("root").display()
    );
    lab.configuration("a", &(places + KEYS));
    let ran = lab.confined(&["sync"]);
    assert!(ran.stderr.contains("is not understood"), "{}", ran.stderr);
    assert!(!lab.read("root/agents/main/agent/auth-profiles.json").contains("oauth-sync"));
}

#[test]
fn an_agents_directory_is_never_another_users() {
    let lab = lab();
    lab.as_user(
        BOB,
        &format!("mkdir -p home/b/agent; echo '{}' >home/b/agent/auth-profiles.json", store()),
    );
    lab.as_user(BOB, "chmod 777 home/b/agent; chmod 666 home/b/agent/auth-profiles.json");
    lab.sh(&format!(
        "mkdir rooted; echo '{}' >rooted/auth-profiles.json; chmod 600 rooted/*",
        store()
    ));
    for (dir, owner) in [("home/b/agent", BOB), ("rooted", 0)] {
        let path = lab.at(dir).display().to_string();
        let before = lab.read(&format!("{dir}/auth-profiles.json"));
        for plant in [
            format!(
                "echo '{{\"agents\":{{\"list\":[{{\"id\":\"x\",\"agentDir\":\"{path}\"}}]}}}}' >home/a/.openclaw/openclaw.json"
            ),
            format!(
                "echo OPENCLAW_AGENT_DIR={path} >home/a/.openclaw/.env; chmod 600 home/a/.openclaw/.env"
            ),
        ] {
            lab.as_user(ALICE, &plant);
            let ran = lab.confined(&["sync"]);
            assert_eq!(ran.code, Some(1), "{}", ran.stderr);
            assert!(ran.stderr.contains("another user"), "{}", ran.stderr);
            assert_eq!(lab.read(&format!("{dir}/auth-profiles.json")), before);
            assert_eq!(fs::metadata(lab.at(dir)).unwrap().uid(), owner);
        }
    }
}

#[test]
fn a_users_configuration_costs_others_no_time() {
    let lab = lab();
    // Ten levels of lists would be read 4^10 times, and brackets would use up the stack.
    let level = |number: u32| {
        let next = number + 1;
        format!(
            "echo '{{$include:[\"{next}\",\"{next}\",\"{next}\",\"{next}\"]}}' >home/a/.openclaw/{number};"
        )
    };
    let levels: String = (0..9).map(level).collect();
    lab.as_user(ALICE, &format!("{levels} echo '{{}}' >home/a/.openclaw/9; echo '{{$include:\"0\"}}' >home/a/.openclaw/openclaw.json"));
    let ran = lab.confined(&["sync"]);
    assert!(ran.stderr.contains("it includes more than"), "{}", ran.stderr);
    lab.as_user(ALICE, "head -c 1000000 /dev/zero | tr '\\0' '[' >home/a/.openclaw/openclaw.json");
    let ran = lab.confined(&["sync"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("nested deeper"), "{ran:?}");
}

/// As many agents as fit into the file: compared each with each they took minutes.
#[test]
fn the_agents_of_a_users_configuration_are_compared_once() {
    let lab = lab();
    let script = "{ printf '{agents:{list:['; seq -f '{id:\"x%.0f\"},' 150000; printf ']}}'; }";
    lab.as_user(ALICE, &format!("{script} >home/a/.openclaw/openclaw.json"));
    let command = lab.command(&["sync", "--dry-run"]);
    let mut limited = std::process::Command::new("prlimit");
    limited.arg("--cpu=30").arg(command.get_program()).args(command.get_args());
    let ran = crate::lab::ran(limited.output().unwrap());
    assert!(ran.code.is_some(), "its processor time was over: {}", ran.stderr);
}
