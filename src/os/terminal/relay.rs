//! A pty for a program, relayed to the terminal that we have.
//!
//! A program that had our terminal itself could type into it (TIOCSTI), read what is typed for others, and
//! stay at it after its end. So it gets a terminal of its own, and we carry bytes: to ours only what it
//! writes, to its own only what is typed while it runs.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetwinsize,
    tcsetattr, tcsetwinsize,
};
use signal_hook::SigId;
use signal_hook::consts::{SIGCHLD, SIGWINCH};

use crate::os::error::Error;
use crate::os::event::signals::Waiting;
use crate::os::process::command::{Call, Running, Step};

/// How long it may take until the program is executed.
const START: Duration = Duration::from_secs(30);

/// How long it has from a signal that ends us to TERM.
const GRACE: Duration = Duration::from_secs(10);

/// How often it is looked whether a signal waits for us.
const GLANCE: Duration = Duration::from_secs(1);

/// How much of what an ended program has left is shown: what it started may go on writing.
const REST: usize = 1 << 20;

/// As many Ctrl-C in a row end a program that heeds none of them.
const INSISTING: usize = 5;

/// What Ctrl-C sends.
const INTERRUPT: u8 = 3;

/// Runs a program with a terminal of its own in the place of ours; streams of ours that are no terminal it
/// gets as they are. A signal that waits for us ends it.
pub(super) fn run(call: &Call<'_>, waiting: &Waiting<'_>) -> Result<ExitStatus, Error> {
    let failed = |source: std::io::Error| Error::new("run", call.program(), source);
    let ours = [stdin(), stdout(), stderr()];
    let Some(screen) = [ours[1], ours[2], ours[0]].into_iter().find(|fd| isatty(fd)) else {
        let running = call.start_with(ours, START)?;
        return hear(running, waiting).map_err(failed);
    };
    let Pty { master, slave } = Pty::open(call, screen).map_err(failed)?;
    let streams = ours.map(|fd| if isatty(fd) { slave.as_fd() } else { fd });
    let running = call.start_with(streams, START)?;
    drop(slave);
    let relay = Relay::begin(running, master, screen).map_err(failed)?;
    relay.run(waiting).map_err(failed)
}

/// Waits for a program without a terminal.
fn hear(mut running: Running, waiting: &Waiting<'_>) -> std::io::Result<ExitStatus> {
    while running.wait(None, GLANCE)? != Step::Ended {
        if waiting.asked() {
            return running.end().map(|ended| ended.status);
        }
    }
    running.finish().map(|ended| ended.status)
}

struct Pty {
    master: File,
    /// The program's end.
    slave: OwnedFd,
}

impl Pty {
    /// Makes one that looks like `screen` and belongs to the user, who may open it by its name.
    fn open(call: &Call<'_>, screen: BorrowedFd<'_>) -> std::io::Result<Self> {
        let acting = call.identity.act()?;
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        drop(acting);
        tcsetattr(&slave, OptionalActions::Now, &tcgetattr(screen)?)?;
        tcsetwinsize(&slave, tcgetwinsize(screen)?)?;
        let flags = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        Ok(Self { master: master.into(), slave })
    }
}

/// Our terminal in raw mode; it is as it was when this is dropped, without what was typed too late.
pub(super) struct Raw(Termios);

impl Raw {
    pub(super) fn set() -> std::io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}

/// A signal as bytes of a stream.
struct Told(UnixStream, SigId);

impl Told {
    fn of(signal: i32) -> std::io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        let id = signal_hook::low_level::pipe::register(signal, writer)?;
        Ok(Self(reader, id))
    }

    fn take(&mut self) -> bool {
        matches!(self.0.read(&mut [0u8; 64]), Ok(1..))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.1);
    }
}

struct Relay<'a> {
    running: Running,
    master: Option<File>,
    screen: BorrowedFd<'a>,
    /// Our terminal in raw mode, where standard input is one.
    raw: Option<Raw>,
    /// What was typed and does not fit into the program's terminal yet.
    typed: Vec<u8>,
    interrupts: usize,
    /// What Ctrl-C, or its like, has sent to the program and would have sent to us.
    ending: Option<Signal>,
    resized: Told,
    child: Told,
}

/// What a round has found.
#[derive(PartialEq, Eq)]
enum Found {
    Nothing,
    /// Our terminal is gone, or somebody insists.
    Over,
}

impl<'a> Relay<'a> {
    fn begin(running: Running, master: File, screen: BorrowedFd<'a>) -> std::io::Result<Self> {
        let (resized, child) = (Told::of(SIGWINCH)?, Told::of(SIGCHLD)?);
        let raw = isatty(stdin()).then(Raw::set).transpose()?;
        let (typed, interrupts, ending) = (Vec::new(), 0, None);
        let master = Some(master);
        Ok(Self { running, master, screen, raw, typed, interrupts, ending, resized, child })
    }

