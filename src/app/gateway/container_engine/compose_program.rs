//! Compose, as the engine's plugin or a program of its own.

use crate::app::gateway::container_engine::{ASK, Engine, RECREATE};
use crate::app::gateway::exec_context::text;
use crate::domain::gateway::container::Project;
use crate::domain::gateway::{Ending, masking};
use crate::domain::hints::host;
use crate::os::process::command::Ended;

/// A way to call compose.
#[derive(Clone, Debug)]
pub(crate) struct Compose {
    words: Vec<String>,
    /// Version 1 knows no `--pull` for `up`, nor does podman-compose.
    has_pull: bool,
    /// podman-compose takes the working folder for the project's, and knows neither
    /// `--project-directory` nor `--profile '*'` nor `config --images` (1.0.3 and 1.3.0).
    pub(in crate::app::gateway) is_podmans: bool,
}

impl Engine<'_> {
    /// Finds compose: the engine's own plugin, or the program of that name.
    pub(crate) fn compose(&self) -> Result<Compose, Ending> {
        let is_podman = self.program == "podman";
        let (stand_alone, package) = if is_podman {
            ("podman-compose", "podman-compose")
        } else {
            ("docker-compose", "docker-compose-v2")
        };
        let said = |argv: &[&str]| {
            let ended = self.feed(argv, Vec::new(), ASK).ok().filter(Ended::is_success)?;
            Some(text(&ended.stdout))
        };
        if said(&[self.program, "compose", "version", "--short"]).is_some() {
            let words = vec![self.program.to_owned(), "compose".to_owned()];
            return Ok(Compose { words, has_pull: !is_podman, is_podmans: is_podman });
        }
        // podman-compose 1.0.3 knows no `--short`.
        if let Some(version) = said(&[stand_alone, "version"]) {
            let first = version.lines().next().unwrap_or_default();
            let has_pull = !is_podman && !first.contains("version 1.");
            let words = vec![stand_alone.to_owned()];
            return Ok(Compose { words, has_pull, is_podmans: is_podman });
        }
        let hint = host::install_package(package);
        let why = format!("neither '{} compose' nor {stand_alone} can be run", self.program);
        Err(Ending::Deferred(why, Some(hint)))
    }

    /// Runs compose on a project; what it says if it fails.
    pub(crate) fn run_compose(
        &self,
        compose: &Compose,
        project: &Project,
        words: &[&str],
    ) -> Result<String, String> {
        let folder = ["--project-directory", &project.folder];
        let argv: Vec<&str> = compose
            .words
            .iter()
            .map(String::as_str)
            .chain(["--project-name", &project.name])
            .chain(folder.into_iter().filter(|_| !compose.is_podmans))
            .chain(project.files.iter().flat_map(|file| ["-f", file]))
            .chain(project.env_files.iter().flat_map(|file| ["--env-file", file]))
            .chain(words.iter().copied())
            .collect();
        let ended = self.feed(&argv, Vec::new(), RECREATE).map_err(|error| error.to_string())?;
        let said = masking::mask(&text(&ended.stderr), &[]);
        match ended.is_success() {
            true => Ok(text(&ended.stdout)),
            false if ended.overdue => Err("it took too long and was ended".to_owned()),
            false if said.trim().is_empty() => Err(format!("{}, and printed nothing", ended.how())),
            false => Err(masking::tail(&said, 3)),
        }
    }

    /// The names of the images that services of a project come up with; what compose says if it cannot
    /// tell.
    pub(crate) fn images(
        &self,
        compose: &Compose,
        project: &Project,
        services: &[&str],
    ) -> Result<Vec<String>, String> {
        let said = if compose.is_podmans {
            let label = format!("label=com.docker.compose.project={}", project.name);
            let said = self.ask(&["ps", "--filter", &label, "--format", "{{.Image}}"]);
            said.map_err(|ending| ending.why().unwrap_or_default().to_owned())?
        } else {
            let words = [&["--profile", "*", "config", "--images"], services].concat();
            self.run_compose(compose, project, &words)?
        };
        Ok(said.split_whitespace().map(str::to_owned).collect())
    }

    /// The words of `down`, which has to find services of all profiles.
    pub(crate) fn down(compose: &Compose) -> &'static [&'static str] {
        if compose.is_podmans { &["down"] } else { &["--profile", "*", "down"] }
    }

    /// The words of `up` that recreate one service and nothing else.
    pub(crate) fn up(compose: &Compose, service: &str) -> Vec<String> {
        let mut words = vec!["up", "-d", "--no-deps", "--no-build"];
        if compose.has_pull {
            words.extend(["--pull", "never"]);
        }
        words.extend(["--force-recreate", service]);
        words.into_iter().map(str::to_owned).collect()
    }
}
