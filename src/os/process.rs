//! This process itself.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use signal_hook::consts::SIGXFSZ;

/// Keeps the tokens in memory out of core files and out of other processes' reach.
pub(crate) fn keep_secrets() {
    // Neither can fail for a process's own self; without them everything else still holds.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Raises the number of files that may be open to what the system allows; where that is not possible it
/// stays as it is.
pub(crate) fn raise_limits() {
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
}

/// Makes a write beyond the limit of a file's size an error instead of the end of the process. Caught and not
/// ignored: what is ignored stays so in the programs that are started.
pub(crate) fn catch_file_limit() {
    let caught = Arc::new(AtomicBool::new(false));
    // Without a handler everything else still holds.
    let _ = signal_hook::flag::register(SIGXFSZ, caught);
}
