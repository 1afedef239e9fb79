//! A container that Quadlet makes a user's unit of: it is looked at, and run in, by that user's Podman.

use std::path::Path;

use crate::app::gateway::backend::systemd::unit_environment::Text;
use crate::app::gateway::container_engine::Engine;
use crate::app::gateway::job::Work;
use crate::app::gateway::verify::{self, Expected};
use crate::domain::gateway::Ending;
use crate::domain::gateway::container::Container;
use crate::domain::unit_text;
use crate::os::process::proc_list::Moment;

/// The name of the container that the texts of a `.container` file make of a unit
/// (podman-systemd.unit(5)).
pub(crate) fn container_name(texts: &[Text], unit: &str) -> Option<String> {
    let stem = unit.strip_suffix(".service").filter(|_| !texts.is_empty())?;
    let mut all = texts.iter().flat_map(|(_, text)| unit_text::assignments(text, "Container"));
    let named = all.rfind(|(key, _)| key == "ContainerName");
    let name = named.map(|(_, name)| name).filter(|name| !name.is_empty());
    let name = name.map_or_else(|| format!("systemd-{stem}"), |name| name.replace("%N", stem));
    // It becomes a word of a command.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    (begins && name.chars().all(is_plain)).then_some(name)
}

/// The container of this name, as the owner's Podman shows it; `None` if there is none.
pub(crate) fn find(work: &Work<'_>, name: &str) -> Option<Container> {
    let state = work.openclaw.folder()?;
    let engine = Engine::podman(state);
    engine.inspect(&[name]).ok()?.into_iter().next()
}

/// Says whether the new container was shown to use the new token; `None` if there is no such container.
pub(crate) fn proven(
    work: &mut Work<'_>,
    name: &str,
    restart: &Moment,
) -> Result<Option<bool>, Ending> {
    let Some(container) = find(work, name) else { return Ok(None) };
    let expected = Expected::of(work)?;
    let is_new = container.started.is_some_and(|start| start >= restart.wall);
    if !container.running || !is_new || expected.is_later_than(restart.wall) {
        return Ok(Some(false));
    }
    let (key, file) = (&work.settings.env_key, work.env_file.as_deref().unwrap_or(Path::new("")));
    let shown = file.display();
    match (&expected, container.variable(key)) {
        (Expected::Start(_), _) | (Expected::StateFile(_), None) => {}
        (_, Some(token)) if Some(work.ground.fingerprinter.of(token)) == work.passed_on() => {}
        (_, Some(_)) => {
            let why =
                format!("the container {name} was started with another {key} than '{shown}' has");
            return Err(Ending::Failed(why, None));
        }
        (Expected::Environment(_), None) => {
            let why =
                format!("the container {name} was started without {key}: nothing reads '{shown}'");
            return Err(Ending::Failed(why, None));
        }
    }
    verify::environment_counts_for(work, &expected).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_the_name_that_its_file_says() {
        let name = |text: &str| {
            container_name(&[("/c".into(), text.to_owned())], "openclaw.service")
                .unwrap_or_default()
        };
        assert_eq!(name("[Container]\nImage=x\nContainerName=openclaw\n"), "openclaw");
        assert_eq!(name("[Container]\nContainerName=a\nContainerName=b-%N\n"), "b-openclaw");
        assert_eq!(name("[Container]\nImage=x\n"), "systemd-openclaw");
        for odd in ["--all", "a b", "a/b", "a;b"] {
            assert_eq!(name(&format!("ContainerName={odd}")), "", "{odd}");
        }
        assert_eq!(container_name(&[], "openclaw.service"), None);
    }
}
