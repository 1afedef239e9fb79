//! A gateway, or the program that takes the token, that is needed and was not found.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use crate::bed::{Bed, CONF};

/// A link of an OpenClaw whose gateway has to be restarted for a new token, and nothing says how.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").conf("GATEWAY", "auto").login("A");
    // One that runs on this machine is none of the bed's.
    bed.write("home/.openclaw/openclaw.json", r#"{"gateway":{"port":1}}"#);
    bed
}

/// A process with the title and the environment of a gateway.
pub(crate) struct Gateway(Child);

impl Gateway {
    pub(crate) fn start(bed: &Bed, variable: &str, directory: &str) -> Self {
        let mut command = Command::new("sleep");
        command.arg0("openclaw-gateway").arg("600").env_clear().env(variable, bed.at(directory));
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

fn doctor(bed: &Bed) -> Vec<(String, String)> {
    let json = bed.run(["doctor", "--json"]).json();
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    findings.map(|one| (text(one, "id"), text(one, "severity"))).collect()
}

#[test]
fn a_gateway_that_runs_and_was_not_found_is_critical() {
    for (variable, directory) in [("OPENCLAW_STATE_DIR", "home/.openclaw"), ("HOME", "home")] {
        let bed = bed();
        let gateway = Gateway::start(&bed, variable, directory);
        bed.run(["sync"]).exit(0).says("no gateway was found here");
        let check = bed.run(["check"]).exit(2).out;
        let text = format!(
            "default: no gateway was found here, but process {} runs one: it does not use the new token",
            gateway.pid()
        );
        assert!(check.contains(&text), "{variable}: {check}");
        let found = doctor(&bed);
        let expected = ("gateway-unknown".to_owned(), "error".to_owned());
        assert!(found.contains(&expected), "{variable}: {found:?}");
        drop(gateway);
        // The next one starts with the new token.
        bed.run(["check"]).exit(0);
    }
}

#[test]
fn so_is_a_program_that_listens_on_its_port() {
    let bed = bed();
    // That another one runs does not make it that one's.
    let _another = Gateway::start(&bed, "OPENCLAW_STATE_DIR", "home/.openclaw-other");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    bed.write("home/.openclaw/openclaw.json", format!(r#"{{"gateway":{{"port":{port}}}}}"#));
    bed.run(["sync"]).exit(0);
    let check = bed.run(["check"]).exit(2).out;
    assert!(check.contains(&format!("a program listens on its port {port}")), "{check}");
    drop(listener);
    bed.run(["check"]).exit(0);
}

#[test]
fn the_gateway_of_another_state_directory_does_not_count() {
    let bed = bed();
    let _gateway = Gateway::start(&bed, "OPENCLAW_STATE_DIR", "home/.openclaw-other");
    bed.run(["sync"]).exit(0);
    bed.run(["check"]).exit(0);
}

#[test]
fn one_that_is_found_later_gets_the_token() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let log = bed.at("restarted");
    bed.conf("GATEWAY", "command")
        .conf("GATEWAY_COMMAND", &format!("/bin/touch {}", log.display()));
    bed.run(["sync"]).exit(0);
    assert!(bed.exists("restarted"), "the request waited for it");
}

#[test]
fn an_update_in_progress_is_not_yet_proven() {
    let bed = bed();
    let meanwhile = bed.at("check");
    let check = bed.command(&[], &["check"]);
    let words = check.get_args().map(|word| word.to_str().unwrap());
    let words = std::iter::once(check.get_program().to_str().unwrap()).chain(words);
    let line = words.collect::<Vec<_>>().join(" ");
    let script = format!("#!/bin/sh\n{line} >{}\ntrue\n", meanwhile.display());
    bed.write("restart", script);
    bed.conf("GATEWAY", "command")
        .conf("GATEWAY_COMMAND", &format!("/bin/sh {}", bed.at("restart").display()));
    bed.run(["sync"]).exit(0);
    let check = bed.read("check");
    let cause = "the gateway does not use the new token yet: its update is in progress";
    assert!(!check.contains("OAUTH-SYNC OK") && check.contains(cause), "{check}");
}

#[test]
fn with_the_gateway_left_alone_the_files_alone_are_judged() {
    let bed = bed();
    let _gateway = Gateway::start(&bed, "OPENCLAW_STATE_DIR", "home/.openclaw");
    bed.conf("GATEWAY", "none").run(["sync"]).exit(0);
    let check = bed.run(["check"]).exit(0).out;
    assert!(check.contains("1 of 1 sinks up to date, the gateway is left alone"), "{check}");
}

/// What waited for a gateway that is left alone from now on.
#[test]
fn a_gateway_that_is_left_alone_is_not_waited_for() {
    let bed = bed();
    bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/false");
    let _ = bed.run(["sync"]);
    assert!(bed.run(["check"]).out.contains("does not use the new token yet"));
    bed.conf("GATEWAY", "none");
    let status = bed.run(["status", "--json"]).json();
    assert!(status["links"][0]["gateway"]["pending"].is_null(), "{status:#}");
    let check = bed.run(["check"]).out;
    assert!(!check.contains("does not use the new token"), "{check}");
}

#[test]
fn no_openclaw_to_paste_with_is_critical() {
    let bed = bed();
    bed.openclaw("2026.9.6").conf("SINKS", "auto");
    let conf = bed.read(CONF);
    let kept = conf.lines().filter(|line| !line.starts_with("OPENCLAW_COMMAND="));
    let kept: Vec<&str> = kept.collect();
    bed.write(CONF, kept.join("\n") + "\n");
    bed.run(["sync"]);
    let check = bed.run(["check"]).exit(2).out;
    assert!(
        check.contains("the token cannot be pasted into OpenClaw: no program openclaw"),
        "{check}"
    );
    assert!(doctor(&bed).contains(&("openclaw-missing".to_owned(), "error".to_owned())));
}

/// What only root can set up or see.
mod as_root {
    use crate::host::Host;

    /// As in many guides: the project is root's, its data directory that of the container's user.
    #[test]
    fn the_project_of_root_is_found_for_the_data_directory_of_its_container() {
        let host = Host::new();
        let bed = &host.bed;
        let text = "services:\n  openclaw-gateway:\n    volumes:\n      - ${OPENCLAW_CONFIG_DIR}:/home/node/.openclaw\n";
        bed.write("host/root/.claude/.credentials.json", bed.login_text("A", 8));
        bed.write("host/opt/openclaw/docker-compose.yml", text);
        bed.write(
            "host/opt/openclaw/.env",
            "OPENCLAW_CONFIG_DIR=/opt/openclaw/data\nANTHROPIC_OAUTH_TOKEN=old\n",
        );
        bed.write("host/opt/openclaw/data/openclaw.json", "{}");
        host.shell("chown -R 1000:1000 host/opt/openclaw/data && rm etc/default.conf");
        let root = bed.at("host");
        let detect = ["detect", "--root", root.to_str().unwrap()];
        // Nobody has said that root's login is for uid 1000.
        bed.run([detect[0], detect[1], detect[2], "--write"]).says("nothing is linked: ");
        assert!(!bed.exists("etc/default.conf"));
        let answers = "CLAUDE_CREDENTIALS=/root/.claude/.credentials.json\nOPENCLAW_STATE_DIR=/opt/openclaw/data\n";
        bed.write("answers", answers);
        host.shell(&format!("oauth-sync {} --write --set-stdin <answers", detect.join(" ")));
        let written = bed.read("etc/default.conf");
        assert!(written.contains("COMPOSE_DIR=\"/opt/openclaw\"\n"), "{written}");
        // What somebody says of the gateway stays.
        host.shell("rm etc/default.conf && echo GATEWAY=none >>answers");
        host.shell(&format!("oauth-sync {} --write --set-stdin <answers", detect.join(" ")));
        assert!(!bed.read("etc/default.conf").contains("COMPOSE"));
    }
}
