//! Proves that a unit's process uses the new token: by the environment that it was started with, and
//! where nobody may read that, by what its unit sets.

use std::path::{Path, PathBuf};

use crate::app::gateway::proof::Expected;
use crate::app::gateway::round;
use crate::app::gateway::work::Work;
use crate::app::sinks::env::name_env_file;
use crate::domain::config::words;
use crate::domain::envfile;
use crate::domain::gateway::Ending;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::folder::Folder;

/// The most that is read of an environment, of a unit or of its files, in bytes.
const LIMIT: u64 = 1 << 20;

/// What a unit sets for its process.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// The assignments that stand in the unit itself.
    pub(super) assignments: Vec<String>,
    /// The files that it is read from; `-` before a name is taken away.
    pub(super) files: Vec<PathBuf>,
}

impl Environment {
    /// Reads what `systemctl show` says.
    pub(super) fn shown(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            if let Some(words) = line.strip_prefix("Environment=") {
                found.assignments.extend(words::split(words).unwrap_or_default());
            } else if let Some(file) = line.strip_prefix("EnvironmentFiles=") {
                let file = file.rsplit_once(" (ignore_errors=").map_or(file, |(file, _)| file);
                found.files.push(file.into());
            }
        }
        found
    }

    /// Adds what the text of a unit says; `home` stands for `%h`.
    pub(super) fn add_unit(&mut self, text: &str, home: &Path) {
        for line in text.lines().map(str::trim) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.replace("%h", &home.to_string_lossy());
            let values = words::split(value.trim_start_matches('-')).unwrap_or_default();
            match key {
                "Environment" => self.assignments.extend(values),
                "EnvironmentFile" => self.files.extend(values.into_iter().map(PathBuf::from)),
                _ => {}
            }
        }
    }
}

/// Refuses a restart after which the process would still have the old token: its own unit sets the
/// variable, which beats the `.env` that OpenClaw reads by itself.
pub(super) fn in_the_way(work: &Work<'_>, unit: &str, set: &Environment) -> Result<(), Ending> {
    let sinks = &work.pending().sinks;
    let (Some(ours), true) = (work.env_file.as_deref(), sinks.contains(&SinkKind::Env)) else {
        return Ok(());
    };
    let key = &work.settings.env_key;
    let is_ours = |value: &str| {
        let token = crate::domain::secret::Secret::new(value);
        work.passed_on() == Some(work.ground.fingerprinter.of(&token))
    };
    for file in set.files.iter().filter(|file| file.as_path() != ours) {
        let Some(value) = value_in(work, file, key) else { continue };
        if !is_ours(&value) {
            let (shown, ours) = (file.display(), ours.display());
            let why = format!(
                "{unit} sets {key} from '{shown}', which beats '{ours}': the gateway would keep the old token"
            );
            let link = &work.settings.name;
            let hint = name_env_file(link, round::user(work.settings), file);
            let sync = Hint::new("oauth-sync sync --link").arg(link);
            return Err(Ending::Failed(why, Some(hint.and(sync))));
        }
    }
    let inline = set.assignments.iter().filter_map(|word| word.split_once('='));
    let mut inline = inline.filter(|(name, _)| name == key).map(|(_, value)| value);
    if inline.next_back().is_some_and(|value| !is_ours(value)) {
        let why = format!(
            "{unit} sets {key} by Environment=, which beats '{}': the gateway would keep the old token",
            ours.display()
        );
        return Err(Ending::Failed(why, None));
    }
    Ok(())
}

fn value_in(work: &Work<'_>, file: &Path, key: &str) -> Option<String> {
    let state = work.openclaw.folder()?;
    let followed = state.read_through(file, LIMIT).ok()??;
    let text = String::from_utf8_lossy(&followed.seen.bytes).into_owned();
    envfile::get(text.as_bytes(), key)
        .map(|value| value.expose().to_owned())
        .filter(|v| !v.is_empty())
}

/// Says whether the new process was shown to use the new token; `false` where nobody can tell.
pub(super) fn proven(work: &Work<'_>, pid: &str, set: &Environment) -> Result<bool, Ending> {
    let expected = Expected::of(work)?;
    if matches!(expected, Expected::Start(_)) {
        return Ok(true);
    }
    let is_read_by_openclaw = matches!(expected, Expected::StateFile(_));
    let (key, file) = (&work.settings.env_key, work.env_file.as_deref().unwrap_or(Path::new("")));
    let is_read_by_unit = set.files.iter().any(|other| other == file);
    let shown = file.display();
    let Some(environment) = environment_of(pid) else {
        return Ok(is_read_by_openclaw || is_read_by_unit);
    };
    let prefix = format!("{key}=");
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| std::str::from_utf8(entry).ok()?.strip_prefix(&prefix));
    let token = value.map(crate::domain::secret::Secret::new);
    match token {
        Some(token) if Some(work.ground.fingerprinter.of(&token)) == work.passed_on() => Ok(true),
        Some(_) => {
            let why = format!("the new process was started with another {key} than '{shown}' has");
            Err(Ending::Failed(why, None))
        }
        // OpenClaw takes it from the file when it starts.
        None if is_read_by_openclaw => Ok(true),
        None => {
            let why = format!("the new process was started without {key}: nothing reads '{shown}'");
            Err(Ending::Failed(why, None))
        }
    }
}

/// The environment of a process, read with the rights of its owner; `None` if they do not suffice.
fn environment_of(pid: &str) -> Option<Vec<u8>> {
    let number: u32 = pid.parse().ok().filter(|pid| *pid > 0)?;
    let folder = Folder::reach(&Path::new("/proc").join(number.to_string())).ok()?;
    let seen = folder.read("environ", LIMIT).ok()??;
    (!seen.bytes.is_empty()).then_some(seen.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_shows_and_what_a_unit_says() {
        let mut set = Environment::shown(
            "MainPID=1\nEnvironment=A=1 \"B=x y\"\nEnvironmentFiles=/a/b.env (ignore_errors=yes)\n",
        );
        assert_eq!(set.assignments, ["A=1", "B=x y"]);
        let text =
            "[Service]\nEnvironmentFile=-%h/.openclaw/gateway.systemd.env\nEnvironment=C=3\n";
        set.add_unit(text, Path::new("/home/u"));
        let files = ["/a/b.env", "/home/u/.openclaw/gateway.systemd.env"];
        assert_eq!(set.files, files.map(PathBuf::from));
        assert_eq!(set.assignments[2], "C=3");
    }
}
