//! The home folders of a host.

use std::path::{Path, PathBuf};

use crate::app::setup::detect::tree::Tree;
use crate::os::user::account;

/// A user's home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// Whose it is.
    pub(crate) uid: u32,
    /// The login name.
    pub(crate) name: String,
    /// The folder.
    pub(crate) path: PathBuf,
}

/// Lists root's home and every home that passwd(5) names and that exists.
pub(crate) fn all(tree: &Tree) -> Vec<Home> {
    let text = tree.text(Path::new("/etc/passwd")).unwrap_or_default();
    let mut homes: Vec<Home> = Vec::new();
    for account in account::parse(&text) {
        let is_person = account.uid == 0 || account.uid >= 1000 && account.uid < 65_534;
        // Service accounts with a home of their own run gateways too.
        let is_service = account.home.starts_with("/var/lib")
            || account.home.starts_with("/srv")
            || account.home.starts_with("/opt");
        let known = homes.iter().any(|home| home.path == account.home);
        let folder = tree.folder(&account.home);
        // Whoever owns a home lives there, whatever the uid.
        let is_own = folder.as_ref().is_some_and(|folder| folder.identity.uid == account.uid);
        if (is_person || is_service || is_own) && !known && folder.is_some() {
            homes.push(Home { uid: account.uid, name: account.name, path: account.home });
        }
    }
    homes
}
