//! Work of different users beside each other, that of one user one after another.
//!
//! A user's program may hang for as long as its step allows; nobody else waits for it. A thread that the
//! system does not give is no failure: the work is done by the caller then.

use std::collections::VecDeque;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How many users' work is done at once.
const USERS: usize = 8;

/// How much of nobody's work is done at once: it only waits for other processes.
const OF_NOBODY: usize = 64;

/// How long a piece takes a place; then it may hang, and the next user's is begun beside it.
const GRACE: Duration = Duration::from_secs(3);

/// How much is done at once in all, whatever hangs.
const IN_ALL: usize = 512;

/// How much of one user's work is done at once where the first of it hangs.
const OF_ONE_USER: usize = 4;

/// The pieces that have ended, by their numbers.
type Ended<T> = Arc<Mutex<VecDeque<(u64, Option<T>)>>>;

type Job<'scope, T> = Box<dyn FnOnce() -> T + Send + 'scope>;

/// What happened.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// A piece of work is done, with this result.
    Done(T),
    /// The caller's own descriptor has something to read, or the time is over.
    Woken,
    /// Nothing is being done any more.
    Idle,
}

/// Pieces of work, each for one user.
pub(crate) struct Lanes<'scope, 'env, T> {
    scope: &'scope Scope<'scope, 'env>,
    /// After how long a user's next piece is begun beside one that still goes on, if ever.
    patience: Option<Duration>,
    /// How long a piece takes a place.
    grace: Duration,
    waiting: VecDeque<(Option<u32>, Job<'scope, T>)>,
    running: Vec<(Option<u32>, u64, Instant)>,
    begun: u64,
    ended: Ended<T>,
    bell: PipeReader,
    ringer: Arc<PipeWriter>,
}

impl<'scope, T: Send + 'scope> Lanes<'scope, '_, T> {
    /// Nothing to do yet. After `patience`, a user's next piece is begun beside one that still goes on;
    /// without it never.
    pub(crate) fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        patience: Option<Duration>,
    ) -> std::io::Result<Lanes<'scope, 'env, T>> {
        let (bell, ringer) = std::io::pipe()?;
        rustix::io::ioctl_fionbio(&bell, true)?;
        rustix::io::ioctl_fionbio(&ringer, true)?;
        let (waiting, running, ended) = (VecDeque::new(), Vec::new(), Arc::default());
        let ringer = Arc::new(ringer);
        let (grace, begun) = (GRACE, 0);
        Ok(Lanes { scope, patience, grace, waiting, running, begun, ended, bell, ringer })
    }

    /// Adds a piece of work of the user `uid`, behind what waits already.
    pub(crate) fn push(&mut self, uid: u32, job: impl FnOnce() -> T + Send + 'scope) {
        self.waiting.push_back((Some(uid), Box::new(job)));
    }

    /// Adds a piece that only waits for another process: it takes no user's place.
    pub(crate) fn push_wait(&mut self, job: impl FnOnce() -> T + Send + 'scope) {
        self.waiting.push_back((None, Box::new(job)));
    }

    /// Does what can be done until a piece is done, `other` has something to read, or `span` is over.
    pub(crate) fn wait(
        &mut self,
        other: Option<BorrowedFd<'_>>,
        span: Duration,
    ) -> std::io::Result<Step<T>> {
        let began = Instant::now();
        loop {
            let _ = (&self.bell).read(&mut [0u8; 64]);
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            if let Some((number, result)) = ended {
                self.running.retain(|(_, running, _)| *running != number);
                match result {
                    Some(result) => return Ok(Step::Done(result)),
                    None => continue,
                }
            }
            if let Some(done) = self.start() {
                return Ok(Step::Done(done));
            }
            if self.running.is_empty() {
                return Ok(Step::Idle);
            }
            let left = span.saturating_sub(began.elapsed());
            if self.poll(other, left)? || left.is_zero() {
                return Ok(Step::Woken);
            }
        }
    }

    /// Begins all that may be begun; the result of what had to be done here, if any.
    fn start(&mut self) -> Option<T> {
        while let Some(next) = self.waiting.iter().position(|(uid, _)| self.is_free(*uid)) {
            let (uid, job) = self.waiting.remove(next)?;
            if let Err(job) = self.spawn(uid, job) {
                if self.running.is_empty() {
                    return Some(job());
                }
                // Once one of those ends there is room for it.
                self.waiting.push_front((uid, job));
                return None;
            }
        }
        None
    }

    /// Says whether work of this user may be begun now.
    fn is_free(&self, uid: Option<u32>) -> bool {
        if self.running.len() >= IN_ALL {
            return false;
        }
        let of_user: Vec<_> = self.running.iter().filter(|(user, ..)| *user == uid).collect();
        let is_placed = |began: Instant| began.elapsed() < self.grace;
        if uid.is_none() {
            return of_user.iter().filter(|(.., began)| is_placed(*began)).count() < OF_NOBODY;
        }
        if of_user.is_empty() {
            let placed = self.running.iter().filter(|(.., began)| is_placed(*began));
            let mut users: Vec<u32> = placed.filter_map(|(user, ..)| *user).collect();
            users.sort_unstable();
            users.dedup();
            return users.len() < USERS;
        }
        let hangs = |began: Instant| self.patience.is_some_and(|span| began.elapsed() >= span);
        of_user.len() < OF_ONE_USER && of_user.iter().all(|(.., began)| hangs(*began))
    }

