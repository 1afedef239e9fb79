//! Calls systemctl(1), for this host's manager or a user's.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::command::{Call, Ended};
use crate::os::user::identity::Identity;

/// The directory that is there while systemd runs the host (`sd_booted(3)`).
pub(crate) const BOOTED: &str = "/run/systemd/system";

/// Says whether systemd runs this host.
pub(crate) fn is_booted() -> bool {
    Folder::reach(Path::new(BOOTED)).is_ok()
}

/// Runs systemctl with these words to its end.
pub(crate) fn run<S: AsRef<OsStr>>(
    words: impl IntoIterator<Item = S>,
    limit: Duration,
) -> Result<Ended, Error> {
    let (root, own) = (Folder::reach(Path::new("/"))?, Identity::own());
    let mut call = Call::new(["systemctl"], &root, &own)
        .env("PATH", environment::path())
        .env("LC_ALL", "C.UTF-8")
        .env("XDG_RUNTIME_DIR", format!("/run/user/{}", own.uid));
    call.argv.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
    call.output_limit = 1 << 20;
    call.run(limit)
}
