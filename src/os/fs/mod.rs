//! Files and directories of users and of ours: reached with the rights of their owner, replaced whole or written in place.

pub(crate) mod access;
pub(crate) mod atomic_write;
pub(crate) mod dir;
pub(crate) mod in_place;
pub(crate) mod mounts;
pub(crate) mod preallocated;
pub(crate) mod readers;
pub(crate) mod replacement;
pub(crate) mod sync_all;
