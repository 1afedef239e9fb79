//! `setup` at a real terminal: from a bare host to a healthy link, and every way out of it.

use std::fs;

use crate::bed::{CONF, ENV, SOURCE, STATE, access};
use crate::host::{Host, UID};
use crate::terminal::Terminal;

/// A bare host: an OpenClaw that was set up, an npm that installs a `claude`, units that wait to be
/// enabled; no link, no login.
fn bare() -> Host {
    let host = Host::new();
    let bed = &host.bed;
    for gone in
        [CONF, SOURCE, ENV, "home/.local/bin/claude", "home/.openclaw/credentials/oauth.json"]
    {
        fs::remove_file(host.at(gone)).unwrap();
    }
    for gone in ["lib", "run", "home/.claude"] {
        fs::remove_dir_all(host.at(gone)).unwrap();
    }
    bed.write(
        &format!("{STATE}/openclaw.json"),
        "{\n  \"meta\": { \"lastTouchedVersion\": \"2026.2.25\" }\n}\n",
    );
    bed.write(&format!("{STATE}/.env"), "OTHER=1\n");
    bed.write("home/new.json", bed.login_text("B", 9));
    let home = host.at("home").display().to_string();
    bed.write(
        "claude.sh",
        format!(
            r#"#!/bin/sh
cd {home} || exit 1
[ "$*" = "auth login" ] || {{ echo ok; exit 0; }}
printf 'Paste code here if prompted > '
read -r code
[ "$code" = right ] || exit 1
umask 077
cp new.json .claude/.tmp && mv .claude/.tmp .claude/.credentials.json
"#
        ),
    );
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(host.at("claude.sh"), readable).unwrap();
    host.program("bin/npm", &format!(
        "[ \"$*\" = 'install --global --prefix {home}/.npm-global @anthropic-ai/claude-code' ] || exit 1\nmkdir -p {home}/.npm-global/bin && cp {0} {home}/.npm-global/bin/claude && chmod 755 {home}/.npm-global/bin/claude",
        host.at("claude.sh").display()
    ));
    host.program("bin/systemctl", &format!(
        "[ \"$1\" = show ] && exit 0\necho \"$*\" >>{log}\n[ \"$1\" = enable ] && exec /usr/bin/systemctl -q --root={root} enable oauth-sync.service oauth-sync-refresh.timer\nexit 0",
        log = host.at("systemctl.log").display(),
        root = host.at("host").display()
    ));
    fs::create_dir_all(host.at("host/run/systemd/system")).unwrap();
    for (unit, target) in
        [("oauth-sync.service", "multi-user.target"), ("oauth-sync-refresh.timer", "timers.target")]
    {
        bed.write(
            &format!("host/usr/lib/systemd/system/{unit}"),
            format!("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy={target}\n"),
        );
    }
    host.own();
    host
}

fn setup(host: &Host, more: &[&str]) -> Terminal {
    let (root, claw) = (host.at("host"), host.at(STATE));
    let mut args = vec!["setup", "--root", root.to_str().unwrap()];
    if !more.contains(&"--openclaw") {
        args.extend(["--openclaw", claw.to_str().unwrap()]);
    }
    args.extend(more);
    let path = format!("PATH={}:/usr/bin:/bin:/usr/sbin", host.at("bin").display());
    Terminal::run(&host.bed, (120, 100), &[&path, "LANG=C.UTF-8"], &args)
}

/// What is asked before a link is shown, where nothing of it was found.
const QUESTIONS: [&str; 5] = [
    "State directory of OpenClaw",
    "Folder of OpenClaw's compose project",
    "File with OpenClaw's environment",
    "Claude's credentials file",
    "Claude CLI runs on the",
];

/// Takes what is proposed, up to the link.
fn to_the_link(terminal: &mut Terminal) {
    for question in QUESTIONS {
        terminal.answers(question, "");
    }
}

