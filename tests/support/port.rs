//! Ports for servers that cannot be told to take any.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// How many there are to choose from.
const PORTS: u16 = 8000;

/// Returns a port that nobody listens on: none of those that the system gives to whoever asks for any
/// (32768 and above), and not the one that another test was given before.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(PORTS)).expect("it is below that");
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok();
    let mut ports = (0..PORTS).map(|_| {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
        20_000 + (own + next) % PORTS
    });
    ports.find(is_free).expect("one of so many is free")
}
