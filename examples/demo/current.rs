//! A current OpenClaw: the files that would take it down are refused even when they are listed.

use std::io;
use std::path::Path;

use crate::scene::{self, Installation, LIFETIME};
use crate::sinks::Sink;
use crate::stage::{claim, part, quote, say};

/// Plays the part.
pub(crate) fn play(program: &Path, root: &Path) -> io::Result<()> {
    part("6. OpenClaw 2026.9.6, with sinks listed that would take it down");
    let (credentials, openclaw) = (root.join("claude/.credentials.json"), root.join("openclaw"));
    scene::write(&credentials, &scene::credentials(9, LIFETIME))?;
    let version = "{ \"meta\": { \"lastTouchedVersion\": \"2026.9.6\" } }\n";
    scene::write(&openclaw.join("openclaw.json"), version)?;
    scene::write(&openclaw.join("state/openclaw.sqlite"), "")?;
    scene::write(&openclaw.join("agents/main/agent/openclaw-agent.sqlite"), "")?;
    scene::write(&openclaw.join(".env"), "ANTHROPIC_OAUTH_TOKEN=none-yet\n")?;
    let installation = Installation::new(program, &root.join("oauth-sync"))?;
    let conf = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"oauth-json auth-profiles env\"\n",
        credentials.display(),
        openclaw.display()
    );
    installation.configure("default", &conf)?;
    say("SINKS=\"oauth-json auth-profiles env\", then 'oauth-sync sync':");
    let output = installation.command(&["sync", "--delegate"]).output()?;
    quote(&String::from_utf8_lossy(&output.stderr), root);
    claim(output.status.code() == Some(1), "exit status 1: not everything listed was done")?;
    let stands = |below: &str| openclaw.join(below).exists();
    claim(!stands("credentials/oauth.json"), "no oauth.json was made")?;
    let profiles = stands("agents/main/agent/auth-profiles.json");
    claim(!profiles, "no auth-profiles.json was made")?;
    let env = Sink::new(root, "openclaw/.env");
    claim(env.token() == scene::token("access", 9), "the harmless sink, .env, holds the new token")
}
