//! The way to a file from `/`, component by component, held by descriptors.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::domain::hints::files;
use crate::domain::shell::Hint;
use crate::os::error::Error;
use crate::os::fs::dir::walk::{LINK_LIMIT, hold as hold_name, open_root, proc_path, writers};
use crate::os::fs::dir::{owner, unowned, users_mount};
use crate::os::user::account;

/// The file system in which links lead elsewhere than they say (`statfs(2)`).
const PROC: i64 = 0x9fa0;

/// How strict a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// For a program: no directory on the way is open to others, not even with the sticky bit.
    Program,
    /// For a file that a program of root's reads: the way may lead through a sticky directory into
    /// one of root's, which nobody else can rename there.
    Data,
    /// For what a word of a command names: the same, and a device or a socket of root's may be it.
    Word,
}

/// What a path led to, open as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    /// The file or the directory itself (`O_PATH`).
    pub(crate) fd: OwnedFd,
    /// What it was when it was judged.
    pub(crate) stat: Stat,
    /// Its path without any link in it.
    pub(crate) real: PathBuf,
    /// The directories that the walk ended in: while they are open, they are these.
    _way: Vec<OwnedFd>,
}

impl Held {
    /// Opens the very file for reading.
    pub(crate) fn open(&self) -> std::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(rustix::fs::open(proc_path(&self.fd), flags, Mode::empty())?)
    }
}

/// Walks to a file or directory that root alone can change, and holds it.
///
/// The error names the component that somebody else can change, or that could not be resolved.
pub(crate) fn hold(path: &Path, rule: Rule) -> Result<Held, Error> {
    if !path.is_absolute() {
        return Err(Error::odd("run", path, "root does not use it: its path is not absolute"));
    }
    let mut walk = Walk { asked: path, rule, way: Vec::new(), rest: Vec::new(), links: LINK_LIMIT };
    walk.enter_root()?;
    walk.put(path);
    while let Some(name) = walk.rest.pop() {
        if let Some(held) = walk.step(&name)? {
            return Ok(held);
        }
    }
    walk.end_in_directory()
}

/// A directory on the way.
struct Step {
    fd: OwnedFd,
    stat: Stat,
    path: PathBuf,
    /// Others can write in it, but not rename what is root's.
    is_sticky: bool,
}

struct Walk<'a> {
    asked: &'a Path,
    rule: Rule,
    way: Vec<Step>,
    /// The names that are still to be walked, the next one last.
    rest: Vec<OsString>,
    links: u32,
}

