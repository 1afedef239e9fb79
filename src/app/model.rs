//! Shows and sets the models of Anthropic's in openclaw.json.

use std::path::PathBuf;

use crate::app::error::Error;
use crate::app::gateway;
use crate::app::ground::{self, Ground, Places};
use crate::app::openclaw::{CONFIGURATIONS, SIZE_LIMIT};
use crate::domain::config::settings::Settings;
use crate::domain::models::{self, Models, Wish};
use crate::domain::splice::Malformed;
use crate::os;
use crate::os::folder::{Folder, Seen};
use crate::os::stage::{self, Replacement};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Only look.
    Show,
    /// Change the bytes of the values, and no others.
    Splice,
    /// Let OpenClaw write, which loses comments.
    OpenClaw,
}

/// What one OpenClaw's configuration says, and what became of the wish.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The link's name.
    pub(crate) link: String,
    /// The configuration file.
    pub(crate) path: PathBuf,
    /// What it says now.
    pub(crate) models: Models,
    /// Whether it was changed, or would be.
    pub(crate) changed: bool,
    /// What OpenClaw says about the new text; nothing where it could not be asked.
    pub(crate) valid: Option<Result<(), String>>,
}

/// Shows, or sets, the models of each link's OpenClaw.
pub(crate) fn all(
    places: &Places,
    only: Option<&str>,
    wish: &Wish,
    way: Way,
) -> Result<Vec<Shown>, Error> {
    let links = ground::links(&places.config_dir, only)?;
    let ground = if way == Way::Show { Ground::look(places)? } else { Ground::open(places)? };
    let with_state = links.iter().filter(|settings| settings.openclaw_state_dir.is_some());
    with_state.map(|settings| one(&ground, settings, wish, way)).collect()
}

fn one(ground: &Ground, settings: &Settings, wish: &Wish, way: Way) -> Result<Shown, Error> {
    let path = settings.openclaw_state_dir.clone().unwrap_or_default();
    let folder = Folder::reach(&path)?;
    let (name, seen) = configuration(&folder)?;
    let path = folder.path.join(name);
    let text = text_of(&seen, &path)?;
    let odd = |what: Malformed| os::error::Error::odd("edit", &path, what.to_string());
    let new = models::edit(text, wish).map_err(odd)?;
    let mut shown = Shown {
        link: settings.name.clone(),
        models: models::read(text).map_err(odd)?,
        path: path.clone(),
        changed: new.is_some(),
        valid: None,
    };
    let Some(new) = new.filter(|_| way != Way::Show) else { return Ok(shown) };
    if way == Way::OpenClaw {
        let gone = shown.models.providers.iter().filter(|_| wish.drop_providers);
        through_openclaw(ground, settings, wish, gone)?;
    } else {
        write(&folder, name, &new, &seen)?;
        shown.valid = validate(ground, settings);
        if matches!(shown.valid, Some(Err(_)))
            && let Some(now) = folder.read(name, SIZE_LIMIT)?
        {
            // It was well before: what OpenClaw does not take must not stay.
            write(&folder, name, text, &now)?;
            return Ok(shown);
        }
    }
    let (_, seen) = configuration(&folder)?;
    shown.models = models::read(text_of(&seen, &path)?).map_err(odd)?;
    Ok(shown)
}

fn configuration(folder: &Folder) -> Result<(&'static str, Seen), Error> {
    for name in CONFIGURATIONS {
        if let Some(seen) = folder.read(name, SIZE_LIMIT)? {
            return Ok((name, seen));
        }
    }
    let path = folder.path.join(CONFIGURATIONS[0]);
    let fault = os::error::Error::odd("read", &path, "it is not there: OpenClaw was never set up");
    Err(fault.into())
}

fn text_of<'s>(seen: &'s Seen, path: &std::path::Path) -> Result<&'s str, Error> {
    let text = std::str::from_utf8(&seen.bytes);
    text.map_err(|_| os::error::Error::odd("read", path, "it is not UTF-8 text").into())
}

fn write(folder: &Folder, name: &str, text: &str, old: &Seen) -> Result<(), Error> {
    let part = Replacement { folder, name, bytes: text.as_bytes(), old: Some(old) };
    stage::replace_all([part], None, || {})
        .into_iter()
        .collect::<Result<(), _>>()
        .map_err(Error::from)
}

/// Asks OpenClaw about its configuration; `None` where it cannot be asked, or does not know how.
fn validate(ground: &Ground, settings: &Settings) -> Option<Result<(), String>> {
    let (_, said) = gateway::ask(ground, settings, &["config", "validate", "--json"]).ok()?;
    let root: serde_json::Value =
        serde_json::from_slice(said.get(said.find('{')?..)?.as_bytes()).ok()?;
    if root.get("valid")?.as_bool()? {
        Some(Ok(()))
    } else {
        Some(Err(root.get("issues").map(ToString::to_string).unwrap_or_default()))
    }
}

/// Has OpenClaw set what is wished, and take the providers out that are to be gone.
fn through_openclaw<'a>(
    ground: &Ground,
    settings: &Settings,
    wish: &Wish,
    gone: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    let set = |path: &str| ["config".to_owned(), "set".to_owned(), path.to_owned()].to_vec();
    let mut calls = Vec::new();
    if let Some(primary) = &wish.primary {
        let call = set("agents.defaults.model.primary");
        calls.push([call, vec![primary.clone()]].concat());
    }
    for (id, alias) in &wish.aliases {
        let call = set(&format!("agents.defaults.models[\"{id}\"]"));
        let value = serde_json::json!({ "alias": alias }).to_string();
        calls.push([call, vec![value, "--strict-json".to_owned()]].concat());
    }
    // Not in brackets: 2026.2.25 then finds no such path.
    calls.extend(
        gone.map(|id| {
            vec!["config".to_owned(), "unset".to_owned(), format!("models.providers.{id}")]
        }),
    );
    for call in &calls {
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        let ran = gateway::ask(ground, settings, &words);
        let why = match ran {
            Ok((true, _)) => continue,
            Ok((false, _)) => "it refused".to_owned(),
            Err(ending) => ending.why().unwrap_or_default().to_owned(),
        };
        let program = format!("openclaw config {}", words[1]);
        return Err(os::error::Error::odd("run", std::path::Path::new(&program), why).into());
    }
    Ok(())
}
