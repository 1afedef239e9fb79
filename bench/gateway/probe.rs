//! Asks a gateway over and over, and tells for how long nobody answered.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// How long one answer may take: longer than any pause of a busy process.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) asked: usize,
    pub(crate) failed: usize,
    /// The longest time from one answer to the next with a failure between them.
    pub(crate) gap: Duration,
    /// The longest time until an answer came.
    pub(crate) slowest: Duration,
}

/// Asks on this port while `act` runs, and until it answers afterwards.
pub(crate) fn during(port: u16, act: impl FnOnce()) -> Seen {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| watch(port, &over));
        act();
        over.store(true, Ordering::Relaxed);
        watching.join().expect("a probe does not panic")
    })
}

fn watch(port: u16, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let (mut answered, mut fails) = (Instant::now(), false);
    while fails || !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        seen.asked += 1;
        if answers(port) {
            if fails {
                seen.gap = seen.gap.max(answered.elapsed());
            }
            (answered, fails) = (Instant::now(), false);
            seen.slowest = seen.slowest.max(begun.elapsed());
        } else {
            seen.failed += 1;
            fails = true;
        }
        thread::sleep(PAUSE);
    }
    seen
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("\"live\""))
}
