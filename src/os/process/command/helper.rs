//! The helper process: this program executed again, with one thread, that becomes the user for good and
//! then executes the user's program.
//!
//! What a user can do to a process that has its real uid (signals, prlimit(2), a lease on the program,
//! an interpreter that never answers open(2)) it does to the helper, and never to the process that
//! works for the other links.

use std::collections::BTreeMap;
use std::ffi::{CString, NulError, OsStr, OsString};
use std::io::{ErrorKind, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::os::environment;
use crate::os::process::command::request::Request;

/// The argument that makes this program the helper.
pub(super) const WORD: &str = "execute-for-another-process";

/// The descriptors that come with a request: the three standard ones and the working directory.
pub(super) const DESCRIPTORS: usize = 4;

/// The soft limit of descriptors that programs expect; those that want more raise it.
const OPEN_FILES: u64 = 1024;

/// What a shell returns for a program that it could not execute.
const NOT_EXECUTED: u8 = 127;

/// What the helper was at when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// To execute the program, or to prepare that.
    Run,
    /// To take the user's identity.
    Become,
    /// To enter the working directory.
    Enter,
}

/// What could not be done before the program was executed, and why.
type Failure = (Stage, std::io::Error);

/// Says whether these are the arguments of the helper.
pub(crate) fn is_asked(arguments: &[OsString]) -> bool {
    arguments.len() == 2 && arguments[1] == WORD
}

/// Executes what the request on standard input says; returns only where that fails, and then the other
/// end of the socket was told why.
pub(crate) fn serve() -> ExitCode {
    // Inherited from whoever started us, not from us: ours are all close-on-exec.
    close_fds::set_fds_cloexec(3, &[]);
    let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3) else {
        return NOT_EXECUTED.into();
    };
    let mut socket = UnixStream::from(socket);
    let Ok((request, descriptors)) = receive(&mut socket) else { return NOT_EXECUTED.into() };
    let (stage, error) = execute(&request, descriptors);
    let errno = error.raw_os_error().unwrap_or_else(|| Errno::IO.raw_os_error());
    let _ = socket.write_all(&[&[stage.code()][..], &errno.to_le_bytes()].concat());
    NOT_EXECUTED.into()
}

/// Takes the request and its descriptors off the socket.
fn receive(socket: &mut UnixStream) -> std::io::Result<(Request, [OwnedFd; DESCRIPTORS])> {
    let mut length = [0u8; 8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut length)];
    let got = recvmsg(socket.as_fd(), &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    let odd = || std::io::Error::from(ErrorKind::InvalidData);
    let descriptors = descriptors.try_into().map_err(|_| odd())?;
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| odd())?;
    if got.bytes != 8 {
        return Err(odd());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(length).map_err(|_| odd())?;
    Read::by_ref(socket).take(limit).read_to_end(&mut bytes)?;
    let request = Request::decode(&bytes).filter(|_| bytes.len() == length);
    request.map(|request| (request, descriptors)).ok_or_else(odd)
}

/// Sets up everything that is the process's own, in the order of the rights that it takes.
fn execute(request: &Request, descriptors: [OwnedFd; DESCRIPTORS]) -> Failure {
    let [stdin, stdout, stderr, directory] = descriptors;
    if let Err(error) = set_up(request, [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]) {
        return (Stage::Run, error);
    }
    drop((stdin, stdout, stderr));
    if let Err(error) = request.identity.become_for_good() {
        return (Stage::Become, error);
    }
    if let Err(error) = rustix::process::fchdir(&directory) {
        return (Stage::Enter, error.into());
    }
    (Stage::Run, run(request).into())
}

/// Executes the program; a bare name is looked for in the request's own `PATH`.
fn run(request: &Request) -> Errno {
    let program = request.argv.first().map_or(OsStr::new(""), OsString::as_os_str);
    // Of several values of a name the last one counts.
    let variables: BTreeMap<_, _> =
        request.environment.iter().map(|(name, value)| (name, value)).collect();
    let variables = variables.into_iter();
    let variables =
        variables.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    let words = request.argv.iter().map(|word| word.as_bytes().to_vec());
    let (Ok(argv), Ok(environment)) = (texts(words), texts(variables)) else { return Errno::INVAL };
    let mut why = Errno::NOENT;
    for path in candidates(program, &request.environment) {
        let Ok(path) = CString::new(path.into_os_string().into_vec()) else { return Errno::INVAL };
        let Err(error) = nix::unistd::execve(&path, &argv, &environment);
        match Errno::from_raw_os_error(error as i32) {
            Errno::NOENT | Errno::NOTDIR => {}
            // Another one of this name may be executable.
            Errno::ACCESS => why = Errno::ACCESS,
            other => return other,
        }
    }
    why
}

