//! What a sync leaves for the gateway once it has said what it wrote: neither has to wait for it.

use std::path::{Path, PathBuf};

use crate::app::state::gateway_queue;
use crate::domain::gateway::Request;
use crate::os::lock::advisory::Lock;

/// A request that is left when this is dropped.
///
/// The memory tells already that the token was handed over, so that a run that is killed before is made up
/// for by the next one.
#[derive(Debug)]
pub(crate) struct Parting {
    run_dir: PathBuf,
    request: Option<Request>,
    /// One sync of a link runs at a time.
    _lock: Option<Lock>,
}

impl Parting {
    /// Holds the link's `lock` until the request is left in `run_dir`.
    pub(crate) fn with(request: Request, run_dir: &Path, lock: Option<Lock>) -> Self {
        Self { run_dir: run_dir.to_owned(), request: Some(request), _lock: lock }
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            leave(&self.run_dir, request);
        }
    }
}

/// Leaves a request; says so where that is not possible.
pub(crate) fn leave(run_dir: &Path, request: Request) {
    let link = request.link.clone();
    if let Err(error) = gateway_queue::leave(run_dir, request) {
        log::error!("{link}: {error}: the gateway update was not queued");
    }
}
