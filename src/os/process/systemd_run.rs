//! A unit of its own for a program that our own units' sandbox would stop (systemd-run(1)).
//!
//! Podman has no daemon: what calls it makes the namespaces, which our units may not, and leaves
//! processes behind that the end of a unit of ours must not take along. So where systemd runs the host,
//! it runs podman for root, outside and as the user whose containers they are.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::os::process::systemctl;
use crate::os::user::identity::Identity;

/// Says whether `program` has to be run so here.
pub(crate) fn is_needed(program: &str) -> bool {
    program == "podman" && Identity::own().uid == 0 && systemctl::is_booted()
}

/// The words before a program's own that have systemd run it as that user, in that folder, with that
/// environment; it is ended when `limit` is over. Its input, output and exit status are ours.
pub(crate) fn words(
    identity: &Identity,
    folder: &Path,
    environment: &[(OsString, OsString)],
    limit: Duration,
) -> Vec<OsString> {
    let mut words: Vec<OsString> =
        ["systemd-run", "--quiet", "--collect", "--wait", "--pipe"].map(OsString::from).to_vec();
    // That such a unit comes and goes is no news for the journal, many times a recreate.
    words.push("--property=LogLevelMax=notice".into());
    words.push(format!("--uid={}", identity.uid).into());
    words.push(format!("--gid={}", identity.gid).into());
    words.push(format!("--property=RuntimeMaxSec={}", limit.as_secs()).into());
    words.push(concat("--working-directory=", folder.as_os_str()));
    for (name, value) in environment {
        words.push(concat(&format!("--setenv={}=", name.to_string_lossy()), value));
    }
    words.push("--".into());
    words
}

fn concat(start: &str, end: &OsStr) -> OsString {
    let mut whole = OsString::from(start);
    whole.push(end);
    whole
}
