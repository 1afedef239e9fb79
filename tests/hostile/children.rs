//! What a user's program, and the process that becomes it, can do to the process that works for all links.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::hanging::Hangs;
use crate::lab::{ALICE, BOB, Lab, Ran, ran, wait_until};

/// Longer than anything here takes on a slow machine, and shorter than what a hanging program is given.
const LIMIT: Duration = Duration::from_secs(60);

/// Alice and Bob with logins that are due, and a `claude` each; Bob's leaves a mark that it was run.
fn two_users(alices: &str) -> Lab {
    let lab = Lab::new();
    lab.login(ALICE, "home/a/.claude", "1", 600).login(BOB, "home/b/.claude", "2", 600);
    claude(&lab, ALICE, "a", alices);
    claude(&lab, BOB, "b", "#!/bin/sh\n: >\"$HOME/ran\"\n");
    lab
}

/// Gives a user a `claude`, and a link that is renewed by it.
fn claude(lab: &Lab, uid: u32, user: &str, text: &str) {
    lab.as_user(
        uid,
        &format!("cat >home/{user}/claude <<'END'\n{text}END\nchmod 755 home/{user}/claude"),
    );
    let home = lab.at("home").join(user);
    let path = home.join("claude");
    let line = format!("CLAUDE_CLI_PATH=\"{}\"\nREFRESH=\"cli\"\nSINKS=\"none\"\n", path.display());
    lab.link(user, &line);
}

/// The program with its arguments, for a shell.
fn words(lab: &Lab, arguments: &[&str]) -> String {
    let command = lab.command(arguments);
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ")
}

/// Runs a refresh while Alice holds a lease on her `claude`, and does something to what is about to become it.
struct Leased {
    tool: Child,
    refresh: Child,
}

