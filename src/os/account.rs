//! Accounts of this host, from `/etc/passwd` and `/etc/group`.
//!
//! The files themselves, not NSS: the watcher may run no program and loads no module. A user known
//! only to a directory service keeps the group of its folder and has no further groups.

use std::path::{Path, PathBuf};

/// One line of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The login name.
    pub(crate) name: String,
    /// The user id.
    pub(crate) uid: u32,
    /// The primary group.
    pub(crate) gid: u32,
    /// The home folder.
    pub(crate) home: PathBuf,
}

/// Lists the accounts of this host, in the order of the file.
pub(crate) fn all() -> Vec<Account> {
    std::fs::read_to_string("/etc/passwd").map(|text| parse(&text)).unwrap_or_default()
}

/// Finds the account of a user id.
pub(crate) fn of(uid: u32) -> Option<Account> {
    all().into_iter().find(|account| account.uid == uid)
}

/// Names a user for a message: the login name, or the number where there is none.
pub(crate) fn name(uid: u32) -> String {
    of(uid).map_or_else(|| uid.to_string(), |account| account.name)
}

/// Lists the groups that a user belongs to, the primary one first.
pub(crate) fn groups(account: &Account) -> Vec<u32> {
    let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let mut groups = vec![account.gid];
    groups.extend(memberships(&text, &account.name).filter(|gid| *gid != account.gid));
    groups
}

/// Reads the text of a passwd(5) file.
pub(crate) fn parse(passwd: &str) -> Vec<Account> {
    passwd.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
    let home = Path::new(home).to_owned();
    Some(Account { name: name.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()?, home })
}

fn memberships<'a>(group: &'a str, user: &'a str) -> impl Iterator<Item = u32> + 'a {
    group.lines().filter_map(move |line| {
        let mut fields = line.split(':');
        let gid = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == user).then_some(gid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_passwd_and_group() {
        let claw = account("claw:x:1001:1001:Claw,,,:/home/claw:/bin/bash").unwrap();
        assert_eq!((claw.uid, claw.gid, claw.home.to_str()), (1001, 1001, Some("/home/claw")));
        assert_eq!(account("+::::::"), None);
        let group = "root:x:0:\ndocker:x:999:bob,claw\nclaw:x:1001:\nclawd:x:5:xclaw";
        assert_eq!(memberships(group, "claw").collect::<Vec<_>>(), [999]);
    }
}
