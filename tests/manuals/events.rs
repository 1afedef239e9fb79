//! `docs/events.md` names every event, and no other.

use crate::text_of;

/// The events that are no incident: what was done, and what ends or tries an incident's way.
const OTHERS: [&str; 8] = [
    "renewed",
    "pasted",
    "reloaded",
    "restarted",
    "recreated",
    "gateway-failed",
    "recovered",
    "test",
];

/// The names that the program has for incidents.
fn of_incidents() -> Vec<String> {
    let text = text_of("src/domain/incident.rs");
    let body = text.split_once("fn event(self)").and_then(|(_, rest)| rest.split_once("\n    }"));
    let arms = body.expect("the names stand in one function").0.lines();
    let name = |line: &str| Some(line.split_once("=> \"")?.1.split_once('"')?.0.to_owned());
    arms.filter_map(name).collect()
}

#[test]
fn every_event_is_documented_and_no_other() {
    let page = text_of("docs/events.md");
    let tables = page.split_once("## What was done").expect("the events follow").1;
    let first = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let mut documented: Vec<String> = tables.lines().filter_map(first).collect();
    let mut events = of_incidents();
    assert!(events.len() > 10, "{events:?}");
    events.extend(OTHERS.map(str::to_owned));
    documented.sort();
    events.sort();
    assert_eq!(documented, events);
}

#[test]
fn the_manual_names_every_event() {
    let page = text_of("man/oauth-sync.1");
    let (_, events) = page.split_once(".Ss Events").expect("it has the section");
    let (events, _) = events.split_once("\n.Sh ").expect("another one follows");
    let named = |name: &String| events.lines().any(|line| line == format!(".It Li {name}"));
    let mut all = of_incidents();
    all.extend(OTHERS.map(str::to_owned));
    assert!(all.iter().all(named), "{events}");
    assert_eq!(events.matches(".It Li").count(), all.len());
}

#[test]
fn every_field_of_the_program_is_documented() {
    let page = text_of("docs/events.md");
    let variables = text_of("src/app/notify/hooks.rs");
    let variables = variables.split('"').filter(|word| word.starts_with("OAUTH_SYNC_"));
    let letter = text_of("src/domain/webhook.rs");
    let own = letter.split_once("fn own(").expect("it makes the JSON").1;
    let own = own.split_once("})").expect("it ends").0;
    let fields = own.split('"').skip(1).step_by(2);
    let mut count = 0;
    for name in variables.chain(fields) {
        assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
        count += 1;
    }
    assert_eq!(count, 12);
}
