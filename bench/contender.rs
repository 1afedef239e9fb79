//! One of those that carry a token: its tree, its process, and one rotation of it timed.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::figure::PATIENCE;
use crate::scene;

/// The times of one rotation, counted from just before the rename of the credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// When the last sink held the new token.
    pub(crate) new: Duration,
    /// When the contender said that everything is on the disk; as `new` for one that never flushes.
    pub(crate) flushed: Duration,
}

/// One that carries a token into its own sinks.
pub(crate) struct Contender {
    pub(crate) credentials: PathBuf,
    sinks: Vec<PathBuf>,
    inotify: Inotify,
    /// What it says, and how often a flushed rotation says `mark`.
    voice: Option<(std::fs::File, &'static str, usize)>,
    number: u32,
}

impl Contender {
    /// Observes a contender that is running already.
    pub(crate) fn new(
        credentials: &Path,
        sinks: &[PathBuf],
        voice: Option<(OwnedFd, &'static str, usize)>,
    ) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        for sink in sinks {
            let folder = sink.parent().ok_or(io::ErrorKind::InvalidInput)?;
            inotify.watches().add(folder, WatchMask::MOVED_TO)?;
        }
        let voice = voice.map(|(fd, mark, count)| (std::fs::File::from(fd), mark, count));
        let (credentials, sinks) = (credentials.to_owned(), sinks.to_vec());
        Ok(Self { credentials, sinks, inotify, voice, number: 1 })
    }

    /// Replaces the credentials by rename and waits until every sink has followed.
    pub(crate) fn rotate(&mut self) -> io::Result<Times> {
        self.number += 1;
        let text = scene::credentials(self.number, scene::LIFETIME + self.later());
        let temp = self.credentials.with_extension("new");
        std::fs::write(&temp, text)?;
        let begun = Instant::now();
        std::fs::rename(&temp, &self.credentials)?;
        let (mut said, mut moved) = (String::new(), 0);
        let (mut new, mut flushed) = (None, None);
        while new.is_none() || flushed.is_none() {
            let (inotify, voice) = self.wait(begun)?;
            if inotify {
                moved += self.moved()?;
                if moved >= self.sinks.len() {
                    new.get_or_insert_with(|| begun.elapsed());
                }
            }
            if voice {
                self.hear(&mut said)?;
            }
            if self.is_flushed(&said, new.is_some()) {
                flushed.get_or_insert_with(|| begun.elapsed());
            }
        }
        self.check()?;
        let (new, flushed) = (new.unwrap_or_default(), flushed.unwrap_or_default());
        Ok(Times { new, flushed })
    }

    /// Each login ends later than the one before, as real ones do.
    fn later(&self) -> Duration {
        Duration::from_secs(u64::from(self.number))
    }

    fn wait(&self, begun: Instant) -> io::Result<(bool, bool)> {
        let limit = Timespec { tv_sec: 1, tv_nsec: 0 };
        let mut fds = vec![PollFd::new(&self.inotify, PollFlags::IN)];
        fds.extend(
            self.voice
                .iter()
                .map(|(file, ..)| PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)),
        );
        poll(&mut fds, Some(&limit))?;
        if begun.elapsed() > PATIENCE {
            let text = format!("'{}' was not carried in time", self.credentials.display());
            return Err(io::Error::other(text));
        }
        let woke = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
        Ok((woke(fds.first()), woke(fds.get(1))))
    }

    /// Counts the sinks that were just replaced.
    fn moved(&mut self) -> io::Result<usize> {
        let mut buffer = vec![0u8; 65_536];
        let events = self.inotify.read_events(&mut buffer)?;
        let is_sink =
            |name: &std::ffi::OsStr| self.sinks.iter().any(|sink| sink.file_name() == Some(name));
        Ok(events.filter(|event| event.name.is_some_and(is_sink)).count())
    }

    fn hear(&mut self, said: &mut String) -> io::Result<()> {
        let Some((file, ..)) = &mut self.voice else { return Ok(()) };
        let mut buffer = vec![0u8; 65_536];
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Err(io::Error::other("what is measured has ended"));
        }
        said.push_str(&String::from_utf8_lossy(&buffer[..length]));
        Ok(())
    }

    fn is_flushed(&self, said: &str, is_new: bool) -> bool {
        self.voice.as_ref().map_or(is_new, |(_, mark, count)| said.matches(mark).count() >= *count)
    }

    /// A time for a token that did not arrive would be worth nothing.
    fn check(&self) -> io::Result<()> {
        let token = scene::token("access", self.number);
        for sink in &self.sinks {
            if !std::fs::read_to_string(sink)?.contains(&token) {
                return Err(io::Error::other(format!("'{}' is stale", sink.display())));
            }
        }
        Ok(())
    }
}
