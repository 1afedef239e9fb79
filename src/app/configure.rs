//! Sets one key of a link's configuration, for a person or by a command that `doctor` prints.

use std::path::{Path, PathBuf};

use crate::app::error::Error;
use crate::app::ground::{CONFIG_LIMIT, Places};
use crate::domain::config::{self, Config, edit};
use crate::domain::hints::files;
use crate::os;
use crate::os::folder::Folder;
use crate::os::own_files;
use crate::os::stage::{self, Durability};

/// The one key whose value is a secret.
const SECRET: &str = "NOTIFY_WEBHOOK";

/// Sets `key` in the file of a link; an empty value takes it out. Gives the file where it changed.
///
/// Nothing is written where the value would be a fault; one that stood there before is none of ours.
pub(crate) fn set(
    places: &Places,
    link: &str,
    key: &str,
    value: &str,
) -> Result<Option<PathBuf>, Error> {
    let folder = own_files::directory(&places.config_dir)?;
    let name = format!("{link}.conf");
    let path = places.config_dir.join(&name);
    if key == SECRET && !value.is_empty() {
        let what = "a webhook's address is a secret, and everybody sees a program's arguments";
        let hint = files::edit(&path);
        return Err(os::error::Error::odd("set it in", &path, what).hint(hint).into());
    }
    let old = text_of(&folder, link, &name)?;
    let refused = |refusal: edit::Refusal| {
        os::error::Error::odd("write", &path, format!("{key} cannot be set: {refusal}"))
    };
    let new = edit::set_key(&old, key, value).map_err(refused)?;
    if new == old {
        return Ok(None);
    }
    let before = read(&path, &old);
    let Config { problems: mut faults, unfinished, .. } = read(&path, &new);
    // A link that stands is not made half of one.
    if !before.links.is_empty() {
        faults.extend(unfinished);
    }
    faults.retain(|fault| !before.problems.iter().any(|other| other.cause == fault.cause));
    if before.links.is_empty() && before.problems.is_empty() {
        // The first key of a link; the others that it needs are still to come.
        faults.retain(|fault| fault.cause.contains(key));
    }
    if !faults.is_empty() {
        return Err(Error::Configuration(faults));
    }
    stage::replace(&folder, &name, new.as_bytes(), Durability::Flushed)?;
    Ok(Some(path))
}

/// Reads a link's file; only what is a name in the folder names a link.
fn text_of(folder: &Folder, link: &str, name: &str) -> Result<String, Error> {
    let names = folder.names()?;
    let mut names = names.iter().filter_map(|name| name.to_str());
    if !names.clone().any(|other| other == name) {
        let links = names.by_ref().filter_map(|name| name.strip_suffix(".conf"));
        return Err(Error::UnknownLink(link.to_owned(), links.map(str::to_owned).collect()));
    }
    Ok(own_files::text(folder, name, CONFIG_LIMIT)?.unwrap_or_default())
}

fn read(path: &Path, text: &str) -> Config {
    config::read(&[(path.to_owned(), text.to_owned())])
}
