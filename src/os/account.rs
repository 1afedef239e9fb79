//! Accounts of this host, from `/etc/passwd` and `/etc/group`.
//!
//! The files themselves, not NSS: the watcher may run no program and loads no module. A user known
//! only to a directory service keeps the group of its folder and has no further groups.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::domain::shell::User;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// How many users and homes are remembered; the watcher asks for the same few at each change.
const REMEMBERED: usize = 8;

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known::nothing()) };
}

/// What was found last, for as long as both files stay as they are.
struct Known {
    stamps: [Option<Stamp>; 2],
    users: Vec<(u32, Option<Account>)>,
    homes: Vec<(PathBuf, Option<Account>)>,
    groups: Vec<(String, Vec<u32>)>,
}

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
    std::fs::read_to_string(PASSWD).map(|text| parse(&text)).unwrap_or_default()
}

/// Finds the account of a user id.
pub(crate) fn of(uid: u32) -> Option<Account> {
    known(|known| recall(&mut known.users, &uid, || find(|account| account.uid == uid)))
}

/// Finds the account whose home a folder is.
pub(crate) fn at_home(home: &Path) -> Option<Account> {
    let search = || find(|account| account.home == home);
    known(|known| recall(&mut known.homes, &home.to_owned(), search))
}

/// Names a user for a message: the login name, or the number where there is none.
pub(crate) fn name(uid: u32) -> String {
    of(uid).map_or_else(|| uid.to_string(), |account| account.name)
}

/// The user whose rights a command of a person's needs; `home` stands in where there is no account.
pub(crate) fn typed(uid: u32, gid: u32, home: &Path) -> User {
    User { uid, gid, name: of(uid).map(|account| account.name), home: home.to_owned() }
}

/// Lists the groups that a user belongs to, the primary one first.
pub(crate) fn groups(account: &Account) -> Vec<u32> {
    let others = || {
        let text = std::fs::read_to_string(GROUP).unwrap_or_default();
        memberships(&text, &account.name).collect()
    };
    let others: Vec<u32> = known(|known| recall(&mut known.groups, &account.name, others));
    let others = others.into_iter().filter(|gid| *gid != account.gid);
    std::iter::once(account.gid).chain(others).collect()
}

impl Known {
    const fn nothing() -> Self {
        Self { stamps: [None, None], users: Vec::new(), homes: Vec::new(), groups: Vec::new() }
    }
}

/// What tells a file apart from the one that it was.
type Stamp = (u64, u64, i64, [i64; 4]);

fn stamp(path: &str) -> Option<Stamp> {
    let stat: Stat = rustix::fs::stat(path).ok()?;
    let nanoseconds = |part| i64::try_from(part).unwrap_or_default();
    let changed = [
        stat.st_mtime,
        nanoseconds(stat.st_mtime_nsec),
        stat.st_ctime,
        nanoseconds(stat.st_ctime_nsec),
    ];
    Some((stat.st_dev, stat.st_ino, stat.st_size, changed))
}

/// Looks into what is known, after dropping it if a file has changed.
fn known<T>(look: impl FnOnce(&mut Known) -> T) -> T {
    KNOWN.with_borrow_mut(|known| {
        let stamps = [stamp(PASSWD), stamp(GROUP)];
        if known.stamps != stamps {
            *known = Known { stamps, ..Known::nothing() };
        }
        look(known)
    })
}

/// Gives what is remembered of `key`, else finds it and remembers it.
fn recall<K: PartialEq + Clone, V: Clone>(
    seen: &mut Vec<(K, V)>,
    key: &K,
    find: impl FnOnce() -> V,
) -> V {
    if let Some((_, value)) = seen.iter().find(|(known, _)| known == key) {
        return value.clone();
    }
    let value = find();
    if seen.len() == REMEMBERED {
        seen.remove(0);
    }
    seen.push((key.clone(), value.clone()));
    value
}

/// Finds the first account that is the one asked for.
fn find(is_it: impl Fn(&Account) -> bool) -> Option<Account> {
    std::fs::read_to_string(PASSWD).ok()?.lines().filter_map(account).find(is_it)
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

/// The groups of a group(5) file that name a user.
pub(crate) fn memberships<'a>(group: &'a str, user: &'a str) -> impl Iterator<Item = u32> + 'a {
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
