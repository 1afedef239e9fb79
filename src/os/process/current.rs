//! This process itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use signal_hook::consts::SIGXFSZ;

use crate::os::error::Error;

/// The running program, also after its file was replaced by an upgrade.
pub(crate) const SELF: &str = "/proc/self/exe";

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

/// Says why nothing can be opened safely here: every way to a user's file needs openat2(2), of Linux 5.6.
pub(crate) fn needs_openat2() -> Result<(), Error> {
    let root = Path::new("/");
    match openat2(CWD, root, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::empty()) {
        Err(Errno::NOSYS | Errno::PERM) => Err(Error::odd(
            "open",
            root,
            "openat2(2) is missing: Linux 5.6 or later is needed, and a container's filter of system calls that lets it pass",
        )),
        _ => Ok(()),
    }
}

/// Says whether a process runs another file than the one that is at `program` now, as after an upgrade;
/// `None` where the rights do not suffice to tell.
pub(crate) fn runs_another_file(pid: u32, program: &Path) -> Option<bool> {
    let its = rustix::fs::stat(format!("/proc/{pid}/exe")).ok()?;
    let now = rustix::fs::stat(program).ok()?;
    Some((its.st_dev, its.st_ino) != (now.st_dev, now.st_ino))
}
