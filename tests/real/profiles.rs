//! Profiles and agents of a person's own beside the one that we paste.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::endpoint::Readers;
use crate::link::Link;
use crate::openclaw::OpenClaw;
use crate::{endpoint, token};

fn every_agent_uses_the_pasted_token(version: &str, agents: [&str; 2]) {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version(version, &endpoint);
    let [first, second] = agents;
    let list = json!([{ "id": first, "default": true }, { "id": second }]);
    openclaw.configure("/agents", "list", list);
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    link.carry("A");
    link.carry("B");
    for agent in agents {
        openclaw.turn_of(agent).used(&token("B"));
    }
}

#[test]
fn every_agent_of_2026_6_1_uses_the_token_of_the_main_one() {
    every_agent_uses_the_pasted_token("2026.6.1", ["main", "work"]);
}

#[test]
fn every_agent_of_2026_9_6_uses_the_token_of_the_main_one() {
    every_agent_uses_the_pasted_token("2026.9.6", ["main", "work"]);
}

#[test]
fn without_a_main_agent_each_of_2026_9_6_gets_the_token() {
    every_agent_uses_the_pasted_token("2026.9.6", ["ops", "work"]);
}

#[test]
fn a_profile_that_2026_9_6_uses_before_ours_is_told_with_the_command_that_mends_it() {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    link.carry("A");
    let done = |words: &str, input: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let ran = openclaw.run(&words, input);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    let mine = "models auth paste-token --provider anthropic --profile-id anthropic:mine";
    done(&format!("{mine} --expires-in 8h"), &format!("{}\n", token("mine")));
    let order = "models auth order set --provider anthropic";
    done(&format!("{order} anthropic:mine anthropic:oauth-sync"), "");
    link.rotate("B");
    let (code, said) = link.run(&["sync"]);
    // The other one stays behind it: OpenClaw goes on to it.
    let ordered = format!("{order} anthropic:oauth-sync anthropic:mine");
    let hint = format!("hint: openclaw {ordered}\n");
    assert!(code == Some(1) && said.contains(&hint), "{said}");
    assert!(said.contains("OpenClaw uses the profile anthropic:mine before ours"), "{said}");
    assert!(!said.contains("uses it on its next turn"), "{said}");
    let (_, status) = link.run(&["status"]);
    assert!(status.contains("shadowed: OpenClaw uses the profile anthropic:mine"), "{status}");
    openclaw.turn().used(&token("mine"));
    done(&ordered, "");
    let (code, said) = link.run(&["sync"]);
    assert!(code == Some(0) && said.contains("uses the pasted profile again"), "{said}");
    openclaw.turn().used(&token("B"));
}

#[test]
fn the_cool_down_after_a_late_paste_is_told_and_waited_out() {
    let (endpoint, _folder) = endpoint();
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    // A gateway that is restarted for nothing fails the sync.
    let link = Link::new(&openclaw, "GATEWAY_COMMAND=\"/bin/false\"");
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    // On a busy machine a cool-down may be over before the paste is done; with each refusal it lasts longer.
    let mut names = ["B", "C", "D", "E"].into_iter();
    let (name, said) = loop {
        let name = names.next().expect("a cool-down outlasts a paste");
        endpoint.readers(Readers::Only(token(name)));
        assert_ne!(openclaw.turn_via_gateway().ran.code, Some(0), "the old token has ended");
        let said = link.carry(name);
        if said.contains("OpenClaw leaves the profile alone for a while after a 401") {
            break (name, said);
        }
    };
    assert!(said.contains("it comes back by itself"), "{said}");
    let late = Instant::now() + Duration::from_secs(1200);
    while openclaw.turn_via_gateway().ran.code != Some(0) {
        assert!(Instant::now() < late, "it does not come back by itself");
    }
    openclaw.turn_via_gateway().used(&token(name));
}