/// Everything on the disk that setup may change.
fn state(host: &Host) -> Vec<String> {
    let list = std::process::Command::new("sh")
        .args(["-c", "cd \"$0\" && { find etc home host -type f -o -type l | sort | xargs -d '\\n' ls -l --time-style=full-iso; }"])
        .arg(host.at("."))
        .output()
        .unwrap();
    String::from_utf8(list.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn from_a_bare_host_to_a_healthy_link() {
    let host = bare();
    let mut terminal = setup(&host, &[]);
    to_the_link(&mut terminal);
    terminal.shows("CLAUDE_CREDENTIALS=");
    terminal.answers("Write it?", "y");
    terminal.answers("Install Claude CLI so?", "y");
    terminal.answers("Sign in now?", "y");
    terminal.answers("Paste code here", "right");
    terminal.answers("Set the primary model", "y");
    terminal.answers("Enable and start", "y");
    terminal.answers("Try it?", "y");
    terminal.shows("it answered within");
    let screen = terminal.shows("at any time: oauth-sync ");
    terminal.ends(0);
    assert!(host.bed.read(ENV).contains(&access("B")), "{screen}");
    assert!(host.bed.read(CONF).contains(host.at(SOURCE).to_str().unwrap()));
    assert!(host.bed.read(&format!("{STATE}/openclaw.json")).contains("claude-opus"));
    assert_eq!(
        host.bed.read("systemctl.log"),
        "enable --now oauth-sync.service oauth-sync-refresh.timer\n"
    );
    let owner = std::os::unix::fs::MetadataExt::uid(
        &host.at("home/.npm-global/bin/claude").metadata().unwrap(),
    );
    assert_eq!(owner, UID, "npm ran as the user");
    // Taken up again there is nothing left to ask but the call that costs.
    let mut terminal = setup(&host, &[]);
    terminal.answers("Try it?", "n");
    terminal.ends(0);
}

#[test]
fn every_question_answered_no_changes_nothing() {
    let host = bare();
    let before = state(&host);
    let mut terminal = setup(&host, &[]);
    to_the_link(&mut terminal);
    terminal.answers("Write it?", "n");
    terminal.shows("nothing is linked, so nothing is kept alive");
    terminal.ends(1);
    assert_eq!(state(&host), before);
    // With a link the later questions come too.
    link(&host);
    let before = state(&host);
    let mut terminal = setup(&host, &[]);
    for question in
        ["Install Claude CLI so?", "Sign in now?", "Set the primary model", "Enable and start"]
    {
        terminal.answers(question, "n");
    }
    terminal.shows("at any time");
    terminal.ends(3);
    assert_eq!(state(&host), before);
    assert!(!host.bed.exists("systemctl.log"));
}

/// What the first steps come to.
fn link(host: &Host) {
    let (source, claw) = (host.at(SOURCE), host.at(STATE));
    host.bed.write(
        CONF,
        format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nGATEWAY=none\n",
            source.display(),
            claw.display()
        ),
    );
    fs::create_dir_all(source.parent().unwrap()).unwrap();
    host.own();
}

#[test]
fn an_interrupt_at_any_question_leaves_nothing_half_done() {
    let host = bare();
    let questions = [&QUESTIONS[..], &["Write it?"]].concat();
    for at in 0..questions.len() {
        let before = state(&host);
        let mut terminal = setup(&host, &[]);
        questions[..at].iter().for_each(|question| drop(terminal.answers(question, "")));
        terminal.shows(questions[at]);
        terminal.keys(&["C-c"]);
        terminal.ends(130);
        assert_eq!(state(&host), before, "{}", questions[at]);
    }
    link(&host);
    let questions =
        ["Install Claude CLI so?", "Sign in now?", "Set the primary model", "Enable and start"];
    for at in 0..questions.len() {
        let before = state(&host);
        let mut terminal = setup(&host, &[]);
        questions[..at].iter().for_each(|question| drop(terminal.answers(question, "n")));
        terminal.shows(questions[at]);
        terminal.keys(&["C-c"]);
        terminal.ends(130);
        assert_eq!(state(&host), before, "{}", questions[at]);
    }
}

#[test]
fn one_can_go_back_leave_and_be_asked_again() {
    let host = bare();
    let mut terminal = setup(&host, &[]);
    terminal.answers("State directory of OpenClaw", "nonsense");
    terminal.shows("neither a number from the list nor a whole path");
    terminal.answers("nor a whole path", "");
    terminal.answers("Folder of OpenClaw's compose project", "near/by");
    terminal.answers("'near/by' is no whole path", "");
    terminal.answers("File with OpenClaw's environment", "b");
    terminal.answers("[3/14] OpenClaw's compose project", "b");
    terminal.answers("[2/14] OpenClaw", "none");
    terminal.shows("no OpenClaw is linked");
    terminal.answers("Claude's credentials file", "b");
    terminal.answers("[2/14] OpenClaw", "");
    for question in &QUESTIONS[1..4] {
        terminal.answers(question, "");
    }
    terminal.answers("Claude CLI runs on the", "moon");
    terminal.answers("'moon' is none of host, container and none", "container");
    terminal.answers("Its container", "");
    terminal.answers("a container has a name", "b");
    terminal.answers("Claude CLI runs on the", "");
    terminal.answers("Write it? [Y/n, b back, q quit]", "what");
    terminal.shows("y does it, n or s skips it, b goes back, q leaves");
    terminal.keys(&["q", "Enter"]);
    terminal.shows("Left. What was done stays");
    terminal.ends(0);
    assert!(!host.bed.exists(CONF));
}

#[test]
fn a_login_can_be_kept_alive_for_nobody_else() {
    let host = bare();
    let claude = host.at(SOURCE);
    let mut terminal = setup(
        &host,
        &[
            "--openclaw",
            "none",
            "--claude",
            claude.to_str().unwrap(),
            "--no-install",
            "--no-services",
        ],
    );
    terminal.answers("State directory of OpenClaw", "");
    terminal.answers("Claude's credentials file", "");
    terminal.answers("Claude CLI runs on the", "");
    terminal.shows("SINKS=\"none\"");
    terminal.answers("Write it?", "y");
    terminal.shows("written: ");
    assert!(host.bed.read(CONF).contains("SINKS=\"none\""));
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let host = bare();
    let root = host.at("host");
    host.bed
        .run(["setup", "--root", root.to_str().unwrap()])
        .exit(2)
        .out(&[])
        .says("hint: oauth-sync setup --yes takes every proposal; or oauth-sync detect --write");
}

#[test]
fn yes_takes_every_proposal_but_what_needs_a_person() {
    let host = bare();
    host.bed.write(SOURCE, host.bed.login_text("B", 9));
    host.own();
    let (root, login, claw) = (host.at("host"), host.at(SOURCE), host.at(STATE));
    let mut args = vec!["setup", "--yes", "--root", root.to_str().unwrap()];
    args.extend(["--claude", login.to_str().unwrap(), "--openclaw", claw.to_str().unwrap()]);
    let mut command = host.bed.command(&[], &args);
    let path = format!("{}:/usr/bin:/bin:/usr/sbin", host.at("bin").display());
    let ran = host.bed.ran(command.env("PATH", path).output().unwrap());
    assert!(
        ran.out.contains("Enable and start oauth-sync.service and oauth-sync-refresh.timer? yes"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(ran.out.contains("Try it? It costs one short answer of the model no"), "{}", ran.out);
    assert!(
        host.bed.read(ENV).contains(&access("B")) && host.bed.exists("home/.npm-global/bin/claude")
    );
}

#[test]
fn the_originals_units_are_switched_off_before_ours_come() {
    let host = bare();
    link(&host);
    let folder = "host/etc/systemd/system";
    host.bed
        .write(&format!("{folder}/sync-oauth-token.service"), "[Service]\nExecStart=/bin/true\n");
    fs::create_dir_all(host.at(folder).join("multi-user.target.wants")).unwrap();
    std::os::unix::fs::symlink(
        "../sync-oauth-token.service",
        host.at(folder).join("multi-user.target.wants/sync-oauth-token.service"),
    )
    .unwrap();
    let mut terminal = setup(&host, &["--no-install", "--no-models"]);
    terminal.answers("Sign in now?", "n");
    terminal.answers("Switch the original's sync-oauth-token.service off", "y");
    terminal.answers("Enable and start", "y");
    terminal.shows("at any time");
    // In a tree there is nothing that could be stopped.
    let root = host.at("host");
    let expected = format!(
        "--root={} disable sync-oauth-token.service\nenable --now oauth-sync.service oauth-sync-refresh.timer\n",
        root.display()
    );
    assert_eq!(host.bed.read("systemctl.log"), expected);
}

#[test]
fn comments_are_lost_only_with_consent() {
    let host = bare();
    link(&host);
    host.bed.openclaw("2026.9.6").write(SOURCE, host.bed.login_text("B", 9));
    host.bed.write(
        &format!("{STATE}/openclaw.json"),
        "{\n  // mine\n  \"meta\": { \"lastTouchedVersion\": \"2026.9.6\" }\n}\n",
    );
    host.own();
    let more = ["--no-install", "--no-models", "--no-services"];
    let mut terminal = setup(&host, &more);
    terminal.answers("Agree, with a copy kept beside it?", "n");
    terminal.answers("Carry the token to OpenClaw now?", "n");
    terminal.shows("at any time");
    assert!(!host.bed.exists("lib/consent-default"));
    let mut terminal = setup(&host, &more);
    terminal.answers("Agree, with a copy kept beside it?", "y");
    terminal.answers("Carry the token to OpenClaw now?", "n");
    terminal.shows("at any time");
    assert!(host.bed.exists("lib/consent-default"));
}

#[test]
fn it_asks_how_both_run() {
    for (cli, keys) in [
        ("none", "CLAUDE_CLI=\"none\"\n"),
        ("container", "CLAUDE_CLI=\"container\"\nCLAUDE_CONTAINER=\"box\"\n"),
    ] {
        let host = bare();
        let (claude, claw, compose) = (host.at(SOURCE), host.at(STATE), host.at("oc"));
        let env = host.at("oc/openclaw.env");
        let mut terminal = setup(&host, &["--no-install"]);
        terminal.answers("State directory of OpenClaw", "");
        terminal.answers("Folder of OpenClaw's compose project", compose.to_str().unwrap());
        terminal.answers("File with OpenClaw's environment", env.to_str().unwrap());
        terminal.answers("Claude's credentials file", "");
        terminal.answers("Claude CLI runs on the", cli);
        if cli == "container" {
            terminal.answers("Its container", "box");
        }
        terminal.answers("Write it?", "y");
        terminal.answers("Sign in now?", "q");
        terminal.ends(0);
        let [claude, claw, compose, env] =
            [claude, claw, compose, env].map(|path| path.display().to_string());
        let conf = host.bed.read(CONF);
        let said: String =
            conf.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
        let expected = format!(
            "CLAUDE_CREDENTIALS=\"{claude}\"\nOPENCLAW_STATE_DIR=\"{claw}\"\n{keys}COMPOSE_DIR=\"{compose}\"\nENV_FILE=\"{env}\"\n"
        );
        assert_eq!(said, expected);
    }
}

/// A host where the only login is one user's, and the only OpenClaw another's.
fn of_two_users() -> Host {
    let host = bare();
    host.bed.write("host/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:4321:4321::/home/ann:/bin/sh\nbob:x:4322:4322::/home/bob:/bin/sh\n");
    host.bed.write("host/home/ann/.claude/.credentials.json", host.bed.login_text("A", 9));
    host.bed.write("host/home/bob/.openclaw/openclaw.json", "{}\n");
    host.shell("chown -R 4321:4321 host/home/ann; chown -R 4322:4322 host/home/bob");
    host
}

const LOGIN: &str = "/home/ann/.claude/.credentials.json";
const CLAW: &str = "/home/bob/.openclaw";
const OBSTACLE: &str = "the login is uid 4321's and OpenClaw uid 4322's";

/// `setup --yes` that goes no further than the link.
fn unasked(host: &Host, more: &[&str]) -> (Option<i32>, String) {
    let root = host.at("host");
    let args = ["setup", "--yes", "--no-install", "--no-models", "--no-services", "--root"];
    let args = [&args[..], &[root.to_str().unwrap()], more].concat();
    let ran = host.bed.ran(host.bed.command(&[], &args).output().unwrap());
    (ran.status.code(), format!("{}{}", ran.out, ran.err))
}

#[test]
fn nobodys_token_goes_to_another_unasked() {
    let host = of_two_users();
    for more in [&[][..], &["--claude", LOGIN], &["--openclaw", CLAW]] {
        let (code, said) = unasked(&host, more);
        assert_eq!(code, Some(1), "{more:?}: {said}");
        assert!(said.contains(&format!("the link is not written: {OBSTACLE}")), "{said}");
        assert!(!host.bed.exists(CONF), "{more:?}: {said}");
    }
    // Not even where the OpenClaw was not found.
    host.shell("mv host/home/bob/.openclaw host/home/bob/claw");
    let (code, said) = unasked(&host, &["--openclaw", "/home/bob/claw"]);
    assert!(code == Some(1) && said.contains(OBSTACLE) && !host.bed.exists(CONF), "{said}");
    host.shell("mv host/home/bob/claw host/home/bob/.openclaw");
    unasked(&host, &["--claude", LOGIN, "--openclaw", CLAW]);
    let conf = host.bed.read(CONF);
    assert!(conf.contains(LOGIN) && conf.contains(CLAW), "{conf}");
}

#[test]
fn what_would_be_no_valid_configuration_is_refused_before_it_is_written() {
    let host = of_two_users();
    for (more, words) in [
        (&["--claude", "home/ann/.claude/.credentials.json", "--openclaw", CLAW][..], "whole path"),
        (&["--claude", LOGIN, "--openclaw", "home/bob/.openclaw"], "whole path"),
        (&["--claude", LOGIN, "--openclaw", CLAW, "--container", "x y"], "CLAUDE_CONTAINER"),
        (&["--claude", LOGIN, "--openclaw", CLAW, "--container", ""], "a container has a name"),
    ] {
        let (code, said) = unasked(&host, more);
        assert_eq!(code, Some(1), "{more:?}: {said}");
        assert!(said.contains(words) && said.contains("Stopped early"), "{more:?}: {said}");
        assert!(!host.bed.exists(CONF), "{more:?}: {said}");
    }
    // Nor a second link that would write into the first one's OpenClaw.
    let other = CONF.replace("default.conf", "other.conf");
    host.bed.write(&other, format!("CLAUDE_CREDENTIALS=\"/x/y\"\nOPENCLAW_STATE_DIR=\"{CLAW}\"\n"));
    let (code, said) = unasked(&host, &["--claude", LOGIN, "--openclaw", CLAW]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Stopped early") && !host.bed.exists(CONF), "{said}");
}

#[test]
fn what_speaks_against_a_link_is_shown_before_it_is_asked_for() {
    let host = of_two_users();
    let mut terminal = setup(&host, &["--openclaw", CLAW]);
    to_the_link(&mut terminal);
    let screen = terminal.answers("Write it?", "q");
    let shown = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&format!("it would not be linked unasked: {OBSTACLE}")), "{screen}");
    terminal.ends(0);
    assert!(!host.bed.exists(CONF));
}

#[test]
fn of_two_equal_pairs_none_is_taken_unasked() {
    let host = of_two_users();
    for (from, to) in [("ann/.claude", "bob/.claude"), ("bob/.openclaw", "ann/.openclaw")] {
        host.shell(&format!("cp -r host/home/{from} host/home/{to}"));
    }
    host.shell("chown -R 4321:4321 host/home/ann; chown -R 4322:4322 host/home/bob");
    let (code, said) = unasked(&host, &[]);
    assert!(code == Some(1) && said.contains("more than one pair fits equally well"), "{said}");
    assert!(!host.bed.exists(CONF));
    unasked(&host, &["--openclaw", CLAW]);
    let conf = host.bed.read(CONF);
    assert!(conf.contains("/home/bob/.claude") && conf.contains(CLAW), "{conf}");
}

#[test]
fn an_option_that_says_something_else_than_the_link_is_refused_and_each_is_named() {
    let host = Host::new();
    let before = host.bed.read(CONF);
    for (option, value, key) in [
        ("--claude", "/srv/other/.credentials.json", "CLAUDE_CREDENTIALS"),
        ("--openclaw", "/srv/other/.openclaw", "OPENCLAW_STATE_DIR"),
        ("--openclaw", "none", "OPENCLAW_STATE_DIR"),
        ("--container", "box", "CLAUDE_CONTAINER"),
    ] {
        let (code, said) = unasked(&host, &[option, value]);
        assert_eq!(code, Some(2), "{option}: {said}");
        let refused = format!("{option} '{value}': the link 'default' stands, and has '");
        let hint = format!("hint: oauth-sync set --link default {key} {value}\n");
        assert!(said.contains(&refused) && said.contains(&hint), "{option}: {said}");
    }
    let both = ["--claude", "/srv/x", "--container", "box", "--openclaw", "/srv/y"];
    let (code, said) = unasked(&host, &both);
    assert_eq!((code, said.matches("the link 'default' stands").count()), (Some(2), 3), "{said}");
    assert_eq!(host.bed.read(CONF), before);
    // What says the same is no contradiction.
    let (claude, openclaw) = (host.at(SOURCE), host.at(STATE));
    let same = ["--claude", claude.to_str().unwrap(), "--openclaw", openclaw.to_str().unwrap()];
    let (code, said) = unasked(&host, &same);
    assert!(code != Some(2) && said.contains("linked already"), "{code:?}: {said}");
}

#[test]
fn no_line_is_printed_twice() {
    let linked = {
        let host = bare();
        link(&host);
        unasked(&host, &[]).1
    };
    let bare = unasked(&bare(), &[]).1;
    for said in [linked, bare, unasked(&of_two_users(), &[]).1, unasked(&Host::new(), &[]).1] {
        let mut lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(lines.len() > 10, "{said}");
        lines.sort_unstable();
        let twice: Vec<_> = lines.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?} in\n{said}");
    }
}

#[test]
fn whoever_answers_something_else_is_asked_three_times_and_then_no_more() {
    let host = bare();
    let mut terminal = setup(&host, &[]);
    to_the_link(&mut terminal);
    for answer in ["maybe", "ok", "yy"] {
        terminal.answers("Write it? [Y/n, b back, q quit]", answer);
    }
    terminal.shows("that is no answer: it is skipped");
    terminal.ends(1);
    assert!(!host.bed.exists(CONF));
}

#[test]
fn enter_takes_the_default_that_is_shown_in_capitals() {
    let host = bare();
    host.bed.write(SOURCE, host.bed.login_text("B", 9));
    host.own();
    let mut terminal = setup(&host, &["--no-install", "--no-models", "--no-services"]);
    to_the_link(&mut terminal);
    terminal.answers("Write it? [Y/n, b back, q quit]", "");
    terminal.shows("written: ");
    assert!(host.bed.exists(CONF));
}
