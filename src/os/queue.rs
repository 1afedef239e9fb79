//! Queues in the run folder: one file a request, `refresh.d`, `gateway.d`, `notify.d`.
//!
//! systemd's path units start a service while its queue is not empty (systemd.path(5)), so a request
//! appears there whole, by rename from outside, and nothing else ever does.

use std::path::Path;

use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// The largest request that is read, in bytes.
const REQUEST_LIMIT: u64 = 64 << 10;

/// What a queue asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// A look at what is due.
    Refresh,
    /// New tokens for running gateways.
    Gateway,
    /// Messages to people.
    Notify,
}

impl Queue {
    /// All queues.
    pub(crate) const ALL: [Self; 3] = [Self::Refresh, Self::Gateway, Self::Notify];

    /// The folder's name in the run folder.
    pub(crate) fn folder_name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh.d",
            Self::Gateway => "gateway.d",
            Self::Notify => "notify.d",
        }
    }

    /// The command of this program that carries it out.
    pub(crate) fn command(self) -> &'static [&'static str] {
        match self {
            Self::Refresh => &["refresh", "--unattended"],
            Self::Gateway => &["gateway"],
            Self::Notify => &["notify"],
        }
    }

    /// Opens the queue; makes it where it is missing.
    pub(crate) fn open(self, run_dir: &Path) -> Result<Folder, Error> {
        Folder::reach(run_dir)?.make(self.folder_name())
    }

    /// Says whether a request waits; a queue that cannot be looked at has none.
    pub(crate) fn has_request(self, run_dir: &Path) -> bool {
        let folder = Folder::reach(&run_dir.join(self.folder_name()));
        let names = folder.and_then(|folder| folder.names()).unwrap_or_default();
        // systemd passes over what begins with a dot (systemd.path(5)).
        names.iter().any(|name| !name.as_encoded_bytes().starts_with(b"."))
    }

    /// Puts a request; one of the same name that still waits is replaced.
    pub(crate) fn put(self, run_dir: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let run = Folder::reach(run_dir)?;
        let queue = run.make(self.folder_name())?;
        let outside = format!("{}-{}-{name}", self.folder_name(), std::process::id());
        atomic_write::replace(&run, &outside, bytes, Durability::Lazy)?;
        let moved = {
            let _acting = run.acting()?;
            rustix::fs::renameat(&run.fd, &outside, &queue.fd, name)
        };
        moved.map_err(|source| {
            let _ = run.remove(&outside);
            Error::new("queue", &queue.path.join(name), source)
        })
    }

    /// Takes every request out; what they say.
    pub(crate) fn take(self, run_dir: &Path) -> Result<Vec<Vec<u8>>, Error> {
        let queue = self.open(run_dir)?;
        let mut requests = Vec::new();
        for name in queue.names()? {
            let name = name.to_string_lossy();
            let request = queue.read(&name, REQUEST_LIMIT)?;
            if queue.remove(&name)? {
                requests.extend(request.map(|seen| seen.bytes));
            }
        }
        Ok(requests)
    }

    /// Takes every request out without looking at it; how many there were.
    pub(crate) fn drain(self, run_dir: &Path) -> Result<usize, Error> {
        let queue = match Folder::reach(&run_dir.join(self.folder_name())) {
            Err(error) if error.is_absent() => return Ok(0),
            other => other?,
        };
        let mut count = 0;
        for name in queue.names()? {
            count += usize::from(queue.remove(&name.to_string_lossy())?);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_requests_of_a_name_are_one_and_nothing_else_is_left() {
        let run = tempfile::tempdir().unwrap();
        for _ in 0..10 {
            Queue::Refresh.put(run.path(), "8-1234", b"{}").unwrap();
        }
        assert!(Queue::Refresh.has_request(run.path()) && !Queue::Notify.has_request(run.path()));
        assert_eq!(Queue::Refresh.drain(run.path()).unwrap(), 1);
        assert!(!Queue::Refresh.has_request(run.path()));
        assert_eq!(std::fs::read_dir(run.path()).unwrap().count(), 1);
    }
}
