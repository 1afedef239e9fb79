//! Shows and sets the models of Anthropic's in openclaw.json.

use std::path::PathBuf;

use serde_json::Value;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::gateway;
use crate::app::openclaw::{self, CONFIGURATIONS, ConfigFile, SIZE_LIMIT, Variables};
use crate::domain::config::settings::Settings;
use crate::domain::models::{self, Edit, Models, Wish};
use crate::os;
use crate::os::fs::atomic_write::Replacement;
use crate::os::fs::dir::{Folder, Seen};
use crate::os::fs::replacement;

/// What one OpenClaw's configuration says, and what became of the wish.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The link's name.
    pub(crate) link: String,
    /// The configuration file.
    pub(crate) path: PathBuf,
    /// What it says now.
    pub(crate) models: Models,
    /// The files that were changed, or would be.
    pub(crate) changed: Vec<PathBuf>,
    /// What OpenClaw says about the new text; nothing where it could not be asked.
    pub(crate) valid: Option<Result<(), String>>,
}

/// Shows the models of each link's OpenClaw, or sets them where that is to be applied.
pub(crate) fn all(
    places: &Places,
    only: Option<&str>,
    wish: &Wish,
    apply: bool,
) -> Result<Vec<Shown>, Error> {
    let links = context::links(&places.config_dir, only)?;
    let ground = if apply { Ground::open(places)? } else { Ground::look(places)? };
    let with_state = links.iter().filter(|settings| settings.openclaw_state_dir.is_some());
    with_state.map(|settings| one(&ground, settings, wish, apply)).collect()
}

fn one(ground: &Ground, settings: &Settings, wish: &Wish, apply: bool) -> Result<Shown, Error> {
    let now = Configuration::load(settings)?;
    let edits = models::edits(&now.value, wish);
    let parts = now.parts(&edits);
    let mut shown = Shown {
        link: settings.name.clone(),
        models: models::read(&now.value),
        path: now.file.path.clone(),
        changed: Vec::new(),
        valid: None,
    };
    if edits.is_empty() || !apply {
        match parts {
            Ok(parts) => shown.changed = parts.into_iter().map(|part| part.path).collect(),
            Err(error) => log::warn!("{}: {error}", settings.name),
        }
        return Ok(shown);
    }
    let parts = parts?;
    write(parts.iter().map(|part| (part, part.new.as_bytes(), &part.old)))?;
    shown.valid = validate(ground, settings);
    if matches!(shown.valid, Some(Err(_))) {
        // It was well before: what OpenClaw does not take must not stay.
        take_back(&parts)?;
        return Ok(shown);
    }
    shown.changed = parts.into_iter().map(|part| part.path).collect();
    shown.models = models::read(&Configuration::load(settings)?.value);
    Ok(shown)
}

/// A configuration as it stands.
struct Configuration {
    state: Folder,
    variables: Variables,
    file: ConfigFile,
    /// What it says, with all that it includes.
    value: Value,
}

/// A file of a configuration, with the text that it is to have.
struct Part {
    /// Its path, as OpenClaw names it.
    path: PathBuf,
    /// Where it is, links followed.
    folder: Folder,
    name: String,
    old: Seen,
    new: String,
}

impl Configuration {
    fn load(settings: &Settings) -> Result<Self, Error> {
        let state = Folder::reach(&settings.openclaw_state_dir.clone().unwrap_or_default())?;
        let variables = Variables::find(settings, &state);
        let Some((file, value)) = openclaw::load(&state, &variables) else {
            let path = state.path.join(CONFIGURATIONS[0]);
            let what = "it is not there: OpenClaw was never set up";
            return Err(os::error::Error::odd("read", &path, what).into());
        };
        let value = value.map_err(|why| os::error::Error::odd("read", &file.path, why))?;
        Ok(Self { state, variables, file, value })
    }

    /// The files that have to be written for the changes; refuses what is made up of several.
    fn parts(&self, edits: &[Edit]) -> Result<Vec<Part>, Error> {
        let mut holders: Vec<(Option<usize>, Vec<&Edit>)> = Vec::new();
        for edit in edits {
            let holder = models::holder(edit, &self.file.included);
            let holder = holder.map_err(|files| self.shared(edit, &files))?;
            match holders.iter_mut().find(|(known, _)| *known == holder) {
                Some((_, all)) => all.push(edit),
                None => holders.push((holder, vec![edit])),
            }
        }
        let parts = holders.into_iter().map(|(holder, edits)| self.part(holder, &edits));
        parts.filter_map(Result::transpose).collect()
    }

    fn shared(&self, edit: &Edit, files: &[usize]) -> Error {
        let names = files.iter().map(|at| format!("'{}'", self.file.included[*at].path.display()));
        let names = names.collect::<Vec<_>>().join(", ");
        let what =
            format!("{} comes from {names}: it has to be set there by hand", edit.path.join("."));
        os::error::Error::odd("edit", &self.file.path, what).into()
    }

    fn part(&self, holder: Option<usize>, edits: &[&Edit]) -> Result<Option<Part>, Error> {
        let included = holder.map(|at| &self.file.included[at]);
        let path = included.map_or(&self.file.path, |included| &included.path);
        let odd = |what: String| Error::from(os::error::Error::odd("edit", path, what));
        let place = self.variables.on_host(path).unwrap_or_else(|| path.clone());
        let (Some(above), Some(name)) =
            (place.parent(), place.file_name().and_then(|name| name.to_str()))
        else {
            return Err(odd("it is no file".to_owned()));
        };
        let (folder, name) = Folder::reach(above)?.follow(name)?;
        if folder.identity.uid != self.state.identity.uid {
            return Err(odd("it belongs to another user than the state directory".to_owned()));
        }
        let old =
            folder.read(&name, SIZE_LIMIT)?.ok_or_else(|| odd("it is not there".to_owned()))?;
        let text = std::str::from_utf8(&old.bytes);
        let text = text.map_err(|_| odd("it is not UTF-8 text".to_owned()))?;
        let depth = included.map_or(0, |included| included.at.len());
        let new = models::apply(text, edits, depth).map_err(|fault| odd(fault.to_string()))?;
        Ok(new.map(|new| Part { path: path.clone(), folder, name, old, new }))
    }
}

fn write<'p>(texts: impl Iterator<Item = (&'p Part, &'p [u8], &'p Seen)>) -> Result<(), Error> {
    let parts = texts.map(|(part, bytes, old)| Replacement {
        folder: &part.folder,
        name: &part.name,
        bytes,
        old: Some(old),
    });
    let written = replacement::replace_all(parts, None, || {});
    written.into_iter().collect::<Result<(), _>>().map_err(Error::from)
}

/// Puts the old texts back where ours still stand.
fn take_back(parts: &[Part]) -> Result<(), Error> {
    for part in parts {
        let now = part.folder.read(&part.name, SIZE_LIMIT)?;
        if let Some(now) = now.filter(|now| now.bytes == part.new.as_bytes()) {
            write(std::iter::once((part, part.old.bytes.as_slice(), &now)))?;
        }
    }
    Ok(())
}

/// Asks OpenClaw about its configuration; `None` where it cannot be asked, or does not know how.
fn validate(ground: &Ground, settings: &Settings) -> Option<Result<(), String>> {
    let said = gateway::ask(ground, settings, &["config", "validate", "--json"]).ok()?;
    let root: Value = serde_json::from_slice(said.get(said.find('{')?..)?.as_bytes()).ok()?;
    if root.get("valid")?.as_bool()? {
        Some(Ok(()))
    } else {
        Some(Err(root.get("issues").map(ToString::to_string).unwrap_or_default()))
    }
}
