//! This process itself.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Keeps the tokens in memory out of core files and out of other processes' reach.
pub(crate) fn keep_secrets() {
    // Neither can fail for a process's own self; without them everything else still holds.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
