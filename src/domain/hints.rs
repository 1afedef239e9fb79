//! Every command that people are shown, built in one place: `os::hints` runs each of them as printed, with
//! hostile words, in a scratch host, and fails for one that is missing in its table.

pub(crate) mod engines;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod openclaw;
pub(crate) mod ours;
