//! The container engine, run as the owner of the compose folder, or as who has the container.

pub(crate) mod compose_program;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::app::gateway::backend::compose::project_files;
use crate::app::gateway::exec_context::{Place, text};
use crate::domain::compose_file;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::{Container, Project, poses_as_composed};
use crate::domain::gateway::masking;
use crate::domain::hints::{engines, files, host};
use crate::domain::order;
use crate::domain::shell::Hint;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::Ended;
use crate::os::process::systemd_run;
use crate::os::user::account;

/// The longest that a question to the engine may take.
const ASK: Duration = Duration::from_secs(60);

/// The longest that a recreate may take: stopping alone may be allowed minutes.
const RECREATE: Duration = Duration::from_secs(15 * 60);

/// An engine, as far as one compose project goes.
pub(crate) struct Engine<'a> {
    place: Place<'a>,
    program: &'static str,
}

/// Containers with a label of compose's.
#[derive(Debug, Default)]
pub(crate) struct Composed {
    /// Those to which compose has given it.
    pub(crate) found: Vec<Container>,
    /// The names of those whose image, which anybody may have built, claims to be of a project.
    posing: Vec<String>,
}

impl Composed {
    /// Why there may be none.
    pub(crate) fn note(&self) -> String {
        let Some(name) = self.posing.first() else { return String::new() };
        format!(
            "; container {name} does not count, for its image has labels that compose gives only to containers"
        )
    }
}

impl<'a> Engine<'a> {
    /// The engine that a link names, with the rights of the owner of `folder`.
    pub(crate) fn of(settings: &Settings, folder: &'a Folder) -> Self {
        let program = settings.container_engine.program();
        let place = Place::new(folder, &folder.identity);
        let place = match &settings.docker_host {
            // Podman has a name of its own for it (podman(1)).
            Some(host) => place.env("DOCKER_HOST", host).env("CONTAINER_HOST", host),
            None => place,
        };
        Self { place, program }
    }

    /// The Podman of the owner of `folder`.
    pub(crate) fn podman(folder: &'a Folder) -> Self {
        Self { place: Place::new(folder, &folder.identity), program: "podman" }
    }

    /// The containers of a service, of every project.
    pub(crate) fn of_service(&self, service: &str) -> Result<Composed, Ending> {
        self.composed(&format!("label=com.docker.compose.service={service}"))
    }

    /// The names of a project's services that run now.
    pub(crate) fn running_services(&self, project: &Project) -> Result<Vec<String>, Ending> {
        let all = self.composed(&format!("label=com.docker.compose.project={}", project.name))?;
        let here = |one: &Container| one.running && one.project.folder == project.folder;
        let names = all.found.into_iter().filter(here).map(|one| one.project.service);
        let mut names: Vec<String> = names.collect();
        order::sort_and_dedup(&mut names);
        Ok(names)
    }

    fn composed(&self, label: &str) -> Result<Composed, Ending> {
        let mut composed = Composed::default();
        for container in self.containers(&["--filter", label])? {
            let labels = self.image_labels(&container.image)?.map(|(_, labels)| labels);
            if labels.is_some_and(|labels| poses_as_composed(&labels)) {
                composed.posing.push(container.name);
            } else {
                composed.found.push(container);
            }
        }
        Ok(composed)
    }

    fn containers(&self, filter: &[&str]) -> Result<Vec<Container>, Ending> {
        let ids = self.ask(&[&["ps", "-a", "-q", "--no-trunc"], filter].concat())?;
        let ids: Vec<&str> = ids.split_whitespace().collect();
        self.inspect(&ids)
    }

    /// A container that can write one of these paths, and that is not root on the host anyway.
    pub(crate) fn writer(&self, paths: &[PathBuf]) -> Result<Option<(String, PathBuf)>, Ending> {
        let all = self.containers(&[])?;
        let writes = |one: &Container| {
            let writable = one.mounts.iter().filter(|mount| mount.is_writable);
            let has = |path: &&PathBuf| writable.clone().any(|mount| path.starts_with(&mount.host));
            Some((one.name.clone(), paths.iter().find(has)?.clone()))
        };
        Ok(all.iter().filter(|one| !one.is_roots_equal).find_map(writes))
    }

