//! Every file that compose would read for a project, held so that root may let it.
//!
//! A compose file can hand out the whole host, so root runs compose only on files that nobody else can
//! change: each lies below directories of root's, as [`exec_policy`] walks them. Nobody but root can
//! exchange any of them, and the descriptors stay open until compose has ended.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::domain::compose_file::{self, Named};
use crate::domain::envfile;
use crate::domain::expand::expand;
use crate::domain::gateway::container::Project;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::exec_policy::{self, Held, Rule};

/// The most that is read of one file, in bytes.
const LIMIT: u64 = 1 << 20;

/// How many files a project may have.
const COUNT: usize = 200;

/// Files that root may let compose read.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Open for as long as compose runs.
    held: Vec<Held>,
    known: HashSet<PathBuf>,
    /// Where a file would be read that is not there.
    absent: Vec<PathBuf>,
    /// Directories that an `include` names as a project's: below each of them any file may be meant.
    directories: Vec<PathBuf>,
}

impl Files {
    /// Walks to all files of a project; the error names the first that root must not let compose read.
    pub(crate) fn hold(project: &Project) -> Result<Self, Error> {
        let mut directories = Vec::new();
        loop {
            let known = directories.len();
            let files = Self::hold_below(project, directories)?;
            if files.directories.len() == known {
                return Ok(files);
            }
            // One more was named: what was read before it may name files below it.
            directories = files.directories;
        }
    }

    fn hold_below(project: &Project, directories: Vec<PathBuf>) -> Result<Self, Error> {
        let mut files = Self { directories, ..Self::default() };
        let folder = PathBuf::from(&project.folder);
        files.keep(exec_policy::hold(&folder, Rule::Data)?);
        files.env(&folder.join(".env"), &folder)?;
        for file in &project.env_files {
            files.env(&project.at(file), &folder)?;
        }
        let values = values(project)?;
        let expand = |text: &str| values.expand(text);
        for file in &project.files {
            files.compose(&project.at(file), &folder, &expand)?;
        }
        Ok(files)
    }

