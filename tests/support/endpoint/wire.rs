//! One connection: TLS or not, tunnel or not, request after request.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustls::{ServerConnection, StreamOwned};

use super::Shared;
use super::answer::End;
use super::request::Request;
use super::service::Reply;

/// The first byte of a TLS handshake record; no HTTP method starts with it.
const HANDSHAKE: u8 = 22;

/// Serves what comes over `tcp` until either side has enough.
pub(super) fn serve(shared: &Shared, tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    if speaks_tls(tcp)? {
        return serve_tls(shared, tcp, "localhost");
    }
    match serve_requests(shared, tcp, &mut { tcp }, None)? {
        Some(host) if speaks_tls(tcp)? => serve_tls(shared, tcp, &host),
        Some(host) => serve_requests(shared, tcp, &mut { tcp }, Some(&host)).map(drop),
        None => Ok(()),
    }
}

fn speaks_tls(tcp: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(tcp.peek(&mut first)? == 1 && first[0] == HANDSHAKE)
}

fn serve_tls(shared: &Shared, tcp: &TcpStream, host: &str) -> io::Result<()> {
    let tls = ServerConnection::new(shared.authority.vouch(host)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, tcp);
    serve_requests(shared, tcp, &mut stream, Some(host))?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Returns the host to tunnel to when the client asks for that.
fn serve_requests<S>(
    shared: &Shared,
    tcp: &TcpStream,
    stream: &mut S,
    host: Option<&str>,
) -> io::Result<Option<String>>
where
    S: Read + Write,
{
    // A client waits for the answer before it sends more, so a reader made
    // anew for each request loses nothing.
    while let Some(mut request) = Request::read(&mut BufReader::new(&mut *stream))? {
        if request.method == "CONNECT" {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            return Ok(Some(request.host));
        }
        if let Some(host) = host {
            host.clone_into(&mut request.host);
        }
        let (bodiless, closes) = (request.method == "HEAD", request.closes());
        let mut reply = shared.answer(request);
        reply.bodiless = bodiless;
        let whole = send(shared, tcp, stream, &reply)?;
        if closes || !whole {
            break;
        }
    }
    Ok(None)
}

/// Says whether the connection can go on.
fn send(
    shared: &Shared,
    tcp: &TcpStream,
    stream: &mut impl Write,
    reply: &Reply,
) -> io::Result<bool> {
    if reply.end == End::Hang {
        shared.pause(Duration::MAX);
        return Ok(false);
    }
    if !shared.pause(reply.delay) || (reply.held && !shared.hold()) {
        return Ok(false);
    }
    if reply.end == End::Reset {
        // With no time to linger the close becomes a reset.
        set_socket_linger(tcp, Some(Duration::ZERO))?;
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    stream.write_all(reply.head().as_bytes())?;
    if reply.bodiless {
        return stream.flush().map(|()| true);
    }
    let length = match reply.end {
        End::Cut(length) => length.min(reply.body.len()),
        _ => reply.body.len(),
    };
    let body = &reply.body[..length];
    for piece in body.chunks(if reply.drip.is_some() { 1 } else { length.max(1) }) {
        if !shared.pause(reply.drip.unwrap_or_default()) {
            return Ok(false);
        }
        stream.write_all(piece)?;
        stream.flush()?;
    }
    stream.flush()?;
    if let End::Cut(_) = reply.end {
        // Without the TLS farewell: what a broken line looks like.
        tcp.shutdown(Shutdown::Both)?;
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(true)
}

/// Serves a connection that stands in the list of those that the endpoint can break off.
pub(super) fn serve_listed(shared: &Arc<Shared>, tcp: TcpStream, number: usize) {
    // A client that breaks off is part of many a test.
    serve(shared, &tcp).ok();
    // The listed duplicate must go first: a reset needs the last one closed.
    shared.strike(number);
    drop(tcp);
}