    fn run(mut self, waiting: &Waiting<'_>) -> std::io::Result<ExitStatus> {
        let mut told: Option<Instant> = None;
        while !self.running.has_ended()? {
            let found = self.round()?;
            if (found == Found::Over || waiting.asked()) && told.is_none() {
                let signal = if found == Found::Over { Signal::HUP } else { Signal::INT };
                self.running.signal(signal);
                self.running.signal(Signal::CONT);
                told = Some(Instant::now());
            }
            if told.is_some_and(|told| told.elapsed() > GRACE) {
                break;
            }
        }
        self.rest();
        drop(self.raw.take());
        let Self { running, ending, .. } = self;
        let ended = if told.is_some() { running.end() } else { running.finish() };
        if let Some(signal) = ending {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
        ended.map(|ended| ended.status)
    }

    /// Waits for something to carry, and carries it.
    fn round(&mut self) -> std::io::Result<Found> {
        let reads = self.raw.is_some() && self.typed.is_empty() && self.interrupts < INSISTING;
        let input = stdin();
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.running.fd(), PollFlags::IN),
            PollFd::new(&self.resized.0, PollFlags::IN),
            PollFd::new(&self.child.0, PollFlags::IN),
        ];
        if let Some(master) = &self.master {
            let write = if self.typed.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::new(master, PollFlags::IN | write));
        }
        if reads {
            fds.push(PollFd::from_borrowed_fd(input, PollFlags::IN));
        }
        let limit = Timespec::try_from(GLANCE).map_err(|_| Errno::INVAL)?;
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(source.into()),
        }
        let is_typed = reads && fds.last().is_some_and(|fd| !fd.revents().is_empty());
        drop(fds);
        self.show();
        if self.resized.take() {
            self.resize();
        }
        if self.child.take() && self.running.has_stopped() {
            self.suspend()?;
        }
        let found = if is_typed { self.read()? } else { Found::Nothing };
        self.feed();
        Ok(found)
    }

    /// Shows one buffer of what the program writes; says whether there was something.
    fn show(&mut self) -> usize {
        let Some(master) = &mut self.master else { return 0 };
        let mut buffer = [0u8; 16 << 10];
        match master.read(&mut buffer) {
            Ok(count @ 1..) => {
                let mut left = &buffer[..count];
                // A screen that is gone shows nothing; our input tells of that.
                while let Ok(count @ 1..) =
                    rustix::io::retry_on_intr(|| rustix::io::write(self.screen, left))
                {
                    left = &left[count..];
                }
                count
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                0
            }
            // Nobody has the program's terminal open any more.
            Ok(_) | Err(_) => {
                self.master = None;
                0
            }
        }
    }

    /// Shows what an ended program has left.
    fn rest(&mut self) {
        let mut shown = 0;
        while shown < REST {
            match self.show() {
                0 => return,
                count => shown += count,
            }
        }
    }

    /// Takes what was typed.
    fn read(&mut self) -> std::io::Result<Found> {
        let mut buffer = [0u8; 4 << 10];
        let count = match rustix::io::read(stdin(), &mut buffer) {
            Ok(0) | Err(Errno::IO) => return Ok(Found::Over),
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Found::Nothing),
            Err(source) => return Err(source.into()),
        };
        let typed = &buffer[..count];
        self.typed.extend_from_slice(typed);
        let is_interrupt = typed.iter().all(|byte| *byte == INTERRUPT);
        self.interrupts = if is_interrupt { self.interrupts + count } else { 0 };
        match self.meaning(typed) {
            Some(Signal::TSTP) => {
                self.feed();
                self.suspend()?;
            }
            Some(signal) => self.ending = Some(signal),
            None => {}
        }
        Ok(if self.interrupts >= INSISTING { Found::Over } else { Found::Nothing })
    }

    /// The signal that the program's terminal makes of what was typed, as ours would have made it for us.
    fn meaning(&self, typed: &[u8]) -> Option<Signal> {
        let modes = tcgetattr(self.master.as_ref()?).ok()?;
        let code = |index| modes.special_codes[index];
        let signals = [
            (code(SpecialCodeIndex::VINTR), Signal::INT),
            (code(SpecialCodeIndex::VQUIT), Signal::QUIT),
            // The kernel stops no program whose parent is in another session: we stop for it.
            (code(SpecialCodeIndex::VSUSP), Signal::TSTP),
        ];
        let meant = |(code, _): &(u8, Signal)| *code != 0 && typed.contains(code);
        signals
            .into_iter()
            .find(meant)
            .map(|(_, signal)| signal)
            .filter(|_| modes.local_modes.contains(LocalModes::ISIG))
    }

    /// Writes what was typed as far as the program's terminal takes it.
    fn feed(&mut self) {
        let Some(master) = &mut self.master else {
            self.typed.clear();
            return;
        };
        while !self.typed.is_empty() {
            match master.write(&self.typed) {
                Ok(count @ 1..) => drop(self.typed.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.typed.clear(),
            }
        }
    }

    fn resize(&self) {
        if let (Some(master), Ok(size)) = (&self.master, tcgetwinsize(self.screen)) {
            let _ = tcsetwinsize(master, size);
        }
    }

    /// Stops with the program: whoever started us has the terminal until we are continued.
    fn suspend(&mut self) -> std::io::Result<()> {
        let had = self.raw.take().is_some();
        let _ = rustix::process::kill_current_process_group(Signal::TSTP);
        if had {
            self.raw = Some(Raw::set()?);
        }
        self.resize();
        self.running.signal(Signal::CONT);
        Ok(())
    }
}
