//! Which programs root may run: one rule for everything that is started with root's rights.
//!
//! The program, found on the child's own `PATH` if its name is bare, is walked from `/` through every
//! directory and every symbolic link. Each component has to be root's, and nobody else may be able to
//! write it; a `#!` line is followed to its interpreter. So nobody but root can exchange anything
//! between this look and the start, and what is started is what was judged. What cannot be resolved,
//! read or entered is refused. Programs of other users are not judged: they have no more than their
//! user's rights.

mod interpreter;
mod paths;
#[cfg(test)]
mod tests;
mod walk;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType};
use rustix::process::geteuid;

use crate::os::error::Error;
use crate::os::user::identity::Identity;

pub(crate) use walk::{Held, Rule, hold};

/// How many files a directory may have that a word of a command names.
const FILES: usize = 2000;

/// What every refusal says.
pub(crate) const REFUSED: &str = "root does not ";

/// What root runs in place of a program: its absolute path, and a `PATH` that leads into root's directories alone.
pub(crate) struct Admitted {
    pub(crate) program: PathBuf,
    pub(crate) path: OsString,
}

/// Judges a program as `identity` would run it with this `PATH`; `None` where it gets no rights of root's.
pub(crate) fn admit(
    identity: &Identity,
    program: &OsStr,
    path: &OsStr,
) -> Result<Option<Admitted>, Error> {
    if !is_roots(identity) {
        return Ok(None);
    }
    Ok(Some(Admitted { program: resolve(program, path)?, path: own_path(path) }))
}

/// Judges a program by name or path, as `identity` would run it with this `PATH`.
pub(crate) fn judge(identity: &Identity, program: &OsStr, path: &OsStr) -> Result<(), Error> {
    if is_roots(identity) { resolve(program, path).map(drop) } else { Ok(()) }
}

/// The word by which another program is to start this one: for root the path that was judged.
pub(crate) fn word(identity: &Identity, program: &str, path: &OsStr) -> Result<OsString, Error> {
    if is_roots(identity) {
        resolve(program.as_ref(), path).map(PathBuf::into_os_string)
    } else {
        Ok(program.into())
    }
}

/// Refuses the words of a command that root runs in `/` where one of them leads to what somebody else
/// can change, or put there: most programs run, or obey, what they are given.
pub(crate) fn judge_words(identity: &Identity, words: &[String]) -> Result<(), Error> {
    if !is_roots(identity) {
        return Ok(());
    }
    paths::plain(words)?;
    for path in words.iter().flat_map(|word| paths::in_word(word)) {
        match hold(&path, Rule::Word) {
            Err(error) if !error.is_absent() => return Err(error),
            Ok(held) if FileType::from_raw_mode(held.stat.st_mode) == FileType::Directory => {
                judge_files(&path, &held)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a directory of root's in which a file is that somebody else can change: a program that
/// works in it may read it unasked (a `Makefile`).
fn judge_files(named: &Path, held: &Held) -> Result<(), Error> {
    let unclear = |source: std::io::Error| refused(named, &format!("it cannot be read: {source}"));
    let files = rustix::fs::Dir::read_from(held.open().map_err(unclear)?);
    let files = files.map_err(|source| unclear(source.into()))?;
    for (count, entry) in files.enumerate() {
        let entry = entry.map_err(|source| unclear(source.into()))?;
        if count == FILES {
            return Err(refused(named, "it has too many files to be judged"));
        }
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        // Directories are judged where a word names them.
        if name == "." || name == ".." || entry.file_type() == FileType::Directory {
            continue;
        }
        match hold(&held.real.join(name), Rule::Word) {
            Err(error) if !error.is_absent() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Where a program is that was named without a path.
pub(crate) fn found(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    find(program, path).ok()
}

/// Says whether a program that this identity runs has root's rights.
fn is_roots(identity: &Identity) -> bool {
    identity.uid == 0 && geteuid().is_root()
}

/// Finds a program and judges it with its interpreters; its absolute path, as it was found.
fn resolve(program: &OsStr, path: &OsStr) -> Result<PathBuf, Error> {
    let found = find(program, path)?;
    interpreter::judge(&found, path)?;
    Ok(found)
}

/// Finds a program as `execvp(3)` does, but in absolute directories only.
fn find(program: &OsStr, path: &OsStr) -> Result<PathBuf, Error> {
    let named = Path::new(program);
    if program.as_bytes().contains(&b'/') {
        if named.is_absolute() {
            return Ok(named.to_owned());
        }
        return Err(refused(named, "its path is not absolute"));
    }
    let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    let mut candidates = directories.map(|directory| directory.join(named));
    candidates
        .find(|candidate| is_runnable(candidate))
        .ok_or_else(|| Error::new("run", named, rustix::io::Errno::NOENT))
}

fn is_runnable(path: &Path) -> bool {
    let is_file = rustix::fs::stat(path)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    let runs = || rustix::fs::accessat(rustix::fs::CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    is_file && runs().is_ok()
}

/// The directories of a `PATH` in which nobody but root can put a program.
fn own_path(path: &OsStr) -> OsString {
    let is_own = |directory: &PathBuf| hold(directory, Rule::Program).is_ok();
    let own = std::env::split_paths(path).filter(|one| one.is_absolute()).filter(is_own);
    std::env::join_paths(own).unwrap_or_default()
}

fn refused(path: &Path, why: &str) -> Error {
    Error::odd("run", path, format!("root does not run it: {why}"))
}
