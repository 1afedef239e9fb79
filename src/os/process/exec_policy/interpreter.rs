//! The `#!` line of a script: whoever can change its interpreter can change what it does.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::walk::{Held, Rule, hold};
use super::{find, refused};
use crate::os::error::Error;

/// How much of a file the kernel looks at (`BINPRM_BUF_SIZE`), in bytes.
const FIRST_LINE: usize = 256;

/// How many interpreters the kernel follows.
const DEPTH: u32 = 5;

/// Judges a program at an absolute path, its interpreter, and the interpreter's own.
pub(super) fn judge(program: &Path, path: &OsStr) -> Result<(), Error> {
    judge_at(program, path, DEPTH).map(drop)
}

/// Judges one program; its path without any link in it.
fn judge_at(program: &Path, path: &OsStr, left: u32) -> Result<PathBuf, Error> {
    let held = hold(program, Rule::Program)?;
    if FileType::from_raw_mode(held.stat.st_mode) != FileType::RegularFile {
        return Err(refused(program, "it is no regular file"));
    }
    let start = first_bytes(&held).map_err(|source| {
        refused(program, &format!("'{}' cannot be read: {source}", held.real.display()))
    })?;
    let Some(rest) = start.strip_prefix(b"#!") else { return Ok(held.real) };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
        return Err(refused(program, "its #! line is too long to be judged"));
    };
    let Some(left) = left.checked_sub(1) else {
        return Err(refused(program, "it has too many interpreters"));
    };
    let mut words = rest[..end].split(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    let Some(interpreter) = words.next().map(|word| Path::new(OsStr::from_bytes(word))) else {
        return Err(refused(program, "its #! line names no interpreter"));
    };
    if !interpreter.is_absolute() {
        return Err(refused(program, "the path of its interpreter is not absolute"));
    }
    let real =
        judge_at(interpreter, path, left).map_err(|error| through(program, interpreter, &error))?;
    let words: Vec<&[u8]> = words.collect();
    if [interpreter, &real].iter().any(|path| path.ends_with("env")) {
        judge_env(program, &words, path, left)?;
    } else {
        judge_arguments(program, &words)?;
    }
    Ok(held.real)
}

/// Judges what `env(1)` is asked to start.
fn judge_env(program: &Path, words: &[&[u8]], path: &OsStr, left: u32) -> Result<(), Error> {
    let unclear = || refused(program, "what its #! line has env start cannot be told");
    let mut words = words.iter().copied();
    let name = loop {
        match words.next().ok_or_else(unclear)? {
            b"-S" | b"--split-string" | b"-i" | b"-" => {}
            word if word.iter().any(|byte| b"\\$'\"#".contains(byte)) => return Err(unclear()),
            word if word.starts_with(b"-S") && word.len() > 2 => break &word[2..],
            word if word.starts_with(b"-") => return Err(unclear()),
            // A search path of its own, or a way to load code.
            word if word.contains(&b'=') => return Err(unclear()),
            word => break word,
        }
    };
    let rest: Vec<&[u8]> = words.collect();
    let started = find(OsStr::from_bytes(name), path)?;
    judge_at(&started, path, left).map_err(|error| through(program, &started, &error))?;
    judge_arguments(program, &rest)
}

/// Judges the paths among an interpreter's arguments: it may run or load what they name.
fn judge_arguments(program: &Path, words: &[&[u8]]) -> Result<(), Error> {
    for word in words {
        let Some(at) = word.iter().position(|byte| *byte == b'/') else { continue };
        let named = Path::new(OsStr::from_bytes(&word[at..]));
        let is_option = word.starts_with(b"-");
        if at != 0 && !is_option {
            return Err(refused(program, "its #! line names a path that is not absolute"));
        }
        hold(named, Rule::Program).map_err(|error| through(program, named, &error))?;
    }
    Ok(())
}

/// The refusal of what a script's `#!` line names, as one of the script.
fn through(program: &Path, named: &Path, error: &Error) -> Error {
    let what = format!("its #! line names '{}': {}", named.display(), error.cause);
    let refused = Error::odd("run", program, what);
    match error.command() {
        Some(hint) => refused.hint(hint.clone()),
        None => refused,
    }
}

fn first_bytes(held: &Held) -> std::io::Result<Vec<u8>> {
    let mut start = vec![0; FIRST_LINE];
    let read = rustix::io::pread(held.open()?, &mut start, 0)?;
    start.truncate(read);
    Ok(start)
}
