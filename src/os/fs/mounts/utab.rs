//! The file systems that a program of root's mounted because a user asked for it: mount(8) for one with the option
//! `user` in fstab(5), and udisks for what was plugged in or lies in an image.
//!
//! The kernel does not tell them from root's own, and their files have whatever owners the user gave them elsewhere.
//! libmount writes down which they are.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Mounter, unescaped};
use crate::os::user::account::{self, Stamp};

/// Where libmount writes what the kernel does not keep.
const UTAB: &str = "/run/mount/utab";

/// What it said when it was read last.
static KNOWN: Mutex<Option<(Stamp, Vec<Asked>)>> = Mutex::new(None);

/// A file system that a user had mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    /// Where.
    point: PathBuf,
    /// Who, where that was written down.
    user: Option<String>,
}

/// Whom what is mounted at a place was mounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::os) enum For {
    /// Nobody: root did it of its own accord.
    Root,
    /// This user.
    User(Mounter),
    /// A user, and nobody knows which.
    Unknown,
}

/// Says whom what is mounted at `point` was mounted for.
pub(in crate::os) fn mounted_for(point: &Path) -> std::io::Result<For> {
    let Some(asked) = asked_at(point)? else { return Ok(For::Root) };
    let accounts = account::all();
    let account = accounts.iter().find(|account| Some(&account.name) == asked.user.as_ref());
    Ok(match account {
        Some(account) if account.uid == 0 => For::Root,
        Some(account) => For::User(Mounter { uid: account.uid, gid: account.gid }),
        None => For::Unknown,
    })
}

/// Reads the file where it has changed; where there is none, nothing was asked for. Of several at one place the last
/// one lies over the others.
fn asked_at(point: &Path) -> std::io::Result<Option<Asked>> {
    let last = |all: &[Asked]| all.iter().rfind(|asked| asked.point == point).cloned();
    let Some(stamp) = account::stamp(UTAB) else { return Ok(last(&read(UTAB)?)) };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.as_ref().is_none_or(|(before, _)| *before != stamp) {
        *known = Some((stamp, read(UTAB)?));
    }
    Ok(known.as_ref().and_then(|(_, all)| last(all)))
}

fn read(path: &str) -> std::io::Result<Vec<Asked>> {
    let mut text = Vec::new();
    match std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut text)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(_) => Ok(String::from_utf8_lossy(&text).lines().filter_map(parse).collect()),
    }
}

/// Reads a line: `NAME=value` several times, with blanks between and octal digits for those in a value.
fn parse(line: &str) -> Option<Asked> {
    let value = |name| line.split(' ').find_map(|field| field.strip_prefix(name));
    let options = value("OPTS=").unwrap_or_default();
    let option = |name| options.split(',').find_map(|option| option.strip_prefix(name));
    let user = option("user=").map(str::to_owned);
    // What unmounts it for a user, and so has mounted it for one; `user` alone says that root did, though others may.
    let is_asked = user.is_some() || option("uhelper=").is_some();
    let point = unescaped(value("TARGET=")?);
    is_asked.then_some(Asked { point, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_a_user_had_mounted_and_who_that_was() {
        let asked = |point: &str, user: Option<&str>| {
            Some(Asked { point: point.into(), user: user.map(str::to_owned) })
        };
        for (line, expected) in [
            (
                "SRC=/dev/sdb1 TARGET=/media/a/My\\040Stick ROOT=/ OPTS=uhelper=udisks2",
                asked("/media/a/My Stick", None),
            ),
            ("ID=7 SRC=/dev/loop0 TARGET=/mnt ROOT=/ OPTS=loop,user=a", asked("/mnt", Some("a"))),
            ("SRC=/dev/loop0 TARGET=/mnt ROOT=/ OPTS=user", None),
            ("SRC=10.0.0.1:/x TARGET=/mnt ROOT=/ OPTS=_netdev,x-user=a", None),
            ("SRC=/dev/sdb1 OPTS=user=a", None),
            ("", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
