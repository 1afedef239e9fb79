//! What syncs ask of whoever sees to the gateways: one file a link in the run folder's `gateway.d`.
//!
//! A request only says which token went where; what the gateway needs for it is decided later.

use std::path::Path;

use crate::app::state::record;
use crate::domain::gateway::Request;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::queue::Queue;

/// The largest request that is read, in bytes.
const LIMIT: u64 = 64 << 10;

/// Leaves a request, joined with one of the same link that nobody has picked up yet.
///
/// One sync of a link runs at a time, so that nobody else leaves one for it meanwhile. Whoever
/// picks up the older one between our look and our rename does its work twice, never not at all.
pub(crate) fn leave(run_dir: &Path, mut request: Request) -> Result<(), Error> {
    let queue = Queue::Gateway.open(run_dir)?;
    let name = file_name(&request.link);
    if let Some(older) = read(&queue, &name)? {
        request.join(&older);
    }
    let bytes = serde_json::to_vec(&request).unwrap_or_default();
    match atomic_write::replace(&queue, &name, &bytes, Durability::Lazy) {
        // Picked up in between: nothing to join any more.
        Err(error) if error.is_changed() => {
            atomic_write::replace(&queue, &name, &bytes, Durability::Lazy)
        }
        other => other,
    }
}

/// The requests that wait. A file that is none is removed: it would keep the path unit running.
pub(crate) fn waiting(queue: &Folder) -> Result<Vec<Request>, Error> {
    let mut requests = Vec::new();
    for name in queue.names()? {
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        match read(queue, name) {
            Ok(Some(request)) if file_name(&request.link) == name => requests.push(request),
            _ => {
                log::warn!(
                    "'{}' is no request of ours, removing it",
                    queue.path.join(name).display()
                );
                queue.remove(name)?;
            }
        }
    }
    Ok(requests)
}

/// Takes a request off the queue, unless a newer one has replaced it.
pub(crate) fn take(queue: &Folder, request: &Request) -> Result<(), Error> {
    let name = file_name(&request.link);
    if read(queue, &name)?.as_ref() == Some(request) {
        queue.remove(&name)?;
    }
    Ok(())
}

/// Says whether a request of this link waits.
pub(crate) fn has(run_dir: &Path, link: &str) -> bool {
    let queue =
        Folder::reach(run_dir).and_then(|run| run.enter(Path::new(Queue::Gateway.folder_name())));
    queue.and_then(|queue| queue.stat(&file_name(link))).is_ok_and(|stat| stat.is_some())
}

fn read(queue: &Folder, name: &str) -> Result<Option<Request>, Error> {
    let seen = queue.read(name, LIMIT)?;
    Ok(seen.and_then(|seen| record::read(&seen.bytes)))
}

fn file_name(link: &str) -> String {
    format!("{link}.json")
}
