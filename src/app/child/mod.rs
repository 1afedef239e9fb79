//! Processes of our own program: for links whose files may not answer, and for what is queued.

pub(crate) mod delegated;
pub(crate) mod queue_runner;
pub(crate) mod separate;