fn texts(words: impl Iterator<Item = Vec<u8>>) -> Result<Vec<CString>, NulError> {
    words.map(CString::new).collect()
}

/// The paths that a program's name may stand for, in their order.
fn candidates(program: &OsStr, environment: &[(OsString, OsString)]) -> Vec<PathBuf> {
    if program.is_empty() || program.as_bytes().contains(&b'/') {
        return vec![program.into()];
    }
    let path = environment.iter().rfind(|(name, _)| name == "PATH").map(|(_, value)| value);
    let path = path.map_or(OsStr::new(environment::PATH), OsString::as_os_str);
    let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    directories.map(|directory| directory.join(program)).collect()
}

fn set_up(request: &Request, [stdin, stdout, stderr]: [BorrowedFd<'_>; 3]) -> std::io::Result<()> {
    // A session of its own has no controlling terminal: whatever ours is, the program cannot open it.
    rustix::process::setsid()?;
    let terminal = [stdin, stdout, stderr].into_iter().find(|fd| rustix::termios::isatty(fd));
    if let Some(terminal) = terminal.filter(|_| request.terminal) {
        rustix::process::ioctl_tiocsctty(terminal)?;
    }
    dup2_stdin(stdin)?;
    dup2_stdout(stdout)?;
    dup2_stderr(stderr)?;
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    let open_files = getrlimit(Resource::Nofile);
    if open_files.current.is_none_or(|soft| soft > OPEN_FILES) {
        // Where a seccomp filter forbids it the program has more than it expects.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(OPEN_FILES), ..open_files });
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in ignored() {
        // A signal that is caught has its default action after exec(2); one that is ignored has not.
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    Ok(())
}

/// The signals that we were started with as ignored (proc(5), `SigIgn`), without those that cannot be
/// caught and those whose being ignored the kernel does not heed where it counts.
fn ignored() -> Vec<i32> {
    let mut status = String::new();
    let read = std::fs::File::open("/proc/self/status");
    let read = read.and_then(|mut file| file.read_to_string(&mut status));
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Where /proc cannot be read all of them are caught.
    let mask = mask.filter(|_| read.is_ok()).unwrap_or(u64::MAX);
    (1..=64)
        .filter(|signal| mask & (1 << (signal - 1)) != 0)
        .filter(|signal| !signal_hook::consts::FORBIDDEN.contains(signal))
        .collect()
}

/// Reads what [`serve`] tells of a failure.
pub(super) fn told(answer: &[u8]) -> Option<Failure> {
    let (code, errno) = answer.split_first()?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.code() == *code)?;
    let errno = i32::from_le_bytes(errno.try_into().ok()?);
    Some((stage, std::io::Error::from_raw_os_error(errno)))
}

impl Stage {
    const ALL: [Self; 3] = [Self::Run, Self::Become, Self::Enter];

    fn code(self) -> u8 {
        match self {
            Self::Run => b'r',
            Self::Become => b'b',
            Self::Enter => b'e',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not a test of its own: what [`super::super::launch`] executes in unit tests, where the running
    /// program is the test's.
    #[test]
    fn acts_as_the_helper() {
        if std::env::var_os("OAUTH_SYNC_TEST_HELPER").is_some() {
            let _ = serve();
        }
    }

    #[test]
    fn a_bare_name_is_looked_for_in_the_path_of_its_own_environment() {
        let found = |program: &str, path: &str| {
            let environment = [("PATH".into(), path.into())];
            candidates(OsStr::new(program), &environment)
        };
        assert_eq!(found("a", "/b:c::/d"), [PathBuf::from("/b/a"), PathBuf::from("/d/a")]);
        assert_eq!(found("./a", "/b"), [PathBuf::from("./a")]);
        assert!(candidates(OsStr::new("a"), &[]).contains(&PathBuf::from("/usr/bin/a")));
    }

    #[test]
    fn a_failure_is_told_with_its_stage() {
        for stage in Stage::ALL {
            let bytes = [&[stage.code()][..], &13i32.to_le_bytes()].concat();
            let (seen, error) = told(&bytes).unwrap();
            assert_eq!((seen, error.raw_os_error()), (stage, Some(13)));
        }
        assert!(told(b"").is_none() && told(b"r123").is_none() && told(b"x1234").is_none());
    }
}
