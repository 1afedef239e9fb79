//! Ways that were walked a moment ago: one sync reaches the same few folders several times over.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Folder;

/// How many folders, and how many steps, are remembered: each holds a descriptor, and is looked for one by one.
const MOST: usize = 64;

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Known {
    /// Folders as they were reached.
    folders: Vec<Folder>,
    /// Root's own folders on the ways to them.
    steps: Vec<(PathBuf, Arc<OwnedFd>)>,
}

/// While it lives, this thread walks no way twice; a folder that has another name meanwhile is still
/// the one that was reached first.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ways {
    /// What is known is this thread's.
    _thread: PhantomData<*const ()>,
}

impl Ways {
    /// Begins to remember.
    pub(crate) fn remember() -> Self {
        KNOWN.set(Some(Known::default()));
        Self { _thread: PhantomData }
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        KNOWN.set(None);
    }
}

/// The folder that was reached at `path`.
pub(super) fn folder(path: &Path) -> Option<Folder> {
    KNOWN.with_borrow(|known| {
        let found = known.as_ref()?.folders.iter().find(|folder| folder.path == path)?;
        Some(found.again())
    })
}

/// Remembers a folder.
pub(super) fn keep(folder: &Folder) {
    KNOWN.with_borrow_mut(|known| {
        if let Some(known) = known.as_mut().filter(|known| known.folders.len() < MOST) {
            known.folders.push(folder.again());
        }
    });
}

/// The last of root's own folders on the way to `path` that is known.
pub(super) fn step(path: &Path) -> Option<(PathBuf, Arc<OwnedFd>)> {
    KNOWN.with_borrow(|known| {
        let steps = &known.as_ref()?.steps;
        path.ancestors().find_map(|at| steps.iter().find(|(step, _)| step == at).cloned())
    })
}

/// Remembers one of root's own folders.
pub(super) fn keep_step(path: &Path, fd: &Arc<OwnedFd>) {
    KNOWN.with_borrow_mut(|known| {
        if let Some(known) = known.as_mut().filter(|known| known.steps.len() < MOST) {
            known.steps.push((path.to_owned(), Arc::clone(fd)));
        }
    });
}
