//! An OpenClaw of February 2026: `watch` follows every renewal, and a blanked login goes nowhere.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scene::{self, Installation, LIFETIME};
use crate::sinks::{self, Fingerprinter, Sink};
use crate::stage::{PATIENCE, claim, ms, part, quote, say, table};

const AGENTS: [&str; 3] = ["main", "coder", "writer"];

/// As docker-setup.sh leaves it, with a person's remarks.
const ENV: &str = "\
# OpenClaw, docker compose
OPENCLAW_CONFIG_DIR=/home/claw/.openclaw   # bind mount
OPENCLAW_GATEWAY_TOKEN='not ours'

# -- Anthropic --
# oauth-sync keeps this line:
ANTHROPIC_OAUTH_TOKEN=none-yet
# ANTHROPIC_API_KEY=never-again
TZ=\"Europe/Berlin\"
";

/// The scratch host of this part.
struct Host {
    root: PathBuf,
    credentials: PathBuf,
    installation: Installation,
    sinks: Vec<Sink>,
}

/// Plays the part.
pub(crate) fn play(program: &Path, root: &Path) -> io::Result<()> {
    part("1. A Claude login, and an OpenClaw 2026.2.25 with three agents");
    let host = Host::new(program, root)?;
    say("files   claude/.credentials.json");
    host.sinks.iter().for_each(|sink| say(&format!("        {}", sink.name)));
    let before = sinks::tokens(&host.sinks);
    let log = File::create(root.join("log"))?;
    let begun = Instant::now();
    let mut watch = host.installation.watch(log.into(), PATIENCE)?;
    say(&format!("'oauth-sync watch' is ready after {}", ms(begun.elapsed())));
    let fingerprinter = Fingerprinter::load(&host.installation.root.join("state"))?;
    host.carried(&before, 1, begun, &fingerprinter, "its first look brought all sinks up to date")?;

    part("2. The Claude CLI renews: a temp file, then rename");
    let before = sinks::tokens(&host.sinks);
    let begun = Instant::now();
    replace(&host.credentials, &scene::credentials(2, LIFETIME * 2))?;
    host.carried(&before, 2, begun, &fingerprinter, "from the rename to the last sink")?;

    part("3. Another program rewrites the file in place");
    let before = sinks::tokens(&host.sinks);
    let begun = Instant::now();
    fs::write(&host.credentials, scene::credentials(3, LIFETIME * 3))?;
    host.carried(&before, 3, begun, &fingerprinter, "from the first byte to the last sink")?;
    host.untouched()?;

    part("4. The CLI blanks the login, as it does after 'invalid_grant'");
    host.blanked(&fingerprinter)?;
    let ended = Instant::now();
    watch.terminate();
    let status = watch.child.wait()?;
    let took = ms(ended.elapsed());
    claim(status.success(), &format!("'watch' ended cleanly on SIGTERM after {took}"))
}

/// Replaces a file as the Claude CLI does: a temp file in the same folder, then rename.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temp = path.with_extension("json.tmp");
    scene::write(&temp, text)?;
    fs::rename(&temp, path)
}

impl Host {
    fn new(program: &Path, root: &Path) -> io::Result<Self> {
        let (credentials, openclaw) =
            (root.join("claude/.credentials.json"), root.join("openclaw"));
        scene::write(&credentials, &scene::credentials(1, LIFETIME))?;
        let version = "{\n  // kept: comments and all\n  \"meta\": { \"lastTouchedVersion\": \"2026.2.25\" },\n}\n";
        scene::write(&openclaw.join("openclaw.json"), version)?;
        let oauth = "{\n  \"anthropic\": { \"access\": \"older\", \"refresh\": \"older\", \"expires\": 1 },\n  \"openai\": { \"access\": \"not-ours\" }\n}\n";
        scene::write(&openclaw.join("credentials/oauth.json"), oauth)?;
        scene::write(&root.join("compose/.env"), ENV)?;
        let mut names = Vec::new();
        for agent in AGENTS {
            let name = format!("openclaw/agents/{agent}/agent/auth-profiles.json");
            scene::write(&root.join(&name), &scene::profiles(0))?;
            names.push(name);
        }
        names.extend(["openclaw/credentials/oauth.json", "compose/.env"].map(str::to_owned));
        let installation = Installation::new(program, &root.join("oauth-sync"))?;
        let conf = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nCOMPOSE_DIR=\"{}\"\n",
            credentials.display(),
            openclaw.display(),
            root.join("compose").display()
        );
        installation.configure("default", &conf)?;
        let sinks = names.iter().map(|name| Sink::new(root, name)).collect();
        Ok(Self { root: root.to_owned(), credentials, installation, sinks })
    }

    /// Waits for a token in all sinks and shows them.
    fn carried(
        &self,
        before: &[String],
        number: u32,
        begun: Instant,
        fingerprinter: &Fingerprinter,
        what: &str,
    ) -> io::Result<()> {
        let token = scene::token("access", number);
        let took = sinks::wait(&self.sinks, &token, begun)?;
        table(&sinks::rows(&self.sinks, before, fingerprinter));
        claim(true, &format!("{}: {what}", ms(took)))
    }

    /// What is not ours must be there still, byte for byte.
    fn untouched(&self) -> io::Result<()> {
        let [.., oauth, env] = &self.sinks[..] else { return Err(io::ErrorKind::NotFound.into()) };
        let expected = ENV.replace("none-yet", &scene::token("access", 3));
        claim(env.text() == expected, "the .env differs in its one value alone")?;
        let kept = oauth.text().contains("\"openai\": { \"access\": \"not-ours\" }");
        claim(kept, "oauth.json keeps the other provider's entry byte for byte")?;
        let profiles = self.sinks[0].text();
        claim(profiles.contains("\"key\": \"not-ours\""), "the agents keep their other profiles")?;
        let refresher = profiles.contains("refresh-of-openclaw");
        claim(!refresher, "no agent holds a refresh token any more: only one program renews")
    }

    fn blanked(&self, fingerprinter: &Fingerprinter) -> io::Result<()> {
        let before = sinks::tokens(&self.sinks);
        let blank = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
        replace(&self.credentials, blank)?;
        let state = self.wait_for_state("cleared by Claude CLI")?;
        quote(&format!("oauth-sync: {state}"), &self.root);
        table(&sinks::rows(&self.sinks, &before, fingerprinter));
        claim(
            sinks::tokens(&self.sinks) == before,
            "it is not passed on: agents work on with the last token",
        )
    }

    /// Waits until `watch` has said the state of the source; what it said.
    fn wait_for_state(&self, state: &str) -> io::Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let said = fs::read_to_string(self.root.join("log"))?;
            if let Some(line) = said.lines().find(|line| line.contains("emptied the login")) {
                let shown = self.status()?;
                claim(shown == state, &format!("'oauth-sync status' calls the source {state}"))?;
                return Ok(line.trim_start_matches("oauth-sync: ").to_owned());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(io::Error::other("watch did not say that the login was emptied"))
    }

    fn status(&self) -> io::Result<String> {
        let output = self.installation.command(&["status", "--json"]).output()?;
        let status: Value = serde_json::from_slice(&output.stdout)?;
        Ok(status["links"][0]["source"]["state"].as_str().unwrap_or_default().to_owned())
    }
}