impl Leased {
    fn begin(lab: &Lab, action: &str) -> Self {
        let tool = lab.tool("lease.c");
        let words = format!("exec {} home/a/claude {action} pid", tool.display());
        let mut tool = lab.user_command(ALICE, &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(tool.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "leased\n");
        let refresh = lab.command(&["refresh"]).stderr(Stdio::piped()).spawn().unwrap();
        fs::write(lab.at("pid"), refresh.id().to_string()).unwrap();
        line.clear();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
        Self { tool, refresh }
    }

    /// Waits until both have ended.
    fn end(mut self) -> Ran {
        assert!(self.tool.wait().unwrap().success());
        ran(self.refresh.wait_with_output().unwrap())
    }
}

#[test]
fn a_program_inherits_its_three_streams_and_nothing_else() {
    let lab = two_users(
        "#!/bin/sh\n\
         ls -l /proc/self/fd | grep -v 'self/fd$\\|/proc/[0-9]*/fd$' >\"$HOME/descriptors\"\n\
         cat /proc/self/status >\"$HOME/status\"\n\
         cut -d' ' -f5-7 /proc/$$/stat >\"$HOME/session\"; echo $$ >>\"$HOME/session\"\n\
         (umask; ulimit -Sn) >\"$HOME/limits\"; (: </dev/tty) 2>/dev/null && : >\"$HOME/tty\"\n",
    );
    lab.sh("echo root >secret && chmod 600 secret");
    // With a descriptor of root's and ignored signals, as a careless caller leaves them.
    let refresh = words(&lab, &["refresh"]);
    lab.at_a_terminal(&format!(
        "exec 7<secret 19<secret; trap '' HUP INT QUIT USR1 TSTP; {refresh} || [ $? -eq 75 ]"
    ));
    let descriptors = lab.read("home/a/descriptors");
    let open: Vec<&str> = descriptors
        .lines()
        .filter_map(|line| line.split_once(" -> ")?.0.rsplit(' ').next())
        .collect();
    assert_eq!(open, ["0", "1", "2"], "{descriptors}");
    assert!(!descriptors.contains("pts") && !descriptors.contains("tty"), "{descriptors}");
    let status = lab.read("home/a/status");
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    for name in ["SigIgn:", "SigBlk:", "CapPrm:", "CapEff:", "CapAmb:"] {
        // The test's own posix_spawn(3) leaves ignored what no program but glibc may change.
        let mask = u64::from_str_radix(&field(name), 16).unwrap() & !(3 << 31);
        assert_eq!(mask, 0, "{name}");
    }
    assert_eq!(field("Uid:"), [ALICE.to_string().as_str(); 4].join("\t"));
    assert_eq!(field("Gid:"), [ALICE.to_string().as_str(); 4].join("\t"));
    let session = lab.read("home/a/session");
    let (ids, pid) = session.trim().split_once('\n').unwrap();
    assert_eq!(ids, format!("{pid} {pid} 0"), "group, session and no terminal");
    assert!(!lab.at("home/a/tty").exists(), "it opened our terminal");
    assert_eq!(lab.read("home/a/limits"), "0022\n1024\n");
    assert!(lab.at("home/b/ran").exists());
}

/// In a setgid directory a user's own directory has a group that is not the user's.
#[test]
fn a_users_program_gets_no_group_of_its_directory() {
    let lab = Lab::new();
    // The group 4 is on every host.
    lab.sh("mkdir shared && chgrp 4 shared && chmod 3777 shared");
    lab.login(ALICE, "shared/.claude", "1", 600);
    let script = format!("#!/bin/sh\nid -G >{}\n", lab.at("home/a/groups").display());
    claude(&lab, ALICE, "a", &script);
    let text = lab.read("etc/a.conf").replace("/home/a/.claude/", "/shared/.claude/");
    lab.configuration("a", &text);
    let said = lab.confined(&["refresh"]);
    let groups = lab.read("home/a/groups");
    assert_eq!(groups.trim(), "65534", "{}", said.stderr);
}

#[test]
fn a_user_who_kills_what_becomes_its_program_harms_its_own_link() {
    let lab = two_users("#!/bin/sh\n: >\"$HOME/ran\"\n");
    let ran = Leased::begin(&lab, "kill").end();
    assert_eq!(ran.code, Some(75), "{}", ran.stderr);
    assert!(ran.stderr.contains("ended by signal 9"), "{}", ran.stderr);
    assert!(!lab.at("home/a/ran").exists() && lab.at("home/b/ran").exists(), "{}", ran.stderr);
}

#[test]
fn a_user_who_limits_what_becomes_its_program_limits_nobody_else() {
    let lab = two_users("#!/bin/sh\necho more >\"$HOME/ran\"\n");
    let ran = Leased::begin(&lab, "limit").end();
    assert_eq!(ran.code, Some(75), "{}", ran.stderr);
    assert_eq!(lab.read("home/a/ran"), "", "the limit is the program's");
    assert!(lab.at("home/b/ran").exists(), "{}", ran.stderr);
    // Our own files are still written: the next run knows of this one.
    let states = fs::read_dir(lab.at("state/sources")).unwrap();
    assert!(states.count() >= 2);
}

#[test]
fn a_program_at_our_terminal_types_nothing_into_it() {
    let lab = two_users("");
    let typist = lab.tool("typist.c");
    lab.sh(&format!("install -m 755 {} typist.copy", typist.display()));
    lab.as_user(ALICE, "cp typist.copy home/a/claude && chmod 755 home/a/claude");
    let login = words(&lab, &["login", "--link", "a"]);
    // Whatever stands in the input of the terminal afterwards is read as root's next command would be.
    let script = format!(
        "stty -echo; {login} || :; echo asks; read -t 3 line && echo \"got: $line\" || echo none"
    );
    let shown = lab.at_a_terminal(&script);
    assert!(shown.contains("has typed"), "{shown}");
    assert!(shown.contains("none") && !shown.contains("got:"), "{shown}");
    // Without a terminal on its input it has none of ours on its output either.
    let shown = lab.at_a_terminal(&format!(
        "{login} </dev/null || :; read -t 3 line && echo \"got: $line\" || echo none"
    ));
    assert!(shown.contains("none") && !shown.contains("got:"), "{shown}");
}

#[test]
fn a_user_who_stops_what_becomes_its_program_stops_nobody_else() {
    let lab = two_users("#!/bin/sh\n: >\"$HOME/ran\"\n");
    let mut leased = Leased::begin(&lab, "stop");
    let is_bobs = wait_until(LIMIT, || lab.at("home/b/ran").exists());
    assert!(leased.refresh.try_wait().unwrap().is_none(), "Alice's program is still stopped");
    leased.tool.kill().unwrap();
    leased.tool.wait().unwrap();
    let children = format!("$(cat /proc/{}/task/*/children)", leased.refresh.id());
    lab.sh(&format!("for child in {children}; do kill -KILL $child || :; done"));
    let ran = ran(leased.refresh.wait_with_output().unwrap());
    assert!(is_bobs, "Bob's login is renewed while Alice's program is stopped");
    assert!(ran.stderr.contains("a: ") && ran.stderr.contains("signal 9"), "{}", ran.stderr);
}

/// A program that hangs until it is killed, and says that it does.
const HANGS: &str = "#!/bin/sh\necho $$ >\"$HOME/hangs\"\nexec sleep 1000\n";

/// Ends the programs that hang.
fn end_hanging(lab: &Lab) {
    lab.sh("kill -KILL $(cat home/*/hangs)");
}

#[test]
fn ten_links_of_which_one_hangs_renew_the_other_nine() {
    for hanging in [ALICE, BOB] {
        let lab = two_users(HANGS);
        if hanging == BOB {
            // The first of the links of one and the same user.
            lab.sh("rm etc/a.conf");
            claude(&lab, BOB, "b", HANGS);
        }
        for number in 2..10 {
            let home = format!("home/b/{number}");
            lab.login(BOB, &format!("{home}/.claude"), "3", 600);
            lab.as_user(
                BOB,
                &format!(
                    "printf '#!/bin/sh\\n: >{0}/ran\\n' >{home}/claude; chmod 755 {home}/claude",
                    lab.at(&home).display()
                ),
            );
            let lines = format!(
                "CLAUDE_CREDENTIALS=\"{0}/.claude/.credentials.json\"\nCLAUDE_CLI_PATH=\"{0}/claude\"\nREFRESH=\"cli\"\nSINKS=\"none\"\n",
                lab.at(&home).display()
            );
            lab.configuration(&format!("c{number}"), &lines);
        }
        let refresh = lab.command(&["refresh"]).stderr(Stdio::piped()).spawn().unwrap();
        let hangs = if hanging == ALICE { "home/a/hangs" } else { "home/b/hangs" };
        assert!(wait_until(LIMIT, || lab.read(hangs).ends_with('\n')));
        let others =
            wait_until(LIMIT, || (2..10).all(|n| lab.at(&format!("home/b/{n}/ran")).exists()));
        let still = lab.at(&format!("/proc/{}", lab.read(hangs).trim())).exists();
        end_hanging(&lab);
        let ran = ran(refresh.wait_with_output().unwrap());
        assert!(others && still, "{hanging}: {}", ran.stderr);
        assert_eq!(ran.code, Some(75), "{}", ran.stderr);
    }
}

#[test]
fn many_users_who_all_hang_keep_no_other_one_waiting() {
    let lab = two_users(HANGS);
    lab.sh("mv etc/b.conf etc/z.conf");
    let crowd: Vec<String> = (0..20).map(|number| format!("h{number:02}")).collect();
    for (uid, user) in (62000..).zip(&crowd) {
        lab.sh(&format!("mkdir home/{user}; chown {uid}:{uid} home/{user}"));
        lab.login(uid, &format!("home/{user}/.claude"), user, 600);
        claude(&lab, uid, user, HANGS);
    }
    let refresh = lab.command(&["refresh"]).stderr(Stdio::piped()).spawn().unwrap();
    let hang = || crowd.iter().all(|user| lab.read(&format!("home/{user}/hangs")).ends_with('\n'));
    let all = wait_until(LIMIT, || hang() && lab.at("home/b/ran").exists());
    let living = crowd.iter().filter(|user| {
        let pid = lab.read(&format!("home/{user}/hangs"));
        Path::new("/proc").join(pid.trim()).exists()
    });
    let living = living.count();
    end_hanging(&lab);
    let ran = ran(refresh.wait_with_output().unwrap());
    assert!(all, "{}", ran.stderr);
    assert_eq!(living, crowd.len(), "they still hang when the last one is renewed");
}

#[test]
fn what_is_asked_for_while_a_renewal_hangs_is_renewed_meanwhile() {
    let lab = two_users(HANGS);
    lab.sh("mv etc/b.conf b.conf");
    let refresh = lab.command(&["refresh", "--unattended"]).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_until(LIMIT, || lab.read("home/a/hangs").ends_with('\n')));
    lab.sh("mv b.conf etc/ && printf b >run/request && mv run/request run/refresh.d/1-2");
    let renewed = wait_until(LIMIT, || lab.at("home/b/ran").exists());
    end_hanging(&lab);
    let ran = ran(refresh.wait_with_output().unwrap());
    assert!(renewed, "{}", ran.stderr);
    assert!(!lab.at("run/refresh.d/1-2").exists());
}

