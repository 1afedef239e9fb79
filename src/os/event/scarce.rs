//! Limits of the host that leave nothing to watch with.

use std::fmt;
use std::path::Path;

use crate::domain::hints::host;
use crate::domain::shell::Hint;

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scarce {
    /// All of the user's inotify instances are taken.
    Instances,
    /// All of the user's watches are taken.
    Watches,
}

impl Scarce {
    /// The setting of sysctl(8).
    fn setting(self) -> &'static str {
        match self {
            Self::Instances => "max_user_instances",
            Self::Watches => "max_user_watches",
        }
    }

    /// The command that raises the limit: to twice what it is, where that can be read.
    pub(crate) fn command(self) -> Hint {
        let path = Path::new("/proc/sys/fs/inotify").join(self.setting());
        let now = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        let usual: u64 = match self {
            Self::Instances => 1024,
            Self::Watches => 1_048_576,
        };
        let limit = now.map_or(usual, |now: u64| usual.max(now.saturating_mul(2)));
        let setting = match self {
            Self::Instances => "fs.inotify.max_user_instances=",
            Self::Watches => "fs.inotify.max_user_watches=",
        };
        host::raise_limit(setting, limit)
    }
}

impl fmt::Display for Scarce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Instances => "instance",
            Self::Watches => "watch",
        };
        let setting = self.setting();
        write!(
            f,
            "no inotify {what} is left in fs.inotify.{setting}: changes are found once a minute only"
        )
    }
}
