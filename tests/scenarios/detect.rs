//! `detect` over a tree that stands for a host.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::Value;

use crate::bed::{Bed, CONF, Ran};

/// A host with the homes of root and of two people, and nothing in them.
pub(crate) struct Host(pub(crate) Bed);

impl Host {
    pub(crate) fn new() -> Self {
        let bed = Bed::new();
        fs::remove_file(bed.at(CONF)).unwrap();
        let host = Self(bed).file(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n",
        );
        host.file("home/bob/.profile", "").file("root/.profile", "").file("home/ann/.profile", "")
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.0.write(&format!("host/{path}"), text);
        self
    }

    /// A login in a home.
    pub(crate) fn login(self, folder: &str, hours: i64) -> Self {
        let text = self.0.login_text("A", hours);
        self.file(&format!("{folder}/.credentials.json"), &text)
    }

    /// A configured OpenClaw.
    pub(crate) fn claw(self, folder: &str) -> Self {
        self.file(&format!("{folder}/openclaw.json"), "{}")
    }

    pub(crate) fn detect(&self, more: &[&str]) -> Ran<'_> {
        let root = self.0.at("host");
        let args = [&["detect", "--root", root.to_str().unwrap()], more].concat();
        let fakes = format!("{}:/usr/bin:/bin", self.0.at("bin").display());
        self.0.ran(self.0.command(&[], &args).env("PATH", fakes).output().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        self.detect(&["--json"]).exit(0).json()
    }

    /// A field of each thing in a list of the answer.
    fn listed(&self, list: &str, field: &str) -> Vec<String> {
        let json = self.json();
        let texts = json[list].as_array().unwrap().iter();
        texts.map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Answers for `--set-stdin`.
    fn told(&self, answers: &str) -> Ran<'_> {
        let answers = self.0.write("answers", answers).at("answers");
        let root = self.0.at("host");
        let args = ["detect", "--write", "--set-stdin", "--root", root.to_str().unwrap()];
        let mut command = self.0.command(&[], &args);
        self.0.ran(command.stdin(fs::File::open(answers).unwrap()).output().unwrap())
    }
}

#[test]
fn the_best_candidate_is_printed_for_a_script() {
    let host = Host::new().login("home/ann/.claude", 5).claw("home/ann/.openclaw");
    host.detect(&["--print"]).exit(0).out(&[
        "CLAUDE_CREDENTIALS=/home/ann/.claude/.credentials.json",
        "OPENCLAW_STATE_DIR=/home/ann/.openclaw",
    ]);
}

#[test]
fn every_name_of_the_state_folder_is_known() {
    let host = Host::new()
        .claw("home/ann/.openclaw")
        .claw("home/ann/.openclaw-work")
        .file("home/ann/.clawdbot/clawdbot.json", "{}")
        .file("home/bob/.moltbot/moltbot.json", "{}")
        .file("home/bob/.moldbot/moldbot.json", "{}")
        .claw("root/.openclaw")
        .claw("data/.openclaw")
        .file("home/bob/.openclawed/openclaw.json", "{}");
    let found = host.listed("openclaws", "state_dir");
    assert_eq!(
        found,
        [
            "/data/.openclaw",
            "/home/ann/.clawdbot",
            "/home/ann/.openclaw",
            "/home/ann/.openclaw-work",
            "/home/bob/.moldbot",
            "/home/bob/.moltbot",
            "/root/.openclaw",
        ]
    );
    let configured = host.json()["openclaws"].as_array().unwrap().clone();
    assert!(configured.iter().all(|claw| claw["configured"] == true));
}

