//! What the system refused, with the object and the cause.

use crate::domain::shell::Hint;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A system call that failed, in words: `cannot VERB 'OBJECT': CAUSE`.
#[derive(Debug)]
pub(crate) struct Error {
    /// What was tried, in the infinitive.
    pub(crate) verb: &'static str,
    /// The file or folder that it was tried on.
    pub(crate) object: PathBuf,
    /// Why it failed.
    pub(crate) cause: Cause,
}

/// Why a system call failed, or was not made.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The system said so.
    System(io::Error),
    /// It is not what it has to be; what it is, and the command that fixes it where there is one.
    Odd(String, Option<Hint>),
    /// It lies on a file system of this type, which may not answer, and this process must not hang.
    Slow(String),
    /// Somebody else changed it after it was read: it has to be looked at again.
    Changed,
    /// All is done, but the system does not promise that it survives a loss of power.
    Unsettled(io::Error),
}

impl Error {
    /// Remembers what was tried on what.
    pub(crate) fn new(verb: &'static str, object: &Path, source: impl Into<io::Error>) -> Self {
        Self { verb, object: object.to_owned(), cause: Cause::System(source.into()) }
    }

    /// Refuses an object that is not what it has to be.
    pub(crate) fn odd(verb: &'static str, object: &Path, what: impl Into<String>) -> Self {
        Self { verb, object: object.to_owned(), cause: Cause::Odd(what.into(), None) }
    }

    /// Adds the exact command that fixes it.
    pub(crate) fn hint(mut self, command: impl Into<Hint>) -> Self {
        if let Cause::Odd(_, hint) = &mut self.cause {
            *hint = Some(command.into());
        }
        self
    }

    /// The command that fixes it, where one is known.
    pub(crate) fn command(&self) -> Option<&Hint> {
        match &self.cause {
            Cause::Odd(_, hint) => hint.as_ref(),
            Cause::System(_) | Cause::Slow(_) | Cause::Changed | Cause::Unsettled(_) => None,
        }
    }

    /// The system's own kind of error, if it was the system.
    pub(crate) fn kind(&self) -> Option<io::ErrorKind> {
        match &self.cause {
            Cause::System(source) => Some(source.kind()),
            Cause::Odd(..) | Cause::Slow(_) | Cause::Changed | Cause::Unsettled(_) => None,
        }
    }

    /// Says whether the object, or a folder on the way to it, is not there.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.kind(), Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }

    /// Says whether a symbolic link was in the way.
    pub(crate) fn is_link(&self) -> bool {
        let Cause::System(source) = &self.cause else { return false };
        source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }

    /// Says whether it only has to be looked at again.
    pub(crate) fn is_changed(&self) -> bool {
        matches!(self.cause, Cause::Changed)
    }

    /// Says whether the object is not what it has to be.
    pub(crate) fn is_odd(&self) -> bool {
        matches!(self.cause, Cause::Odd(..))
    }

    /// Says whether all is done, though perhaps not for good.
    pub(crate) fn is_unsettled(&self) -> bool {
        matches!(self.cause, Cause::Unsettled(_))
    }

    /// Says whether rights are missing, be it by mode or by a read-only file system.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(
            self.kind(),
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} '{}': {}", self.verb, self.object.display(), self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(source) | Self::Unsettled(source) => write!(f, "{source}"),
            Self::Odd(what, _) => f.write_str(what),
            Self::Slow(kind) => {
                write!(f, "it lies on a file system of type '{kind}', which may not answer")
            }
            Self::Changed => f.write_str("another process changed it meanwhile"),
        }
    }
}

impl std::error::Error for Error {}
