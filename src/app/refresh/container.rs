//! The Claude CLI in a container: `docker exec -u USER [-e …] CONTAINER claude -p "say ok"`.
//!
//! The call is the plain one, without a shell around it. A shell is asked for two things besides:
//! where `claude` is, and, should the call have to be ended, which processes it is. The engine leaves
//! those running when its own command ends, so each call carries a mark in its environment.

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::app::refresh::engine::{Client, Refusal};
use crate::app::refresh::place::Place;
use crate::domain::claude_cli::{
    BASE_URL, BASE_URL_VARIABLE, EMPTIED, GIVEN, PROMPT, is_other, names_base_url,
};
use crate::domain::config::settings::{Override, Settings};
use crate::domain::container::Container;
use crate::domain::outcome::Outcome;
use crate::os::command::{Call, Ended};
use crate::os::folder::Folder;
use crate::os::{clock, program};

/// Prints what runs `claude` and the CLI's configuration folder, for the calling user.
const PROBE: &str = r#"
claude=
if command -v claude >/dev/null; then
    claude=claude
else
    for p in "$HOME/.local/bin" "$HOME/.claude/local" "$HOME/.npm-global/bin" /usr/local/bin; do
        if [ -x "$p/claude" ]; then claude=$p/claude; break; fi
    done
fi
printf '%s\n' "$claude" "${CLAUDE_CONFIG_DIR:-$HOME/.claude}"
"#;

/// Sends the signal $2 to every process whose environment has the mark $1.
const END: &str = r#"
for p in /proc/[0-9]*; do
    if grep -q "OAUTH_SYNC_RUN=$1" "$p/environ" 2>/dev/null; then kill -"$2" "${p#/proc/}"; fi
