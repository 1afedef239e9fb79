//! Commands on accounts, units, processes and packages of the host.

use std::path::Path;

use crate::domain::shell::{Hint, User};

/// The name of the drop-in that is proposed.
const DROP_IN: &str = "paths.conf";

/// Shows what our units logged last.
pub(crate) fn show_log() -> Hint {
    Hint::new("journalctl -u 'oauth-sync*' -n 50")
}

/// Keeps a user's systemd running without a session.
pub(crate) fn enable_linger(name: &str) -> Hint {
    Hint::new("loginctl enable-linger").arg(name)
}

/// Puts a user into the group docker, on this host or in a tree.
pub(crate) fn join_docker(root: Option<&Path>, name: &str) -> Hint {
    let usermod = Hint::new("usermod");
    let usermod = match root {
        Some(root) => usermod.then("--prefix").path(root),
        None => usermod,
    };
    usermod.then("-aG docker").arg(name)
}

/// Enables units, on this host or in a tree.
pub(crate) fn enable(root: Option<&Path>, units: &[&str]) -> Hint {
    let systemctl = match root {
        Some(root) => Hint::new("systemctl").glue("--root=", root).then("enable"),
        None => Hint::new("systemctl enable --now"),
    };
    systemctl.args(units)
}

/// Switches a system unit off, on this host or in a tree.
pub(crate) fn disable(root: Option<&Path>, unit: &str) -> Hint {
    let systemctl = match root {
        Some(root) => Hint::new("systemctl").glue("--root=", root).then("disable"),
        None => Hint::new("systemctl disable --now"),
    };
    systemctl.arg(unit)
}

/// Switches a user's unit off.
pub(crate) fn disable_of_user(user: &str, unit: &str) -> Hint {
    Hint::new("systemctl --user -M").glue_after(user, "@").then("disable --now").arg(unit)
}

/// Takes away what pulls a user's unit in, in the directory of its units.
pub(crate) fn remove_wants(unit: &str) -> Hint {
    Hint::new("rm").glue("./*.wants/", unit)
}

/// Opens drop-ins of units in the editor.
pub(crate) fn edit_units(units: &[&str]) -> Hint {
    Hint::new("systemctl edit").args(units)
}

/// Lets units write below some paths, by drop-ins below `directory`; in a tree nothing is restarted.
///
/// The paths have to be ones that systemd takes as they are.
pub(crate) fn add_writable(units: &[&str], directory: &Path, paths: &str, is_host: bool) -> Hint {
    let each = Hint::new("for u in").args(units).glued("; do install -d");
    let write = Hint::new("printf '[Service]\\nReadWritePaths=%s\\n'").glue("", paths);
    let at = |hint: Hint| hint.glue_both("", directory, "/\"$u.d\"");
    let drop_in = at(each).and(at(write.then(">"))).glued("/").glued(DROP_IN).glued("; done");
    if is_host {
        drop_in.glued("; systemctl daemon-reload && systemctl try-restart oauth-sync.service")
    } else {
        drop_in
    }
}

/// Which systemd a unit belongs to.
pub(crate) enum Manager<'a> {
    /// The host's.
    Host,
    /// One's own.
    Own,
    /// Another user's.
    OfUser(&'a str),
}

impl Manager<'_> {
    fn systemctl(&self) -> Hint {
        let systemctl = Hint::new("systemctl");
        match self {
            Self::Host => systemctl,
            Self::Own => systemctl.then("--user"),
            Self::OfUser(name) => systemctl.then("--user -M").glue_after(name, "@"),
        }
    }
}

/// Does something to a unit of the host: `start`, `enable --now`, …
pub(crate) fn on_unit(verb: &'static str, unit: &str) -> Hint {
    Hint::new("systemctl").then(verb).arg(unit)
}

/// Shows the state of a unit.
pub(crate) fn unit_status(manager: &Manager<'_>, unit: &str) -> Hint {
    manager.systemctl().then("status").arg(unit)
}

/// Has the files of all units read again.
pub(crate) fn reload_units(manager: &Manager<'_>) -> Hint {
    manager.systemctl().then("daemon-reload")
}

/// Takes a variable out of what a manager hands to its units.
pub(crate) fn unset_environment(manager: &Manager<'_>, name: &str) -> Hint {
    manager.systemctl().then("unset-environment").arg(name)
}

/// Starts a service.
pub(crate) fn start(service: &'static str) -> Hint {
    Hint::new("systemctl start").then(service)
}

/// Has the clock set.
pub(crate) fn set_clock() -> Hint {
    Hint::new("timedatectl set-ntp true")
}

/// Shows how the clock is set.
pub(crate) fn show_clock() -> Hint {
    Hint::new("timedatectl timesync-status")
}

/// Ends a process that still runs a script: the number may be another process's by then.
pub(crate) fn end_script(id: u32, script: &str) -> Hint {
    let runs = Hint::new("grep -qsF").arg(script).number("/proc/", id).glued("/cmdline");
    runs.and(Hint::new("kill").number("", id))
}

/// Raises a limit of the kernel: `setting` ends in `=`.
pub(crate) fn raise_limit(setting: &'static str, limit: u64) -> Hint {
    Hint::new("sysctl -w").number(setting, limit)
}

/// Installs a package of the distribution.
pub(crate) fn install_package(package: &'static str) -> Hint {
    Hint::new("apt install").then(package)
}

/// Installs a package of npm's, for all or below a directory.
pub(crate) fn install_by_npm(prefix: Option<&Path>, package: &'static str) -> Hint {
    let npm = Hint::new("npm install -g");
    let npm = match prefix {
        Some(prefix) => npm.then("--prefix").path(prefix),
        None => npm,
    };
    npm.then(package)
}

/// Installs the Claude CLI for a user by its own installer, which `fetch` gets: `curl`, `wget` or neither.
pub(crate) fn install_claude(fetch: Option<&str>, user: &User) -> Hint {
    let curl = || Hint::new("curl -fsSL https://claude.ai/install.sh | bash").run_at_login_of(user);
    match fetch {
        Some("curl") => curl(),
        Some(_) => Hint::new("wget -qO- https://claude.ai/install.sh | bash").run_at_login_of(user),
        None => install_package("curl").and(curl()),
    }
}

/// Signs in by the Claude CLI itself.
pub(crate) fn claude_login() -> Hint {
    Hint::new("claude auth login")
}

/// A command of ours as it is run, word by word.
pub(crate) fn command(words: &[String]) -> Hint {
    words.iter().fold(Hint::new(""), |hint, word| hint.glue("", word))
}
