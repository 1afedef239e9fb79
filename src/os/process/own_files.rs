//! Configuration files: root's word, so nobody else may be able to change it.
//!
//! Judged on the opened descriptors. Without root it is the caller's own files, or root's.

use std::path::Path;

use rustix::fs::{FileType, Stat};
use rustix::process::geteuid;

use crate::domain::hints::files;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::exec_policy::{self, Rule};
use crate::os::user::account;

/// Opens a directory of configuration files, in which nobody else can write.
pub(crate) fn directory(path: &Path) -> Result<Folder, Error> {
    let folder = Folder::reach(path)?;
    judge(path, &folder.own_stat()?)?;
    if geteuid().is_root() {
        exec_policy::hold(path, Rule::Data)?;
    }
    Ok(folder)
}

/// What is wrong with a file that [`text`] cannot read.
pub(crate) const NO_TEXT: &str = "it is not UTF-8 text";

/// Reads a configuration file that nobody else can write, as text; `None` if there is none.
pub(crate) fn text(folder: &Folder, name: &str, limit: u64) -> Result<Option<String>, Error> {
    let Some(bytes) = read(folder, name, limit)? else { return Ok(None) };
    let odd = |_| Error::odd("read", &folder.path.join(name), NO_TEXT);
    String::from_utf8(bytes).map(Some).map_err(odd)
}

/// Reads a configuration file that nobody else can write; `None` if there is none.
pub(crate) fn read(folder: &Folder, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let path = folder.path.join(name);
    // First by name: under the units' capabilities root cannot open what is another user's alone.
    let stat = folder.stat(name)?;
    if let Some(stat) =
        stat.filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    {
        judge(&path, &stat)?;
    }
    let Some(seen) = folder.read(name, limit)? else { return Ok(None) };
    judge(&path, &seen.stat)?;
    Ok(Some(seen.bytes))
}

fn judge(path: &Path, stat: &Stat) -> Result<(), Error> {
    let own = geteuid().as_raw();
    let is_foreign = stat.st_uid != own && stat.st_uid != 0;
    let is_open = stat.st_mode & 0o022 != 0;
    let close = files::close(path);
    let (what, hint) = match (is_foreign, is_open) {
        (false, false) => return Ok(()),
        (false, true) => ("others can write it".to_owned(), close),
        (true, open) => {
            let chown = files::give_to(&account::name(own), path);
            let hint = if open { chown.and(close) } else { chown };
            (format!("it belongs to {}, who can write it", account::name(stat.st_uid)), hint)
        }
    };
    Err(Error::odd("obey", path, what).hint(hint))
}
