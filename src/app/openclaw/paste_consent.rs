//! The one consent: OpenClaw's own command rewrites openclaw.json, whose comments are lost, and puts
//! a plain file in the place of a link.
//!
//! Whether it is missing decides where a sync puts the token and whether the gateway's run may
//! paste it; a person gives it with `gateway --consent`, in `setup`, or by the packages' question.

use std::path::Path;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::openclaw::{ConfigFile, OpenClaw};
use crate::domain::auth_profiles::OWN_PROFILE;
use crate::domain::config::DEFAULT;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::{Ending, Pasted};
use crate::domain::hints::ours;
use crate::domain::openclaw_config::include::Included;
use crate::os::clock;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// The most that is read of a mark, in bytes: it names files.
const MARK_LIMIT: u64 = 1 << 20;

/// The file that the first paste rewrites, where that loses something; `None` where nothing is lost.
///
/// OpenClaw 2026.9.6 writes into the file that alone is included as `auth`, else into openclaw.json,
/// and there it puts a file in the place of a link; it refuses where it would have to copy what is
/// included. A file that is not understood could have all of that.
pub(crate) fn at_stake(openclaw: &OpenClaw) -> Option<&Path> {
    let file = openclaw.config_file.as_ref()?;
    if openclaw.config.profile(OWN_PROFILE).is_some() {
        return None;
    }
    let holds_auth = |included: &&Included| {
        let profiles = ["auth", "profiles"];
        included.is_sole
            && !included.at.is_empty()
            && included.at.iter().zip(profiles).all(|(at, name)| at == name)
            && included.at.len() <= profiles.len()
    };
    let rewritten = file.included.iter().rfind(holds_auth).map_or(&file.path, |found| &found.path);
    let loses = file.has_comments || file.target.is_some() || !file.included.is_empty();
    loses.then_some(rewritten)
}

/// Says what the first paste does to the file.
fn loss(file: &ConfigFile, rewritten: &Path) -> String {
    let path = rewritten.display();
    let mut text = format!("the first paste-token makes OpenClaw rewrite '{path}'");
    match (&file.target, &file.fault) {
        (_, Some(why)) => text.extend([format!(", which is not understood here ({why})")]),
        (Some(target), None) if rewritten == file.path => {
            let target = target.display();
            text.extend([format!(
                ": a file takes the place of the link to '{target}', and comments are lost"
            )]);
        }
        _ => text.push_str(", and its comments are lost"),
    }
    if !file.included.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for included in file.included.iter().filter(|included| included.path != rewritten) {
            let name = format!("'{}'", included.path.display());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let also = if names.is_empty() { "it".to_owned() } else { names.join(", ") };
        text.extend([format!("; '{}' includes {also}", file.path.display())]);
    }
    text
}

/// Why the first paste still waits for it; `None` where nothing speaks against the paste.
pub(crate) fn missing(openclaw: &OpenClaw, ground: &Ground, link: &str) -> Option<Ending> {
    let (file, rewritten) = openclaw.config_file.as_ref().zip(at_stake(openclaw))?;
    let loss = loss(file, rewritten);
    // Whoever agreed before the file was known spoke of openclaw.json and its comments alone.
    let is_plain = file.target.is_none() && file.included.is_empty() && file.fault.is_none();
    let covers = |agreed: String| agreed == loss || agreed.is_empty() && is_plain;
    if agreed(&ground.places, link).is_some_and(covers) {
        return None;
    }
    let hint = ours::consent(link);
    Some(Ending::Deferred(loss, Some(hint)))
}

/// What somebody agreed to, in the words that were shown; empty where nobody knew the file yet.
fn agreed(places: &Places, link: &str) -> Option<String> {
    let state = Folder::reach(&places.state_dir).ok()?;
    let seen = state.read(&mark(link), MARK_LIMIT).ok()??;
    String::from_utf8(seen.bytes).ok()
}

/// Says whether it was missing when the token could not be pasted, and has been given since.
pub(crate) fn frees(known: &Pasted, openclaw: &OpenClaw, ground: &Ground, link: &str) -> bool {
    known.lacks_consent && missing(openclaw, ground, link).is_none()
}

/// Notes that somebody agrees to what the first paste does, in the words that say it.
pub(crate) fn give(places: &Places, link: &str, loss: &str) -> Result<(), Error> {
    let state = context::open_or_make(&places.state_dir)?;
    Ok(atomic_write::replace(&state, &mark(link), loss.as_bytes(), Durability::Flushed)?)
}

/// Notes that somebody agrees for every link whose token waits for it; gives their names, each with
/// what was agreed to.
pub(crate) fn give_where_missing(
    places: &Places,
    only: Option<&str>,
) -> Result<Vec<(String, String)>, Error> {
    let ground = Ground::open(places)?;
    let mut agreed = Vec::new();
    for settings in context::links(&places.config_dir, only)? {
        if let Some(loss) = awaited(&ground, &settings)? {
            give(places, &settings.name, &loss)?;
            agreed.push((settings.name, loss));
        }
    }
    Ok(agreed)
}

/// Notes that somebody agrees for every link, or the one named, whether its token waits for that yet
/// or not; gives their names.
///
/// The packages' own link may still be to come: the timer's run makes it once there is a login.
pub(crate) fn give_ahead(places: &Places, only: Option<&str>) -> Result<Vec<String>, Error> {
    let links = match context::sound_links(&places.config_dir, only) {
        Ok((links, _)) => links.into_iter().map(|settings| settings.name).collect(),
        Err(Error::NoLink(..)) if only == Some(DEFAULT) => vec![DEFAULT.to_owned()],
        Err(error) => return Err(error),
    };
    links.iter().try_for_each(|link| give(places, link, ""))?;
    Ok(links)
}

/// What somebody has to agree to, if a link's token is pasted and the first paste still waits.
pub(crate) fn awaited(ground: &Ground, settings: &Settings) -> Result<Option<String>, Error> {
    let memory = ground.remember(settings)?;
    let openclaw = OpenClaw::look(settings, ground, &memory, clock::now());
    let ending =
        missing(&openclaw, ground, &settings.name).filter(|_| openclaw.is_pasted(settings));
    Ok(ending.and_then(|ending| ending.why().map(str::to_owned)))
}

/// The mark in the state directory that says that comments may be lost.
pub(crate) fn mark(link: &str) -> String {
    format!("consent-{link}")
}
