//! The token endpoint inside a booted system: `endpoint FOLDER` serves port 443 of loopback, writes the
//! certificate to trust and every grant to FOLDER, goes on from there after a reboot, and takes orders
//! on port 444 of loopback, one line a connection.
#![expect(
    clippy::disallowed_methods,
    reason = "a server of the tests is not the program: it has files and threads of its own"
)]

#[path = "../../support/endpoint.rs"]
#[expect(dead_code, reason = "the tests ask more of it")]
mod endpoint;

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use endpoint::{Answer, Endpoint, Grant, TOKEN};

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).expect("the folder is named");
    let ledger = folder.join("grants");
    let endpoint = Arc::new(Endpoint::start_at(&folder, 443));
    let known = read(&ledger)?;
    let count = known.len();
    endpoint.resume(known);
    let keeper = Arc::clone(&endpoint);
    thread::spawn(move || keep(&keeper, &ledger, count).expect("the ledger can be written"));
    for connection in TcpListener::bind(("127.0.0.1", 444))?.incoming() {
        // Who breaks off before the answer did not want it.
        serve(&endpoint, &connection?).ok();
    }
    Ok(())
}

/// Writes each grant down as it is made.
fn keep(endpoint: &Endpoint, ledger: &Path, mut known: usize) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(ledger)?;
    loop {
        let grants = endpoint.more_grants(known);
        for grant in &grants[known..] {
            let Grant { spent, access_token, refresh_token } = grant;
            writeln!(file, "{spent} {access_token} {refresh_token}")?;
        }
        known = grants.len();
    }
}

fn read(ledger: &Path) -> io::Result<Vec<Grant>> {
    let text = match fs::read_to_string(ledger) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let grants = text.lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().expect("three words a line");
        Grant { spent: word(), access_token: word(), refresh_token: word() }
    });
    Ok(grants.collect())
}

fn serve(endpoint: &Endpoint, mut connection: &TcpStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    let answer = obey(endpoint, line.trim_end()).unwrap_or_else(|| format!("not known: {line}"));
    writeln!(connection, "{answer}")
}

/// Does what the line says; `None` if that is no order.
fn obey(endpoint: &Endpoint, line: &str) -> Option<String> {
    let (order, word) = line.split_once(' ').unwrap_or((line, ""));
    match order {
        // a refresh token that is good for one grant
        "accept" => endpoint.accept(word),
        // seconds that the tokens granted from now on live
        "lifetime" => endpoint.lifetime(Duration::from_secs(word.parse().ok()?)),
        // one coming answer: granted at once and sent seconds later, never sent, or an error
        "late" => {
            let delay = Duration::from_secs(word.parse().ok()?);
            endpoint.once(TOKEN, Answer::usual().after(delay));
        }
        // granted at once and sent when that is ordered
        "hold" => endpoint.once(TOKEN, Answer::usual().held()),
        "release" => endpoint.release(),
        "hang" => endpoint.once(TOKEN, Answer::hang()),
        "status" => endpoint.once(TOKEN, Answer::status(word.parse().ok()?)),
        "requests" => return Some(endpoint.requests_to(TOKEN).len().to_string()),
        "granted" => return Some(endpoint.grants().len().to_string()),
        "refused" => return Some(endpoint.refused().to_string()),
        _ => return None,
    }
    Some("ok".to_owned())
}
