//! Why a use-case could not be carried out.

use std::fmt;
use std::path::PathBuf;

use crate::domain::config::Problem;
use crate::domain::hints::ours;
use crate::domain::shell::Hint;
use crate::os;

/// A use-case's failure; what became of a single source or sink is in its report instead.
#[derive(Debug)]
pub(crate) enum Error {
    /// The system refused something that everything else depends on.
    System(os::error::Error),
    /// The configuration has faults; all of them.
    Configuration(Vec<Problem>),
    /// No link is configured in this folder; what the packages' own file leaves open, if it is begun.
    NoLink(String, Vec<Problem>),
    /// The link asked for does not exist; its name and those that do.
    UnknownLink(String, Vec<String>),
    /// An ordinary user may not do this: the path that the system denies.
    Denied(PathBuf),
}

impl Error {
    /// Says whether the configuration, or the call, is at fault.
    pub(crate) fn is_usage(&self) -> bool {
        !matches!(self, Self::System(_) | Self::Denied(_))
    }

    /// The exact command, or advice, that helps.
    pub(crate) fn hint(&self) -> Option<Hint> {
        match self {
            Self::System(error) => error.command().cloned(),
            Self::Configuration(_) | Self::Denied(_) => None,
            Self::NoLink(..) => Some(ours::setup()),
            Self::UnknownLink(_, known) => Some(ours::links(known)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Configuration(problems) => {
                write!(f, "the configuration has {} problems", problems.len())
            }
            Self::NoLink(directory, open) => {
                write!(f, "no link is configured in '{directory}'")?;
                open.iter().take(1).try_for_each(|problem| write!(f, ": {problem}"))
            }
            Self::UnknownLink(name, _) => write!(f, "there is no link '{name}'"),
            Self::Denied(path) => {
                write!(f, "'{}': permission denied; {}", path.display(), ours::run_as_root())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<os::error::Error> for Error {
    fn from(error: os::error::Error) -> Self {
        Self::System(error)
    }
}
