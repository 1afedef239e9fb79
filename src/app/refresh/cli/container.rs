//! The Claude CLI in a container: `docker exec -u USER [-e …] CONTAINER claude -p "say ok"`.
//!
//! The call is the plain one, without a shell around it. A shell is asked for two things besides:
//! where `claude` is, and, should the call have to be ended, which processes it is. The engine leaves
//! those running when its own command ends, so each call carries a mark in its environment.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use crate::app::refresh::cli::container_engine::{Client, Refusal};
use crate::app::refresh::cli::container_probe::{
    check_running, inspect, missing, owner_inside, path_inside, probe, without_claude,
};
use crate::app::refresh::credentials_file::Place;
use crate::domain::claude_cli::{
    BASE_URL, BASE_URL_VARIABLE, EMPTIED, GIVEN, PROMPT, is_other, names_base_url,
};
use crate::domain::config::settings::{Override, Settings};
use crate::domain::container::Container;
use crate::domain::outcome::Outcome;
use crate::os::clock;
use crate::os::fs::dir::Folder;
use crate::os::process::command::{Call, Ended};

/// Sends the signal $2 to every process whose environment has the mark $1.
const END: &str = r#"
for p in /proc/[0-9]*; do
    if grep -q "OAUTH_SYNC_RUN=$1" "$p/environ" 2>/dev/null; then kill -"$2" "${p#/proc/}"; fi
done
exit 0
"#;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Carries a call's mark.
const MARK: &str = "OAUTH_SYNC_RUN";

/// A CLI in a container, ready to be called.
#[derive(Debug)]
pub(crate) struct Contained {
    client: Client,
    container: String,
    /// The owner of the credentials, as the container counts users.
    user: String,
    claude: String,
    environment: Vec<(String, String)>,
    mark: String,
}

impl Contained {
    /// Finds the container, the user and the CLI in it.
    pub(crate) fn find(
        settings: &Settings,
        file: &Place,
        name: &str,
        place: &Folder,
    ) -> Result<Self, Outcome> {
        let (client, container) = inspect(settings, name, place)?;
        check_running(&client, &container, name)?;
        let inside = path_inside(&client, &container, file, name)?;
        let user = owner_inside(&client, &inside, name)?;
        let (claude, config) = probe(&client, &user, name)?;
        // Two calls of this process may begin within one millisecond.
        let count = CALLS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{}-{count}", std::process::id(), clock::now().0);
        let mut environment: Vec<(String, String)> = EMPTIED
            .into_iter()
            .map(|name| (name, ""))
            .chain(GIVEN)
            .chain([(MARK, mark.as_str())])
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let wanted = inside.parent().unwrap_or(Path::new("/"));
        if config.as_deref().is_some_and(|config| config != wanted) {
            environment.push(("CLAUDE_CONFIG_DIR".to_owned(), wanted.display().to_string()));
        }
        if overrides(settings.base_url_override, &container, file) {
            environment.push((BASE_URL_VARIABLE.to_owned(), BASE_URL.to_owned()));
        }
        let container = name.to_owned();
        Ok(Self { client, container, user, claude, environment, mark })
    }

    /// The call itself.
    pub(crate) fn call(&self) -> Call<'_> {
        self.with_words(&[], &PROMPT, |words| self.client.call(words))
    }

    /// A call with other arguments, at this terminal.
    pub(crate) fn call_at_terminal(&self, arguments: &[&str]) -> Call<'_> {
        self.with_words(&["-it"], arguments, |words| self.client.call_here(words))
    }

    fn with_words<'a>(
        &'a self,
        engine: &[&str],
        arguments: &[&str],
        call: impl FnOnce(&[&str]) -> Call<'a>,
    ) -> Call<'a> {
        let variables: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut words = vec!["exec"];
        words.extend(engine);
        words.extend(["-u", &self.user]);
        words.extend(variables.iter().flat_map(|variable| ["-e", variable]));
        words.extend([self.container.as_str(), &self.claude]);
        words.extend(arguments);
        call(&words)
    }

    /// Sends a signal to the CLI in the container and to all that it started there.
    pub(crate) fn signal(&self, signal: Signal) {
        let signal = if signal == Signal::KILL { "KILL" } else { "TERM" };
        let words =
            ["exec", "-u", &self.user, &self.container, "sh", "-c", END, "sh", &self.mark, signal];
        if self.client.ask(&words).is_err() {
            log::warn!("cannot end the Claude CLI in container '{}'", self.container);
        }
    }

    /// What the engine itself had against the call; `None` if it was the CLI that ended so.
    pub(crate) fn explain(&self, ended: &Ended) -> Option<Outcome> {
        // The engine's own failures: 125, or what a shell says of a program that it cannot run.
        if !matches!(ended.status.code(), Some(125..=127)) {
            return None;
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        if said.contains("executable file not found") || said.contains("no such file or directory")
        {
            return Some(without_claude(&self.client, &self.container));
        }
        match self.client.refusal(ended) {
            Refusal::Missing => Some(missing(&self.client, &self.container)),
            Refusal::Other(outcome) => Some(outcome),
        }
    }
}

fn overrides(wanted: Override, container: &Container, file: &Place) -> bool {
    let settings = || file.folder.read("settings.json", 1 << 20).ok().flatten();
    let in_settings =
        || settings().is_some_and(|seen| names_base_url(&String::from_utf8_lossy(&seen.bytes)));
    match wanted {
        Override::Yes => true,
        Override::No => false,
        Override::Auto => {
            container.variable(BASE_URL_VARIABLE).is_some_and(is_other) || in_settings()
        }
    }
}
