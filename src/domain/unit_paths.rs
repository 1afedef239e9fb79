//! Where units of the host are, and below a home a user's own and what belongs to them.

use std::path::Path;

/// Where units of the host are, the directories that win first (systemd.unit(5)).
pub(crate) const OF_HOST: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// Units (systemd.unit(5)).
pub(crate) const UNITS: &str = ".config/systemd/user";

/// Containers that Quadlet makes units of (podman-systemd.unit(5)).
pub(crate) const CONTAINERS: &str = ".config/containers/systemd";

/// Variables of all units of the user's manager (environment.d(5)).
pub(crate) const VARIABLES: &str = ".config/environment.d";

/// Returns whether systemd reads a file of this name in a directory of drop-ins or of variables.
pub(crate) fn is_conf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "conf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_conf_files_are_read() {
        assert!(is_conf("10-a.conf"));
        assert!(!is_conf("10-a.conf~") && !is_conf("conf") && !is_conf(".conf"));
    }
}
