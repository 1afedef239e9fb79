//! What a user's program, and the process that becomes it, can do to the process that works for all links.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::lab::{ALICE, BOB, Lab, Ran, ran};

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
        let mut line = String::new();
        BufReader::new(tool.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "leased\n");
        let refresh = lab.command(&["refresh"]).stderr(Stdio::piped()).spawn().unwrap();
        fs::write(lab.at("pid"), refresh.id().to_string()).unwrap();
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
