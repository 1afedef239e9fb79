//! Processes, as `/proc` shows them to one user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::fs::dir::Folder;
use crate::os::fs::mounts::{self, Mount};
use crate::os::user::identity::Identity;

/// The most that is read of one file of a process, in bytes.
const LIMIT: u64 = 1 << 20;

/// How many ticks of a process's start there are in a second, on every Linux (proc(5), `USER_HZ`).
const TICKS: u64 = 100;

/// A moment, on the clocks that files and processes are dated by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// What files are dated by.
    pub(crate) wall: Timestamp,
    /// Since the host was booted, sleep included: what `/proc` dates processes by.
    boot: Duration,
    /// The same without sleep: what systemd dates processes by.
    awake: Duration,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        let at = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        Self { wall: clock::now(), boot: at(ClockId::Boottime), awake: at(ClockId::Monotonic) }
    }

    /// Says whether a moment that systemd tells, in microseconds, is no earlier.
    pub(crate) fn is_before(&self, systemd: u64) -> bool {
        Duration::from_micros(systemd) >= self.awake
    }
}

/// A process of a user's, looked at with that user's rights.
///
/// `/proc` may hide it from everybody else (`hidepid=`), and no right to trace processes is needed.
pub(crate) struct Process {
    folder: Folder,
}

impl Process {
    /// The process of this number.
    pub(crate) fn find(pid: &str, identity: &Identity) -> Option<Self> {
        let is_number = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
        let all = Folder::reach(Path::new("/proc")).ok().filter(|_| is_number)?;
        let folder = all.with_rights_of(identity).enter(Path::new(pid)).ok()?;
        Some(Self { folder })
    }

    /// All processes of a user.
    pub(crate) fn of_user(identity: &Identity) -> impl Iterator<Item = Self> {
        let all = Folder::reach(Path::new("/proc")).map(|all| all.with_rights_of(identity));
        let names = all.and_then(|all| all.names()).unwrap_or_default().into_iter();
        let found = names.filter_map(|name| Self::find(name.to_str()?, identity));
        found.filter(|found| found.folder.owner().is_ok_and(|owner| owner == identity.uid))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> String {
        self.folder.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Says whether it was started at a moment or later; `None` if that is not shown.
    pub(crate) fn is_started_since(&self, moment: &Moment) -> Option<bool> {
        let line = String::from_utf8_lossy(&self.read("stat")?).into_owned();
        // Its name stands in parentheses and may have anything in it.
        let start = line.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<u64>().ok()?;
        let moment = moment.boot.as_millis() * u128::from(TICKS) / 1000;
        Some(u128::from(start) >= moment)
    }

    /// The environment that it was started with; `None` if it is not shown to the user.
    pub(crate) fn environment(&self) -> Option<Environment> {
        let bytes = self.read("environ").filter(|bytes| !bytes.is_empty())?;
        Some(Environment { bytes })
    }

    /// Its command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let line = self.read("cmdline").unwrap_or_default();
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// The directory that it works in, by the name that its own mounts give it; `None` if it is not shown.
    pub(crate) fn working_directory(&self) -> Option<PathBuf> {
        self.folder.link_target("cwd").ok()
    }

    /// Says whether it has the socket of this inode open; `None` if that is not shown.
    pub(crate) fn has_socket(&self, inode: u64) -> Option<bool> {
        let open = self.folder.enter(Path::new("fd")).ok()?;
        let name = format!("socket:[{inode}]");
        let is_it = |fd: &OsString| {
            let target = fd.to_str().and_then(|fd| open.link_target(fd).ok());
            target.is_some_and(|target| target.as_os_str() == name.as_str())
        };
        Some(open.names().ok()?.iter().any(is_it))
    }

    /// Says whether what it calls `theirs`, in whatever container it is, is the directory that we call `ours`.
    pub(crate) fn sees(&self, theirs: &Path, ours: &Path) -> bool {
        let place = mounts::place(&mounts::table(), ours);
        let text = self.read("mountinfo").unwrap_or_default();
        let table: Vec<Mount> =
            String::from_utf8_lossy(&text).lines().filter_map(mounts::parse).collect();
        place.is_some() && mounts::place(&table, theirs) == place
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.folder.read(name, LIMIT).ok()??.bytes)
    }
}

/// What a process was started with.
pub(crate) struct Environment {
    bytes: Vec<u8>,
}

impl Environment {
    /// The value of a variable; an empty one is one.
    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        let entries = self.bytes.split(|byte| *byte == 0);
        let value = entries.filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('='));
        value.filter(|(key, _)| *key == name).map(|(_, value)| Secret::new(value)).next()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts a process of its own")]
mod tests {
    use super::*;

    #[test]
    fn a_process_shows_its_start_and_its_environment_to_its_user() {
        let (own, before) = (Identity::own(), Moment::now());
        let mut command = std::process::Command::new("sleep");
        let mut child = command.arg("60").env("EMPTY", "").env("A", "b=c").spawn().unwrap();
        let pid = child.id().to_string();
        let found = Process::find(&pid, &own).unwrap();
        // Between fork and exec it is this program still.
        while found.words() != ["sleep", "60"] {
            clock::rest(Duration::from_millis(5));
        }
        assert_eq!(found.is_started_since(&before), Some(true));
        let own_one = Process::find(&std::process::id().to_string(), &own).unwrap();
        clock::rest(Duration::from_millis(30));
        assert_eq!(own_one.is_started_since(&Moment::now()), Some(false));
        let environment = found.environment().unwrap();
        let value = |name| environment.get(name).map(|value| value.expose().to_owned());
        assert_eq!((value("A"), value("EMPTY")), (Some("b=c".into()), Some(String::new())));
        assert_eq!(value("NONE"), None);
        assert!(Process::of_user(&own).any(|one| one.words() == ["sleep", "60"]));
        child.kill().and_then(|()| child.wait()).unwrap();
        for odd in ["", "self", "../1", "0"] {
            assert!(Process::find(odd, &own).is_none(), "{odd}");
        }
    }
}
