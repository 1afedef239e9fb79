//! `login` at a real terminal, with a `claude` that signs in as the real one does.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::bed::{Bed, ENV, SOURCE, STATE, access};
use crate::host::{Host, UID};
use crate::terminal::Terminal;

/// A host whose `claude auth login` asks for the code and writes the login B.
fn host() -> Host {
    let host = Host::new();
    fs::remove_file(host.at("home/.local/bin/claude")).unwrap();
    claude(&host, &host.bed.login_text("B", 9));
    host
}

/// Installs a `claude` as npm does; it writes `login` once it has got a code.
fn claude(host: &Host, login: &str) {
    host.bed.write("home/new.json", login);
    host.program(
        "home/.npm-global/bin/claude",
        &format!(
            r#"cd {} || exit 1
echo "$(id -u) $*" >>claude.log
[ "$*" = "auth login" ] || exit 0
echo 'Opening browser to sign in…'
echo 'If the browser did not open, visit: https://claude.example/oauth'
printf 'Paste code here if prompted > '
read -r code
[ "$code" = right ] || {{ echo 'Login failed: invalid code'; exit 1; }}
umask 077
cp new.json .claude/.tmp && mv .claude/.tmp .claude/.credentials.json
echo 'Login successful.'"#,
            host.at("home").display()
        ),
    );
    host.own();
}

fn login(bed: &Bed) -> Terminal {
    Terminal::run(bed, (110, 40), &["LANG=C.UTF-8"], &["login"])
}

#[test]
fn a_new_login_is_carried_to_every_sink_and_closes_the_request() {
    let host = host();
    host.bed
        .write(SOURCE, r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#);
    host.own();
    host.bed.run(["refresh"]).exit(3);
    assert!(host.bed.exists(&format!("{STATE}/REAUTH_NEEDED")));
    let found = host.finds_also("login-emptied");
    let typed: Vec<&str> = found.command.split(' ').collect();
    assert_eq!(typed, ["oauth-sync", "login", "--link", "default"]);
    let mut terminal = Terminal::run(&host.bed, (110, 40), &["LANG=C.UTF-8"], &typed[1..]);
    terminal.answers("Paste code here", "right");
    terminal.shows("signed in: the access token in");
    terminal.ends(0);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    assert!(host.bed.read(ENV).contains(&access("B")));
    assert!(!host.bed.exists(&format!("{STATE}/REAUTH_NEEDED")));
    assert_eq!(host.bed.read("home/claude.log"), format!("{UID} auth login\n"));
    assert_eq!(host.at(SOURCE).metadata().unwrap().uid(), UID, "its file is its user's");
}

#[test]
fn it_is_not_done_before_the_file_shows_it() {
    let host = host();
    let mut terminal = login(&host.bed);
    terminal.answers("Paste code here", "wrong");
    terminal.shows("not signed in: the login there is still the one from before");
    terminal.ends(3);
    // The CLI says that all is well, and an old file stands there.
    claude(&host, &host.bed.login_text("C", 2));
    let mut terminal = login(&host.bed);
    terminal.answers("Paste code here", "right");
    terminal.shows("no later than before");
    terminal.ends(3);
    assert!(host.bed.read(ENV).contains(&access("A")), "the sinks keep what they have");
}

#[test]
fn ctrl_c_leaves_what_was_there() {
    let host = host();
    let before = host.bed.print(SOURCE);
    let mut terminal = login(&host.bed);
    terminal.shows("Paste code here");
    terminal.keys(&["C-c"]);
    terminal.ends(130);
    assert_eq!(host.bed.print(SOURCE), before);
}

#[test]
fn the_first_sign_in_of_a_user_works_too() {
    let host = host();
    fs::remove_dir_all(host.at("home/.claude")).unwrap();
    let mut terminal = login(&host.bed);
    terminal.answers("Paste code here", "right");
    terminal.ends(0);
    assert!(host.bed.read(ENV).contains(&access("B")));
    assert_eq!(host.at("home/.claude").metadata().unwrap().uid(), UID);
}

#[test]
fn an_older_claude_is_signed_in_its_own_way() {
    let host = host();
    host.bed.write(
        "home/.npm-global/package.json",
        r#"{"name":"@anthropic-ai/claude-code","version":"2.0.76"}"#,
    );
    host.own();
    login(&host.bed).ends(3);
    assert_eq!(host.bed.read("home/claude.log"), format!("{UID} /login\n"));
}

#[test]
fn a_container_gets_the_terminal() {
    let host = host();
    host.bed.conf("CLAUDE_CLI", "container").conf("CLAUDE_CONTAINER", "claw");
    let inspect = format!(
        r#"[{{"State":{{"Status":"running"}},"Config":{{"Env":[]}},"Mounts":[{{"Type":"bind","Source":"{}","Destination":"/home/node/.claude","RW":true}}]}}]"#,
        host.at("home/.claude").display()
    );
    host.bed.write("inspect.json", inspect);
    host.program("bin/docker", &format!(
        r#"echo "$*" >>{log}
case "$*" in
inspect*) cat {inspect} ;;
*stat*) echo 1000 ;;
*" sh -c "*) printf '/usr/local/bin/claude\n/home/node/.claude\n' ;;
"exec -it -u 1000 "*" claw /usr/local/bin/claude auth login") [ -t 0 ] && exec {home}/.npm-global/bin/claude auth login ;;
*) exit 1 ;;
esac"#,
        log = host.at("docker.log").display(),
        inspect = host.at("inspect.json").display(),
        home = host.at("home").display()
    ));
    let path = format!("PATH={}:/usr/bin:/bin", host.at("bin").display());
    let mut terminal = Terminal::run(&host.bed, (110, 40), &[&path], &["login"]);
    terminal.answers("Paste code here", "right");
    terminal.shows("signed in: ");
    assert!(host.bed.read("docker.log").contains("exec -it -u 1000 "));
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let host = host();
    host.bed.run(["login"]).exit(2).err(&[
        "a sign-in needs a terminal",
        "hint: ssh -t HOST sudo oauth-sync login --link default",
    ]);
}

