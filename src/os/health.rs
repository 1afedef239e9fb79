//! Asks a gateway on this host whether it answers: one GET, nothing of the answer but its first line.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Says whether an HTTP server answers on `host:port`, and not with a failure of its own.
///
/// Older gateways have no `/healthz`: that they answer at all is what counts.
pub(crate) fn answers(host: &str, port: u16) -> bool {
    ask(host, port).unwrap_or(false)
}

fn ask(host: &str, port: u16) -> std::io::Result<bool> {
    let address = (host, port).to_socket_addrs()?.next();
    let Some(address) = address else { return Ok(false) };
    let mut tcp = TcpStream::connect_timeout(&address, LIMIT)?;
    tcp.set_read_timeout(Some(LIMIT))?;
    tcp.set_write_timeout(Some(LIMIT))?;
    tcp.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut line = [0u8; 12];
    tcp.read_exact(&mut line)?;
    Ok(line.starts_with(b"HTTP/1.") && line[9] != b'5')
}