    /// All files and the project's directory, without any link in their paths.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let held = self.held.iter().map(|held| held.real.clone());
        held.chain(self.absent.iter().cloned()).collect()
    }

    /// Holds one file, and reads it; `None` if it is not there, or is known already. What is not there
    /// cannot be put there either: the walk has judged the directories.
    fn file(&mut self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let held = match exec_policy::hold(path, Rule::Data) {
            Err(error) if error.is_absent() => {
                self.absent.push(path.to_owned());
                return Ok(None);
            }
            other => other?,
        };
        if !self.known.insert(held.real.clone()) {
            return Ok(None);
        }
        if self.known.len() > COUNT {
            return Err(refused(path, "the project has too many files to be judged"));
        }
        let bytes = held.open().and_then(|file| {
            let mut bytes = Vec::new();
            File::from(file).take(LIMIT + 1).read_to_end(&mut bytes).map(|_| bytes)
        });
        self.keep(held);
        match bytes {
            Ok(bytes) if bytes.len() as u64 <= LIMIT => Ok(Some(bytes)),
            Ok(_) => Err(refused(path, "it is too large to be judged")),
            Err(source) => Err(refused(path, &format!("it cannot be read: {source}"))),
        }
    }

    /// A `.env`, and what it names for compose itself.
    fn env(&mut self, path: &Path, folder: &Path) -> Result<(), Error> {
        let Some(bytes) = self.file(path)? else { return Ok(()) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let listed = |key: &str| {
            let value = envfile::get(text.as_bytes(), key);
            value.map(|value| value.expose().to_owned()).unwrap_or_default()
        };
        for file in listed("COMPOSE_FILE").split([':', ',']).filter(|file| !file.is_empty()) {
            self.compose(&folder.join(file), folder, &nothing)?;
        }
        for file in listed("COMPOSE_ENV_FILES").split(',').filter(|file| !file.is_empty()) {
            self.env(&folder.join(file), folder)?;
        }
        Ok(())
    }

    /// A compose file, and every file that it names: below its own directory and below each project's,
    /// since it depends on the key, and on compose's version, which of them is meant.
    fn compose(
        &mut self,
        path: &Path,
        folder: &Path,
        expand: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let Some(bytes) = self.file(path)? else { return Ok(()) };
        let text = String::from_utf8(bytes).map_err(|_| refused(path, "it is not UTF-8 text"))?;
        let named = compose_file::named(&text, expand).map_err(|why| refused(path, &why))?;
        let own = path.parent().unwrap_or(folder).to_owned();
        let mut bases = vec![own, folder.to_owned()];
        bases.extend(self.directories.iter().cloned());
        for base in &bases {
            for file in &named {
                let at = base.join(file.path());
                match file {
                    Named::Compose(_) => {
                        let beside = at.parent().unwrap_or(base).to_owned();
                        self.env(&beside.join(".env"), &beside)?;
                        // There the variables may stand for something else.
                        self.compose(&at, &beside, &nothing)?;
                    }
                    Named::Plain(_) => drop(self.file(&at)?),
                    Named::Directory(_) => {
                        self.directory(&at)?;
                        self.env(&at.join(".env"), &at)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A directory that is a project's; one that is not there names no file.
    fn directory(&mut self, path: &Path) -> Result<(), Error> {
        let real = match exec_policy::hold(path, Rule::Data) {
            Err(error) if error.is_absent() => return Ok(()),
            held => held?.real,
        };
        if !self.directories.contains(&real) {
            self.directories.push(real);
        }
        if self.directories.len() > COUNT {
            return Err(refused(path, "the project has too many directories to be judged"));
        }
        Ok(())
    }

    fn keep(&mut self, held: Held) {
        self.held.push(held);
    }
}

/// The files that compose finds in a folder by itself: those that its `.env` lists, else the first of
/// each name.
pub(crate) fn found(folder: &Folder) -> Vec<String> {
    if let Some(listed) = listed(folder) {
        return listed;
    }
    // A link counts, wherever it leads: compose follows it, and writing would too.
    let is_there = |name: &&str| folder.kind(name).is_ok_and(|kind| kind.is_some());
    let first = |names: [&str; 4]| names.into_iter().find(is_there).map(str::to_owned);
    let file = first(compose_file::FILES);
    file.into_iter().chain(first(compose_file::OVERRIDES)).collect()
}

/// The files that `COMPOSE_FILE` in a folder's `.env` lists, if it does.
pub(crate) fn listed(folder: &Folder) -> Option<Vec<String>> {
    let env = folder.read(".env", LIMIT).ok()??;
    let listed = envfile::get(&env.bytes, "COMPOSE_FILE").filter(|listed| !listed.is_empty())?;
    Some(listed.expose().split(':').map(str::to_owned).collect())
}

/// Says whether a project's files are those that compose finds in the folder by itself.
pub(crate) fn is_found(project: &Project, folder: &Folder) -> bool {
    let found = found(folder);
    project.files.len() == found.len()
        && project
            .files
            .iter()
            .zip(found)
            .all(|(file, own)| project.at(file) == folder.path.join(own))
}

fn nothing(_: &str) -> Option<String> {
    None
}

/// What compose may find in its own environment: what it stands for is not told by files.
const OF_ENVIRONMENT: [&str; 11] = [
    "HOME",
    "PATH",
    "PWD",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TERM",
    "TZ",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
];

/// The files that compose takes a project's variables from, later ones before earlier ones.
struct Values(Vec<Vec<u8>>);

/// Reads them; they are held already.
fn values(project: &Project) -> Result<Values, Error> {
    let dot = [".env".to_owned()];
    let names = if project.env_files.is_empty() { &dot[..] } else { &project.env_files };
    let mut all = Vec::new();
    for name in names {
        let mut alone = Files::default();
        all.extend(alone.file(&project.at(name))?);
    }
    Ok(Values(all))
}

impl Values {
    /// Puts in what variables stand for; `None` where that cannot be told.
    fn expand(&self, text: &str) -> Option<String> {
        let is_unclear = Cell::new(false);
        let known = |name: &str| {
            let value = self.value(name);
            is_unclear.set(is_unclear.get() || value.is_err());
            value.ok().flatten()
        };
        let expanded = expand(text, &known);
        expanded.filter(|_| !is_unclear.get())
    }

    fn value(&self, name: &str) -> Result<Option<String>, ()> {
        let is_of_environment = OF_ENVIRONMENT.contains(&name)
            || ["COMPOSE_", "DOCKER_", "CONTAINER_", "XDG_", "LC_", "SYSTEMD_", "MEMORY_"]
                .iter()
                .any(|start| name.starts_with(start));
        // A file may list further ones.
        let lists_more = self.0.iter().any(|bytes| envfile::has(bytes, "COMPOSE_ENV_FILES"));
        if is_of_environment || lists_more {
            return Err(());
        }
        let Some(bytes) = self.0.iter().rev().find(|bytes| envfile::has(bytes, name)) else {
            return Ok(None);
        };
        let value = envfile::get(bytes, name).map(|value| value.expose().to_owned());
        value.filter(|value| !value.contains('$')).map(Some).ok_or(())
    }
}

/// Why root would not run compose in a directory of root's, as far as its own files tell: those that a
/// running container was made from are only known to the engine.
pub(crate) fn refusal(directory: &Path) -> Option<Error> {
    let folder = Folder::reach(directory).ok().filter(|folder| folder.identity.uid == 0)?;
    let files = found(&folder);
    let folder = directory.display().to_string();
    Files::hold(&Project { folder, files, ..Project::default() }).err()
}

fn refused(path: &Path, why: &str) -> Error {
    Error::odd("use", path, format!("root does not use it: {why}"))
}