#[test]
fn no_claude_is_said_with_what_installs_it() {
    let host = host();
    fs::remove_file(host.at("home/.npm-global/bin/claude")).unwrap();
    let terminal = login(&host.bed);
    terminal.shows("cannot sign in: there is no 'claude' for");
    terminal.ends(1);
}

#[test]
fn it_starts_the_logins_clock_anew() {
    let host = host();
    crate::sign_in_until(&host.bed, host.bed.hence(2 * 24));
    host.own();
    host.bed.run(["refresh"]);
    assert!(host.bed.run(["check"]).exit(1).out.contains("the login ends in 1d"));
    let mut terminal = login(&host.bed);
    terminal.answers("Paste code here", "right");
    terminal.ends(0);
    // The new file tells no end.
    let check = host.bed.run(["check"]).exit(0).out;
    assert!(check.contains("login ends in about 2"), "{check}");
    let status = host.bed.run(["status"]).exit(0).out;
    assert!(!status.contains("login-ends"), "{status}");
}

#[test]
fn a_setup_token_is_pasted_in_two_lines_and_not_shown() {
    let host = host();
    host.bed.login("A");
    host.own();
    let token = format!("sk-ant-oat01-{}", "aB3_-".repeat(19));
    let args = ["login", "--setup-token"];
    let mut terminal = Terminal::run(&host.bed, (110, 40), &["LANG=C.UTF-8"], &args);
    terminal.answers("Paste the setup-token", &token[..80]);
    terminal.answers("Paste the setup-token", &token[80..]);
    terminal.keys(&["Enter"]);
    let screen = terminal.shows("stored the setup-token in");
    assert!(!screen.contains("sk-ant-") && !screen.contains("aB3"), "{screen}");
    terminal.ends(0);
    assert!(host.bed.read("lib/setup-tokens/default.json").contains(&token));
    assert_eq!(host.bed.at("lib/setup-tokens/default.json").metadata().unwrap().uid(), 0);
}
