//! A request as it arrived, and how it is read off a stream.

use std::io::{self, BufRead, Read};

use serde_json::Value;

/// Longer requests are an error of the test: the Claude CLI's are about 50 kB.
const LIMIT: u64 = 16 << 20;

/// A request that reached the endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The host of the CONNECT or of the Host header, without a port.
    pub(crate) host: String,
    /// Without the query.
    pub(crate) path: String,
    /// What stands behind the question mark, if anything.
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Returns the header of that name in any case, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// Returns the access token of `Authorization: Bearer`, or an empty text.
    pub(crate) fn bearer(&self) -> &str {
        self.header("Authorization").strip_prefix("Bearer ").unwrap_or_default()
    }

    /// Returns the User-Agent, or an empty text.
    pub(crate) fn user_agent(&self) -> &str {
        self.header("User-Agent")
    }

    /// Returns the body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn closes(&self) -> bool {
        self.header("Connection").eq_ignore_ascii_case("close")
    }

    /// Reads the next request; `None` when the client has left.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let start = line(stream)?;
        let mut words = start.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..Self::default()
        };
        loop {
            let text = line(stream)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            request.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let named = if method == "CONNECT" { target } else { request.header("Host") };
        request.host = named.rsplit_once(':').map_or(named, |(host, _)| host).to_owned();
        request.body = request.read_body(stream)?;
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("Transfer-Encoding").eq_ignore_ascii_case("chunked") {
            while read_chunk(stream, &mut body)? {}
        } else {
            let length = self.header("Content-Length").parse().unwrap_or(0);
            read_exactly(stream, length, &mut body)?;
        }
        Ok(body)
    }
}

fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let text = line(stream)?;
    let size = text.split(';').next().unwrap_or_default();
    let size = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
    read_exactly(stream, size, body)?;
    line(stream)?;
    Ok(size > 0)
}

fn read_exactly(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if length > LIMIT || stream.take(length).read_to_end(body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Reads a line without its end; an empty one also at the end of the stream.
fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    stream.take(LIMIT).read_line(&mut text)?;
    text.truncate(text.trim_end().len());
    Ok(text)
}