#[test]
fn units_name_folders() {
    let user = "home/ann/.config/systemd/user";
    let host = Host::new()
        .file(
            "etc/systemd/system/a.service",
            "[Service]\nEnvironment=X=1 \"OPENCLAW_STATE_DIR=/srv/a b\"\n",
        )
        .file(
            "etc/systemd/system/b.service.d/x.conf",
            "[Service]\nEnvironment=OPENCLAW_HOME=/srv/b\n",
        )
        .file("usr/local/lib/systemd/system/c.service", "[Service]\nEnvironmentFile=-/etc/c.env\n")
        .file("etc/c.env", "# c\nOPENCLAW_CONFIG_PATH=/srv/c/openclaw.json\n")
        .file(
            &format!("{user}/d.service"),
            "[Service]\nEnvironment=CLAWDBOT_STATE_DIR=%h/d CLAUDE_CONFIG_DIR=%h/claude\n",
        )
        .file(
            &format!("{user}/e.service"),
            "[Service]\nEnvironmentFile=/etc/e.env\nEnvironment=OPENCLAW_STATE_DIR=relative\n",
        )
        .file("etc/e.env", "OPENCLAW_STATE_DIR=/srv/e\n")
        .claw("srv/a b")
        .claw("srv/b/.openclaw")
        .claw("srv/c")
        .claw("home/ann/d")
        .claw("srv/e")
        .login("home/ann/claude", 8);
    let found = host.listed("openclaws", "state_dir");
    // A user's unit does not make root read another file for them.
    assert_eq!(found, ["/home/ann/d", "/srv/a b", "/srv/b/.openclaw", "/srv/c"]);
    assert_eq!(host.listed("logins", "path"), ["/home/ann/claude/.credentials.json"]);
}

/// A system user as OpenClaw's Ansible role makes it, with `home` and an OpenClaw in `state` there.
fn system_user(home: &str, state: &str) -> Host {
    let host = Host::new().login(&format!("{home}/.claude"), 8).claw(&format!("{home}/{state}"));
    std::os::unix::fs::chown(host.0.at(&format!("host/{home}")), Some(998), Some(998)).unwrap();
    for below in [".claude", ".claude/.credentials.json", state, &format!("{state}/openclaw.json")]
    {
        let path = host.0.at(&format!("host/{home}/{below}"));
        std::os::unix::fs::chown(path, Some(998), Some(998)).unwrap();
    }
    let passwd = host.0.read("host/etc/passwd");
    host.file("etc/passwd", &format!("{passwd}oc:x:998:998::/{home}:/usr/sbin/nologin\n"))
}

/// The link that is written for a user with a login and an OpenClaw, beside whom these files are.
fn written_beside(files: &[(&str, impl AsRef<str>)]) -> String {
    let host = Host::new().login("home/ann/.claude", 8).claw("home/ann/.openclaw");
    let host = files.iter().fold(host, |host, (path, text)| host.file(path, text.as_ref()));
    host.detect(&["--write"]);
    host.0.read(CONF)
}

