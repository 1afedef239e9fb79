//! Starts the helper process and hears from it whether the program was executed.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, PidfdFlags, getegid, pidfd_open};

use crate::os::process::command::helper::{self, DESCRIPTORS, Stage};
use crate::os::process::command::request::Request;

/// The running program, also after its file was replaced by an upgrade.
const SELF: &str = "/proc/self/exe";

/// How long the helper may take for the request; it is still root's then, and nobody can keep it.
const HAND_OVER: Duration = Duration::from_secs(30);

/// Processes that not even KILL has ended yet; they are waited for whenever the next one is started, so
/// that a process that goes on for months keeps none of them as a zombie.
static ABANDONED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// A helper that was asked to execute a program.
#[derive(Debug)]
pub(super) struct Launched {
    /// The process: first the helper, then the program.
    pub(super) child: Child,
    /// Stands for it.
    pub(super) pidfd: OwnedFd,
    /// Where it says that the program could not be executed; ends without a word once it was.
    pub(super) answer: UnixStream,
}

/// What the helper has said so far.
#[derive(Debug)]
pub(super) enum Said {
    /// The program is not executed yet.
    Nothing,
    /// The program was executed, or the helper was ended: the process itself tells which.
    Executed,
    /// It could not be executed.
    Failed(Stage, std::io::Error),
}

/// Starts the helper and hands it the request, the three standard streams and the working directory.
pub(super) fn launch(
    request: &Request,
    streams: [BorrowedFd<'_>; 3],
    directory: BorrowedFd<'_>,
) -> std::io::Result<Launched> {
    reap();
    let bytes = request.encode()?;
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_write_timeout(Some(HAND_OVER))?;
    // Nothing of the program's environment: the dynamic linker would heed it with root's rights.
    let mut child = helper_command().stdin(OwnedFd::from(theirs)).spawn()?;
    let handed = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
        .map_err(Into::into)
        .and_then(|pidfd| hand_over(&ours, &bytes, streams, directory).map(|()| pidfd));
    match handed {
        Ok(pidfd) => Ok(Launched { child, pidfd, answer: ours }),
        Err(error) => {
            // It is still root's and waits for nobody, so KILL ends it.
            let _ = child.kill().and_then(|()| child.wait());
            Err(error)
        }
    }
}

fn helper_command() -> Command {
    let mut command = Command::new(SELF);
    command.arg0("oauth-sync").env_clear().stdout(Stdio::null()).stderr(Stdio::null());
    // Our own group changes nothing, but has std fork: posix_spawn(3) of glibc leaves two signals of its
    // own ignored, which the helper could not mend.
    command.gid(getegid().as_raw());
    if cfg!(test) {
        let test = "os::process::command::helper::tests::acts_as_the_helper";
        command.args(["--exact", test, "--test-threads=1"]).env("OAUTH_SYNC_TEST_HELPER", "1");
    } else {
        command.arg(helper::WORD);
    }
    command
}

fn hand_over(
    mut socket: &UnixStream,
    bytes: &[u8],
    [stdin, stdout, stderr]: [BorrowedFd<'_>; 3],
    directory: BorrowedFd<'_>,
) -> std::io::Result<()> {
    let length = u64::try_from(bytes.len()).map_err(|_| ErrorKind::InvalidInput)?.to_le_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [stdin, stdout, stderr, directory];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(ErrorKind::InvalidInput.into());
    }
    sendmsg(socket.as_fd(), &[IoSlice::new(&length)], &mut control, SendFlags::NOSIGNAL)?;
    socket.write_all(bytes)?;
    socket.shutdown(std::net::Shutdown::Write)?;
    socket.set_nonblocking(true)
}

/// Reads what the helper has said, without waiting.
pub(super) fn said(mut answer: &UnixStream) -> Said {
    let mut bytes = [0u8; 16];
    match answer.read(&mut bytes) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Said::Nothing
        }
        Ok(count) => helper::told(&bytes[..count])
            .map_or(Said::Executed, |(stage, error)| Said::Failed(stage, error)),
        Err(_) => Said::Executed,
    }
}

/// Leaves a process that does not end to be waited for later.
pub(super) fn abandon(child: Child) {
    ABANDONED.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    reap();
}

fn reap() {
    let mut abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    abandoned.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

/// The null device, to read from or to write to.
pub(super) fn null() -> std::io::Result<OwnedFd> {
    File::options().read(true).write(true).open("/dev/null").map(Into::into)
}
