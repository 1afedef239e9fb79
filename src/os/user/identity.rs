//! Acting as the owner of a folder: effective uid, gid and groups of the calling thread.

use std::io;
use std::marker::PhantomData;

use rustix::process::{Gid, Uid, getegid, geteuid, getgroups, getuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::os::user::account;

/// The group of those who have none.
const NOBODY: u32 = 65_534;

/// Whose rights an operation has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The user.
    pub(crate) uid: u32,
    /// The primary group.
    pub(crate) gid: u32,
    /// The supplementary groups.
    pub(crate) groups: Vec<u32>,
}

impl Identity {
    /// Whoever runs this program.
    pub(crate) fn own() -> Self {
        let groups = getgroups().unwrap_or_default().into_iter().map(Gid::as_raw).collect();
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups }
    }

    /// The user `uid`, with the groups that this host gives it.
    ///
    /// `gid` is the group of what that user owns. It says nothing of a user without an account, as the
    /// numeric users of containers: a directory has root's group where only its owner was changed, and
    /// in a setgid directory that of the one above. So such a user gets the group of the same number,
    /// if that is nobody else's, or none.
    pub(crate) fn of(uid: u32, gid: u32) -> Self {
        match account::of(uid) {
            Some(account) => Self { uid, gid: account.gid, groups: account::groups(&account) },
            None if gid == uid && !account::has_group(gid) => Self { uid, gid, groups: vec![gid] },
            None => Self { uid, gid: NOBODY, groups: vec![NOBODY] },
        }
    }

    /// Root, who keeps whatever groups it has.
    pub(crate) const fn root() -> Self {
        Self { uid: 0, gid: 0, groups: Vec::new() }
    }

    /// The same user, holding one more group.
    pub(crate) fn with_group(&self, gid: u32) -> Self {
        let mut wider = self.clone();
        if !wider.groups.contains(&gid) {
            wider.groups.push(gid);
        }
        wider
    }

    /// Gives the calling thread these rights until the guard is dropped.
    ///
    /// Only root can become somebody else; for everybody else, and for root itself, nothing changes.
    pub(crate) fn act(&self) -> io::Result<Acting> {
        if self.uid == 0 || !geteuid().is_root() {
            return Ok(Acting { back: None, _thread: PhantomData });
        }
        let guard = Acting { back: Some(getgroups()?), _thread: PhantomData };
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups)?;
        set_thread_res_gid(None, Gid::from_raw(self.gid), None)?;
        set_thread_res_uid(None, Uid::from_raw(self.uid), None)?;
        Ok(guard)
    }

    /// Gives a process with one thread these rights for good: groups first, then all three gids and
    /// uids, so that nothing of root's stays in it nor in the program that it executes.
    ///
    /// Not for a process that goes on: who has its real uid may signal and limit it.
    pub(crate) fn become_for_good(&self) -> io::Result<()> {
        if getuid().is_root() != geteuid().is_root() {
            // It was started with borrowed rights, from which root's could be taken back.
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if self.uid == 0 || !geteuid().is_root() {
            return Ok(());
        }
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

/// Holds borrowed rights; gives them back when dropped.
#[derive(Debug)]
pub(crate) struct Acting {
    back: Option<Vec<Gid>>,
    /// Identities are per thread, so the guard must not leave the thread that took it.
    _thread: PhantomData<*const ()>,
}

impl Drop for Acting {
    fn drop(&mut self) {
        let Some(groups) = self.back.take() else { return };
        let root = (Uid::ROOT, Gid::ROOT);
        let restored = set_thread_res_uid(None, root.0, None)
            .and_then(|()| set_thread_res_gid(None, root.1, None))
            .and_then(|()| set_thread_groups(&groups));
        // To go on with half an identity would be worse than to stop.
        assert!(restored.is_ok(), "cannot take root's identity back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On every host the groups 1 to 4 are there, and no user has such a number.
    #[test]
    fn a_user_without_an_account_gets_a_group_that_is_nobodys() {
        for (uid, gid, group) in [
            (61_421, 61_421, 61_421),
            (61_421, 0, NOBODY),
            (61_421, 4, NOBODY),
            (61_421, 61_432, NOBODY),
        ] {
            let identity = Identity::of(uid, gid);
            assert_eq!((identity.gid, &identity.groups[..]), (group, &[group][..]), "{gid}");
        }
        assert_eq!(Identity::of(0, 4).gid, 0);
    }
}
