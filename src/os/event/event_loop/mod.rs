//! Everything that can wake the watcher, behind one poll(2).

mod changes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::event::scarce::Scarce;
use crate::os::event::signals::{Asked, Signals};
use crate::os::fs::dir::Folder;
use crate::os::fs::mounts::MountTable;
use crate::os::process::self_exec::{Child, Ended, Offspring};

pub(crate) use changes::Changes;

use changes::Want;

/// The sources, in the order of their turns.
const FILES: usize = 0;
const TIMER: usize = 1;
const MOUNTS: usize = 2;
const CHILDREN: usize = 3;

/// How much is read of inotify at once, in bytes.
const BUFFER: usize = 4096;

/// The longest event: its head and a name of `NAME_MAX` (inotify(7)).
const LONGEST_EVENT: usize = 16 + 256;

/// What becomes of a directory itself.
const STAY: WatchMask =
    WatchMask::DELETE_SELF.union(WatchMask::MOVE_SELF).union(WatchMask::ONLYDIR);

/// The same, and what becomes of the names in it.
const NAMES: WatchMask = STAY
    .union(WatchMask::MOVED_TO)
    .union(WatchMask::MOVED_FROM)
    .union(WatchMask::CLOSE_WRITE)
    .union(WatchMask::CREATE)
    .union(WatchMask::DELETE);

/// Why the watcher woke.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Something happened in the directories watched under these keys.
    Files(Changes),
    /// Events were lost: look at everything.
    Rescan,
    /// The armed moment has come.
    Clock,
    /// The clock was set, or the machine resumed: every moment may have come.
    ClockSet,
    /// A signal asked for something.
    Asked(Asked),
    /// A child process has ended.
    Ended(Ended),
}

/// The watcher's sources of events.
#[derive(Debug)]
pub(crate) struct Events {
    /// None while the host has no instance left.
    inotify: Option<Inotify>,
    /// Which keys want to hear of what.
    wanted: HashMap<WatchDescriptor, Vec<(usize, Want)>>,
    /// Which limit kept something from being watched.
    scarce: Option<Scarce>,
    timer: OwnedFd,
    mounts: MountTable,
    signals: Signals,
    offspring: Vec<(Child, Offspring)>,
    /// Whether the clock was set between the last wake and the arming after it.
    clock_was_set: bool,
    /// The source that was served last: the next one has the first turn now.
    served: usize,
}

