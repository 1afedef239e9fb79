//! A gateway that was not found though one may run: what shows that it does.

use std::path::Path;

use crate::app::gateway::job::Work;
use crate::domain::gateway::{Ending, Missing, process};
use crate::domain::hints::ours;
use crate::domain::messages;
use crate::os::fs::dir::Folder;
use crate::os::net::probe::{self, Listener};
use crate::os::process::proc_list::Process;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// What is said first in any case.
const NONE: &str = "no gateway was found here";

/// Whether a gateway runs that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Running {
    /// One does; what shows it.
    Yes(String),
    /// None does: the next one starts with the new token.
    No,
    /// It cannot be seen from here.
    Unseen,
}

/// Says that none was found; it is looked for again.
pub(super) fn ending(work: &Work<'_>) -> Ending {
    let link = work.settings.name.as_str();
    if work.pending().attempts == 0 {
        log::warn!(
            MESSAGE_ID = messages::id("gateway-unknown"), link,
            hint = "set GATEWAY, see oauth-sync.conf(5)";
            "{link}: no gateway was found here: one that runs keeps the old token"
        );
    }
    let missing = Missing::Gateway(work.openclaw.config.gateway_port);
    Ending::NotFound(missing, NONE.to_owned(), Some(ours::find_gateway(link)))
}

/// What is wrong where none was found, and whether that is certain; nothing where none runs.
pub(crate) fn trouble(state_dir: Option<&Path>, port: Option<u16>) -> Option<(bool, String)> {
    match running(state_dir, port) {
        Running::Yes(what) => {
            Some((true, format!("{NONE}, but {what}: it does not use the new token")))
        }
        Running::Unseen => {
            Some((false, format!("{NONE}: whether one runs with an old token is not known")))
        }
        Running::No => None,
    }
}

/// Looks for a process that runs a gateway on this state directory, or for one that answers on `port`.
fn running(state_dir: Option<&Path>, port: Option<u16>) -> Running {
    let state = state_dir.and_then(|path| Folder::reach(path).ok());
    let Some(state) = state else { return Running::Unseen };
    // It runs as the owner of the directory, or as root.
    let owners = [state.identity.clone(), Identity::own()];
    let is_theirs = |socket: &Listener| owners.iter().any(|one| one.uid == socket.uid);
    let listener = port.and_then(probe::listener).filter(is_theirs);
    let (mut is_another, mut is_unclear) = (false, false);
    for owner in &owners {
        let home = account::of(owner.uid).map(|account| account.home);
        for gateway in Process::of_user(owner).filter(|one| process::is_gateway(&one.words())) {
            let Some(environment) = gateway.environment() else { return Running::Unseen };
            let value = |name: &str| environment.get(name).map(|value| value.expose().to_owned());
            let theirs = process::state_dirs(value, home.as_deref());
            if theirs.iter().any(|theirs| gateway.sees(theirs, &state.path)) {
                return Running::Yes(format!("process {} runs one", gateway.pid()));
            }
            let may_listen =
                listener.is_some_and(|one| gateway.has_socket(one.inode) != Some(false));
            is_another |= !theirs.is_empty() && may_listen;
            is_unclear |= theirs.is_empty();
        }
    }
    if is_unclear {
        return Running::Unseen;
    }
    match port.filter(|_| !is_another && listener.is_some()) {
        Some(port) => Running::Yes(format!("a program listens on its port {port}")),
        None => Running::No,
    }
}
