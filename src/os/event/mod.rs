//! What can wake a process that waits: changes in directories, signals, timers.

pub(crate) mod dir_watch;
pub(crate) mod event_loop;
pub(crate) mod scarce;
pub(crate) mod signals;