    fn spawn(&mut self, uid: Option<u32>, job: Job<'scope, T>) -> Result<(), Job<'scope, T>> {
        let slot = Arc::new(Mutex::new(Some(job)));
        self.begun += 1;
        let (theirs, number) = (Arc::clone(&slot), self.begun);
        let (ended, ringer) = (Arc::clone(&self.ended), Arc::clone(&self.ringer));
        let spawned =
            Builder::new().name("user's work".to_owned()).spawn_scoped(self.scope, move || {
                let mut end = End { ended, ringer, number, result: None };
                let job = theirs.lock().unwrap_or_else(PoisonError::into_inner).take();
                end.result = job.map(|job| job());
            });
        if spawned.is_err()
            && let Some(job) = slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            return Err(job);
        }
        self.running.push((uid, number, Instant::now()));
        Ok(())
    }

    /// Sleeps until something happens; says whether it was `other`.
    fn poll(&self, other: Option<BorrowedFd<'_>>, limit: Duration) -> std::io::Result<bool> {
        let mut fds = vec![PollFd::new(&self.bell, PollFlags::IN)];
        fds.extend(other.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let mut limit = limit;
        if !self.waiting.is_empty() {
            let spans = [Some(self.grace), self.patience];
            let spans = spans.iter().flatten();
            let ages = self.running.iter().map(|(.., began)| began.elapsed());
            let left =
                ages.flat_map(|age| spans.clone().filter_map(move |span| span.checked_sub(age)));
            limit = left.min().map_or(limit, |left| limit.min(left));
        }
        let limit = Timespec::try_from(limit).map_err(|_| Errno::INVAL)?;
        match poll(&mut fds, Some(&limit)) {
            Ok(_) => Ok(fds.get(1).is_some_and(|fd| !fd.revents().is_empty())),
            Err(Errno::INTR) => Ok(false),
            Err(source) => Err(source.into()),
        }
    }
}

/// Tells that a piece has ended, also where it panicked.
struct End<T> {
    ended: Ended<T>,
    ringer: Arc<PipeWriter>,
    number: u64,
    result: Option<T>,
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let ended = (self.number, self.result.take());
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push_back(ended);
        // A bell that is full rings already.
        let _ = (&*self.ringer).write(b"!");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Takes all results, in the order in which they come.
    fn all<'a, T: Send + 'a>(lanes: &mut Lanes<'a, '_, T>) -> Vec<T> {
        let mut results = Vec::new();
        while let Step::Done(result) = lanes.wait(None, LIMIT).unwrap() {
            results.push(result);
        }
        results
    }

    #[test]
    fn a_user_that_hangs_keeps_nobody_else_waiting() {
        let (free, held) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let mut lanes = Lanes::new(scope, None).unwrap();
            lanes.push(1, move || held.recv().map_or(0, |()| 1));
            for number in 2..10 {
                lanes.push(number, move || number);
            }
            lanes.push(1, || 10);
            let mut others = Vec::new();
            while others.len() < 8 {
                let Step::Done(number) = lanes.wait(None, LIMIT).unwrap() else {
                    panic!("it is idle")
                };
                others.push(number);
            }
            others.sort_unstable();
            assert_eq!(others, (2..10).collect::<Vec<_>>());
            free.send(()).unwrap();
            assert_eq!(all(&mut lanes), [1, 10], "one user's work keeps its order");
        });
    }

    #[test]
    fn after_its_patience_a_users_next_piece_is_begun_beside_the_one_that_hangs() {
        let (free, held) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let mut lanes = Lanes::new(scope, Some(Duration::from_millis(20))).unwrap();
            lanes.push(1, move || held.recv().map_or(0, |()| 1));
            lanes.push(1, || 2);
            assert!(matches!(lanes.wait(None, LIMIT).unwrap(), Step::Done(2)));
            free.send(()).unwrap();
            assert_eq!(all(&mut lanes), [1]);
        });
    }

    #[test]
    fn users_who_hang_take_no_place_from_the_next() {
        let (free, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        std::thread::scope(|scope| {
            let mut lanes = Lanes::new(scope, None).unwrap();
            lanes.grace = Duration::from_millis(20);
            for number in 0..100 {
                lanes.push(number, || held.lock().unwrap().recv().map_or(2, |()| 1));
                lanes.push_wait(|| held.lock().unwrap().recv().map_or(2, |()| 1));
            }
            lanes.push(100, || 0);
            assert!(matches!(lanes.wait(None, LIMIT).unwrap(), Step::Done(0)));
            drop(free);
            assert_eq!(all(&mut lanes).len(), 200);
        });
    }

    #[test]
    fn no_more_users_than_the_bound_are_served_at_once() {
        let running = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            let mut lanes = Lanes::new(scope, None).unwrap();
            lanes.grace = Duration::MAX;
            for number in 0..50 {
                lanes.push(number, || {
                    let change = |by: i32| {
                        let mut running = running.lock().unwrap();
                        running.0 += by;
                        running.1 = running.1.max(running.0);
                    };
                    change(1);
                    std::thread::yield_now();
                    change(-1);
                });
            }
            assert_eq!(all(&mut lanes).len(), 50);
        });
        let most = running.into_inner().unwrap().1;
        assert!((1..=8).contains(&most), "{most}");
    }
}