#[test]
fn it_tells_how_the_gateway_and_the_cli_run() {
    let host = Host::new()
        .login("home/ann/.claude", 8)
        .file("home/ann/.nvm/versions/node/v22.1.0/bin/claude", "")
        .file("home/ann/.openclaw/openclaw.json", r#"{"meta":{"lastTouchedVersion":"2026.3.2"}}"#)
        .file("home/ann/oc/docker-compose.yml", "services:\n  openclaw-gateway:\n    image: x\n")
        .file("home/ann/oc/.env", "OPENCLAW_CONFIG_DIR=/home/ann/.openclaw\n")
        .claw("home/bob/.openclaw-work")
        .file("home/bob/.config/systemd/user/openclaw-gateway-work.service", "[Service]\n")
        .file("root/.openclaw/state/openclaw.sqlite", "")
        .file("root/.openclaw/credentials/oauth.json", "{}")
        .file("etc/systemd/system/openclaw.service", "[Service]\n")
        .file("etc/systemd/system/openclaw-gateway.service", "[Service]\nUser=bob\n");
    let json = host.json();
    assert_eq!(json["logins"][0]["cli"], "host");
    assert_eq!(json["logins"][0]["cli_place"], "/home/ann/.nvm/versions/node/v22.1.0/bin/claude");
    let claws = json["openclaws"].as_array().unwrap();
    assert_eq!(claws[0]["compose_dir"], "/home/ann/oc");
    assert_eq!(claws[0]["version"], "2026.3.2 (lastTouchedVersion in openclaw.json)");
    assert!(claws[0]["unit"].is_null(), "another user's unit: {claws:?}");
    assert_eq!(claws[1]["unit"], "openclaw-gateway-work.service");
    assert_eq!(claws[2]["unit"], "openclaw.service");
    assert_eq!(claws[2]["version"], "2026.6 or later (an SQLite store)");
    assert!(claws[2]["warnings"][0].as_str().unwrap().contains("refuse to work"), "{claws:?}");
}

#[test]
fn a_unit_of_the_host_is_the_gateway_of_the_user_that_it_runs_as() {
    const ETC: &str = "etc/systemd/system/openclaw-gateway.service";
    const VENDOR: &str = "usr/lib/systemd/system/openclaw-gateway.service";
    const DROP_IN: &str = "usr/lib/systemd/system/openclaw-gateway.service.d/x.conf";
    for (files, is_its) in [
        (&[(ETC, "ann")][..], true),
        (&[(ETC, "bob")], false),
        // Without a user it is root's.
        (&[(ETC, "")], false),
        (&[(VENDOR, "bob"), (ETC, "ann")], true),
        (&[(VENDOR, "ann"), (ETC, "")], false),
        (&[(ETC, "bob"), (DROP_IN, "ann")], true),
        // An account that passwd(5) does not know may be the owner's.
        (&[(ETC, "of-ldap")], true),
    ] {
        let host = Host::new().login("home/ann/.claude", 8).claw("home/ann/.openclaw");
        let host = files.iter().fold(host, |host, (path, user)| {
            let user = if user.is_empty() { String::new() } else { format!("User={user}\n") };
            host.file(path, &format!("[Service]\n{user}"))
        });
        assert_eq!(host.json()["openclaws"][0]["unit"].is_string(), is_its, "{files:?}");
    }
}

#[test]
fn answers_are_written_and_nothing_else() {
    let host = Host::new();
    host.told("CLAUDE_CREDENTIALS=/srv/c.json\nOPENCLAW_STATE_DIR=/srv/o\nREFRESH=api\n").exit(0);
    let words = "# mine\r\nCLAUDE_CREDENTIALS = '/srv/two  blanks.json'  # kept\nREFRESH=\"api\"\nSINKS=env\n";
    host.0.write(CONF, words);
    let print = host.0.print(CONF);
    // debconf knows single blanks only
    host.told("CLAUDE_CREDENTIALS=/srv/two blanks.json\nREFRESH=api\nENV_FILE=\n").exit(1);
    assert_eq!(host.0.print(CONF), print);
    host.told("CLAUDE_CREDENTIALS=/srv/x.json\nREFRESH=\nNOTIFY_WEBHOOK=https://a.example/x\n")
        .exit(1);
    assert_eq!(
        host.0.read(CONF),
        "# mine\r\nCLAUDE_CREDENTIALS = \"/srv/x.json\"  # kept\nSINKS=env\nNOTIFY_WEBHOOK=\"https://a.example/x\"\r\n"
    );
    let before = host.0.read(CONF);
    host.told("NO_SUCH_KEY=1\n").exit(1).says("NO_SUCH_KEY cannot be set");
    host.told("NOTIFY_WEBHOOK=sk-ant-oat01-x\n").exit(1);
    assert_eq!(host.0.read(CONF), before);
}

/// Waits for the end of a child; the processor's time that it and its own children took, of which
/// the kernel counts a hundred ticks a second.
fn cpu_time(child: Pid) -> Duration {
    // Seen, not reaped: until then the kernel still tells.
    waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let ticks: u64 = fields.skip(11).take(4).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// What only root can set up or see.
mod as_root {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Stdio;

    use super::{CONF, Duration, Host, Pid, cpu_time, fs, system_user, written_beside};

    #[test]
    fn a_home_with_two_names_is_one() {
        let host = system_user("data/oc", ".openclaw");
        let passwd = host.0.read("host/etc/passwd").replace(":/data/oc:", ":/home/oc:");
        let host = host.file("etc/passwd", &passwd).file("home/.keep", "");
        std::os::unix::fs::symlink("../data/oc", host.0.at("host/home/oc")).unwrap();
        assert_eq!(host.listed("openclaws", "state_dir").len(), 1);
        assert_eq!(host.json()["candidates"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_host_of_many_is_searched_within_two_seconds() {
        let host = Host::new();
        let mut passwd = String::from("root:x:0:0::/root:/bin/sh\n");
        for user in 0..40 {
            passwd.extend([format!("u{user}:x:{0}:{0}::/home/u{user}:/bin/sh\n", 2000 + user)]);
            for folder in 0..20 {
                fs::create_dir_all(host.0.at(&format!("host/home/u{user}/work{folder}"))).unwrap();
            }
        }
        let host =
            host.file("etc/passwd", &passwd).login("home/u7/.claude", 8).claw("home/u7/.openclaw");
        assert_eq!(host.json()["unasked"], true);
        // What it takes of the machine, whoever else wants it; and this is a build without optimization.
        let root = host.0.at("host");
        let mut command =
            host.0.command(&[], &["detect", "--json", "--root", root.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let taken = cpu_time(Pid::from_child(&child));
        assert!(child.wait().unwrap().success());
        assert!(taken > Duration::ZERO && taken < Duration::from_secs(2), "{taken:?}");
    }

    #[test]
    fn a_partial_answer_waits_for_the_login() {
        let host = Host::new().claw("home/ann/.openclaw");
        host.told("REFRESH=api\nNOTIFY_WEBHOOK=https://a.example/x\n")
            .exit(1)
            .says("wrote 'BED/etc/default.conf'")
            .says("nothing is linked: no Claude login and OpenClaw were found together");
        let begun = host.0.read(CONF);
        host.told("REFRESH=api\n").exit(1).says("nothing is linked: ");
        assert_eq!(host.0.read(CONF), begun);
        let host = host.login("home/ann/.claude", 8);
        host.detect(&["--write"]).exit(0).err(&["wrote 'BED/etc/default.conf'"]);
        let expected = format!(
            "{begun}CLAUDE_CREDENTIALS=\"/home/ann/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"/home/ann/.openclaw\"\n"
        );
        assert_eq!(host.0.read(CONF), expected);
    }

    #[test]
    fn a_system_users_openclaw_is_found_by_every_way_to_name_it() {
        const UNIT: &str = "etc/systemd/system/openclaw-gateway.service";
        let compose = |volume: &str| {
            format!("services:\n  openclaw-gateway:\n    volumes:\n      - {volume}\n")
        };
        for (home, state, file, text) in [
            ("home/openclaw", ".openclaw", "none", String::new()),
            ("usr/local/openclaw", ".openclaw", "none", String::new()),
            (
                "home/oc",
                "claw",
                UNIT,
                "[Service]\nUser=oc\nEnvironment=OPENCLAW_STATE_DIR=~/claw\n".into(),
            ),
            (
                "home/oc",
                "claw",
                "home/oc/.config/systemd/user/x.service",
                "[Service]\nEnvironment=\"OPENCLAW_STATE_DIR=%h/claw\"\n".into(),
            ),
            (
                "home/oc",
                "claw",
                "home/oc/stack/compose.yaml",
                compose("\"${OPENCLAW_CONFIG_DIR:-${HOME}/claw}:/home/node/.openclaw\""),
            ),
            (
                "home/oc",
                "claw",
                "home/oc/stack/compose.yaml",
                compose("{type: bind, source: ~/claw, target: /home/node/.openclaw}"),
            ),
        ] {
            let host = system_user(home, state).file(file, &text);
            for made in ["stack", ".config"] {
                let path = host.0.at(&format!("host/{home}/{made}"));
                if path.exists() {
                    let mut chown = std::process::Command::new("chown");
                    assert!(chown.args(["-R", "998:998"]).arg(path).status().unwrap().success());
                }
            }
            let found = host.listed("openclaws", "state_dir");
            assert_eq!(found, [format!("/{home}/{state}")], "{text}");
            assert_eq!(host.json()["candidates"].as_array().unwrap().len(), 1, "{text}");
        }
    }

    #[test]
    fn one_folder_under_several_names_is_one() {
        let links: [&[(&str, &str)]; 5] = [
            // As OpenClaw's own migration leaves it.
            &[("home/ann/.clawdbot", ".openclaw")],
            &[("home/ann/.moltbot", "/home/ann/.openclaw")],
            &[("home/ann/.clawdbot", ".openclaw"), ("home/ann/.moltbot", ".clawdbot")],
            &[("home/ann/.clawdbot", "../ann2/.openclaw"), ("home/ann2", "ann")],
            &[("home/ann/.clawdbot", "/ann/.openclaw"), ("ann", "/home/ann")],
        ];
        for links in links {
            let host = Host::new().login("home/ann/.claude", 8).claw("home/ann/.openclaw");
            for (path, aim) in links {
                symlink(aim, host.0.at("host").join(path)).unwrap();
            }
            assert_eq!(host.listed("openclaws", "state_dir"), ["/home/ann/.openclaw"], "{links:?}");
            host.detect(&["--write"]).exit(0).says("wrote 'BED/etc/default.conf'");
        }
        // The directory itself is elsewhere, and all names are links.
        let host = Host::new().login("home/ann/.claude", 8).claw("data/claw");
        for name in [".openclaw", ".clawdbot"] {
            symlink("/data/claw", host.0.at("host/home/ann").join(name)).unwrap();
        }
        assert_eq!(host.listed("openclaws", "state_dir").len(), 1);
    }

    #[test]
    fn the_only_best_pair_is_written_once() {
        let host = Host::new()
            .login("home/ann/.claude", 8)
            .claw("home/ann/.openclaw")
            .login("home/bob/.claude", -8)
            .file("home/ann/oc/compose.yaml", "services:\n  openclaw-gateway:\n")
            .file("home/ann/oc/.env", "OPENCLAW_CONFIG_DIR=/home/ann/.openclaw\n");
        host.detect(&["--write"]).exit(0).says("wrote 'BED/etc/default.conf'");
        let text = "# One link: a Claude login and the OpenClaw that its token is carried to.\n# All keys: oauth-sync.conf(5). Check after a change: oauth-sync status\n\
        CLAUDE_CREDENTIALS=\"/home/ann/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"/home/ann/.openclaw\"\n\
        COMPOSE_DIR=\"/home/ann/oc\"\nCOMPOSE_SERVICE=\"openclaw-gateway\"\n";
        assert_eq!(host.0.read(CONF), text);
        let print = host.0.print(CONF);
        let unchanged = ["unchanged: what is linked stays as it is"];
        assert_eq!(print, host.detect(&["--write"]).exit(0).err(&unchanged).bed().print(CONF));
        let mode = fs::metadata(host.0.at(CONF)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_a_users_unit_is_given_says_which_store_the_gateway_reads() {
        let unit = "home/ann/.config/systemd/user/openclaw-gateway.service";
        let named = "OPENCLAW_AGENT_DIR=/home/ann/agents/main\n";
        for (files, wanted) in [
            (
                vec![(
                    unit,
                    "[Service]\nEnvironment='OPENCLAW_AGENT_DIR=%h/agents/main' A=it\\'s\n",
                )],
                true,
            ),
            (vec![(unit, "[X-Other]\nEnvironment=OPENCLAW_AGENT_DIR=%h/agents/main\n")], false),
            (
                vec![(
                    unit,
                    "[Service]\nEnvironment=OPENCLAW_AGENT_DIR=%h/.openclaw/agents/main/agent\n",
                )],
                false,
            ),
            (
                vec![
                    (unit, "[Service]\nEnvironmentFile=-%h/claw/*.env\n"),
                    ("home/ann/claw/a.env", named),
                ],
                true,
            ),
            (vec![(unit, "[Service]\n"), ("home/ann/.config/environment.d/9.conf", named)], true),
            (
                vec![
                    (unit, "[Service]\nEnvironment=OPENCLAW_AGENT_DIR=%h/agents/main\n"),
                    (
                        "home/ann/.config/environment.d/9.conf",
                        "OPENCLAW_AGENT_DIR=/home/ann/other\nOPENCLAW_CONFIG_PATH=/home/ann/c.json\n",
                    ),
                ],
                true,
            ),
            (
                vec![(
                    "home/ann/oc/compose.yml",
                    "services:\n  openclaw-gateway:\n    volumes:\n      - /home/ann/.openclaw:/home/node/.openclaw\n    environment:\n      - OPENCLAW_AGENT_DIR=/home/node/.openclaw/x\n",
                )],
                false,
            ),
        ] {
            let conf = written_beside(&files);
            let line = "OPENCLAW_AGENT_DIR=\"/home/ann/agents/main\"";
            assert_eq!(conf.contains(line), wanted, "{files:?}: {conf}");
            let of_compose = conf.contains("OPENCLAW_AGENT_DIR=\"/home/ann/.openclaw/x\"");
            assert_eq!(of_compose, files[0].0.ends_with("compose.yml"), "{files:?}: {conf}");
            let is_named = conf.contains("OPENCLAW_CONFIG_PATH=\"/home/ann/c.json\"");
            assert_eq!(is_named, format!("{files:?}").contains("c.json"), "{files:?}: {conf}");
        }
    }

    #[test]
    fn what_is_not_plain_is_listed_and_left_to_a_person() {
        let two = Host::new().login("home/ann/.claude", 8);
        let two = two.claw("home/ann/.openclaw").claw("home/ann/.openclaw-two");
        let folder_alone =
            Host::new().login("home/ann/.claude", 8).file("home/ann/.openclaw/.env", "");
        let no_login = Host::new().claw("home/ann/.openclaw");
        for (host, why) in [
            (two, "more than one pair fits equally well"),
            (folder_alone, "there is no openclaw.json in the state directory"),
            (no_login, "no Claude login and OpenClaw were found together"),
        ] {
            host.detect(&["--write"]).exit(1).says(&format!("nothing is linked: {why}"));
            assert!(!host.0.exists(CONF), "{why}");
            let text = host.detect(&[]).exit(0).out;
            assert!(text.contains("home/ann/.openclaw") && text.contains(why), "{text}");
            assert_eq!(host.json()["why_not"], why);
        }
    }

    #[test]
    fn what_runs_openclaw_tells_where_its_configuration_is() {
        let unit = "home/ann/.config/systemd/user/openclaw-gateway.service";
        let compose = |lines: &str| {
            format!(
                "services:\n  openclaw-gateway:\n    volumes:\n      - /home/ann/.openclaw:/home/node/.openclaw\n{lines}"
            )
        };
        let inside = "/home/node/.openclaw/conf/my.json5";
        let variable = format!("OPENCLAW_CONFIG_PATH={inside}\n");
        let environment = format!("    environment:\n      OPENCLAW_CONFIG_PATH: \"{inside}\"\n");
        let listed = format!("    environment:\n      - {variable}");
        let compose_file = "home/ann/oc/compose.yml";
        let below = "/home/ann/.openclaw/conf/my.json5";
        for (files, wanted) in [
            (
                vec![(
                    unit,
                    "[Service]\nEnvironment=OPENCLAW_CONFIG_PATH=%h/etc/c.json\n".to_owned(),
                )],
                "/home/ann/etc/c.json",
            ),
            (
                vec![
                    (unit, "[Service]\n".to_owned()),
                    (
                        "home/ann/.config/systemd/user/openclaw-gateway.service.d/x.conf",
                        "[Service]\nEnvironment=OPENCLAW_CONFIG_PATH=/srv/c.json\n".to_owned(),
                    ),
                ],
                "/srv/c.json",
            ),
            (vec![(compose_file, compose(&environment))], below),
            (vec![(compose_file, compose(&listed))], below),
            (
                vec![
                    (compose_file, compose("    env_file: .env\n")),
                    ("home/ann/oc/.env", variable.clone()),
                ],
                below,
            ),
        ] {
            let conf = written_beside(&files);
            let line = format!("OPENCLAW_CONFIG_PATH=\"{wanted}\"");
            assert!(conf.contains(&line), "{files:?}: {conf}");
        }
    }

    /// Both halves blank: they are looked for, as at first, and none is found. Then a cause of each kind.
    #[test]
    fn answers_that_make_no_valid_link_leave_the_valid_one() {
        let link =
            "CLAUDE_CREDENTIALS=\"/srv/a\"\nOPENCLAW_STATE_DIR=\"/srv/claw\"\nREFRESH=\"off\"\n";
        let host = Host::new();
        for answers in [
            "CLAUDE_CREDENTIALS=\nOPENCLAW_STATE_DIR=\n",
            "CLAUDE_CREDENTIALS=/srv/b\nOPENCLAW_STATE_DIR=\n",
            "CLAUDE_CREDENTIALS=/srv/b\nCLAUDE_CLI=container\nCLAUDE_CONTAINER=\n",
        ] {
            host.0.write("etc/default.conf", link);
            host.told(answers).exit(1).says("so the one there is kept: ");
            assert_eq!(host.0.read("etc/default.conf"), link, "{answers}");
        }
        let host = Host::new().login("home/ann/.claude", 8).claw("home/ann/.openclaw");
        host.0.write("etc/default.conf", link);
        host.told("CLAUDE_CREDENTIALS=\nOPENCLAW_STATE_DIR=\n").exit(0);
        assert!(host.0.read("etc/default.conf").contains("/home/ann/.claude/.credentials.json"));
    }
}
