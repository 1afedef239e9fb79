//! A login that ends in half an hour is renewed through a token endpoint on loopback.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::endpoint::{Endpoint, TOKEN};
use crate::scene::{self, Installation};
use crate::sinks::{self, Fingerprinter, Sink};
use crate::stage::{claim, ms, part, quote, say, table};

/// What is left of the access token: less than `REFRESH_MARGIN`, which is 90 minutes.
const LEFT: Duration = Duration::from_secs(30 * 60);

/// Plays the part.
pub(crate) fn play(program: &Path, root: &Path) -> io::Result<()> {
    part("5. A login ends in 30 minutes, and 'refresh' renews it through a token endpoint");
    std::fs::create_dir_all(root)?;
    let endpoint = Endpoint::start(root);
    endpoint.accept(&scene::token("refresh", 5));
    let (credentials, openclaw) = (root.join("claude/.credentials.json"), root.join("openclaw"));
    scene::write(&credentials, &scene::credentials(5, LEFT))?;
    let version = "{ \"meta\": { \"lastTouchedVersion\": \"2026.2.25\" } }\n";
    scene::write(&openclaw.join("openclaw.json"), version)?;
    let store = "openclaw/agents/main/agent/auth-profiles.json";
    scene::write(&root.join(store), &scene::profiles(4))?;
    let installation = Installation::new(program, &root.join("oauth-sync"))?;
    let conf = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nCLAUDE_CLI=\"none\"\nREFRESH=\"api\"\nTOKEN_URL=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"auth-profiles\"\n",
        credentials.display(),
        endpoint.token_url(),
        openclaw.display()
    );
    installation.configure("default", &conf)?;
    say("The endpoint speaks TLS with an authority of its own, which SSL_CERT_FILE makes known.");

    let places = ["claude/.credentials.json", store].map(|name| Sink::new(root, name));
    let before = sinks::tokens(&places);
    let begun = Instant::now();
    refresh(&installation, &endpoint, root)?;
    let took = begun.elapsed();
    let granted = endpoint.grants().into_iter().map(|grant| grant.access_token).next();
    let granted = granted.ok_or_else(|| io::Error::other("the endpoint granted nothing"))?;
    let fingerprinter = Fingerprinter::load(&installation.root.join("state"))?;
    table(&sinks::rows(&places, &before, &fingerprinter));
    let carried = sinks::tokens(&places).iter().all(|token| *token == granted);
    claim(carried, &format!("{}: renewed, proved on disk and carried on", ms(took)))?;
    refresh(&installation, &endpoint, root)?;
    let posts = endpoint.requests_to(TOKEN).len();
    claim(posts == 1, "a second 'refresh' sends nothing: the login is not due")
}

fn refresh(installation: &Installation, endpoint: &Endpoint, root: &Path) -> io::Result<()> {
    let mut command = installation.command(&["refresh"]);
    let output = command.env("SSL_CERT_FILE", endpoint.certificate()).output()?;
    quote(&String::from_utf8_lossy(&output.stderr), root);
    claim(output.status.success(), "'oauth-sync refresh' exits 0")
}
