//! Asks a gateway on this host whether it answers: one GET, nothing of the answer but its first line.
//! Or only whether anybody listens.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use crate::os::fs::dir::Folder;

/// The state of a socket that listens, in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// The most that is read of that table, in bytes.
const TABLE_LIMIT: u64 = 4 << 20;

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Says whether an HTTP server answers on `host:port`, and not with a failure of its own.
///
/// Older gateways have no `/healthz`: that they answer at all is what counts.
pub(crate) fn answers(host: &str, port: u16) -> bool {
    ask(host, port).unwrap_or(false)
}

/// Says whether nobody listens on `host:port`; a host that does not answer tells nothing.
pub(crate) fn refuses(host: &str, port: u16) -> bool {
    let connected = connect(host, port);
    connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// A socket that somebody listens on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    /// The user whose program listens.
    pub(crate) uid: u32,
    /// The socket's inode, by which its program names it in `/proc`.
    pub(crate) inode: u64,
}

/// Who listens on `port` of this host, by `/proc/net/tcp` (proc(5)).
pub(crate) fn listener(port: u16) -> Option<Listener> {
    let own = Folder::reach(Path::new("/proc/net")).ok()?;
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state) = (fields.get(1)?, fields.get(3)?);
        let is_it = local.ends_with(&format!(":{port:04X}")) && *state == LISTENS;
        let (uid, inode) = (fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?);
        is_it.then_some(Listener { uid, inode })
    };
    ["tcp", "tcp6"].into_iter().find_map(|name| {
        let seen = own.read(name, TABLE_LIMIT).ok()??;
        String::from_utf8_lossy(&seen.bytes).lines().find_map(socket)
    })
}

fn ask(host: &str, port: u16) -> std::io::Result<bool> {
    let mut tcp = connect(host, port)?;
    tcp.set_read_timeout(Some(LIMIT))?;
    tcp.set_write_timeout(Some(LIMIT))?;
    tcp.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut line = [0u8; 12];
    tcp.read_exact(&mut line)?;
    Ok(line.starts_with(b"HTTP/1.") && line[9] != b'5')
}

fn connect(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let address = (host, port).to_socket_addrs()?.next();
    TcpStream::connect_timeout(&address.ok_or(std::io::ErrorKind::NotFound)?, LIMIT)
}
