//! What a container shows of the login that lies in it: the path, the owner, the CLI.

use std::path::{Path, PathBuf};

use crate::app::refresh::cli::container_engine::{Client, Refusal};
use crate::app::refresh::credentials_file::Place;
use crate::domain::config::settings::Settings;
use crate::domain::container::Container;
use crate::domain::hints::engines;
use crate::domain::outcome::Outcome;
use crate::os::fs::dir::Folder;
use crate::os::process::executables;

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

/// Asks the engine for the container.
pub(crate) fn inspect(
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

/// Says what helps if it does not run.
pub(crate) fn check_running(
    client: &Client,
    container: &Container,
    name: &str,
) -> Result<(), Outcome> {
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
        hint: Some(client.typed(engines::on_container(client.name(), verb, name))),
    })
}

/// There is no such container.
pub(crate) fn missing(client: &Client, name: &str) -> Outcome {
    Outcome::Unable {
        cause: format!("there is no container '{name}', which CLAUDE_CONTAINER names"),
        hint: Some(client.typed(engines::list(client.name()))),
    }
}

/// There is no CLI in it.
pub(crate) fn without_claude(client: &Client, name: &str) -> Outcome {
    Outcome::Unable {
        cause: format!(
            "there is no 'claude' in container '{name}', and REFRESH=\"api\" needs none"
        ),
        hint: Some(client.typed(engines::install_claude(client.name(), name))),
    }
}

/// Where the container sees the credentials: by its mounts, else where its own user would have them.
pub(crate) fn path_inside(
    client: &Client,
    container: &Container,
    file: &Place,
    name: &str,
) -> Result<PathBuf, Outcome> {
    let real = executables::real_path(&file.folder.identity, &file.folder.path);
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
pub(crate) fn owner_inside(client: &Client, inside: &Path, name: &str) -> Result<String, Outcome> {
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
        hint: Some("mount the directory, not the file, into the container".into()),
    }
}

/// What runs `claude` for that user, and the CLI's configuration folder there.
///
/// Without a shell in the container the call itself has to show whether there is a `claude`.
pub(crate) fn probe(
    client: &Client,
    user: &str,
    name: &str,
) -> Result<(String, Option<PathBuf>), Outcome> {
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