/// A link of a user whose gateway is restarted by this script.
fn gateway(lab: &Lab, uid: u32, user: &str, script: &str) {
    let home = lab.at("home").join(user);
    lab.as_user(uid, &format!("mkdir -p -m 700 home/{user}/.openclaw; echo X=1 >home/{user}/.openclaw/.env; echo '{{}}' >home/{user}/.openclaw/openclaw.json; cat >home/{user}/restart <<'END'\n{script}END\nchmod 755 home/{user}/restart; sed -i \"2iHOME={}\" home/{user}/restart", home.display()));
    let restart = lab.at(&format!("home/{user}/restart"));
    lab.link(user, &format!(
        "REFRESH=\"off\"\nSINKS=\"env\"\nCLAUDE_CLI=\"none\"\nGATEWAY=\"command\"\nGATEWAY_COMMAND=\"{}\"\nOPENCLAW_VERSION=\"2026.2.25\"\n",
        restart.display()
    ));
}

#[test]
fn a_gateway_that_hangs_delays_no_other_users() {
    let lab = two_users("");
    gateway(&lab, ALICE, "a", HANGS);
    gateway(&lab, BOB, "b", "#!/bin/sh\n: >\"$HOME/restarted\"\n");
    let sync = |link: &str| lab.confined(&["sync", "--delegate", "--link", link]);
    sync("a");
    let gateway = lab.command(&["gateway"]).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_until(LIMIT, || lab.read("home/a/hangs").ends_with('\n')), "it hangs");
    // Asked for meanwhile.
    let synced = sync("b");
    let restarted = wait_until(LIMIT, || lab.at("home/b/restarted").exists());
    end_hanging(&lab);
    let ran = ran(gateway.wait_with_output().unwrap());
    assert!(restarted, "{}\n{}", synced.stderr, ran.stderr);
}