    /// Looks at containers by id; one that is gone is left out.
    pub(crate) fn inspect(&self, ids: &[&str]) -> Result<Vec<Container>, Ending> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let argv = [&[self.program, "inspect", "--type", "container"], ids].concat();
        let ended = self.run(&argv, ASK)?;
        Ok(Container::read_all(&ended.stdout))
    }

    /// The container of this name; `None` if the engine has none.
    pub(crate) fn named(&self, name: &str) -> Result<Option<Container>, Ending> {
        let ended = self.run(&[self.program, "inspect", "--type", "container", name], ASK)?;
        if !ended.is_success() {
            let said = text(&ended.stderr).to_ascii_lowercase();
            let is_gone =
                ["no such container", "no such object"].iter().any(|one| said.contains(one));
            return if is_gone { Ok(None) } else { Err(self.explain(&text(&ended.stderr))) };
        }
        // The engine takes the beginning of an id for a name too.
        Ok(Container::read_all(&ended.stdout).into_iter().find(|one| one.name == name))
    }

    /// Restarts a container, with the environment that it was made with.
    pub(crate) fn restart(&self, id: &str) -> Result<(), Ending> {
        let ended = self.feed(&[self.program, "restart", id], Vec::new(), RECREATE);
        let ended = ended.map_err(|error| Ending::deferred(error.to_string()))?;
        if ended.is_success() {
            return Ok(());
        }
        let said = masking::tail(&masking::mask(&text(&ended.stderr), &[]), 2);
        Err(Ending::Failed(
            format!("{} could not restart the container: {said}", self.program),
            None,
        ))
    }

    /// The command that starts a container.
    pub(crate) fn start_command(&self, container: &str) -> Hint {
        engines::on_container(self.program, "start", container).run_by(&self.place.folder.user())
    }

    /// The id and the version of the image that a name stands for now; `None` if there is none.
    pub(crate) fn image(&self, tag: &str) -> Result<Option<(String, Option<String>)>, Ending> {
        let version = |labels: &Value| {
            Some(labels.get("org.opencontainers.image.version")?.as_str()?.to_owned())
        };
        let found = self.image_labels(tag)?;
        Ok(found.map(|(id, labels)| (id, version(&labels))))
    }

    /// The id and the labels of an image; `None` if it is not there.
    fn image_labels(&self, tag: &str) -> Result<Option<(String, Value)>, Ending> {
        // Not `index`, which fails where an image has no label at all.
        let format = "{{.Id}} {{json .Config.Labels}}";
        let ended = self.run(&[self.program, "image", "inspect", "--format", format, tag], ASK)?;
        if !ended.is_success() {
            let said = text(&ended.stderr);
            let gone = said.to_ascii_lowercase().contains("no such image")
                || said.contains("image not known");
            return if gone { Ok(None) } else { Err(self.explain(&said)) };
        }
        let said = text(&ended.stdout);
        let (id, labels) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
        Ok(Some((id.to_owned(), serde_json::from_str(labels).unwrap_or_default())))
    }

    /// The last lines that a container wrote, without its secrets.
    pub(crate) fn last_lines(&self, container: &Container) -> String {
        let argv = [self.program, "logs", "--tail", "10", &container.id];
        let Ok(ended) = self.run(&argv, ASK) else { return String::new() };
        let said = format!("{}\n{}", text(&ended.stdout), text(&ended.stderr));
        masking::tail(&masking::mask(&said, &container.secrets()), 5)
    }

    /// The command that shows all that a container wrote.
    pub(crate) fn logs_command(&self, container: &Container) -> Hint {
        let id = container.id.get(..12).unwrap_or_default();
        engines::logs(self.program, id).run_by(&self.place.folder.user())
    }

    /// The command that shows a container's mounts.
    pub(crate) fn inspect_command(&self, container: &str) -> Hint {
        engines::on_container(self.program, "inspect", container).run_by(&self.place.folder.user())
    }

    /// A call of compose as a person types it, who need not own the project.
    pub(crate) fn in_project(&self, command: Hint) -> Hint {
        let folder = self.place.folder;
        files::run_in(&folder.path, command).run_by(&folder.user())
    }

    /// A call of compose on a project: with the files that its container was made from, where compose
    /// would not find them by itself.
    pub(crate) fn call(&self, project: &Project) -> Hint {
        let folder = self.place.folder;
        let is_usual = compose_file::project_name(&folder.path) == project.name;
        let name = (!is_usual).then_some(project.name.as_str());
        let is_found = project_files::is_found(project, folder);
        let files = if is_found { &[][..] } else { &project.files[..] };
        engines::compose(self.typed(), name, files, &project.env_files)
    }

    /// Runs `openclaw` in a container, as a person types it.
    pub(crate) fn typed_exec(&self, container: &Container, call: Hint) -> Hint {
        let id = container.id.get(..12).unwrap_or_default();
        engines::inside(self.program, id, call).run_by(&self.place.folder.user())
    }

    /// Compose as a person would type it.
    pub(crate) fn typed(&self) -> &'static str {
        if self.program == "podman" { "podman-compose" } else { "docker compose" }
    }

    /// When a container died, as the engine remembers it.
    pub(crate) fn died(&self, id: &str, since_s: i64, until_s: i64) -> Option<Timestamp> {
        let (since, until) = (since_s.to_string(), until_s.to_string());
        let container = format!("container={id}");
        let is_podman = self.program == "podman";
        let event = if is_podman { "event=died" } else { "event=die" };
        let format = if is_podman { "json" } else { "{{.TimeNano}}" };
        let words = ["events", "--since", &since, "--until", &until, "--filter", &container];
        let said = self.ask(&[&words[..], &["--filter", event, "--format", format]].concat());
        let said = said.ok()?;
        let last = said.lines().next_back()?;
        if is_podman {
            let event: Value = serde_json::from_slice(last.as_bytes()).ok()?;
            return Timestamp::parse(event.get("Time")?.as_str()?);
        }
        Some(Timestamp(last.trim().parse::<i64>().ok()? / 1_000_000))
    }

    /// Runs a program in a container, with something to read.
    pub(crate) fn exec(&self, id: &str, words: &[&str], input: Vec<u8>) -> Result<Ended, Ending> {
        let argv = [&[self.program, "exec", "-i", id], words].concat();
        let ended = self.feed(&argv, input, Duration::from_secs(180));
        ended.map_err(|error| Ending::deferred(error.to_string()))
    }

    fn ask(&self, words: &[&str]) -> Result<String, Ending> {
        let ended = self.run(&[&[self.program], words].concat(), ASK)?;
        if ended.is_success() {
            Ok(text(&ended.stdout))
        } else {
            Err(self.explain(&text(&ended.stderr)))
        }
    }

    fn run(&self, argv: &[&str], limit: Duration) -> Result<Ended, Ending> {
        let ended = self.feed(argv, Vec::new(), limit);
        ended.map_err(|error| Ending::deferred(error.to_string()))
    }

    /// Runs a program, and gives it something to read.
    fn feed(&self, argv: &[&str], input: Vec<u8>, limit: Duration) -> Result<Ended, Error> {
        if systemd_run::is_needed(self.program) {
            self.place.feed_outside(argv, input, limit)
        } else {
            self.place.feed(argv, input, limit)
        }
    }

    /// Why the engine refused, and what helps.
    fn explain(&self, said: &str) -> Ending {
        let lower = said.to_ascii_lowercase();
        let why = masking::tail(&masking::mask(said, &[]), 2);
        let hint = if self.program != "docker" {
            None
        } else if lower.contains("permission denied") {
            let name = account::name(self.place.identity.uid);
            Some(host::join_docker(None, &name))
        } else if lower.contains("cannot connect") {
            Some(host::start("docker"))
        } else {
            None
        };
        Ending::Deferred(format!("{} does not answer: {why}", self.program), hint)
    }
}
