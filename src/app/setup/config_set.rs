//! Sets one key of a link's configuration, for a person or by a command that `doctor` prints.

use std::path::{Path, PathBuf};

use crate::app::context::{self, CONFIG_LIMIT, Places};
use crate::app::error::Error;
use crate::domain::config::{self, Config, Problem, edit};
use crate::domain::hints::files;
use crate::domain::order;
use crate::os;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::process::own_files;

/// The one key whose value is a secret.
const SECRET: &str = "NOTIFY_WEBHOOK";

/// What became of a link's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The file.
    pub(crate) path: PathBuf,
    /// Whether it was written.
    pub(crate) is_written: bool,
    /// What is still to be said before it is a link without faults.
    pub(crate) open: Vec<Problem>,
}

/// Says which link is meant where none is named: that of the only file, whatever is wrong with it, or
/// the first one; else the names of all.
pub(crate) fn only_link(places: &Places) -> Result<Result<String, Vec<String>>, Error> {
    let mut names = match own_files::directory(&places.config_dir) {
        Ok(folder) => names(&folder)?,
        Err(error) if error.is_absent() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(match names.len() {
        0 => Ok(config::DEFAULT.to_owned()),
        1 => Ok(names.remove(0)),
        _ => Err(names),
    })
}

/// Sets `key` in the file of a link, which is made where it is missing; an empty value takes it out.
///
/// The result is judged: nothing is written where the value would be a fault. Faults that stood there
/// before keep no other from being corrected.
pub(crate) fn set(places: &Places, link: &str, key: &str, value: &str) -> Result<Change, Error> {
    let name = format!("{link}.conf");
    let path = places.config_dir.join(&name);
    if key == SECRET && !value.is_empty() {
        let what = "a webhook's address is a secret, and everybody sees a program's arguments";
        let hint = files::edit(&path);
        return Err(os::error::Error::odd("set it in", &path, what).hint(hint).into());
    }
    if let Some(problem) = config::name_problem(link, &path) {
        return Err(Error::Configuration(vec![problem]));
    }
    let folder = own_files::directory(&context::open_or_make(&places.config_dir)?.path)?;
    let old = own_files::text(&folder, &name, CONFIG_LIMIT)?.unwrap_or_default();
    let refused = |refusal: edit::Refusal| match refusal {
        edit::Refusal::UnknownKey => {
            let (cause, hint) = (config::unknown(key), None);
            Error::Configuration(vec![Problem { file: path.clone(), line: 0, cause, hint }])
        }
        refusal => {
            let what = format!("{key} cannot be set: {refusal}");
            os::error::Error::odd("write", &path, what).into()
        }
    };
    let new = edit::set_key(&old, key, value).map_err(refused)?;
    let before = read(&path, &old);
    let after = read(&path, &new);
    let open: Vec<Problem> = after.problems.into_iter().chain(after.unfinished).collect();
    if new == old {
        return Ok(Change { path, is_written: false, open });
    }
    let was_link = !before.links.is_empty();
    let is_new = |fault: &&Problem| !before.problems.iter().any(|other| other.cause == fault.cause);
    // Of a link that stands nothing may be lost; of another one only this key is judged.
    let is_judged = |fault: &&Problem| was_link || fault.cause.contains(key);
    let faults: Vec<Problem> = open.iter().filter(is_new).filter(is_judged).cloned().collect();
    if !faults.is_empty() {
        return Err(Error::Configuration(faults));
    }
    atomic_write::replace(&folder, &name, new.as_bytes(), Durability::Flushed)?;
    Ok(Change { path, is_written: true, open })
}

/// Lists the links that have a file.
fn names(folder: &Folder) -> Result<Vec<String>, Error> {
    let names = folder.names()?;
    let names = names.iter().filter_map(|name| name.to_str()?.strip_suffix(".conf"));
    let mut names: Vec<String> =
        names.filter(|name| !name.starts_with('.')).map(str::to_owned).collect();
    order::sort_and_dedup(&mut names);
    Ok(names)
}

fn read(path: &Path, text: &str) -> Config {
    config::read(&[(path.to_owned(), text.to_owned())])
}
