//! The source and the sinks as an onlooker reads them: which token each of them holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ring::hmac;
use serde_json::Value;

use crate::stage::PATIENCE;

/// Between two looks at the sinks.
const STEP: Duration = Duration::from_micros(500);

/// One place that holds the token.
pub(crate) struct Sink {
    pub(crate) name: String,
    path: PathBuf,
}

impl Sink {
    /// Names a sink by its path below `root`.
    pub(crate) fn new(root: &Path, below: &str) -> Self {
        Self { name: below.to_owned(), path: root.join(below) }
    }

    /// The token that it holds for Anthropic; empty where there is none.
    pub(crate) fn token(&self) -> String {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        if self.name.rsplit('.').next() == Some("env") {
            let line = text.lines().find_map(|line| line.strip_prefix("ANTHROPIC_OAUTH_TOKEN="));
            return line.unwrap_or_default().to_owned();
        }
        let root: Value = serde_json::from_str(&text).unwrap_or_default();
        let profile = &root["profiles"]["anthropic:default"];
        let places = [
            &root["claudeAiOauth"]["accessToken"],
            &root["anthropic"]["access"],
            &profile["access"],
            &profile["token"],
        ];
        places.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }
}

/// Makes the fingerprints that the program itself makes, with the key of its state folder.
pub(crate) struct Fingerprinter(hmac::Key);

impl Fingerprinter {
    pub(crate) fn load(state: &Path) -> io::Result<Self> {
        let key = fs::read(state.join("fingerprint.key"))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Eight digits; a dash for no token.
    pub(crate) fn of(&self, token: &str) -> String {
        if token.is_empty() {
            return "-".to_owned();
        }
        let tag = hmac::sign(&self.0, token.as_bytes());
        tag.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }
}

/// Waits until all sinks hold `token`; how long that took since `begun`.
pub(crate) fn wait(sinks: &[Sink], token: &str, begun: Instant) -> io::Result<Duration> {
    loop {
        let late = sinks.iter().find(|sink| sink.token() != token);
        let Some(late) = late else { return Ok(begun.elapsed()) };
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("'{}' still holds another token", late.name)));
        }
        std::thread::sleep(STEP);
    }
}

/// Each sink's name and fingerprints before and after.
pub(crate) fn rows(
    sinks: &[Sink],
    before: &[String],
    fingerprinter: &Fingerprinter,
) -> Vec<(String, String, String)> {
    let both = sinks.iter().zip(before);
    both.map(|(sink, before)| {
        (sink.name.clone(), fingerprinter.of(before), fingerprinter.of(&sink.token()))
    })
    .collect()
}

/// What all sinks hold now.
pub(crate) fn tokens(sinks: &[Sink]) -> Vec<String> {
    sinks.iter().map(Sink::token).collect()
}
