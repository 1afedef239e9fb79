//! One thread that touches the locks that are held, with their owner's rights and no others.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::taken::Taken;
use crate::os::lock::openclaw_lock::Tag;
use crate::os::user::identity::Identity;

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
    /// Starts the thread and gives it the rights of `identity`.
    ///
    /// Its effective rights only: who has a thread's real user id may signal it, and a signal is the
    /// whole process's (kill(2), prlimit(2)).
    pub(super) fn start(identity: &Identity, tag: Tag) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (identity, theirs) = (identity.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("heartbeat".into()).spawn(move || {
            if let Ok(_acting) = identity.act() {
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rustix::process::{geteuid, getuid};

    use super::*;
    use crate::domain::secret::Fingerprint;

    /// The real, effective and saved user id of each thread of this name (proc(5)).
    fn uids(name: &str) -> Vec<[u32; 3]> {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
        let texts =
            tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
        let of_name = texts.filter(|text| text.starts_with(&format!("Name:\t{name}\n")));
        let line = |text: String| {
            let uids = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
            let mut uids = uids.split_whitespace().filter_map(|uid| uid.parse().ok());
            Some([uids.next()?, uids.next()?, uids.next()?])
        };
        of_name.filter_map(line).collect()
    }

    #[test]
    fn no_user_may_signal_it() {
        let user = if geteuid().is_root() { 4242 } else { geteuid().as_raw() };
        let _beat = Heartbeat::start(&Identity::of(user, user), Tag::of(Fingerprint(1))).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !uids("heartbeat").iter().any(|uids| uids[1] == user) {
            assert!(Instant::now() < deadline, "{:?}", uids("heartbeat"));
            std::thread::yield_now();
        }
        for [real, _, saved] in uids("heartbeat") {
            assert_eq!([real, saved], [getuid().as_raw(); 2]);
        }
    }
}
