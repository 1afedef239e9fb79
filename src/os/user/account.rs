//! Accounts of this host, from `/etc/passwd` and `/etc/group`.
//!
//! The files themselves, not NSS: the watcher may run no program and loads no module. A user known
//! only to a directory service is one without an account: see `Identity::of`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::domain::shell::User;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SOURCES: &str = "/etc/nsswitch.conf";

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
    numbers: Vec<(u32, bool)>,
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

/// Says whether a group of this number is there, or an account has it; a file that cannot be read says so
/// of all.
pub(crate) fn has_group(gid: u32) -> bool {
    let search = || {
        let Ok(text) = std::fs::read_to_string(GROUP) else { return true };
        let numbers = text.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok());
        numbers.into_iter().any(|known: u32| known == gid)
            || find(|account| account.gid == gid).is_some()
    };
    known(|known| recall(&mut known.numbers, &gid, search))
}

impl Known {
    const fn nothing() -> Self {
        Self {
            stamps: [None, None],
            users: Vec::new(),
            homes: Vec::new(),
            groups: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

/// What tells a file apart from the one that it was.
pub(in crate::os) type Stamp = (u64, u64, i64, [i64; 4]);

/// What tells a file apart from the one that it will be.
pub(in crate::os) fn stamp(path: &str) -> Option<Stamp> {
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

/// Who besides root holds a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outsider {
    /// Nobody.
    Nobody,
    /// One of them, by name.
    Named(String),
    /// It cannot be told: the group is not in the file, or other sources add members.
    Unknown,
}

/// Finds somebody besides root who holds a group, as the primary one or as a further one.
pub(crate) fn outsider(gid: u32) -> Outsider {
    outsider_besides(gid, 0, |path| std::fs::read_to_string(path).ok())
}

/// Finds somebody besides root and one other user who holds a group, by the texts of a host.
pub(crate) fn outsider_besides(
    gid: u32,
    other: u32,
    text: impl Fn(&Path) -> Option<String>,
) -> Outsider {
    let text = |path: &str| text(Path::new(path));
    let (Some(passwd), Some(group)) = (text(PASSWD), text(GROUP)) else { return Outsider::Unknown };
    let sources = text(SOURCES).unwrap_or_default();
    if has_other_sources(&sources) {
        Outsider::Unknown
    } else {
        outsider_in(gid, other, &passwd, &group)
    }
}

fn outsider_in(gid: u32, other: u32, passwd: &str, group: &str) -> Outsider {
    let accounts = parse(passwd);
    let mut members = Vec::new();
    let mut is_known = false;
    for line in group.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, number, list] = fields[..] else { continue };
        if number.trim().parse() == Ok(gid) {
            is_known = true;
            members.extend(list.split(',').map(str::trim).filter(|name| !name.is_empty()));
        }
    }
    if !is_known {
        return Outsider::Unknown;
    }
    let is_in = |account: &Account| [0, other].contains(&account.uid);
    let primary = accounts.iter().filter(|account| account.gid == gid && !is_in(account));
    let is_known = |name: &str| accounts.iter().any(|one| one.name == name && is_in(one));
    let further = members.into_iter().filter(|name| !is_known(name)).map(str::to_owned);
    let mut names = primary.map(|account| account.name.clone()).chain(further);
    names.next().map_or(Outsider::Nobody, Outsider::Named)
}

/// Says whether accounts or groups come from elsewhere too (`nsswitch.conf(5)`); what systemd adds are
/// its own passing users.
fn has_other_sources(text: &str) -> bool {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let databases = lines.filter_map(|line| line.trim().split_once(':'));
    databases
        .filter(|(name, _)| matches!(name.trim(), "passwd" | "group" | "initgroups"))
        .flat_map(|(_, sources)| sources.split_whitespace())
        .any(|source| !source.starts_with('[') && !matches!(source, "files" | "systemd"))
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
    fn a_group_counts_with_its_primary_members() {
        let passwd = "root:x:0:0::/root:\ntoor:x:0:50::/root:\nclaw:x:1001:51::/home/claw:";
        let group = "root:x:0:\nstaff:x:50:root,toor\nclaw:x:51:\ndev:x:52:root,claw\ngone:x:53:x";
        let named = |name: &str| Outsider::Named(name.to_owned());
        for (gid, who) in [
            (0, Outsider::Nobody),
            (50, Outsider::Nobody),
            (51, named("claw")),
            (52, named("claw")),
            (53, named("x")),
            (54, Outsider::Unknown),
        ] {
            assert_eq!(outsider_in(gid, 0, passwd, group), who, "{gid}");
        }
        for (gid, who) in [(51, Outsider::Nobody), (53, named("x")), (54, Outsider::Unknown)] {
            assert_eq!(outsider_in(gid, 1001, passwd, group), who, "{gid} besides claw");
        }
    }

    #[test]
    fn a_directory_service_may_add_members() {
        for (text, others) in [
            ("", false),
            (
                "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd # sss\nhosts: dns",
                false,
            ),
            ("passwd: files\ngroup:files sss", true),
            ("passwd: compat", true),
            ("initgroups: ldap", true),
        ] {
            assert_eq!(has_other_sources(text), others, "{text}");
        }
    }

    #[test]
    fn reads_passwd_and_group() {
        let claw = account("claw:x:1001:1001:Claw,,,:/home/claw:/bin/bash").unwrap();
        assert_eq!((claw.uid, claw.gid, claw.home.to_str()), (1001, 1001, Some("/home/claw")));
        assert_eq!(account("+::::::"), None);
        let group = "root:x:0:\ndocker:x:999:bob,claw\nclaw:x:1001:\nclawd:x:5:xclaw";
        assert_eq!(memberships(group, "claw").collect::<Vec<_>>(), [999]);
    }
}