impl Walk<'_> {
    fn enter_root(&mut self) -> Result<(), Error> {
        let fd = open_root()?;
        let path = PathBuf::from("/");
        let stat = self.check(owner::stat(&fd), &path)?;
        self.judge_owner(&fd, &stat, &path)?;
        let is_sticky = self.judge_directory(&fd, &stat, &path)?;
        self.way.push(Step { fd, stat, path, is_sticky });
        Ok(())
    }

    /// Puts the names of a path before those that are left.
    fn put(&mut self, path: &Path) {
        let names = path.components().rev().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        });
        self.rest.extend(names);
    }

    /// Takes one name; the file, where the way ends there.
    fn step(&mut self, name: &OsString) -> Result<Option<Held>, Error> {
        if name == ".." {
            if self.way.len() > 1 {
                self.way.pop();
            }
            return Ok(None);
        }
        let Some(last) = self.way.last() else { return Err(self.failed(Errno::NOENT)) };
        let at = last.path.join(name);
        let found = hold_name(&last.fd, name, false);
        if last.is_sticky && matches!(found, Err(Errno::NOENT)) {
            // It can be there, and another's, a moment later.
            let why = format!("others can put it into '{}'", last.path.display());
            return Err(self.refused(&why, None));
        }
        let (fd, stat) = self.check(found, &at)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if last.is_sticky && kind != FileType::Directory {
            let why = format!("others can write in '{}'", last.path.display());
            return Err(self.refused(&why, None));
        }
        if self.check(rustix::fs::fstatfs(&fd), &at)?.f_type == PROC {
            return Err(self.refused(&format!("'{}' is no file of a disk", at.display()), None));
        }
        self.judge_owner(&fd, &stat, &at)?;
        match kind {
            FileType::Symlink => self.follow(&fd, &at).map(|()| None),
            FileType::Directory if is_engines(&at) => {
                let why = format!("containers can write below '{}'", at.display());
                Err(self.refused(&why, None))
            }
            FileType::Directory => {
                let is_sticky = self.judge_directory(&fd, &stat, &at)?;
                self.way.push(Step { fd, stat, path: at, is_sticky });
                Ok(None)
            }
            _ if !self.rest.is_empty() => Err(self.failed(Errno::NOTDIR)),
            FileType::RegularFile => {
                self.judge_writers(&fd, &stat, &at)?;
                Ok(Some(self.end_in(fd, stat, at)))
            }
            _ if self.rule == Rule::Word => Ok(Some(self.end_in(fd, stat, at))),
            _ => Err(self.refused(&format!("'{}' is no regular file", at.display()), None)),
        }
    }

    fn follow(&mut self, link: &OwnedFd, at: &Path) -> Result<(), Error> {
        let Some(left) = self.links.checked_sub(1) else { return Err(self.failed(Errno::LOOP)) };
        self.links = left;
        let aim = self.check(rustix::fs::readlinkat(link, "", Vec::new()), at)?;
        let aim = PathBuf::from(OsString::from_vec(aim.into_bytes()));
        if aim.is_absolute() {
            self.way.truncate(1);
        }
        self.put(&aim);
        Ok(())
    }

    fn end_in(&mut self, fd: OwnedFd, stat: Stat, real: PathBuf) -> Held {
        let way = std::mem::take(&mut self.way).into_iter().map(|step| step.fd).collect();
        Held { fd, stat, real, _way: way }
    }

    fn end_in_directory(mut self) -> Result<Held, Error> {
        let Some(last) = self.way.pop() else { return Err(self.failed(Errno::NOENT)) };
        if last.is_sticky {
            let why = format!("others can write in '{}'", last.path.display());
            return Err(self.refused(&why, None));
        }
        let way = self.way.into_iter().map(|step| step.fd).collect();
        Ok(Held { fd: last.fd, stat: last.stat, real: last.path, _way: way })
    }

    fn judge_owner(&self, fd: &OwnedFd, stat: &Stat, at: &Path) -> Result<(), Error> {
        if stat.st_uid == 0 {
            return Ok(());
        }
        let (at, owner) = (at.display(), account::name(stat.st_uid));
        let mount = users_mount(fd).map(|point| format!(", who had '{}' mounted", point.display()));
        let mount = mount.unwrap_or_default();
        Err(self.refused(&format!("'{at}' belongs to {owner}{mount}"), None))
    }

    /// Judges who can write in a directory; says whether that are others, whom the sticky bit stops.
    fn judge_directory(&self, fd: &OwnedFd, stat: &Stat, at: &Path) -> Result<bool, Error> {
        let mode = Mode::from_raw_mode(stat.st_mode);
        if !mode.contains(Mode::SVTX) {
            return self.judge_writers(fd, stat, at).map(|()| false);
        }
        if self.rule == Rule::Program {
            let why = format!("'{}' is a directory that users share (sticky)", at.display());
            return Err(self.refused(&why, None));
        }
        Ok(mode.intersects(Mode::WGRP | Mode::WOTH))
    }

    fn judge_writers(&self, fd: &OwnedFd, stat: &Stat, at: &Path) -> Result<(), Error> {
        let Some(who) = writers(fd, stat) else { return Ok(()) };
        let hint = files::close(at);
        Err(self.refused(&format!("{who} can write '{}'", at.display()), Some(hint)))
    }

    fn check<T>(&self, result: Result<T, Errno>, at: &Path) -> Result<T, Error> {
        result.map_err(|source| match source {
            Errno::XDEV => match unowned() {
                Some(why) => self.refused(&why, None),
                None => self.failed(source),
            },
            Errno::ACCESS => {
                self.refused(&format!("'{}' cannot be looked at: {source}", at.display()), None)
            }
            _ => self.failed(source),
        })
    }

    fn failed(&self, source: Errno) -> Error {
        Error::new("run", self.asked, source)
    }

    fn refused(&self, why: &str, hint: Option<Hint>) -> Error {
        let verb = match self.rule {
            Rule::Program => "run",
            Rule::Data | Rule::Word => "use",
        };
        let error = Error::odd(verb, self.asked, format!("root does not {verb} it: {why}"));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Where engines keep what containers write; it is root's to the host where they are root in there.
const ENGINES: [&str; 4] =
    ["/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/var/snap/docker"];

/// Says whether a directory is an engine's, or a volume: those of docker and podman are called
/// `volumes/NAME/_data`, wherever their engine keeps them.
pub(super) fn is_engines(at: &Path) -> bool {
    let is_volume = || {
        let above = at.parent()?.parent()?;
        Some(at.ends_with("_data") && above.ends_with("volumes"))
    };
    ENGINES.iter().any(|engine| at == Path::new(engine)) || is_volume().unwrap_or(false)
}