impl Events {
    /// Opens them all; nothing is watched yet.
    pub(crate) fn open() -> io::Result<Self> {
        // First of all: until then SIGHUP would end the process.
        let signals = Signals::take()?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self {
            inotify: None,
            wanted: HashMap::new(),
            scarce: None,
            timer: rustix::time::timerfd_create(TimerfdClockId::Realtime, flags)?,
            mounts: MountTable::open()?,
            signals,
            offspring: Vec::new(),
            clock_was_set: false,
            served: 0,
        })
    }

    /// Drops every watch.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.wanted.clear();
        self.mounts.forget();
        self.scarce = None;
        // First the old one goes: there may be no second one.
        self.inotify = None;
        match Inotify::init() {
            Ok(inotify) => self.inotify = Some(inotify),
            Err(error) if is(&error, Errno::MFILE) => self.scarce = Some(Scarce::Instances),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The limit of the host that keeps something from being watched.
    pub(crate) fn scarce(&self) -> Option<Scarce> {
        self.scarce
    }

    /// Drops what is watched under one key.
    pub(crate) fn release(&mut self, key: usize) {
        self.mounts.release(key);
        let Some(inotify) = &self.inotify else { return };
        let mut watches = inotify.watches();
        self.wanted.retain(|watch, listeners| {
            listeners.retain(|(listener, _)| *listener != key);
            if listeners.is_empty() {
                // One that is gone already says so.
                let _ = watches.remove(watch.clone());
            }
            !listeners.is_empty()
        });
    }

    /// Asks for news of mounts at, above and below a path.
    pub(crate) fn watch_mounts(&mut self, path: &Path, key: usize) {
        self.mounts.watch(path, key);
    }

    /// Watches a folder, with its owner's rights, for changes of `name`; an empty name stands for all.
    ///
    /// The folder, not the file: Claude replaces the file by rename, and a watch on the file would
    /// die with the old inode.
    pub(crate) fn watch(&mut self, folder: &Folder, name: &str, key: usize) -> Result<(), Error> {
        self.listen(folder, NAMES, (key, Want::Name(name.into())))
    }

    /// Watches a folder for `name`, which is the next step of a way: whatever becomes of it, the way is
    /// to be watched anew.
    pub(crate) fn watch_step(
        &mut self,
        folder: &Folder,
        name: &str,
        key: usize,
    ) -> Result<(), Error> {
        self.listen(folder, NAMES, (key, Want::Step(name.into())))
    }

    /// Watches a folder only for being moved, removed or unmounted.
    pub(crate) fn guard(&mut self, folder: &Folder, key: usize) -> Result<(), Error> {
        // Added to what is watched already, since one inode has one watch (inotify_add_watch(2)).
        self.listen(folder, STAY.union(WatchMask::MASK_ADD), (key, Want::Stay))
    }

    fn listen(
        &mut self,
        folder: &Folder,
        mask: WatchMask,
        listener: (usize, Want),
    ) -> Result<(), Error> {
        let failed = |source| Error::new("watch", &folder.path, source);
        let Some(inotify) = &self.inotify else {
            return Err(failed(Errno::MFILE.into()));
        };
        let acting = folder.acting()?;
        let added = inotify.watches().add(folder.proc_path(), mask);
        drop(acting);
        if added.as_ref().is_err_and(|error| is(error, Errno::NOSPC)) {
            self.scarce = Some(Scarce::Watches);
        }
        let listeners = self.wanted.entry(added.map_err(failed)?).or_default();
        // Most have one for ever, and there may be thousands.
        listeners.reserve_exact(1);
        listeners.push(listener);
        Ok(())
    }

    /// Arms the timer for a moment of the wall clock, or disarms it.
    ///
    /// A set clock wakes it too (`timerfd_create(2)`, `TFD_TIMER_CANCEL_ON_SET`), and so does resume.
    pub(crate) fn arm(&mut self, moment: Option<Timestamp>) -> io::Result<()> {
        // The far end of time keeps the timer cancellable while nothing is due.
        let ms = moment.map_or(i64::from(u32::MAX) * 1000, |moment| moment.0.max(1));
        let value =
            Timespec { tv_sec: ms.div_euclid(1000), tv_nsec: ms.rem_euclid(1000) * 1_000_000 };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        let spec = Itimerspec { it_interval: never, it_value: value };
        match rustix::time::timerfd_settime(&self.timer, flags, &spec) {
            Ok(_) => Ok(()),
            // It is armed, and the news that the clock was set is told here and not again.
            Err(rustix::io::Errno::CANCELED) => {
                self.clock_was_set = true;
                Ok(())
            }
            Err(source) => Err(source.into()),
        }
    }

    /// Waits for a child process from now on.
    pub(crate) fn adopt(&mut self, child: Child, process: Offspring) {
        self.offspring.push((child, process));
    }

    /// The process of a child, while it runs.
    pub(crate) fn child(&mut self, wanted: &Child) -> Option<&mut Offspring> {
        let mut all = self.offspring.iter_mut();
        all.find_map(|(child, process)| (child == wanted).then_some(process))
    }

    /// Ends all child processes and waits for them, but not for one that its own time limit gave up.
    pub(crate) fn end_offspring(&mut self) {
        self.offspring.drain(..).for_each(|(_, process)| process.end());
    }

    /// Sleeps until something happens.
    ///
    /// Signals first, then each source in its turn: what never falls silent keeps no other one waiting.
    pub(crate) fn wait(&mut self) -> io::Result<Wake> {
        loop {
            if std::mem::take(&mut self.clock_was_set) {
                return Ok(Wake::ClockSet);
            }
            let ready = self.poll()?;
            if let Some(asked) = self.signals.pending() {
                return Ok(Wake::Asked(asked));
            }
            for step in 1..=ready.len() {
                let source = (self.served + step) % ready.len();
                if !ready[source] {
                    continue;
                }
                let wake = match source {
                    FILES => self.drain()?,
                    TIMER => self.rang(),
                    MOUNTS => self.remounted(),
                    _ => self.buried(),
                };
                if let Some(wake) = wake {
                    self.served = source;
                    return Ok(wake);
                }
            }
        }
    }

    /// Sleeps until a source has something; which of them have.
    fn poll(&self) -> io::Result<[bool; 4]> {
        let [end, reload] = self.signals.fds();
        let mut fds = vec![
            PollFd::new(&self.timer, PollFlags::IN),
            PollFd::from_borrowed_fd(self.mounts.fd(), PollFlags::PRI),
            PollFd::from_borrowed_fd(end, PollFlags::IN),
            PollFd::from_borrowed_fd(reload, PollFlags::IN),
        ];
        let files = self.inotify.as_ref().map(|inotify| PollFd::new(inotify, PollFlags::IN));
        let first_child = fds.len();
        let children = self.offspring.iter();
        fds.extend(children.map(|(_, child)| PollFd::from_borrowed_fd(child.fd(), PollFlags::IN)));
        let last_child = fds.len();
        fds.extend(files);
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(source.into()),
        }
        let woke = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let mut ready = [false; 4];
        ready[FILES] = fds[last_child..].iter().any(woke);
        ready[TIMER] = woke(&fds[0]);
        ready[MOUNTS] = woke(&fds[1]);
        ready[CHILDREN] = fds[first_child..last_child].iter().any(woke);
        Ok(ready)
    }

    /// Takes leave of a child that has ended.
    fn buried(&mut self) -> Option<Wake> {
        let ended = self.offspring.iter_mut().map(|(_, child)| child.ended());
        let (index, done) = ended.enumerate().find_map(|(at, done)| Some((at, done?)))?;
        let (child, process) = self.offspring.swap_remove(index);
        Some(Wake::Ended(Ended { child, done, answer: process.answer() }))
    }

    /// Takes the timer's expiration; `ECANCELED` says that the clock was set (read(2) of a timerfd).
    fn rang(&self) -> Option<Wake> {
        let mut count = [0u8; 8];
        match rustix::io::read(self.timer.as_fd(), &mut count) {
            Ok(_) => Some(Wake::Clock),
            Err(Errno::CANCELED) => Some(Wake::ClockSet),
            Err(_) => None,
        }
    }

    /// Finds whom a change of the mount table concerns.
    fn remounted(&mut self) -> Option<Wake> {
        let ways = self.mounts.changed();
        (!ways.is_empty()).then(|| Wake::Files(Changes { names: Vec::new(), ways }))
    }

    /// Reads what waits by now, and not what comes meanwhile: a writer may never come to an end.
    fn drain(&mut self) -> io::Result<Option<Wake>> {
        let Some(inotify) = &mut self.inotify else { return Ok(None) };
        let waiting = rustix::io::ioctl_fionread(&*inotify)?;
        let mut buffer = [0u8; BUFFER];
        let mut changes = Changes::default();
        let mut lost = false;
        // Of each buffer all but the room of one more event is used.
        for _ in 0..=waiting / (BUFFER - LONGEST_EVENT) as u64 {
            let events = match inotify.read_events(&mut buffer) {
                Ok(events) => events,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            for event in events {
                lost |= event.mask.contains(EventMask::Q_OVERFLOW);
                let listeners = self.wanted.get(&event.wd).into_iter().flatten();
                changes.take(event.mask, event.name.unwrap_or_default(), listeners);
                if event.mask.contains(EventMask::IGNORED) {
                    self.wanted.remove(&event.wd);
                }
            }
        }
        Ok(if lost {
            Some(Wake::Rescan)
        } else {
            (changes != Changes::default()).then_some(Wake::Files(changes.sorted()))
        })
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