done
exit 0
"#;

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
    pub(super) fn find(
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
        let mark = format!("{}-{}", std::process::id(), clock::now().0);
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
    pub(super) fn call(&self) -> Call<'_> {
        self.call_with(&[], &PROMPT)
    }

    /// A call with other arguments, the engine's own before it.
    pub(super) fn call_with(&self, engine: &[&str], arguments: &[&str]) -> Call<'_> {
        let variables: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut words = vec!["exec"];
        words.extend(engine);
        words.extend(["-u", &self.user]);
        words.extend(variables.iter().flat_map(|variable| ["-e", variable]));
        words.extend([self.container.as_str(), &self.claude]);
        words.extend(arguments);
        self.client.call(&words)
    }

    /// Sends a signal to the CLI in the container and to all that it started there.
    pub(super) fn signal(&self, signal: Signal) {
        let signal = if signal == Signal::KILL { "KILL" } else { "TERM" };
        let words =
            ["exec", "-u", &self.user, &self.container, "sh", "-c", END, "sh", &self.mark, signal];
        if self.client.ask(&words).is_err() {
            log::warn!("cannot end the Claude CLI in container '{}'", self.container);
        }
    }

    /// What the engine itself had against the call; `None` if it was the CLI that ended so.
    pub(super) fn explain(&self, ended: &Ended) -> Option<Outcome> {
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

fn inspect(
    settings: &Settings,
    name: &str,
    place: &Folder,
) -> Result<(Client, Container), Outcome> {
    let clients =
        Client::all(settings, place).map_err(|error| Outcome::unable(error.to_string()))?;
    let mut refused = None;
    for client in clients {
        match client.ask(&["inspect", "--type", "container", name]) {
            Ok(ended) => {
                let cause = || Outcome::unable(format!("{} gave no answer to read", client.name()));
                let container = Container::parse(&ended.stdout).ok_or_else(cause)?;
                return Ok((client, container));
            }
            Err(Refusal::Missing) => refused = refused.or(Some(missing(&client, name))),
            Err(Refusal::Other(outcome)) => refused = Some(outcome),
        }
    }
    Err(refused.unwrap_or_else(|| Outcome::unable("there is no way to the engine")))
}

fn check_running(client: &Client, container: &Container, name: &str) -> Result<(), Outcome> {
    let engine = client.name();
    let verb = match container.status.as_str() {
        "running" => return Ok(()),
        "restarting" | "removing" => {
            return Err(Outcome::deferred(format!("container '{name}' is {}", container.status)));
        }
        "paused" => "unpause",
        _ => "start",
    };
    Err(Outcome::Unable {
        cause: format!("container '{name}' is not running but {}", container.status),
        hint: Some(format!("{engine} {verb} {name}")),
    })
}

fn missing(client: &Client, name: &str) -> Outcome {
    Outcome::Unable {
        cause: format!("there is no container '{name}'"),
        hint: Some(format!("{} ps --all, then set CLAUDE_CONTAINER", client.name())),
    }
}

fn without_claude(client: &Client, name: &str) -> Outcome {
    Outcome::Unable {
        cause: format!("there is no 'claude' in container '{name}'"),
        hint: Some(format!(
            "{} exec {name} npm install -g @anthropic-ai/claude-code, or set REFRESH=\"api\"",
            client.name()
        )),
    }
}

/// Where the container sees the credentials: by its mounts, else where its own user would have them.
fn path_inside(
    client: &Client,
    container: &Container,
    file: &Place,
    name: &str,
) -> Result<PathBuf, Outcome> {
    let real = program::real_path(&file.folder.identity, &file.folder.path);
    let real = real.map(|folder| folder.join(&file.name));
    let found = container.inside(&file.path).or_else(|| container.inside(&real?));
    if let Some(inside) = found {
        if inside.writable {
            return Ok(inside.path);
        }
        let cause =
            format!("'{}' is mounted read-only in container '{name}'", file.folder.path.display());
        return Err(Outcome::unable(cause));
    }
    let asked = client
        .ask(&["exec", name, "sh", "-c", PROBE])
        .map_err(|refusal| other(client, name, refusal))?;
    let (_, config) = probed(&asked.stdout);
    let config = config.ok_or_else(|| unseen(file.path.display(), name))?;
    Ok(config.join(&file.name))
}

/// The numeric owner of the credentials as the container sees it; uids may be mapped.
fn owner_inside(client: &Client, inside: &Path, name: &str) -> Result<String, Outcome> {
    let owner = |path: &Path| {
        let path = path.display().to_string();
        let asked = client.ask(&["exec", "-u", "0", name, "stat", "-L", "-c", "%u", &path]);
        let uid = String::from_utf8(asked.ok()?.stdout).ok()?;
        uid.trim().parse::<u32>().ok()
    };
    // Before the first sign-in there is only the folder.
    let uid = owner(inside).or_else(|| owner(inside.parent()?));
    uid.map(|uid| uid.to_string()).ok_or_else(|| unseen(inside.display(), name))
}

fn unseen(path: impl std::fmt::Display, name: &str) -> Outcome {
    Outcome::Unable {
        cause: format!("container '{name}' does not see the login at '{path}'"),
        hint: Some("mount the folder, not the file, into the container".to_owned()),
    }
}

/// What runs `claude` for that user, and the CLI's configuration folder there.
///
/// Without a shell in the container the call itself has to show whether there is a `claude`.
fn probe(client: &Client, user: &str, name: &str) -> Result<(String, Option<PathBuf>), Outcome> {
    match client.ask(&["exec", "-u", user, name, "sh", "-c", PROBE]) {
        Ok(asked) => match probed(&asked.stdout) {
            (Some(claude), config) => Ok((claude, config)),
            (None, _) => Err(without_claude(client, name)),
        },
        Err(Refusal::Missing) => Err(missing(client, name)),
        Err(Refusal::Other(_)) => Ok(("claude".to_owned(), None)),
    }
}

fn probed(answer: &[u8]) -> (Option<String>, Option<PathBuf>) {
    let answer = String::from_utf8_lossy(answer);
    let mut lines =
        answer.lines().map(|line| Some(line.to_owned()).filter(|line| !line.is_empty()));
    let (claude, config) = (lines.next().flatten(), lines.next().flatten());
    (claude, config.map(PathBuf::from))
}

fn other(client: &Client, name: &str, refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Missing => missing(client, name),
        Refusal::Other(outcome) => outcome,
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
