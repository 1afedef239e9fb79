//! One thread that touches the locks that are held, with their owner's rights and no others.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::taken::Taken;
use crate::os::foreign_lock::Tag;
use crate::os::identity::Identity;

/// How often the locks are touched: the shortest life of one is 10 s.
const BEAT: Duration = Duration::from_secs(3);

/// The thread; it ends when this is dropped.
pub(super) struct Heartbeat {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// A lock that was given back is gone from here by itself.
    locks: Vec<Weak<File>>,
    over: bool,
}

impl Heartbeat {
    /// Starts the thread and gives it the rights of `identity` for good.
    pub(super) fn start(identity: &Identity, tag: Tag) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (identity, theirs) = (identity.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("heartbeat".into()).spawn(move || {
            if identity.become_for_good().is_ok() {
                theirs.beat(tag);
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Touches one more lock for as long as it is held.
    pub(super) fn keep(&self, lock: &Taken) {
        self.shared.lock().locks.push(Arc::downgrade(&lock.fd));
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self, tag: Tag) {
        let mut state = self.lock();
        while !state.over {
            let waited = self.ended.wait_timeout(state, BEAT);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.locks.retain(|lock| lock.upgrade().is_some_and(|lock| touch(&lock, tag)));
        }
    }
}

fn touch(lock: &File, tag: Tag) -> bool {
    rustix::fs::futimens(lock, &tag.now()).is_ok()
}
