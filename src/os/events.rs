//! Everything that can wake the watcher, behind one poll(2).

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::domain::order;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::mounts::MountTable;
use crate::os::offspring::Offspring;
use crate::os::signals::{Asked, Signals};

/// Why the watcher woke.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Names changed in the folders watched under these keys.
    Changed(Vec<usize>),
    /// What is watched may be another folder by now, or events were lost: look at everything.
    Rescan,
    /// The armed moment has come, or the clock was set.
    Clock,
    /// A signal asked for something.
    Asked(Asked),
    /// The child process with this key has ended; whether its work is done.
    Ended(usize, bool),
}

/// The watcher's sources of events.
#[derive(Debug)]
pub(crate) struct Events {
    inotify: Inotify,
    /// Which keys want to hear of which names.
    wanted: HashMap<WatchDescriptor, Vec<(usize, Box<str>)>>,
    timer: OwnedFd,
    mounts: MountTable,
    signals: Signals,
    offspring: Vec<(usize, Offspring)>,
    /// Whether the clock was set between the last wake and the arming after it.
    clock_was_set: bool,
}

impl Events {
    /// Opens them all; nothing is watched yet.
    pub(crate) fn open() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self {
            inotify: Inotify::init()?,
            wanted: HashMap::new(),
            timer: rustix::time::timerfd_create(TimerfdClockId::Realtime, flags)?,
            mounts: MountTable::open()?,
            signals: Signals::take()?,
            offspring: Vec::new(),
            clock_was_set: false,
        })
    }

    /// Drops every watch.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.wanted.clear();
        self.inotify = Inotify::init()?;
        Ok(())
    }

    /// Watches a folder, with its owner's rights, for changes of `name`; an empty name stands for all.
    ///
    /// The folder, not the file: Claude replaces the file by rename, and a watch on the file would
    /// die with the old inode.
    pub(crate) fn watch(&mut self, folder: &Folder, name: &str, key: usize) -> Result<(), Error> {
        let mask = WatchMask::MOVED_TO
            | WatchMask::MOVED_FROM
            | WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        let _acting = folder.acting()?;
        let watch = self
            .inotify
            .watches()
            .add(folder.proc_path(), mask)
            .map_err(|source| Error::new("watch", &folder.path, source))?;
        let listeners = self.wanted.entry(watch).or_default();
        // Most have one for ever, and there may be thousands.
        listeners.reserve_exact(1);
        listeners.push((key, name.into()));
        Ok(())
    }

    /// Watches a folder only for being moved, removed or unmounted: that asks for a rescan.
    pub(crate) fn guard(&mut self, folder: &Folder) -> Result<(), Error> {
        // Added to what is watched already, since one inode has one watch (inotify_add_watch(2)).
        let mask = WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR
            | WatchMask::MASK_ADD;
        let _acting = folder.acting()?;
        let added = self.inotify.watches().add(folder.proc_path(), mask);
        added.map(|_| ()).map_err(|source| Error::new("watch", &folder.path, source))
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
    pub(crate) fn adopt(&mut self, key: usize, child: Offspring) {
        self.offspring.push((key, child));
    }

    /// Ends all child processes and waits for them.
    pub(crate) fn end_offspring(&mut self) {
        self.offspring.drain(..).for_each(|(_, child)| child.end());
    }

    /// Sleeps until something happens.
    pub(crate) fn wait(&mut self) -> io::Result<Wake> {
        if std::mem::take(&mut self.clock_was_set) {
            return Ok(Wake::Clock);
        }
        loop {
            let [end, reload] = self.signals.fds();
            let mut fds = vec![
                PollFd::new(&self.inotify, PollFlags::IN),
                PollFd::new(&self.timer, PollFlags::IN),
                PollFd::from_borrowed_fd(self.mounts.fd(), PollFlags::PRI),
                PollFd::from_borrowed_fd(end, PollFlags::IN),
                PollFd::from_borrowed_fd(reload, PollFlags::IN),
            ];
            let children = self.offspring.iter();
            fds.extend(
                children.map(|(_, child)| PollFd::from_borrowed_fd(child.fd(), PollFlags::IN)),
            );
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(source) => return Err(source.into()),
            }
            let woke = [0, 1, 2].map(|fd| !fds[fd].revents().is_empty());
            if let Some(wake) = self.sort(woke)? {
                return Ok(wake);
            }
        }
    }

    fn sort(&mut self, [files, timer, mounts]: [bool; 3]) -> io::Result<Option<Wake>> {
        if let Some(asked) = self.signals.pending() {
            return Ok(Some(Wake::Asked(asked)));
        }
        if mounts {
            return Ok(Some(Wake::Rescan));
        }
        if files && let Some(wake) = self.drain()? {
            return Ok(Some(wake));
        }
        if timer && self.rang() {
            return Ok(Some(Wake::Clock));
        }
        Ok(self.buried())
    }

    /// Takes leave of a child that has ended.
    fn buried(&mut self) -> Option<Wake> {
        let ended = self.offspring.iter_mut().map(|(_, child)| child.ended());
        let (index, done) = ended.enumerate().find_map(|(at, done)| Some((at, done?)))?;
        let (key, _) = self.offspring.swap_remove(index);
        Some(Wake::Ended(key, done))
    }

    /// Takes the timer's expiration; `ECANCELED` says that the clock was set (read(2) of a timerfd).
    fn rang(&self) -> bool {
        let mut count = [0u8; 8];
        match rustix::io::read(self.timer.as_fd(), &mut count) {
            Ok(_) | Err(rustix::io::Errno::CANCELED) => true,
            Err(_) => false,
        }
    }

    fn drain(&mut self) -> io::Result<Option<Wake>> {
        let mut buffer = [0u8; 4096];
        let mut changed: Vec<usize> = Vec::new();
        let mut lost = false;
        loop {
            let events = match self.inotify.read_events(&mut buffer) {
                Ok(events) => events,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            for event in events {
                let gone = EventMask::DELETE_SELF
                    | EventMask::MOVE_SELF
                    | EventMask::IGNORED
                    | EventMask::UNMOUNT
                    | EventMask::Q_OVERFLOW;
                lost |= event.mask.intersects(gone);
                let listeners = self.wanted.get(&event.wd).into_iter().flatten();
                let name = event.name.unwrap_or_default();
                changed.extend(
                    listeners
                        .filter(|(_, wanted)| wanted.is_empty() || name == &**wanted)
                        .map(|(key, _)| key),
                );
            }
        }
        order::sort_and_dedup(&mut changed);
        Ok(if lost {
            Some(Wake::Rescan)
        } else {
            (!changed.is_empty()).then_some(Wake::Changed(changed))
        })
    }
}
