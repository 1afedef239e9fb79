//! `GATEWAY_COMMAND`: that it exits with 0 proves nothing; a younger process with the token does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bed::{Bed, ENV, STATE};

/// A link whose gateway is restarted by a command that starts `words` with `variables`.
struct Host(Bed);

impl Host {
    fn new(variables: &str) -> Self {
        let bed = Bed::new();
        bed.openclaw("2026.2.25").conf("SINKS", "env").conf("GATEWAY", "command").login("new");
        let at = |path: &str| bed.at(path).display().to_string();
        fs::create_dir_all(bed.at("bin")).unwrap();
        fs::copy("/bin/sleep", bed.at("bin/openclaw-gateway")).unwrap();
        let variables = variables
            .replace("=STATE", &format!("={}", at(STATE)))
            .replace("=HOME", &format!("={}", at("home")));
        let script = format!(
            "#!/bin/sh\nenv -i {variables} {} 600 </dev/null >/dev/null 2>&1 &\necho $! >{}\n",
            at("bin/openclaw-gateway"),
            at("pid")
        );
        bed.write("bin/restart", script);
        for name in ["bin/restart", "bin/openclaw-gateway"] {
            fs::set_permissions(bed.at(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        bed.conf("GATEWAY_COMMAND", &format!("setsid -w {}", at("bin/restart")));
        Self(bed)
    }

    fn is_proven(&self) -> bool {
        let ran = self.0.run(["sync"]).exit(0).says("the gateway was restarted");
        ran.err.contains("and uses the new token")
    }

    fn end(&self) {
        let Ok(pid) = fs::read_to_string(self.0.at("pid")) else { return };
        let _ = Command::new("kill").args(["-s", "KILL", pid.trim()]).output();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn a_younger_gateway_with_the_token_proves_it_and_nothing_else_does() {
    let token = "ANTHROPIC_OAUTH_TOKEN=access";
    for (variables, is_proven) in [
        // It takes the token from its state directory's `.env` when it starts.
        ("OPENCLAW_STATE_DIR=STATE".to_owned(), true),
        ("OPENCLAW_HOME=HOME".to_owned(), true),
        ("OPENCLAW_STATE_DIR=/elsewhere".to_owned(), false),
        (format!("OPENCLAW_STATE_DIR=STATE {token}-old"), false),
        (format!("OPENCLAW_STATE_DIR=STATE {token}="), false),
    ] {
        let host = Host::new(&variables);
        assert_eq!(host.is_proven(), is_proven, "{variables}");
    }
    // Elsewhere the variable has to be in its environment.
    for (name, is_proven) in [("new", true), ("old", false)] {
        let host = Host::new(&format!("{token}-{name}"));
        host.0.write("home/stack/gateway.env", "ANTHROPIC_OAUTH_TOKEN=access-old\n");
        host.0.conf("ENV_FILE", host.0.at("home/stack/gateway.env").to_str().unwrap());
        assert_eq!(host.is_proven(), is_proven, "{name}");
    }
}

#[test]
fn a_gateway_that_was_there_before_or_is_gone_again_proves_nothing() {
    let host = Host::new("OPENCLAW_STATE_DIR=STATE");
    assert!(host.is_proven());
    let script = host.0.read("bin/restart");
    // The next command leaves the old one in its place.
    host.0.write("bin/restart", "#!/bin/sh\n").login("newer");
    assert!(!host.is_proven());
    assert!(host.0.read(ENV).contains("access-newer"));
    host.end();
    // And one that does not stay up.
    host.0.write("bin/restart", script.replace(" 600 ", " 0.1 ")).login("newest");
    assert!(!host.is_proven());
}

/// What only root can set up or see.
mod as_root {
    use super::{Host, fs};

    /// `loadDotEnv` of OpenClaw 2026.2.25 and 2026.3.13 reads the `.env` of the working directory first; 2026.4.1
    /// takes no credentials from it.
    #[test]
    fn an_older_openclaw_that_works_beside_another_env_is_not_said_to_use_ours() {
        let old = "ANTHROPIC_OAUTH_TOKEN=access-old\n";
        for (version, text, is_proven) in [
            ("2026.2.25", Some(old), false),
            ("2026.2.25", Some("ANTHROPIC_OAUTH_TOKEN=\n"), false),
            ("2026.2.25", Some("export ANTHROPIC_OAUTH_TOKEN=access-new\nA=1\n"), true),
            ("2026.2.25", None, true),
            ("2026.4.1", Some(old), true),
        ] {
            let host = Host::new("OPENCLAW_STATE_DIR=STATE");
            let bed = &host.0;
            bed.openclaw(version);
            let script = bed.read("bin/restart");
            let work = bed.at("home/work");
            fs::create_dir_all(&work).unwrap();
            bed.write(
                "bin/restart",
                script.replace("env -i", &format!("cd {}\nenv -i", work.display())),
            );
            if let Some(text) = text {
                bed.write("home/work/.env", text);
            }
            let ran = bed.run(["sync"]);
            let uses = ran.err.contains("and uses the new token");
            assert_eq!(uses, is_proven, "{version} {text:?}: {}", ran.err);
            if !is_proven {
                let why = "has a 'BED/home/work/.env' that sets ANTHROPIC_OAUTH_TOKEN, which beats";
                ran.says(why).says("BED/home/work/.env && oauth-sync sync --link default");
                bed.run(["check"]).exit(1);
            }
        }
    }
}
