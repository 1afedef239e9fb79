//! What became of the watched directories, and who waits for it.

use std::ffi::OsStr;

use inotify::EventMask;

/// What says that a directory is not where it was.
const GONE: EventMask = EventMask::DELETE_SELF
    .union(EventMask::MOVE_SELF)
    .union(EventMask::IGNORED)
    .union(EventMask::UNMOUNT);

/// The keys under which something happened, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Names changed that are waited for.
    pub(crate) names: Vec<usize>,
    /// The directories themselves may be others by now: they have to be watched anew.
    pub(crate) ways: Vec<usize>,
}

/// What a listener waits for in a watched directory.
#[derive(Debug)]
pub(super) enum Want {
    /// A change of this name; an empty one stands for all.
    Name(Box<str>),
    /// This name, which is the next step of the way.
    Step(Box<str>),
    /// Only that the directory itself is moved, removed or unmounted.
    Stay,
}

impl Changes {
    /// Takes an event in.
    pub(super) fn take<'a>(
        &mut self,
        mask: EventMask,
        name: &OsStr,
        listeners: impl Iterator<Item = &'a (usize, Want)>,
    ) {
        let gone = mask.intersects(GONE);
        for (key, want) in listeners {
            let (is_way, is_meant) = match want {
                Want::Name(wanted) => (gone, wanted.is_empty() || name == &**wanted),
                Want::Step(wanted) => (true, gone || name == &**wanted),
                Want::Stay => (true, gone),
            };
            let keys = if is_way { &mut self.ways } else { &mut self.names };
            // Events of one flood follow each other.
            if (is_meant || gone) && keys.last() != Some(key) {
                keys.push(*key);
            }
        }
    }

    /// The same, each key once.
    pub(super) fn sorted(mut self) -> Self {
        for keys in [&mut self.names, &mut self.ways] {
            keys.sort_unstable();
            keys.dedup();
        }
        self
    }
}
