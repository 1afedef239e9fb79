//! What the real `OpenClaw` reads of an `openclaw.json`, and refuses, and that we read and refuse the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::endpoint;
use crate::link::Link;
use crate::openclaw::OpenClaw;

const VERSION: &str = "2026.9.6";

/// The model that a configuration names where it is read.
const MODEL: &str = "anthropic/read";

/// The members that name it, and what stands for `defaults` or `agents`.
const AGENTS: &str = "agents: {defaults: {model: {primary: 'anthropic/read'}}}";
const DEFAULTS: &str = "{defaults: {model: {primary: 'anthropic/read'}}}";

/// A configuration: its name, its bytes, further files below the home, and whether it is understood.
type Case = (&'static str, Vec<u8>, Vec<(String, String)>, bool);

fn case(name: &'static str, text: impl Into<Vec<u8>>, is_read: bool) -> Case {
    (name, text.into(), Vec::new(), is_read)
}

/// One that includes files, each named below the state directory.
fn with(name: &'static str, text: &str, files: &[(&str, &str)], is_read: bool) -> Case {
    let files = files.iter().map(|(path, text)| (format!(".openclaw/{path}"), (*text).to_owned()));
    (name, text.as_bytes().to_vec(), files.collect(), is_read)
}

/// A chain of so many files that include each other, below `agents`.
fn chain(name: &'static str, length: usize, is_read: bool) -> Case {
    let text = |number: usize| match number + 1 {
        next if next < length => format!("{{$include: './{next}.json'}}"),
        _ => DEFAULTS.to_owned(),
    };
    let files: Vec<_> =
        (0..length).map(|number| (format!("{number}.json"), text(number))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    with(name, "{agents: {$include: './0.json'}}", &files, is_read)
}

/// Runs both programs over each case, in one home.
#[track_caller]
fn agree(cases: Vec<Case>, change: impl Fn(&str, &Path)) {
    let (endpoint, _folder) = endpoint();
    let openclaw = OpenClaw::version(VERSION, &endpoint);
    let link = Link::new(&openclaw, "GATEWAY=\"none\"");
    let home = openclaw.state().parent().expect("it lies in a home").to_owned();
    for (name, text, files, is_read) in cases {
        fs::remove_dir_all(openclaw.state()).expect("it is ours");
        fs::create_dir(openclaw.state()).expect("it is new");
        for (path, text) in files {
            let path = home.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("the home is ours");
            fs::write(path, text).expect("the folder is there");
        }
        fs::write(openclaw.state().join("openclaw.json"), text).expect("the folder is there");
        change(name, &home);
        let words = ["config", "get", "agents.defaults.model.primary"];
        let theirs = openclaw.run(&words, "");
        let read = theirs.stdout.lines().next_back() == Some(MODEL);
        assert_eq!(read, is_read, "OpenClaw: {name}: {theirs:?}");
        let (code, said) = link.run(&["model"]);
        let read = said.contains(&format!("primary  {MODEL}\n"));
        assert_eq!((read, code == Some(0)), (is_read, is_read), "ours: {name}: {said}");
    }
}

#[test]
fn what_is_json5_to_openclaw_is_so_to_us() {
    let plain = format!("{{{AGENTS}}}");
    let beside = |more: &str| format!("{{{AGENTS}, logging: {{file: {more}}}}}");
    let cases = vec![
        case("as it should be", plain.clone(), true),
        case("comments", format!("// a\n{{ /* b */ {AGENTS}, }} // c"), true),
        case("a byte order mark", format!("\u{feff}{plain}"), true),
        case("Latin-1 in a comment", [plain.as_bytes(), b" // caf\xe9"].concat(), true),
        case("a lone surrogate", beside("'/tmp/\\ud83d'"), true),
        case("an escaped key", plain.replace("agents", "\\u0061gents"), true),
        case("a string over two lines", beside("'/tmp/a\\\nb'"), true),
        case("a number of JSON5", format!("{{{AGENTS}, gateway: {{port: +0x4965}}}}"), true),
        case("the last of equal keys", format!("{{agents: 1, {AGENTS}}}"), true),
        case("nothing", "", false),
        case("cut off", &plain[..plain.len() - 1], false),
        case("no colon", plain.replacen(':', "", 1), false),
        case("two commas", plain.replacen('{', "{,", 1), false),
        case("a raw newline in a string", beside("'a\nb'"), false),
        case("text behind it", format!("{plain} x"), false),
        case("an array", format!("[{plain}]"), false),
    ];
    agree(cases, |_, _| {});
}

/// What stands for `agents` where something is included.
fn agents(include: &str) -> String {
    format!("{{agents: {{$include: {include}}}}}")
}

#[test]
fn what_openclaw_includes_we_include() {
    let a = [("a.json", DEFAULTS)];
    let cases = vec![
        with("one file", &agents("'./a.json'"), &a, true),
        with("without a dot", &agents("'a.json'"), &a, true),
        with(
            "a whole configuration",
            "{$include: 'a.json'}",
            &[("a.json", &format!("{{{AGENTS}}}"))],
            true,
        ),
        with(
            "a list",
            &agents("['b.json', 'a.json']"),
            &[a[0], ("b.json", "{defaults: {model: {primary: 'x/y'}}}")],
            true,
        ),
        with("an empty list", &format!("{{$include: [], {AGENTS}}}"), &[], true),
        with(
            "keys beside it",
            &format!("{{$include: 'a.json', {AGENTS}}}"),
            &[("a.json", "{agents: {defaults: {model: {primary: 'x/y'}}}}")],
            true,
        ),
        with(
            "a file in a directory",
            &agents("'d/b.json'"),
            &[("d/b.json", "{$include: '../a.json'}"), a[0]],
            true,
        ),
        with(
            "JSON5 in it",
            &agents("'a.json'"),
            &[("a.json", "// c\n{defaults: {model: {primary: 'anthropic/read',},},}")],
            true,
        ),
        with(
            "a byte order mark in it",
            &agents("'a.json'"),
            &[("a.json", &format!("\u{feff}{DEFAULTS}"))],
            true,
        ),
        with(
            "a value alone",
            "{agents: {defaults: {model: {primary: {$include: 'a.json'}}}}}",
            &[("a.json", "'anthropic/read'")],
            true,
        ),
        with(
            "a key of JavaScript's",
            &agents("['a.json', 'b.json']"),
            &[a[0], ("b.json", "{__proto__: {x: 1}}")],
            true,
        ),
        chain("ten in a chain", 10, true),
    ];
    agree(cases, |_, _| {});
}

#[test]
fn what_openclaw_does_not_include_we_refuse() {
    let a = [("a.json", DEFAULTS)];
    let cases = vec![
        chain("eleven in a chain", 11, false),
        with("a file that is not there", &agents("'none.json'"), &[], false),
        with("one that is no JSON5", &agents("'a.json'"), &[("a.json", "{,}")], false),
        with("itself", &agents("'a.json'"), &[("a.json", "{$include: 'a.json'}")], false),
        with(
            "two that include each other",
            &agents("'a.json'"),
            &[("a.json", "{$include: 'b.json'}"), ("b.json", "{$include: 'a.json'}")],
            false,
        ),
        with("a number", &agents("7"), &a, false),
        with("a list with a number", &agents("['a.json', 7]"), &a, false),
        with(
            "keys beside a list",
            &format!("{{agents: {{$include: 'l.json', {}}}", &DEFAULTS[1..]),
            &[("l.json", "[1]")],
            false,
        ),
        with("outside", &agents("'../outside.json'"), &[("../outside.json", DEFAULTS)], false),
        with(
            "more than 2 MiB",
            &agents("'a.json'"),
            &[("a.json", &format!("{DEFAULTS}//{}", "x".repeat(2 << 20)))],
            false,
        ),
        with(
            "nearly 2 MiB",
            &agents("'a.json'"),
            &[("a.json", &format!("{DEFAULTS}//{}", "x".repeat((2 << 20) - 100)))],
            true,
        ),
    ];
    agree(cases, |_, _| {});
}

#[test]
fn links_lead_where_they_lead_openclaw() {
    let agents = "{agents: {$include: 'a.json'}}";
    let named = |name, is_read| with(name, agents, &[("real.json", DEFAULTS)], is_read);
    let cases = vec![
        named("a link to the configuration", true),
        named("a link to a link to it", true),
        named("a link that leads nowhere", false),
        named("a link in a circle", false),
        named("a linked file", true),
        named("a linked file outside", false),
        named("a file with a second name", false),
        named("a linked configuration counts from the link", true),
    ];
    agree(cases, |name, home| {
        let state = home.join(".openclaw");
        let at = |path: &str| state.join(path);
        let config = at("openclaw.json");
        let link = |aim: &str, path: &Path| symlink(aim, path).expect("it is new");
        let move_to = |path: &str| {
            fs::create_dir_all(home.join("repo")).expect("the home is ours");
            fs::rename(&config, home.join(path)).expect("it is there");
        };
        if name != "a linked file"
            && name != "a linked file outside"
            && name != "a file with a second name"
        {
            fs::copy(at("real.json"), at("a.json")).expect("it is there");
        }
        match name {
            "a linked file" => link("real.json", &at("a.json")),
            "a linked file outside" => {
                fs::rename(at("real.json"), home.join("real.json")).expect("it is there");
                link("../real.json", &at("a.json"));
            }
            "a file with a second name" => {
                fs::hard_link(at("real.json"), at("a.json")).expect("it is new");
            }
            "a link that leads nowhere" => {
                fs::remove_file(&config).expect("it is there");
                link("gone.json", &config);
            }
            "a link in a circle" => {
                fs::remove_file(&config).expect("it is there");
                link("openclaw.json", &config);
            }
            "a link to a link to it" => {
                move_to("repo/c.json");
                let _ = fs::remove_file(home.join("repo/d.json"));
                link("c.json", &home.join("repo/d.json"));
                link("../repo/d.json", &config);
            }
            _ => {
                move_to("repo/c.json");
                link("../repo/c.json", &config);
            }
        }
    });
}
