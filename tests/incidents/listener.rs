//! An HTTP server on loopback that answers as it is told, and remembers what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How it answers: a status, after a while, with a header more and a text.
#[derive(Clone, Copy)]
struct Answer(u16, Duration, &'static str, &'static str);

/// A server; its thread ends with the process.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Listener {
    pub(crate) fn new(status: u16) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(Answer(status, Duration::ZERO, "", "ok")));
        let letters = Arc::new(Mutex::new(Vec::new()));
        let (told, kept) = (Arc::clone(&answer), Arc::clone(&letters));
        thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                let (told, kept) = (Arc::clone(&told), Arc::clone(&kept));
                thread::spawn(move || serve(&stream, &told, &kept));
            }
        });
        Self { address, answer, letters }
    }

    pub(crate) fn answers(&self, status: u16, after: Duration) {
        *self.answer.lock().unwrap() = Answer(status, after, "", "ok");
    }

    /// Has it answer with a header more, which ends its line, and this text.
    pub(crate) fn says(&self, status: u16, header: &'static str, text: &'static str) {
        *self.answer.lock().unwrap() = Answer(status, Duration::ZERO, header, text);
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, answer: &Mutex<Answer>, letters: &Mutex<Vec<Letter>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    letters.lock().unwrap().push(Letter { head, body });
    let Answer(status, after, header, text) = *answer.lock().unwrap();
    thread::park_timeout(after);
    let mut stream = stream;
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{text}"
    )
    .ok()
}
