//! Whose login it was that something was remembered of: the account, the path, the device and the
//! inode of its folder.
//!
//! An inode number is given out again once its folder is gone, a path once its owner is: what was
//! saved for one login must never come to another one's owner.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::refresh::credentials_file::Place;
use crate::os::user::account;

/// Where a login was, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The path of the file.
    pub(crate) path: String,
    /// The user id of its folder's owner.
    pub(crate) owner: u32,
    /// The folder's device.
    pub(crate) device: u64,
    /// Its inode.
    pub(crate) inode: u64,
}

/// How far a login's origin and a place agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// In all four.
    Whole,
    /// In all but the device, whose number may change with a reboot.
    Renumbered,
    /// The same account, but another path or another folder.
    Moved,
    /// It is another account's.
    Foreign,
}

impl Origin {
    /// The origin of what is remembered of a place from now on.
    pub(crate) fn of(place: &Place) -> Self {
        let path = place.path.to_string_lossy().into_owned();
        Self { path, owner: place.owner, device: place.device, inode: place.inode }
    }

    /// How far it agrees with a place.
    pub(crate) fn compare(&self, place: &Place) -> Agreement {
        let same_path = *self.path == *place.path.to_string_lossy();
        let same_inode = self.inode == place.inode;
        let same_folder = same_inode && self.device == place.device;
        match (self.owner == place.owner, same_path) {
            (false, _) => Agreement::Foreign,
            (_, true) if same_folder => Agreement::Whole,
            (_, true) if same_inode => Agreement::Renumbered,
            (_, false) if same_folder && leads_to(&self.path, place) => Agreement::Whole,
            _ => Agreement::Moved,
        }
    }

    /// Where that was, in words.
    pub(crate) fn words(&self) -> String {
        format!("'{}' of {}", self.path, account::name(self.owner))
    }
}

/// Says whether another path leads to the same file: a bind mount, a link, another link of ours.
pub(crate) fn leads_to(path: &str, place: &Place) -> bool {
    Place::reach(Path::new(path), 0).is_ok_and(|other| other.key == place.key)
}
