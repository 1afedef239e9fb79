//! Asks a gateway on this host whether it answers: one GET, nothing of the answer but its first line.
//! Or only whether anybody listens.

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

/// Says whether nobody listens on `host:port`; a host that does not answer tells nothing.
pub(crate) fn refuses(host: &str, port: u16) -> bool {
    let connected = connect(host, port);
    connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
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