#[test]
fn what_a_killed_run_had_begun_at_a_gateway_is_done_by_the_next_one() {
    let lab = two_users("");
    lab.sh("rm etc/b.conf");
    gateway(
        &lab,
        ALICE,
        "a",
        "#!/bin/sh\n[ ! -e \"$HOME/hangs\" ] || { : >\"$HOME/restarted\"; exit; }\necho $$ >\"$HOME/hangs\"\nexec sleep 1000\n",
    );
    let synced = lab.confined(&["sync", "--delegate"]);
    assert_eq!(synced.code, Some(0), "{}", synced.stderr);
    let mut run = lab.command(&["gateway", "--link", "a"]).spawn().unwrap();
    assert!(wait_until(LIMIT, || lab.read("home/a/hangs").ends_with('\n')), "it hangs");
    run.kill().unwrap();
    run.wait().unwrap();
    end_hanging(&lab);
    assert!(!lab.at("home/a/restarted").exists());
    let next = lab.confined(&["gateway"]);
    assert!(lab.at("home/a/restarted").exists(), "{}", next.stderr);
}

#[test]
fn an_interpreter_that_never_answers_ends_with_its_own_link() {
    let lab = two_users("");
    lab.as_user(ALICE, "touch home/a/sh");
    let sh = lab.at("home/a/sh");
    lab.as_user(ALICE, &format!("printf '#!{}\\n' >home/a/claude", sh.display()));
    let hangs = Hangs::over(sh);
    let refresh = lab.command(&["refresh"]).stderr(Stdio::piped()).spawn().unwrap();
    let renewed = wait_until(LIMIT, || lab.at("home/b/ran").exists());
    drop(hangs);
    let ran = ran(refresh.wait_with_output().unwrap());
    assert!(renewed, "{}", ran.stderr);
}
