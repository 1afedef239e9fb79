//! What our own environment says of where container engines are, for one who calls their command.

use std::ffi::OsString;

use crate::os::environment;
use crate::os::process::exec_policy;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// The variables; no other name is handed on.
const NAMES: [&str; 7] = [
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
    "XDG_RUNTIME_DIR",
];

/// Those that name a directory, whose owner decides what the command runs and whom it asks.
const DIRECTORIES: [&str; 3] = ["DOCKER_CONFIG", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"];

/// The value of one of them for a program of this user's.
///
/// `sudo -E` keeps another user's: root takes no directory that somebody else can write.
pub(crate) fn get(identity: &Identity, name: &str) -> Option<OsString> {
    let value = environment::get(name)?;
    let is_fit = || {
        let word = value.to_str().map(str::to_owned);
        word.is_some_and(|word| exec_policy::judge_words(identity, &[word]).is_ok())
    };
    (!DIRECTORIES.contains(&name) || is_fit()).then_some(value)
}

/// All of them for ourselves, with a home: root's is its account's, whatever is kept from a user.
pub(crate) fn all(own: &Identity) -> Vec<(OsString, OsString)> {
    let account = account::of(own.uid).filter(|_| own.uid == 0);
    let home = account.map(|account| account.home.into_os_string());
    let home = home.or_else(|| environment::get("HOME"));
    let values = NAMES.into_iter().filter_map(|name| Some((name.into(), get(own, name)?)));
    values.chain(home.map(|home| ("HOME".into(), home))).collect()
}
